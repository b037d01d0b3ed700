// deepq compare: trains the agents of a lab, several seeds each, or takes finished runs, and sets them side
// by side: a table, its numbers as CSV and JSON, and pictures.
//
// A lab's trainings are made in DIR/AGENT/seed-S; DIR/lab.yml, written first, makes resuming possible. Values
// of a training come in this order, later ones win: defaults (tuned ones where the lab asks for them), the
// lab's common options, the preset's, the agent's own, key=value words.
#include "base/file.h"
#include "cli.h"
#include "comparison.h"
#include "trainings.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { words_max = 256 };

typedef struct arguments {
    const char *out, *resume, *jobs, *seed, *seeds, *agents;
    char *paths[words_max];
    const char *words[words_max];
    int path_count, word_count;
    bool json, quiet, dry_run;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'a':
        a->agents = text;
        break;
    case 'o':
        a->out = text;
        break;
    case 'r':
        a->resume = text;
        break;
    case 'j':
        a->jobs = text;
        break;
    case 's':
        a->seed = text;
        break;
    case 'k':
        a->seeds = text;
        break;
    case 'n':
        a->dry_run = true;
        break;
    case 'J':
        a->json = true;
        break;
    case 'q':
        a->quiet = true;
        break;
    case ARGP_KEY_ARG:
        if (a->path_count + a->word_count == words_max) argp_error(state, "more than %d words", words_max);
        if (strchr(text, '=') && access(text, F_OK) != 0)
            a->words[a->word_count++] = text;
        else
            a->paths[a->path_count++] = text;
        break;
    case ARGP_KEY_END:
        if (!a->resume && a->path_count == 0)
            argp_error(state, "compare what? Give a lab, such as labs/inf639.yml, or runs' folders");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_option option_list[] = {
    {"agents", 'a', "NAME,...", 0, "Only these agents of the lab", 0},
    {"seeds", 'k', "K", 0, "Trainings per agent (default: the lab's)", 0},
    {"seed", 's', "N", 0, "The first training's seed (default: the lab's)", 0},
    {"jobs", 'j', "J", 0, "Trainings at a time (default: one a core)", 0},
    {"out", 'o', "DIR", 0, "Where the comparison goes (default: runs/LAB)", 0},
    {"resume", 'r', "DIR", 0, "Go on with the comparison in DIR; what is finished is kept", 0},
    {"dry-run", 'n', NULL, 0, "Check the lab and say what would be trained", 0},
    {"json", 'J', NULL, 0, "Print the scores as one JSON document", 0},
    {"quiet", 'q', NULL, 0, "Show no progress and no table", 0},
    {0},
};

static const struct argp argp = {option_list,
                                 parse,
                                 "LAB.yml [key=value...]\nRUN...\n--resume DIR",
                                 "Trains every agent of a lab with several seeds, on all cores, and compares "
                                 "them; or compares runs that are "
                                 "there already.\v"
                                 "Leaves table.csv, scores.json and pictures in DIR. A word key=value "
                                 "changes an option of every agent. Runs "
                                 "that differ in their seed alone count as one agent.",
                                 NULL,
                                 NULL,
                                 NULL};

// --- the lab ----------------------------------------------------------------------------------------------

static dq_status keep_agents(dq_lab *lab, const char *list, dq_error *error) {
    const char *names[64];
    bool kept[64] = {false};
    for (int i = 0; i < lab->agent_count; i++) names[i] = lab->agents[i].name;
    for (const char *word = list; *word;) {
        char name[64];
        size_t length = strcspn(word, ",");
        int found = -1;
        snprintf(name, sizeof name, "%.*s", (int)length, word);
        for (int i = 0; i < lab->agent_count; i++)
            if (strcmp(names[i], name) == 0) found = i;
        if (found < 0) {
            const char *nearest = cli_nearest(name, names, lab->agent_count);
            return dq_fail(error, DQ_USAGE, "--agents", "the lab has no agent '%s'%s%s%s", name,
                           nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        }
        kept[found] = true;
        word += length + (word[length] == ',');
    }
    int count = 0;
    for (int i = 0; i < lab->agent_count; i++) { // those left out go behind, so that all are freed
        if (!kept[i]) continue;
        dq_lab_agent agent = lab->agents[count];
        lab->agents[count++] = lab->agents[i];
        lab->agents[i] = agent;
    }
    while (lab->agent_count > count) dq_lab_drop_agent(lab);
    return DQ_OK;
}

// One key=value word: a key of the lab, or an option of every agent.
static dq_status apply_word(dq_lab *lab, const char *word, dq_error *error) {
    char key[64];
    size_t length = strcspn(word, "=");
    snprintf(key, sizeof key, "%.*s", (int)length, word);
    if (dq_options_find(dq_lab_options(), key))
        return dq_options_assign(dq_lab_options(), lab, word, "command line", error);
    dq_status status = DQ_OK;
    for (int i = 0; i < lab->agent_count && !status; i++)
        status = dq_lab_add(&lab->agents[i].options, key, word + length + 1, "command line", error);
    return status;
}

static dq_status read_lab(const arguments *a, dq_lab *lab, dq_error *error) {
    if (a->path_count > 1)
        return dq_fail(error, DQ_USAGE, a->paths[1], "one lab at a time, or only folders of runs");
    dq_status status = dq_lab_read(lab, a->paths[0], error);
    if (!status && a->agents) status = keep_agents(lab, a->agents, error);
    if (!status && a->seeds)
        status = dq_options_set(dq_lab_options(), lab, "seeds", a->seeds, "--seeds", error);
    if (!status && a->seed) status = dq_options_set(dq_lab_options(), lab, "seed", a->seed, "--seed", error);
    for (int i = 0; i < a->word_count && !status; i++) status = apply_word(lab, a->words[i], error);
    return status;
}

// --- its trainings ----------------------------------------------------------------------------------------

static bool exists(const char *folder, const char *name) {
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

// The n-th training in the order of the queue: every agent's first seed, then every agent's second, ...
static int queue_place(const comparison *c, int n) {
    return c->agents[n % c->agent_count].first + n / c->agent_count;
}

static dq_status finish(training *t, void *user, dq_error *error) {
    const dq_lab *lab = user;
    return comparison_finish_run(t->folder, (int)lab->final_episodes, lab->final_seed, error);
}

// Those that are not finished; *list is the caller's to free.
static dq_status plan(const dq_lab *lab, const comparison *c, training **list, int *count, dq_error *error) {
    training *made = calloc((size_t)c->run_count, sizeof *made);
    if (!made) return dq_fail(error, DQ_MEMORY, NULL, "there is no memory for %d trainings", c->run_count);
    dq_status status = DQ_OK;
    *count = 0;
    for (int n = 0; n < c->run_count && !status; n++) {
        const comparison_run *run = &c->runs[queue_place(c, n)];
        training *t = &made[*count];
        status = comparison_configure(&t->config, lab, run->agent, run->seed, error);
        if (status || comparison_is_finished(run->folder, (int)lab->final_episodes, lab->final_seed))
            continue;
        memcpy(t->folder, run->folder, sizeof t->folder);
        snprintf(t->label, sizeof t->label, "%s, seed %lld", lab->agents[run->agent].name,
                 (long long)run->seed);
        t->resume = exists(t->folder, "config.yml");
        ++*count;
    }
    *list = made;
    return status;
}

// --- what is left behind ----------------------------------------------------------------------------------

static dq_status write_json(const comparison *c, const char *path, dq_error *error) {
    json_object *document = comparison_json(c);
    const char *text = json_object_to_json_string_ext(
        document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
    dq_status status = dq_file_replace(path, text, strlen(text), error);
    json_object_put(document);
    return status;
}

static dq_status write_results(const comparison *c, const char *folder, dq_error *error) {
    char path[PATH_MAX + 64];
    dq_status status = dq_file_make_folder(folder, error);
    snprintf(path, sizeof path, "%s/table.csv", folder);
    if (!status) status = comparison_write_csv(c, path, error);
    snprintf(path, sizeof path, "%s/scores.json", folder);
    if (!status) status = write_json(c, path, error);
    for (int f = 0; f < COMPARISON_FIGURES && !status; f++) {
        snprintf(path, sizeof path, "%s/%s.svg", folder, comparison_figure_name(f));
        if (comparison_has_figure(c, f)) status = comparison_draw(c, f, path, error);
    }
    return status;
}

static int show(const comparison *c, const char *folder, const arguments *a) {
    if (a->json) return cli_json_print(comparison_json(c));
    if (a->quiet) return 0;
    comparison_print(c, stdout);
    if (!folder) return 0;
    printf("\n%s/table.csv, scores.json", folder);
    for (int f = 0; f < COMPARISON_FIGURES; f++)
        if (comparison_has_figure(c, f)) printf(", %s.svg", comparison_figure_name(f));
    printf("\none page of it all: deepq report %s\n", folder);
    return 0;
}

// --- ways to use it ---------------------------------------------------------------------------------------

static int jobs_of(const arguments *a, dq_status *status, dq_error *error) {
    int64_t jobs = sysconf(_SC_NPROCESSORS_ONLN);
    *status = a->jobs ? cli_integer(a->jobs, "--jobs", 1, 1024, &jobs, error) : DQ_OK;
    return (int)jobs;
}

static void choose_folder(const arguments *a, const dq_lab *lab, char *folder, size_t size) {
    if (a->out) {
        snprintf(folder, size, "%s", a->out);
        return;
    }
    snprintf(folder, size, "runs/%s", lab->name);
    for (int k = 2; access(folder, F_OK) == 0; k++) snprintf(folder, size, "runs/%s-%d", lab->name, k);
}

static dq_status begin_folder(const dq_lab *lab, const char *folder, dq_error *error) {
    char path[PATH_MAX + 16], *text = NULL;
    size_t size = 0;
    if (exists(folder, "lab.yml"))
        return dq_fail(error, DQ_USAGE, folder,
                       "there is a comparison already; choose another --out, or go on with it: deepq compare "
                       "--resume %.150s",
                       folder);
    dq_status status = dq_file_make_folder(folder, error);
    if (status) return status;
    FILE *out = open_memstream(&text, &size);
    if (out) dq_lab_write(lab, out);
    snprintf(path, sizeof path, "%s/lab.yml", folder);
    if (!out || fclose(out))
        status = dq_fail(error, DQ_MEMORY, path, "there is no memory to write the lab");
    else
        status = dq_file_replace(path, text, size, error);
    free(text);
    return status;
}

static int tell_dry_run(const dq_lab *lab, const training *list, int count) {
    printf("%s: %s, %d agents with %lld trainings each\n", lab->name, lab->env, lab->agent_count,
           (long long)lab->seeds);
    for (int i = 0; i < count; i++) printf("%s: %s\n", list[i].label, list[i].folder);
    return 0;
}

// Trains what is not finished in `folder`. Returns an exit status.
static int train_all(const dq_lab *lab, training *list, int count, int jobs, const char *folder,
                     const arguments *a) {
    char title[80];
    snprintf(title, sizeof title, "%s", lab->name);
    for (int i = 0; i < count; i++) {
        list[i].finish = finish;
        list[i].finish_user = (void *)lab;
    }
    int unfinished = count > 0 ? trainings_run(list, count, jobs, title, a->quiet) : 0;
    for (int i = 0; i < count; i++)
        if (list[i].state == TRAINING_FAILED) return cli_fail(&list[i].error);
    if (unfinished == 0) return 0;
    fprintf(stderr,
            "interrupted, %d of %d trainings are left; everything is saved. Go on with: deepq compare "
            "--resume %s\n",
            unfinished, (int)(lab->seeds * lab->agent_count), folder);
    return 1;
}

static int compare_lab(const arguments *a) {
    dq_lab lab;
    comparison c = {0};
    training *list = NULL;
    dq_error error = {0};
    char folder[PATH_MAX] = "", path[PATH_MAX + 16];
    int count = 0, exit_status = 0, jobs = 1;
    dq_status status;
    if (a->resume) {
        snprintf(folder, sizeof folder, "%s", a->resume);
        snprintf(path, sizeof path, "%s/lab.yml", folder);
        status = dq_lab_read(&lab, path, &error);
    } else {
        status = read_lab(a, &lab, &error);
        choose_folder(a, &lab, folder, sizeof folder);
    }
    if (!status) jobs = jobs_of(a, &status, &error);
    if (!status) status = comparison_plan(&c, &lab, folder, &error);
    if (!status) status = plan(&lab, &c, &list, &count, &error);
    if (!status && a->dry_run) {
        exit_status = tell_dry_run(&lab, list, count);
        goto done;
    }
    if (!status && !a->resume) status = begin_folder(&lab, folder, &error);
    if (!status) exit_status = train_all(&lab, list, count, jobs, folder, a);
    if (!status && exit_status) goto done;
    if (!status) status = comparison_score(&c, jobs, &error);
    if (!status) status = write_results(&c, folder, &error);
    exit_status = status ? cli_fail(&error) : show(&c, folder, a);
done:
    free(list);
    comparison_deinit(&c);
    dq_lab_deinit(&lab);
    return exit_status;
}

static int compare_runs(const arguments *a) {
    comparison c;
    dq_error error = {0};
    dq_status status;
    int jobs = jobs_of(a, &status, &error);
    if (!status && a->word_count)
        status =
            dq_fail(&error, DQ_USAGE, a->words[0], "runs are trained already: no option can change them");
    if (status) return cli_fail(&error);
    status = comparison_open(&c, a->paths, a->path_count, &error);
    if (!status) status = comparison_score(&c, jobs, &error);
    if (!status && a->out) status = write_results(&c, a->out, &error);
    int exit_status = status ? cli_fail(&error) : show(&c, a->out, a);
    comparison_deinit(&c);
    return exit_status;
}

static int run(int argc, char **argv) {
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    struct stat about;
    if (a.resume && a.path_count + a.word_count > 0)
        return cli_usage("--resume %s: a comparison goes on as it began; no other word goes with it",
                         a.resume);
    bool is_folder = a.path_count > 0 && stat(a.paths[0], &about) == 0 && S_ISDIR(about.st_mode);
    return is_folder ? compare_runs(&a) : compare_lab(&a);
}

const cli_verb cli_verb_compare = {"compare", 41, "LAB.yml | RUN... [--out DIR] [--jobs J] [--seeds K]",
                                   "trains agents x seeds, or takes runs, and compares them", run};
