// deepq plot: learning curves of runs as a picture, or pictures of a search.
#include "base/file.h"
#include "cli.h"
#include "curves.h"
#include "study_charts.h"
#include "study_open.h"

#include <stdlib.h>
#include <string.h>

enum { words_max = 256, columns_max = 16 };

typedef struct arguments {
    char *folders[words_max];
    int folder_count;
    const char *columns[columns_max];
    int column_count;
    const char *output, *x, *title, *window, *study;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'o':
        a->output = text;
        break;
    case 'x':
        a->x = text;
        break;
    case 't':
        a->title = text;
        break;
    case 'N':
        a->study = text;
        break;
    case 'w':
        a->window = text;
        break;
    case 'y':
        for (char *name; (name = strsep(&text, ","));) {
            if (a->column_count == columns_max)
                argp_error(state, "--y takes at most %d columns", columns_max);
            a->columns[a->column_count++] = name;
        }
        break;
    case ARGP_KEY_ARG:
        if (a->folder_count == words_max) argp_error(state, "at most %d runs fit into a picture", words_max);
        a->folders[a->folder_count++] = text;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which run? Give its folder, such as runs/CartPole-v1-dqn-s0");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// --- a study ----------------------------------------------------------------------------------------------

static bool is_picture(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot && (!strcmp(dot, ".svg") || !strcmp(dot, ".png") || !strcmp(dot, ".pdf"));
}

// One kind; the file's name tells the objective where there are several.
static dq_status plot_kind(const arguments *a, const dq_study *study, const char *kind, int objective,
                           const char *folder, dq_error *error) {
    char path[PATH_MAX];
    study_chart *chart;
    dq_status status = study_chart_create(&chart, study, kind, objective, error);
    if (status) return status;
    if (objective == 0)
        snprintf(path, sizeof path, "%s/%s.svg", folder, kind);
    else
        snprintf(path, sizeof path, "%s/%s-%d.svg", folder, kind, objective + 1);
    if (a->output && is_picture(a->output)) snprintf(path, sizeof path, "%s", a->output);
    if (a->title) study_chart_figure(chart)->title = a->title;
    status = dq_chart_write(study_chart_figure(chart), path, error);
    if (!status) printf("%s\n", path);
    study_chart_destroy(chart);
    return status;
}

static int plot_study(const arguments *a) {
    dq_storage *storage;
    dq_study *study;
    dq_error error = {0};
    char folder[PATH_MAX - 128];
    if (a->folder_count > 1)
        return cli_usage("pictures are of one study: %s is one word too many", a->folders[1]);
    if (a->x || a->window)
        return cli_usage("--x and --window are for learning curves, %s is a search", a->folders[0]);
    bool one = a->output && is_picture(a->output);
    if (one && a->column_count != 1)
        return cli_usage("%s is one picture: say which with --y, or name a folder", a->output);
    study_folder(a->folders[0], folder, sizeof folder);
    if (a->output && !one) snprintf(folder, sizeof folder, "%s", a->output);
    dq_status status = study_open(&storage, &study, a->folders[0], a->study, &error);
    if (!status && !one) status = dq_file_make_folder(folder, &error);
    int drawn = 0;
    for (int k = 0; !status && a->column_count == 0 && study_chart_kinds[k].name; k++)
        for (int objective = 0; !status && objective < study->direction_count; objective++) {
            status = plot_kind(a, study, study_chart_kinds[k].name, objective, folder, &error);
            drawn += !status;
            if (status == DQ_NOT_FOUND) status = DQ_OK; // nothing to show of that kind
        }
    for (int i = 0; !status && i < a->column_count; i++, drawn++)
        status = plot_kind(a, study, a->columns[i], 0, folder, &error);
    if (!status && drawn == 0) status = error.code; // the last reason why not
    dq_storage_close(storage);
    return status ? cli_fail(&error) : 0;
}

// --- learning curves --------------------------------------------------------------------------------------

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"output", 'o', "FILE", 0,
         "The picture: .svg, .png or .pdf (default: curves.svg in the first folder)", 0},
        {"x", 'x', "COLUMN", 0, "Horizontal axis: step (default), episode or seconds", 0},
        {"y", 'y', "COLUMN", 0, "A column of metrics.csv, one panel each; several times or with commas", 0},
        {"window", 'w', "N", 0, "Moving average over N rows (default: 100, at most a twentieth of the rows)",
         0},
        {"title", 't', "TEXT", 0, "The picture's title", 0},
        {"study", 'N', "NAME", 0, "The study in a STORAGE that holds several", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "RUN...\nSTORAGE",
        "Draws the learning curves of runs. Trainings that differ in their seed "
        "alone form a group: one faint line "
        "each, and their mean with its 95% bootstrap interval. A folder of runs "
        "(seed-0, seed-1, ...) counts as "
        "all of them. A STORAGE (the journal or database of a search, deepq's or "
        "Optuna's) gives pictures of its study: --y names some of history, front, "
        "importance, slice, contour, parallel, intermediate (default: all that it has "
        "something for), and --output a folder for several or a file for one.",
        NULL,
        NULL,
        NULL};
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    if (study_is_storage(a.folders[0])) return plot_study(&a);
    if (a.study) return cli_usage("--study is for a STORAGE, and %s is none", a.folders[0]);
    static const char *const axes[] = {"step", "episode", "seconds"};
    bool known = !a.x;
    for (int i = 0; i < 3 && !known; i++) known = strcmp(axes[i], a.x) == 0;
    if (!known) return cli_usage("--x %s: the horizontal axis is one of step, episode, seconds", a.x);
    dq_error error = {0};
    int64_t window = 0;
    if (a.window && cli_integer(a.window, "--window", 1, 1000000, &window, &error)) return cli_fail(&error);

    curves c;
    char default_output[PATH_MAX];
    snprintf(default_output, sizeof default_output, "%.4000s/curves.svg", a.folders[0]);
    const char *output = a.output ? a.output : default_output;
    curves_style style = {.title = a.title,
                          .x = a.x,
                          .columns = a.column_count ? a.columns : NULL,
                          .column_count = a.column_count,
                          .window = (int)window};
    dq_status status = curves_load(&c, a.folders, a.folder_count, &error);
    if (!status) status = curves_draw(&c, &style, output, &error);
    curves_deinit(&c);
    if (status) return cli_fail(&error);
    printf("%s\n", output);
    return 0;
}

const cli_verb cli_verb_plot = {"plot", 40,
                                "RUN... | STORAGE [-o FILE] [--x COLUMN] [--y COLUMN] [--window N]",
                                "draws learning curves, or a search, as SVG, PNG or PDF", run};
