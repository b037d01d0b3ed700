// deepq tune: searches for hyper-parameters, in a study that Optuna and its tools read and continue.
#include "base/file.h"
#include "cli.h"
#include "study_open.h"
#include "tune_results.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct arguments {
    tune_request request;
    const char *trials, *jobs, *timeout, *storage, *study, *sampler, *pruner, *seed, *seeds, *evaluations,
        *out;
    bool resume, json, quiet;
} arguments;

enum { KEY_OBJECTIVE = 1000, KEY_EVALUATIONS, KEY_SEEDS };

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    static const struct {
        int key;
        size_t offset;
    } texts[] = {
        {'a', offsetof(arguments, request.agent)},
        {'f', offsetof(arguments, request.file)},
        {'n', offsetof(arguments, trials)},
        {'j', offsetof(arguments, jobs)},
        {'t', offsetof(arguments, timeout)},
        {'S', offsetof(arguments, storage)},
        {'N', offsetof(arguments, study)},
        {'m', offsetof(arguments, sampler)},
        {'p', offsetof(arguments, pruner)},
        {'s', offsetof(arguments, seed)},
        {'o', offsetof(arguments, out)},
        {KEY_SEEDS, offsetof(arguments, seeds)},
        {KEY_EVALUATIONS, offsetof(arguments, evaluations)},
        {KEY_OBJECTIVE, offsetof(arguments, request.objective)},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].key == key) {
            memcpy((char *)a + texts[i].offset, &text, sizeof text);
            return 0;
        }
    switch (key) {
    case 'r':
        a->resume = true;
        return 0;
    case 'J':
        a->json = true;
        return 0;
    case 'q':
        a->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        if (strncmp(text, "agent=", 6) == 0) {
            a->request.agent = text + 6;
        } else if (cli_is_assignment(text)) {
            if (a->request.word_count == TUNE_WORDS_MAX)
                argp_error(state, "more than %d options", TUNE_WORDS_MAX);
            a->request.words[a->request.word_count++] = text;
        } else if (a->request.env) {
            argp_error(state, "'%s' is one word too many: the environment is %s, an option is key=value",
                       text, a->request.env);
        } else {
            a->request.env = text;
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option option_list[] = {
    {"trials", 'n', "N", 0, "Until the study has N trials, those of other processes included (default 100)",
     0},
    {"jobs", 'j', "J", 0, "Trials at a time in this process (default: one a core)", 0},
    {"timeout", 't', "S", 0, "Begin no trial after S seconds", 0},
    {"storage", 'S', "URL", 0,
     "A journal file (default OUT/study.log), sqlite:///FILE, or postgresql://USER@HOST/NAME", 0},
    {"study", 'N', "NAME", 0, "The study in it (default: ENV-AGENT)", 0},
    {"sampler", 'm', "NAME", 0, "Where parameters come from: see below (default tpe)", 0},
    {"pruner", 'p', "NAME", 0, "Which trials are given up early: see below (default asha)", 0},
    {"objective", KEY_OBJECTIVE, "LIST", 0,
     "return (default), auc, seconds, or several with commas between them", 0},
    {"seeds", KEY_SEEDS, "K", 0, "Trainings a trial: the seeds N to N+K-1 (default 3)", 0},
    {"seed", 's', "N", 0, "Of the suggestions and the first training (default 0)", 0},
    {"evaluations", KEY_EVALUATIONS, "N", 0, "In a training, each a chance to prune (default 20)", 0},
    {"agent", 'a', "NAME", 0, "A named agent, or one of the lab's", 0},
    {"file", 'f', "FILE", 0, "Options as YAML, with search: for the search space", 0},
    {"resume", 'r', NULL, 0, "Go on with the study as it was set up", 0},
    {"out", 'o', "DIR", 0, "For the best preset and the report (default runs/tune-STUDY)", 0},
    {"json", 'J', NULL, 0, "Print a summary as one JSON document", 0},
    {"quiet", 'q', NULL, 0, "Show no progress and no summary", 0},
    {0},
};

// Below the help: what samplers and pruners there are.
static char *list_parts(int key, const char *text, void *input) {
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC || !text) return (char *)text;
    char *all = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&all, &size);
    if (!out) return (char *)text;
    fprintf(out, "%s\n\nSamplers:\n", text);
    for (int i = 0; dq_suggester_classes[i]; i++)
        fprintf(out, "  %-12s %s\n", dq_suggester_classes[i]->about.name,
                dq_suggester_classes[i]->about.summary);
    fprintf(out, "\nPruners:\n");
    for (int i = 0; dq_pruner_classes[i]; i++)
        fprintf(out, "  %-12s %s\n", dq_pruner_classes[i]->about.name, dq_pruner_classes[i]->about.summary);
    fprintf(out, "\nOptions of the search, as key=value:\n");
    dq_option_table table = dq_tune_options();
    for (int i = 0; i < table.count; i++) {
        if (!strcmp(table.rows[i].name, "suggester") || !strcmp(table.rows[i].name, "pruner")) continue;
        fprintf(out, "  %-24s %s (%s)\n", table.rows[i].name, table.rows[i].help, table.rows[i].default_text);
    }
    fclose(out);
    return all;
}

