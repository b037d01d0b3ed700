// deepq report: one self-contained HTML page about a run, several runs or a comparison.
#include "base/file.h"
#include "cli.h"
#include "comparison.h"
#include "report.h"
#include "study_open.h"
#include "study_report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { folders_max = 256 };

typedef struct arguments {
    char *folders[folders_max];
    int folder_count;
    const char *output, *title, *study;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'o':
        a->output = text;
        break;
    case 't':
        a->title = text;
        break;
    case 'N':
        a->study = text;
        break;
    case ARGP_KEY_ARG:
        if (a->folder_count == folders_max) argp_error(state, "at most %d runs fit on a page", folders_max);
        a->folders[a->folder_count++] = text;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "report on what? Give the folder of a run or of a comparison");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_option option_list[] = {
    {"output", 'o', "FILE", 0, "The page (default: report.html in the first folder)", 0},
    {"title", 't', "TEXT", 0, "Its title", 0},
    {"study", 'N', "NAME", 0, "The study in a STORAGE that holds several", 0},
    {0},
};

static const struct argp argp = {
    option_list,
    parse,
    "RUN...\nCOMPARISON\nSTORAGE",
    "Writes one HTML page that needs nothing beside it: configuration, learning curves, tables, and the "
    "animation of an episode (episode.gif) where a run has one. It follows the reader's light or dark "
    "setting "
    "and prints on A4. A STORAGE (the journal or database of a search, deepq's or Optuna's) makes a page "
    "about its "
    "study.",
    NULL,
    NULL,
    NULL};

static dq_status write_page(const comparison *c, const char *title, const char *path, dq_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return dq_fail(error, DQ_MEMORY, path, "there is no memory for the page");
    dq_status status = report_write(c, title, out, error);
    if (fclose(out) && !status) status = dq_fail(error, DQ_MEMORY, path, "there is no memory for the page");
    if (!status) status = dq_file_replace(path, text, size, error);
    free(text);
    return status;
}

static int report_study(const arguments *a) {
    dq_storage *storage;
    dq_study *study;
    dq_error error = {0};
    char path[PATH_MAX], folder[PATH_MAX - 16];
    if (a->folder_count > 1)
        return cli_usage("a page is about one study: %s is one word too many", a->folders[1]);
    study_folder(a->folders[0], folder, sizeof folder);
    snprintf(path, sizeof path, "%s/report.html", folder);
    dq_status status = study_open(&storage, &study, a->folders[0], a->study, &error);
    if (!status) status = study_report_save(study, a->title, a->output ? a->output : path, &error);
    dq_storage_close(storage);
    if (status) return cli_fail(&error);
    printf("%s\n", a->output ? a->output : path);
    return 0;
}

static int run(int argc, char **argv) {
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    if (study_is_storage(a.folders[0])) return report_study(&a);
    if (a.study) return cli_usage("--study is for a STORAGE, and %s is none", a.folders[0]);
    comparison c;
    dq_error error = {0};
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.4000s/report.html", a.folders[0]);
    dq_status status = comparison_open(&c, a.folders, a.folder_count, &error);
    if (!status) status = comparison_score(&c, (int)sysconf(_SC_NPROCESSORS_ONLN), &error);
    if (!status) status = write_page(&c, a.title, a.output ? a.output : path, &error);
    comparison_deinit(&c);
    if (status) return cli_fail(&error);
    printf("%s\n", a.output ? a.output : path);
    return 0;
}

const cli_verb cli_verb_report = {"report", 42, "RUN... | COMPARISON | STORAGE [-o FILE.html]",
                                  "writes one HTML page about runs, a comparison or a search", run};
