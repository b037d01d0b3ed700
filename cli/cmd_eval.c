// deepq eval: greedy episodes of finished runs, as a table for people or one JSON document.
#include "cli.h"
#include "curves.h"
#include "policies.h"
#include "run/stats.h"

#include <deepq/run.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { words_max = 256 };

typedef struct arguments {
    const char *env, *episodes, *seed, *jobs;
    char *paths[words_max];
    const char *words[words_max];
    int path_count, word_count;
    bool json;
} arguments;

// One run or weights file, evaluated.
typedef struct evaluation {
    const char *path; // borrowed
    dq_run_config config;
    double *returns; // [episodes]
    int64_t steps;
    double seconds;
    dq_stats_summary summary;
} evaluation;

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'e':
        a->env = text;
        break;
    case 'n':
        a->episodes = text;
        break;
    case 's':
        a->seed = text;
        break;
    case 'j':
        a->jobs = text;
        break;
    case 'J':
        a->json = true;
        break;
    case ARGP_KEY_ARG:
        if (a->path_count == words_max || a->word_count == words_max) argp_error(state, "too many words");
        if (strchr(text, '=') && access(text, F_OK) != 0)
            a->words[a->word_count++] = text;
        else
            a->paths[a->path_count++] = text;
        break;
    case ARGP_KEY_END:
        if (a->path_count == 0)
            argp_error(
                state,
                "which agent? Give a run's folder or a weights file, such as runs/CartPole-v1-default-s0");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// Folders that hold several runs become those; the strings are the caller's to free.
static dq_status expand(char *const *paths, int count, char ***out, int *out_count, dq_error *error) {
    for (int i = 0; i < count; i++) {
        struct stat about;
        char **found = NULL, weights[PATH_MAX + 32];
        int n = 0;
        snprintf(weights, sizeof weights, "%s/weights.safetensors", paths[i]);
        bool several = stat(paths[i], &about) == 0 && S_ISDIR(about.st_mode) && access(weights, F_OK) != 0;
        dq_status status = several ? curves_find(paths[i], &found, &n, error) : DQ_OK;
        if (status) return status;
        char **grown = realloc(*out, (size_t)(*out_count + n + 1) * sizeof *grown);
        if (!grown) return dq_fail(error, DQ_MEMORY, NULL, "out of memory");
        *out = grown;
        if (!several && ((*out)[*out_count] = strdup(paths[i]))) ++*out_count;
        for (int k = 0; k < n; k++) (*out)[(*out_count)++] = found[k];
        free(found);
    }
    return DQ_OK;
}

static dq_status evaluate(const arguments *a, evaluation *e, int episodes, uint64_t seed, int jobs,
                          dq_error *error) {
    dq_policy *policy = NULL;
    dq_status status = cli_policy_load(&policy, e->path, error);
    if (status) return status;
    status = cli_policy_env(&e->config, policy, e->path, a->env, a->words, a->word_count, error);
    if (!status && !(e->returns = calloc((size_t)episodes, sizeof *e->returns)))
        status = dq_fail(error, DQ_MEMORY, NULL, "out of memory for %d episodes", episodes);
    double started = cli_clock();
    if (!status)
        status = dq_policy_evaluate(policy, dq_env_find(e->config.env, error), &e->config, episodes, seed,
                                    jobs, e->returns, &e->steps, error);
    e->seconds = cli_clock() - started;
    dq_policy_destroy(policy);
    return status ? status : dq_stats_summarize(&e->summary, e->returns, episodes, seed, error);
}

// --- what is told
// -------------------------------------------------------------------------------------------

static void add_summary(json_object *document, const dq_stats_summary *s) {
    json_object_object_add(document, "mean", cli_json_number(s->mean));
    json_object_object_add(document, "sd", cli_json_number(s->sd));
    json_object_object_add(document, "median", cli_json_number(s->median));
    json_object_object_add(document, "iqm", cli_json_number(s->iqm));
    json_object_object_add(document, "iqm_low", cli_json_number(s->iqm_low));
    json_object_object_add(document, "iqm_high", cli_json_number(s->iqm_high));
}

static json_object *document_of(const evaluation *e, int episodes, int64_t seed) {
    json_object *document = json_object_new_object(), *returns = json_object_new_array();
    json_object_object_add(document, "env", json_object_new_string(e->config.env));
    json_object_object_add(document, "agent", json_object_new_string(e->config.agent));
    json_object_object_add(document, "path", json_object_new_string(e->path));
    json_object_object_add(document, "episodes", json_object_new_int(episodes));
    json_object_object_add(document, "seed", json_object_new_int64(seed));
    for (int i = 0; i < episodes; i++) json_object_array_add(returns, cli_json_number(e->returns[i]));
    json_object_object_add(document, "returns", returns);
    add_summary(document, &e->summary);
    json_object_object_add(document, "steps", json_object_new_int64(e->steps));
    json_object_object_add(document, "seconds", cli_json_number(e->seconds));
    return document;
}

// One run: its document. Several: their documents, and the summary over the runs' means.
static int print_json(const evaluation *list, int count, const dq_stats_summary *over, int episodes,
                      int64_t seed) {
    if (count == 1) return cli_json_print(document_of(&list[0], episodes, seed));
    json_object *document = json_object_new_object(), *runs = json_object_new_array();
    for (int i = 0; i < count; i++) json_object_array_add(runs, document_of(&list[i], episodes, seed));
    add_summary(document, over);
    json_object_object_add(document, "runs", runs);
    return cli_json_print(document);
}

