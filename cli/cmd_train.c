// deepq train: puts a run's configuration together, trains one or several seeds, draws their curves.
//
// Values come in this order, later ones win: defaults, the environment's preset, the agent's, -f FILE,
// key=value words, --seed.
#include "base/file.h"
#include "cli.h"
#include "curves.h"
#include "interrupt.h"
#include "io/yaml.h"
#include "train_help.h"
#include "trainings.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { words_max = 256, seeds_max = 10000 };

typedef struct arguments {
    const char *env, *agent, *file, *seed, *seeds, *jobs, *out, *resume, *record;
    const char *words[words_max];
    int word_count;
    bool json, quiet;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'a':
        a->agent = text;
        break;
    case 'f':
        a->file = text;
        break;
    case 's':
        a->seed = text;
        break;
    case 'k':
        a->seeds = text;
        break;
    case 'j':
        a->jobs = text;
        break;
    case 'o':
        a->out = text;
        break;
    case 'r':
        a->resume = text;
        break;
    case 'g':
        a->record = text;
        break;
    case 'J':
        a->json = true;
        break;
    case 'q':
        a->quiet = true;
        break;
    case ARGP_KEY_ARG:
        if (strncmp(text, "agent=", 6) == 0)
            a->agent = text + 6;
        else if (cli_is_assignment(text)) {
            if (a->word_count == words_max) argp_error(state, "more than %d options", words_max);
            a->words[a->word_count++] = text;
        } else if (a->env) {
            argp_error(state, "'%s' is one word too many: the environment is %s, an option is key=value",
                       text, a->env);
        } else {
            a->env = text;
        }
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_option option_list[] = {
    {"agent", 'a', "NAME", 0, "A named agent ('deepq agents' lists them)", 0},
    {"file", 'f', "FILE", 0, "Options as YAML, 'name: value' lines", 0},
    {"seed", 's', "N", 0, "Decides everything random (default 0)", 0},
    {"seeds", 'k', "K", 0, "Train the seeds N to N+K-1, in folders seed-N", 0},
    {"jobs", 'j', "J", 0, "Trainings at a time (default: one a core)", 0},
    {"out", 'o', "DIR", 0, "The run's folder (default: runs/ENV-AGENT-sN)", 0},
    {"resume", 'r', "DIR", 0, "Go on with the run in DIR from its last checkpoint", 0},
    {"record", 'g', "N", 0, "Every N episodes, animate a greedy one: DIR/episodes/episode-*.gif", 0},
    {"json", 'J', NULL, 0, "Print a summary as one JSON document", 0},
    {"quiet", 'q', NULL, 0, "Show no progress and no summary", 0},
    {0},
};

static const struct argp argp = {
    option_list,
    parse,
    "ENV [key=value...]\n--resume DIR",
    "Trains an agent and leaves a folder with its weights, metrics, learning curves and a checkpoint.\v"
    "Every option of the run and the agent can be given as key=value.",
    NULL,
    NULL,
    NULL};

// --- the configuration
// --------------------------------------------------------------------------------------

typedef struct file_reader {
    dq_run_config *config;
    char env[64], agent[64]; // named by the file
} file_reader;

static dq_status take_names(void *user, const char *name, const char *text, const char *where,
                            dq_error *error) {
    file_reader *r = user;
    (void)where;
    (void)error;
    if (strcmp(name, "env") == 0) snprintf(r->env, sizeof r->env, "%s", text);
    if (strcmp(name, "agent") == 0) snprintf(r->agent, sizeof r->agent, "%s", text);
    return DQ_OK;
}

static dq_status take_value(void *user, const char *name, const char *text, const char *where,
                            dq_error *error) {
    file_reader *r = user;
    char word[1200];
    if (strcmp(name, "env") == 0 || strcmp(name, "agent") == 0) return DQ_OK;
    snprintf(word, sizeof word, "%s=%s", name, text);
    return dq_run_config_assign(r->config, word, where, error);
}

static dq_status configure(const arguments *a, dq_run_config *config, dq_error *error) {
    file_reader file = {.config = config};
    dq_status status = a->file ? dq_yaml_read(a->file, take_names, &file, error) : DQ_OK;
    if (status) return status;
    const char *env = a->env ? a->env : file.env[0] ? file.env : NULL;
    const char *agent = a->agent ? a->agent : file.agent[0] ? file.agent : NULL;
    if (!env)
        return dq_fail(error, DQ_USAGE, NULL,
                       "which environment? For example: deepq train CartPole-v1 ('deepq envs' lists them)");
    status = dq_run_config_init(config, env, agent, error);
    if (!status && a->file) status = dq_yaml_read(a->file, take_value, &file, error);
    for (int i = 0; i < a->word_count && !status; i++) {
        if (strncmp(a->words[i], "env=", 4) == 0)
            return dq_fail(error, DQ_USAGE, a->words[i],
                           "the environment is the first word: deepq train %.60s", a->words[i] + 4);
        status = dq_run_config_assign(config, a->words[i], "command line", error);
    }
    if (!status && a->seed) status = cli_integer(a->seed, "--seed", 0, (int64_t)1e15, &config->seed, error);
    return status ? status : dq_run_config_validate(config, error);
}

// --- folders
// ------------------------------------------------------------------------------------------------

static bool exists(const char *folder, const char *name) {
    char path[PATH_MAX + 32];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return stat(path, &about) == 0;
}

// runs/ENV-AGENT-sN, with a number behind it where that is taken.
static void choose_folder(const dq_run_config *config, int seeds, char *folder, size_t size) {
    char env[64];
    snprintf(env, sizeof env, "%s", config->env);
    for (char *c = env; *c; c++)
        if (*c == '/' || *c == ':') *c = '-';
    for (int k = 1;; k++) {
        int n = snprintf(folder, size, "runs/%s-%s-s%lld", env, config->agent, (long long)config->seed);
        if (seeds > 1)
            n += snprintf(folder + n, size - (size_t)n, "to%lld", (long long)(config->seed + seeds - 1));
        if (k > 1) snprintf(folder + n, size - (size_t)n, "-%d", k);
        if (access(folder, F_OK) != 0) return;
    }
}

static bool holds_something(const char *folder) {
    static const char *const names[] = {"config.yml", "metrics.csv", "checkpoint", "seeds.yml"};
    for (int i = 0; i < 4; i++)
        if (exists(folder, names[i])) return true;
    return false;
}

// --- several seeds: DIR/seeds.yml says which, so that resuming knows of those that never began
// -------------------

typedef struct seed_plan {
    int64_t seed, count;
} seed_plan;

static const dq_option seed_rows[] = {
    {"seed", "seeds", DQ_OPTION_INT, offsetof(seed_plan, seed), 0, "0", 0, 1e15, false, NULL, NULL,
     "the first"},
    {"count", "seeds", DQ_OPTION_INT, offsetof(seed_plan, count), 0, "1", 1, seeds_max, false, NULL, NULL,
     "how many"},
};
static const dq_option_table seed_table = {seed_rows, 2};

static dq_status write_plan(const char *folder, const dq_run_config *config, int count, dq_error *error) {
    char path[PATH_MAX + 32], text[128];
    snprintf(path, sizeof path, "%s/config.yml", folder);
    dq_status status = dq_run_config_write(config, path, error);
    if (status) return status;
    snprintf(path, sizeof path, "%s/seeds.yml", folder);
    int n = snprintf(text, sizeof text, "seed: %lld\ncount: %d\n", (long long)config->seed, count);
    return dq_file_replace(path, text, (size_t)n, error);
}

static dq_status read_plan(const char *folder, dq_run_config *config, seed_plan *plan, dq_error *error) {
    char path[PATH_MAX + 32];
    char *text = NULL;
    size_t size;
    snprintf(path, sizeof path, "%s/config.yml", folder);
    dq_status status = dq_run_config_read(config, path, error);
    if (status) return status;
    snprintf(path, sizeof path, "%s/seeds.yml", folder);
    status = dq_file_read(path, 4096, &text, &size, error);
    if (!status) status = dq_options_defaults(seed_table, plan, error);
    if (!status) status = dq_options_read(seed_table, plan, text, path, error);
    free(text);
    return status;
}

// The trainings of a new or resumed command: *list is the caller's to free.
static dq_status plan_seeds(const char *folder, const dq_run_config *config, int count, bool resume,
                            training **list, dq_error *error) {
    training *made = calloc((size_t)count, sizeof *made);
    if (!made) return dq_fail(error, DQ_MEMORY, NULL, "out of memory for %d trainings", count);
    for (int i = 0; i < count; i++) {
        made[i].config = *config;
        made[i].config.seed += i;
        int n = snprintf(made[i].folder, sizeof made[i].folder, "%s/seed-%lld", folder,
                         (long long)made[i].config.seed);
        if (n >= (int)sizeof made[i].folder) {
            free(made);
            return dq_fail(error, DQ_USAGE, folder, "the folder's name is too long");
        }
        made[i].resume = resume && exists(made[i].folder, "config.yml");
    }
    *list = made;
    return DQ_OK;
}

static dq_status plan_new(const arguments *a, char *folder, size_t size, training **list, int *count,
                          dq_error *error) {
    dq_run_config config;
    int64_t seeds = 1;
    dq_status status = configure(a, &config, error);
    if (!status && a->seeds) status = cli_integer(a->seeds, "--seeds", 1, seeds_max, &seeds, error);
    if (status) return status;
    if (a->out)
        snprintf(folder, size, "%s", a->out);
    else
        choose_folder(&config, (int)seeds, folder, size);
    if (holds_something(folder))
        return dq_fail(
            error, DQ_USAGE, folder,
            "there is a run already; choose another --out, or go on with it: deepq train --resume %.150s",
            folder);
    *count = (int)seeds;
    if (a->seeds) {
        status = dq_file_make_folder(folder, error);
        if (!status) status = write_plan(folder, &config, *count, error);
        return status ? status : plan_seeds(folder, &config, *count, false, list, error);
    }
    if (!(*list = calloc(1, sizeof **list))) return dq_fail(error, DQ_MEMORY, NULL, "out of memory");
    (*list)->config = config;
    snprintf((*list)->folder, sizeof(*list)->folder, "%.4000s", folder);
    return DQ_OK;
}

static dq_status plan_resume(const arguments *a, char *folder, size_t size, training **list, int *count,
                             dq_error *error) {
    if (a->env || a->agent || a->file || a->seed || a->seeds || a->out || a->word_count)
        return dq_fail(error, DQ_USAGE, "--resume",
                       "a resumed run keeps its own configuration; only --jobs, --record, --json and --quiet "
                       "go with it");
    snprintf(folder, size, "%s", a->resume);
    dq_run_config config;
    if (exists(folder, "seeds.yml")) {
        seed_plan plan;
        dq_status status = read_plan(folder, &config, &plan, error);
        if (status) return status;
        config.seed = plan.seed;
        *count = (int)plan.count;
        return plan_seeds(folder, &config, *count, true, list, error);
    }
    if (!exists(folder, "config.yml"))
        return dq_fail(error, DQ_NOT_FOUND, folder,
                       "there is no run to resume: a run's folder holds a config.yml");
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/config.yml", folder);
    dq_status status = dq_run_config_read(&config, path, error);
    if (status) return status;
    *count = 1;
    if (!(*list = calloc(1, sizeof **list))) return dq_fail(error, DQ_MEMORY, NULL, "out of memory");
    (*list)->config = config;
    (*list)->resume = true;
    snprintf((*list)->folder, sizeof(*list)->folder, "%.4000s", folder);
    return DQ_OK;
}

// --- what is told at the end
// ----------------------------------------------------------------------------------

static const char *state_name(training_state state) {
    switch (state) {
    case TRAINING_DONE:
        return "done";
    case TRAINING_INTERRUPTED:
        return "interrupted";
    case TRAINING_FAILED:
        return "failed";
    default:
        return "waiting";
    }
}

static int print_json(const char *folder, const training *list, int count) {
    json_object *document = json_object_new_object(), *runs = json_object_new_array();
    json_object_object_add(document, "env", json_object_new_string(list[0].config.env));
    json_object_object_add(document, "agent", json_object_new_string(list[0].config.agent));
    json_object_object_add(document, "folder", json_object_new_string(folder));
    for (int i = 0; i < count; i++) {
        const training *t = &list[i];
        json_object *run = json_object_new_object();
        bool any = t->last.step > 0;
        json_object_object_add(run, "seed", json_object_new_int64(t->config.seed));
        json_object_object_add(run, "folder", json_object_new_string(t->folder));
        json_object_object_add(run, "state", json_object_new_string(state_name(t->state)));
        json_object_object_add(run, "steps", json_object_new_int64(t->steps));
        json_object_object_add(run, "episodes", json_object_new_int64(t->last.episode));
        json_object_object_add(run, "updates", json_object_new_int64(t->last.updates));
        json_object_object_add(run, "mean_return", cli_json_number(any ? t->last.mean_return : (double)NAN));
        json_object_object_add(run, "eval_return", cli_json_number(t->eval_return));
        json_object_object_add(run, "seconds", cli_json_number(t->seconds));
        if (t->state == TRAINING_FAILED)
            json_object_object_add(run, "error", json_object_new_string(t->error.message));
        json_object_array_add(runs, run);
    }
    json_object_object_add(document, "runs", runs);
    return cli_json_print(document);
}

static void print_one(const training *t) {
    char steps[32], episodes[32], time[32], speed[32];
    printf("%s with agent %s, seed %lld: %s steps, %s episodes, %s", t->config.env, t->config.agent,
           (long long)t->config.seed, cli_count(steps, sizeof steps, t->steps),
           cli_count(episodes, sizeof episodes, t->last.episode),
           cli_duration(time, sizeof time, t->seconds));
    if (!t->resume && t->seconds > 0)
        printf(" (%s steps/s)", cli_count(speed, sizeof speed, llround((double)t->steps / t->seconds)));
    puts(t->resume && t->last.step == 0 ? "; it was at its end already" : "");
    if (t->last.step > 0 && isfinite(t->last.mean_return))
        printf("  mean return, last 100 episodes  %.1f\n", t->last.mean_return);
    if (isfinite(t->eval_return)) printf("  last greedy evaluation          %.1f\n", t->eval_return);
}

static void print_table(const training *list, int count) {
    printf("%8s  %-11s %12s %9s %12s %8s %9s\n", "seed", "state", "steps", "episodes", "mean return",
           "greedy", "time");
    for (int i = 0; i < count; i++) {
        const training *t = &list[i];
        char steps[32], episodes[32], time[32], greedy[32] = "-", mean[32] = "-";
        if (t->last.step > 0 && isfinite(t->last.mean_return))
            snprintf(mean, sizeof mean, "%.1f", t->last.mean_return);
        if (isfinite(t->eval_return)) snprintf(greedy, sizeof greedy, "%.1f", t->eval_return);
        printf("%8lld  %-11s %12s %9s %12s %8s %9s\n", (long long)t->config.seed, state_name(t->state),
               cli_count(steps, sizeof steps, t->steps),
               cli_count(episodes, sizeof episodes, t->last.episode), mean, greedy,
               cli_duration(time, sizeof time, t->seconds));
    }
}

static void print_files(const char *folder, bool seeds, bool drawn) {
    printf("  weights         %s%s/weights.safetensors\n", folder, seeds ? "/seed-*" : "");
    printf("  an episode      %s%s/episode.gif\n", folder, seeds ? "/seed-*" : "");
    if (drawn) printf("  learning curve  %s/curves.svg\n", folder);
    printf("evaluate with: deepq eval %s\n", folder);
}

// curves.svg of every run and, for several, of all together.
static dq_status draw_all(const char *folder, const training *list, int count, bool seeds, dq_error *error) {
    dq_status status = DQ_OK;
    for (int i = -1; i < count && !status; i++) {
        const char *one = i < 0 ? folder : list[i].folder;
        if ((i < 0 && !seeds) || (i >= 0 && !exists(one, "metrics.csv"))) continue;
        char path[PATH_MAX + 32];
        curves c;
        snprintf(path, sizeof path, "%s/curves.svg", one);
        status = curves_load(&c, (char *[]){(char *)one}, 1, error);
        if (!status) status = curves_draw(&c, &(curves_style){0}, path, error);
        curves_deinit(&c);
    }
    return status;
}

static int run(int argc, char **argv) {
    if (train_help_wanted(argc, argv)) return train_help(&argp, argc, argv);
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    char folder[PATH_MAX];
    training *list = NULL;
    int count = 0;
    dq_error error = {0};
    int64_t jobs = sysconf(_SC_NPROCESSORS_ONLN), record = 0;
    dq_status status = a.jobs ? cli_integer(a.jobs, "--jobs", 1, 1024, &jobs, &error) : DQ_OK;
    if (!status && a.record) status = cli_integer(a.record, "--record", 1, (int64_t)1e12, &record, &error);
    if (!status)
        status = a.resume ? plan_resume(&a, folder, sizeof folder, &list, &count, &error)
                          : plan_new(&a, folder, sizeof folder, &list, &count, &error);
    if (status) {
        free(list);
        return cli_fail(&error);
    }
    for (int i = 0; i < count; i++) {
        list[i].record_every = record;
        list[i].record_last = true;
    }
    bool seeds = exists(folder, "seeds.yml");
    char title[160];
    snprintf(title, sizeof title, "%s %s", list[0].config.env, list[0].config.agent);
    int unfinished = trainings_run(list, count, (int)jobs, title, a.quiet);

    int exit_status = unfinished ? 1 : 0;
    int failures = 0;
    for (int i = 0; i < count; i++) {
        if (list[i].state != TRAINING_FAILED) continue;
        if (failures++ == 0) exit_status = cli_fail(&list[i].error);
    }
    bool drawn = false;
    if (failures < count) {
        drawn = draw_all(folder, list, count, seeds, &error) == DQ_OK;
        if (!drawn) exit_status = cli_fail(&error);
    }
    if (a.json) {
        print_json(folder, list, count);
    } else if (!a.quiet && failures < count) {
        if (seeds)
            print_table(list, count);
        else
            print_one(&list[0]);
        print_files(folder, seeds, drawn);
    }
    if (interrupt_seen())
        fprintf(stderr, "interrupted; everything is saved. Go on with: deepq train --resume %s\n", folder);
    free(list);
    return exit_status;
}

const cli_verb cli_verb_train = {"train", 20, "ENV [key=value...]", "trains an agent, or several seeds of it",
                                 run};