static const struct argp argp = {option_list,
                                 parse,
                                 "ENV|FILE.yml [key=value...]\n--resume --storage URL [--study NAME]",
                                 "Searches for good hyper-parameters. The study is kept as Optuna keeps it, "
                                 "so that Optuna, its dashboard and "
                                 "any number of deepq processes see and continue it at once.\v"
                                 "What is searched: a DQN's options by default. search.OPTION=TEXT changes "
                                 "that, where TEXT is a range (1e-5 .. "
                                 "1e-2), choices (16 | 32 | 64), 'all' or 'off'; OPTION=VALUE fixes one.",
                                 NULL,
                                 list_parts,
                                 NULL};

// --- settings ---------------------------------------------------------------------------------------------

static dq_status read_flags(const arguments *a, tune_setup *setup, int64_t *jobs, int64_t *timeout,
                            dq_error *error) {
    dq_status status = dq_options_defaults(dq_tune_options(), &setup->tune, error);
    int64_t seeds = 3, evaluations = 20, trials = 100;
    if (!status && a->trials) status = cli_integer(a->trials, "--trials", 1, 1000000000, &trials, error);
    if (!status && a->jobs) status = cli_integer(a->jobs, "--jobs", 1, 1024, jobs, error);
    if (!status && a->timeout) status = cli_integer(a->timeout, "--timeout", 1, 1000000000, timeout, error);
    if (!status && a->seeds) status = cli_integer(a->seeds, "--seeds", 1, 1000, &seeds, error);
    if (!status && a->seed)
        status = cli_integer(a->seed, "--seed", 0, (int64_t)1e15, &setup->tune.seed, error);
    if (!status && a->evaluations)
        status = cli_integer(a->evaluations, "--evaluations", 1, 100000, &evaluations, error);
    if (!status && a->sampler)
        status = dq_options_set(dq_tune_options(), &setup->tune, "suggester", a->sampler, "--sampler", error);
    if (!status && a->pruner)
        status = dq_options_set(dq_tune_options(), &setup->tune, "pruner", a->pruner, "--pruner", error);
    setup->tune.trials = !a->trials && a->timeout ? 0 : trials;
    setup->plan.seeds = (int)seeds;
    setup->plan.evaluations = (int)evaluations;
    setup->plan.final_episodes = 20;
    setup->plan.final_seed = 1000000;
    return status;
}

static void default_name(const tune_setup *setup, char *name, size_t size) {
    snprintf(name, size, "%s-%s", setup->config.env, setup->config.agent);
    for (char *c = name; *c; c++)
        if (*c == '/' || *c == ':') *c = '-';
}

typedef struct session {
    tune_setup setup;
    char name[256], folder[PATH_MAX - 128], url[PATH_MAX];
    dq_storage *storage;
    dq_study *study;
    int64_t jobs, timeout;
} session;

// Pruning needs one objective to go by.
static dq_status check_pruning(const session *s, const arguments *a, dq_error *error) {
    const bool pruner = a->pruner && strcmp(a->pruner, "none") != 0;
    if (s->setup.plan.objective_count < 2 || (!pruner && !(s->setup.tune.trial_seconds > 0))) return DQ_OK;
    return dq_fail(error, DQ_USAGE, pruner ? "--pruner" : "trial_seconds",
                   "a search with several objectives cannot prune");
}

static dq_status open_resumed(session *s, const arguments *a, dq_error *error) {
    if (!a->storage)
        return dq_fail(error, DQ_USAGE, "--resume", "say where the study is: --resume --storage FILE");
    if (a->request.env || a->request.file)
        return dq_fail(error, DQ_USAGE, "--resume", "a study that goes on keeps its environment and options");
    for (int i = 0; i < a->request.word_count; i++) {
        dq_status status = dq_options_assign(dq_tune_options(), &s->setup.tune, a->request.words[i],
                                             "command line of a study that goes on", error);
        if (status) return status;
    }
    snprintf(s->url, sizeof s->url, "%s", a->storage);
    dq_status status = study_open(&s->storage, &s->study, s->url, a->study, error);
    if (!status) snprintf(s->name, sizeof s->name, "%s", s->study->name);
    if (!status) status = tune_setup_recall(&s->setup, s->study, error);
    return status ? status : check_pruning(s, a, error);
}