static void print_one(const evaluation *e, int episodes, int64_t seed) {
    double lowest = INFINITY, highest = -INFINITY;
    char steps[32];
    for (int i = 0; i < episodes; i++) {
        lowest = fmin(lowest, e->returns[i]);
        highest = fmax(highest, e->returns[i]);
    }
    printf("%s, agent %s: %d greedy episodes, seeds %lld to %lld\n", e->config.env, e->config.agent, episodes,
           (long long)seed, (long long)seed + episodes - 1);
    printf("  mean    %9.2f   standard deviation %.2f\n", e->summary.mean, e->summary.sd);
    printf("  median  %9.2f   from %.2f to %.2f\n", e->summary.median, lowest, highest);
    printf("  IQM     %9.2f   95%% interval %.2f to %.2f\n", e->summary.iqm, e->summary.iqm_low,
           e->summary.iqm_high);
    printf("  %s steps in %.2f s\n", cli_count(steps, sizeof steps, e->steps), e->seconds);
}

static void print_many(const evaluation *list, int count, const dq_stats_summary *over, int episodes,
                       int64_t seed) {
    int widest = 4;
    for (int i = 0; i < count; i++) widest = (int)fmax(widest, (double)strlen(list[i].path));
    printf("%d greedy episodes each, seeds %lld to %lld\n", episodes, (long long)seed,
           (long long)seed + episodes - 1);
    printf("%-*s %10s %8s %10s %10s\n", widest, "run", "mean", "SD", "median", "IQM");
    for (int i = 0; i < count; i++)
        printf("%-*s %10.2f %8.2f %10.2f %10.2f\n", widest, list[i].path, list[i].summary.mean,
               list[i].summary.sd, list[i].summary.median, list[i].summary.iqm);
    printf("\nover the %d runs' means: mean %.2f, standard deviation %.2f, median %.2f,\n"
           "  IQM %.2f with 95%% interval %.2f to %.2f\n",
           count, over->mean, over->sd, over->median, over->iqm, over->iqm_low, over->iqm_high);
}

static dq_status summarize_runs(dq_stats_summary *over, const evaluation *list, int count, uint64_t seed,
                                dq_error *error) {
    double *means = calloc((size_t)count, sizeof *means);
    if (!means) return dq_fail(error, DQ_MEMORY, NULL, "out of memory");
    for (int i = 0; i < count; i++) means[i] = list[i].summary.mean;
    dq_status status = dq_stats_summarize(over, means, count, seed, error);
    free(means);
    return status;
}

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"env", 'e', "ENV", 0, "Another environment than the one it was trained on", 0},
        {"episodes", 'n', "N", 0, "How many (default 100)", 0},
        {"seed", 's', "S", 0, "Episode i resets its environment with seed S+i (default 0)", 0},
        {"jobs", 'j', "J", 0, "Threads (default: one a core); the figures do not depend on them", 0},
        {"json", 'J', NULL, 0, "Print one JSON document", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "RUN|WEIGHTS|FILE.pth... [env.NAME=value...] [step_limit=N]",
        "Plays greedy episodes with trained agents: mean, standard deviation, median, and the interquartile "
        "mean "
        "with its 95% bootstrap interval. A folder of runs (seed-0, seed-1, ...) counts as all of them.",
        NULL,
        NULL,
        NULL};
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    dq_error error = {0};
    int64_t episodes = 100, seed = 0, jobs = sysconf(_SC_NPROCESSORS_ONLN);
    dq_status status = DQ_OK;
    if (a.episodes) status = cli_integer(a.episodes, "--episodes", 1, 1000000, &episodes, &error);
    if (!status && a.seed) status = cli_integer(a.seed, "--seed", 0, (int64_t)1e15, &seed, &error);
    if (!status && a.jobs) status = cli_integer(a.jobs, "--jobs", 1, 1024, &jobs, &error);

    char **paths = NULL;
    int count = 0;
    dq_stats_summary over = {0};
    if (!status) status = expand(a.paths, a.path_count, &paths, &count, &error);
    evaluation *list = calloc((size_t)count + 1, sizeof *list);
    if (!status && !list) status = dq_fail(&error, DQ_MEMORY, NULL, "out of memory");
    for (int i = 0; i < count && !status; i++) {
        list[i].path = paths[i];
        status = evaluate(&a, &list[i], (int)episodes, (uint64_t)seed, (int)jobs, &error);
    }
    if (!status && count > 1) status = summarize_runs(&over, list, count, (uint64_t)seed, &error);
    int exit_status = 0;
    if (status)
        exit_status = cli_fail(&error);
    else if (a.json)
        exit_status = print_json(list, count, &over, (int)episodes, seed);
    else if (count == 1)
        print_one(&list[0], (int)episodes, seed);
    else
        print_many(list, count, &over, (int)episodes, seed);
    for (int i = 0; i < count; i++) {
        if (list) free(list[i].returns);
        free(paths[i]);
    }
    free(list);
    free(paths);
    return exit_status;
}

const cli_verb cli_verb_eval = {"eval", 30, "RUN|WEIGHTS... [--episodes N] [--seed S] [--json]",
                                "plays greedy episodes and tells their returns", run};
