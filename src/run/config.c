// A run's configuration: its option rows, where its values come from, and its text form.
//
// Values come in this order, later ones win: row defaults, presets/ENV.yml, the agent's assignments, and
// what the caller assigns. The environment's own options are keys env.NAME behind the flat ones.
#include "run/config.h"

#include "base/file.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Made by cmake/generated.cmake from presets/*.yml.
struct dq_preset_text {
    const char *id, *text;
};
extern const struct dq_preset_text dq_preset_texts[];

#define ROW(field, group, type, size, text, low, high, log, unit, help)                                      \
    { #field, group, type, offsetof(dq_run_config, field), size, text, low, high, log, NULL, unit, help }
#define TEXT(field, text, help)                                                                              \
    ROW(field, "run", DQ_OPTION_TEXT, sizeof((dq_run_config *)NULL)->field, text, 0, 0, false, NULL, help)
#define INT(field, group, text, low, high, log, unit, help)                                                  \
    ROW(field, group, DQ_OPTION_INT, 0, text, low, high, log, unit, help)
#define REAL(field, group, text, low, high, unit, help)                                                      \
    ROW(field, group, DQ_OPTION_REAL, 0, text, low, high, false, unit, help)
#define BIG 1e15

static const dq_option own_rows[] = {
    TEXT(env, "CartPole-v1", "the environment's id"),
    TEXT(agent, "default", "the named agent the values started from"),
    INT(seed, "run", "0", 0, BIG, false, NULL, "decides everything random"),
    INT(n_envs, "run", "1", 1, 4096, true, NULL, "environments stepped side by side"),
    INT(step_limit, "run", "-1", -1, 1e9, false, "steps",
        "length at which an episode is truncated; 0: none, -1: the environment's own"),
    INT(train_step_limit, "run", "-1", -1, 1e9, false, "steps",
        "the same for training episodes alone, so that they start more often; -1: step_limit"),

    TEXT(init, "", "a weights file or run's folder that the network starts from; empty: at random"),
    TEXT(reinit, "", "init: tensors that start at random all the same, by name: \"output\""),

    INT(total_steps, "stop", "100000", 0, BIG, true, "steps", "environment steps; 0: no limit"),
    INT(total_episodes, "stop", "0", 0, BIG, true, "episodes", "0: no limit"),
    REAL(max_seconds, "stop", "0", 0, BIG, "s", "time spent training; 0: no limit"),
    REAL(stop_return, "stop", ".nan", -BIG, BIG, NULL,
         "stop when the mean return of the last stop_window episodes reaches this"),
    INT(stop_window, "stop", "100", 1, 10000, true, "episodes", "for stop_return"),

    INT(eval_every_steps, "evaluation", "0", 0, BIG, true, "steps", "between greedy evaluations; 0: off"),
    INT(eval_every_episodes, "evaluation", "0", 0, BIG, true, "episodes",
        "between greedy evaluations; 0: off"),
    INT(eval_episodes, "evaluation", "10", 1, 100000, true, "episodes", "in one evaluation"),

    INT(metrics_every_steps, "records", "0", 0, BIG, true, "steps",
        "between rows of metrics.csv; 0: one row an episode"),
    ROW(tensorboard, "records", DQ_OPTION_BOOL, 0, "true", 0, 0, false, NULL,
        "write TensorBoard's event files beside metrics.csv"),
    REAL(checkpoint_seconds, "records", "10", 0, BIG, "s",
         "shortest time between checkpoints; longer where they cost more than 1%; 0: no such checkpoints"),
    INT(checkpoint_steps, "records", "0", 0, BIG, true, "steps", "between further checkpoints; 0: none"),
};

enum { OWN = sizeof own_rows / sizeof *own_rows, MOST = OWN + 160 };
static dq_option rows[MOST];
static int row_count;

static void build(void) {
    dq_option_table agent = dq_agent_options();
    assert(OWN + agent.count <= MOST);
    memcpy(rows, own_rows, sizeof own_rows);
    for (int i = 0; i < agent.count; i++) {
        rows[OWN + i] = agent.rows[i];
        rows[OWN + i].offset += offsetof(dq_run_config, learner);
    }
    row_count = OWN + agent.count;
}

dq_option_table dq_run_options(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build);
    return (dq_option_table){rows, row_count};
}

// --- where values come from --------------------------------------------------------------------------------

static dq_status use_env(dq_run_config *config, const char *env, dq_error *error) {
    const dq_env_class *env_class = dq_env_find(env, error);
    if (!env_class) return error ? error->code : DQ_NOT_FOUND;
    if (strlen(env) >= sizeof config->env || env_class->options_size > sizeof config->env_options)
        return dq_fail(error, DQ_UNSUPPORTED, env, "the environment's name or options are too long");
    strcpy(config->env, env);
    memset(config->env_options, 0, sizeof config->env_options);
    return dq_options_defaults(env_class->options, config->env_options, error);
}