// Queues the first trial: the values that the options have already.
static dq_status enqueue_start(session *s, dq_error *error) {
    dq_trial *added, first = {.state = DQ_TRIAL_WAITING, .started = DQ_NO_TIME, .completed = DQ_NO_TIME};
    char *values = dq_search_start(&s->setup.search, &s->setup.config);
    dq_status status = values ? dq_attributes_set(&first.system, "fixed_params", values, error)
                              : dq_fail(error, DQ_MEMORY, s->name, "there is no memory for the first trial");
    if (!status) status = dq_storage_add(s->storage, s->study, &first, 1, &added, error);
    dq_trial_deinit(&first);
    free(values);
    return status;
}

static dq_status open_new(session *s, const arguments *a, dq_error *error) {
    dq_direction directions[DQ_OBJECTIVES_MAX];
    dq_status status = tune_setup_make(&s->setup, &a->request, error);
    if (!status) status = check_pruning(s, a, error);
    if (status) return status;
    s->setup.plan.config.seed = s->setup.config.seed = s->setup.tune.seed;
    if (a->study)
        snprintf(s->name, sizeof s->name, "%s", a->study);
    else
        default_name(&s->setup, s->name, sizeof s->name);
    if (!a->out) snprintf(s->folder, sizeof s->folder, "runs/tune-%s", s->name);
    snprintf(s->url, sizeof s->url, "%s", a->storage ? a->storage : "");
    if (!a->storage) {
        snprintf(s->url, sizeof s->url, "%s/study.log", s->folder);
        status = dq_file_make_folder(s->folder, error);
    }
    tune_setup_directions(&s->setup, directions);
    const int count = s->setup.plan.objective_count;
    if (!status) status = dq_storage_open(&s->storage, s->url, true, error);
    if (!status) status = dq_storage_make(s->storage, s->name, directions, count, &s->study, error);
    if (!status && (s->study->direction_count != count ||
                    memcmp(s->study->directions, directions, (size_t)count * sizeof *directions) != 0))
        status = dq_fail(error, DQ_USAGE, s->name,
                         "this study is there already, with other objectives or directions; name another "
                         "(--study NAME)");
    if (!status) status = tune_setup_record(&s->setup, s->storage, s->study, error);
    return status || !s->setup.tune.start_values ? status : enqueue_start(s, error);
}

static dq_status open_session(session *s, const arguments *a, dq_error *error) {
    s->jobs = sysconf(_SC_NPROCESSORS_ONLN);
    if (a->out) snprintf(s->folder, sizeof s->folder, "%s", a->out);
    dq_status status = read_flags(a, &s->setup, &s->jobs, &s->timeout, error);
    if (!status) status = a->resume ? open_resumed(s, a, error) : open_new(s, a, error);
    if (!status && !*s->folder) snprintf(s->folder, sizeof s->folder, "runs/tune-%.200s", s->name);
    return status;
}

static dq_status search(session *s, const arguments *a, tune_crew_result *result, dq_error *error) {
    dq_tuner *tuner;
    tune_setup_fit(&s->setup);
    dq_status status = dq_tuner_create(&tuner, &s->setup.tune, s->storage, s->study, &s->setup.search, error);
    if (status) return status;
    status = tune_crew_run(&s->setup.plan, tuner, (int)s->jobs, (double)s->timeout, s->name, a->quiet, result,
                           error);
    dq_tuner_destroy(tuner);
    return status;
}

static void log_line(void *user, dq_log_level level, const char *message) {
    (void)user;
    if (level >= DQ_LOG_WARNING) fprintf(stderr, "deepq: %s\n", message);
}

static int run(int argc, char **argv) {
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    session *s = calloc(1, sizeof *s);
    if (!s) return cli_failed("there is no memory for the search");
    dq_error error = {0};
    tune_crew_result result = {0};
    int written = 0;
    dq_log_set(log_line, NULL);
    dq_status status = open_session(s, &a, &error);
    if (!status) status = search(s, &a, &result, &error);
    if (!status) status = dq_storage_sync(s->storage, s->study, &error);
    if (!status) status = tune_results_write(&s->setup, s->study, s->folder, &written, &error);
    int exit_status = status ? cli_fail(&error) : result.interrupted ? 1 : 0;
    if (!status && a.json)
        tune_results_json(&s->setup, s->study, s->url, s->folder, &result);
    else if (!status && !a.quiet)
        tune_results_print(&s->setup, s->study, s->folder, written);
    if (!status && result.interrupted)
        fprintf(stderr, "interrupted; go on with: deepq tune --resume --storage %s --study %s\n", s->url,
                s->name);
    dq_storage_close(s->storage);
    tune_setup_deinit(&s->setup);
    free(s);
    return exit_status;
}

const cli_verb cli_verb_tune = {"tune", 25, "ENV|FILE.yml [key=value...]",
                                "searches for hyper-parameters, in a study that Optuna reads too", run};