// Splits the "env." lines from the others: both copies keep every line end, so that line numbers hold.
static void split(const char *text, char *flat, char *env) {
    while (*text) {
        size_t length = strcspn(text, "\n");
        bool is_env = !strncmp(text, "env.", 4);
        char **to = is_env ? &env : &flat;
        size_t skip = is_env ? 4 : 0;
        memcpy(*to, text + skip, length - skip);
        *to += length - skip;
        text += length;
        if (*text) *flat++ = *env++ = *text++;
    }
    *flat = *env = 0;
}

// Reads flat and env.NAME lines on top of what is there. The environment's own options start from their
// defaults.
static dq_status read_lines(dq_run_config *config, const char *text, const char *where, dq_error *error) {
    size_t length = strlen(text);
    char *flat = malloc(length + 1), *env = malloc(length + 1);
    dq_status status = DQ_OK;
    if (!flat || !env) {
        status = dq_fail(error, DQ_MEMORY, where, "there is no memory to read the configuration");
        goto done;
    }
    split(text, flat, env);
    status = dq_options_read(dq_run_options(), config, flat, where, error);
    if (status) goto done;
    char id[sizeof config->env];
    memcpy(id, config->env, sizeof id);
    status = use_env(config, id, error);
    if (!status)
        status = dq_options_read(dq_env_find(id, NULL)->options, config->env_options, env, where, error);
done:
    free(flat);
    free(env);
    return status;
}

dq_status dq_run_config_init(dq_run_config *config, const char *env, const char *agent, dq_error *error) {
    memset(config, 0, sizeof *config);
    dq_option_table table = dq_run_options();
    dq_status status = dq_options_defaults(table, config, error);
    if (!status) status = use_env(config, env, error);
    const dq_env_class *env_class = status ? NULL : dq_env_find(env, error);
    const char *tuned = env_class && env_class->tuned_as ? env_class->tuned_as : env;
    for (int i = 0; !status && dq_preset_texts[i].id; i++) {
        if (strcmp(dq_preset_texts[i].id, tuned)) continue;
        char where[300];
        snprintf(where, sizeof where, "presets/%s.yml", tuned);
        status = read_lines(config, dq_preset_texts[i].text, where, error);
    }
    if (status) return status;
    const dq_agent_preset *preset = dq_agent_preset_find(agent ? agent : "default", error);
    if (!preset) return error ? error->code : DQ_NOT_FOUND;
    for (int i = 0; !status && preset->assignments[i]; i++)
        status = dq_options_assign(table, config, preset->assignments[i], preset->name, error);
    if (!status) status = dq_options_set(table, config, "agent", preset->name, preset->name, error);
    return status;
}

dq_status dq_run_config_assign(dq_run_config *config, const char *word, const char *where, dq_error *error) {
    if (strncmp(word, "env.", 4)) return dq_options_assign(dq_run_options(), config, word, where, error);
    const dq_env_class *env_class = dq_env_find(config->env, error);
    if (!env_class) return error ? error->code : DQ_NOT_FOUND;
    return dq_options_assign(env_class->options, config->env_options, word + 4, where, error);
}

dq_status dq_run_config_validate(const dq_run_config *config, dq_error *error) {
    const dq_env_class *env_class = dq_env_find(config->env, error);
    if (!env_class) return error ? error->code : DQ_NOT_FOUND;
    if (config->total_steps == 0 && config->total_episodes == 0 && !(config->max_seconds > 0) &&
        isnan(config->stop_return))
        return dq_fail(error, DQ_USAGE, "total_steps",
                       "nothing would ever stop this run; set total_steps, total_episodes, max_seconds or "
                       "stop_return");
    if (config->reinit[0] && !config->init[0])
        return dq_fail(error, DQ_USAGE, "reinit",
                       "reinit says which tensors of init=FILE are started at random, and there is no init; "
                       "without it all of them are");
    dq_agent_config learner = config->learner;
    learner.features = env_class->features;
    return dq_agent_validate(&learner, error);
}

// --- text
// ----------------------------------------------------------------------------------------------------

char *dq_run_config_text(const dq_run_config *config) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    dq_options_write(dq_run_options(), config, false, out);
    const dq_env_class *env_class = dq_env_find(config->env, NULL);
    for (int i = 0; env_class && i < env_class->options.count; i++) {
        char value[512];
        const dq_option *row = &env_class->options.rows[i];
        dq_options_format(row, config->env_options, value, sizeof value);
        fprintf(out, "env.%s: %s\n", row->name, value);
    }
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

dq_status dq_run_config_parse(dq_run_config *config, const char *text, const char *where, dq_error *error) {
    memset(config, 0, sizeof *config);
    dq_status status = dq_options_defaults(dq_run_options(), config, error);
    return status ? status : read_lines(config, text, where, error);
}

dq_status dq_run_config_write(const dq_run_config *config, const char *path, dq_error *error) {
    char *text = dq_run_config_text(config);
    if (!text) return dq_fail(error, DQ_MEMORY, path, "there is no memory to write the configuration");
    dq_status status = dq_file_replace(path, text, strlen(text), error);
    free(text);
    return status;
}

dq_status dq_run_config_read(dq_run_config *config, const char *path, dq_error *error) {
    char *text;
    size_t size;
    dq_status status = dq_file_read(path, 1 << 20, &text, &size, error);
    if (status) return status;
    status = dq_run_config_parse(config, text, path, error);
    free(text);
    return status;
}
