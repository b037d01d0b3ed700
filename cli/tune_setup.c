// Putting a search together.
//
// Values come in this order, later ones win: defaults, the environment's preset, the agent's (or a lab's
// common options and its agent's), what the default search space fixes, the file, the words. An option that a
// file or a word gives a value is not searched.
#include "tune_setup.h"

#include "base/file.h"
#include "comparison.h"
#include "io/yaml.h"
#include "run/config.h"
#include "tune/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_CONFIG "deepq:config" // user attributes of the study
#define KEY_SEARCH "deepq:search"
#define KEY_PLAN   "deepq:plan"

// --- from words and files ---------------------------------------------------------------------------------

typedef struct reader {
    tune_setup *setup;
    char env[64], agent[48];
} reader;

static dq_status take_names(void *user, const char *name, const char *text, const char *where,
                            dq_error *error) {
    reader *r = user;
    (void)where, (void)error;
    if (!strcmp(name, "env")) snprintf(r->env, sizeof r->env, "%s", text);
    if (!strcmp(name, "agent")) snprintf(r->agent, sizeof r->agent, "%s", text);
    return DQ_OK;
}

static dq_status take_value(void *user, const char *name, const char *text, const char *where,
                            dq_error *error) {
    tune_setup *s = ((reader *)user)->setup;
    if (!strcmp(name, "env") || !strcmp(name, "agent")) return DQ_OK;
    if (!strncmp(name, "search.", 7))
        return dq_search_set(&s->search, &s->config, name + 7, text, where, error);
    if (dq_options_find(dq_tune_options(), name))
        return dq_options_set(dq_tune_options(), &s->tune, name, text, where, error);
    char word[1200];
    snprintf(word, sizeof word, "%s=%s", name, text);
    dq_status status = dq_run_config_assign(&s->config, word, where, error);
    if (!status) dq_search_remove(&s->search, name);
    return status;
}

static dq_status take_word(reader *r, const char *word, dq_error *error) {
    char name[128];
    const char *equals = strchr(word, '=');
    snprintf(name, sizeof name, "%.*s", (int)(equals - word < 127 ? equals - word : 127), word);
    if (!strcmp(name, "env"))
        return dq_fail(error, DQ_USAGE, word, "the environment is the first word: deepq tune %.60s",
                       equals + 1);
    return take_value(r, name, equals + 1, "command line", error);
}

static bool is_file(const char *name) {
    const char *dot = name ? strrchr(name, '.') : NULL;
    return dot && (!strcmp(dot, ".yml") || !strcmp(dot, ".yaml"));
}

// A lab has a list of agents; an options file has not.
static dq_status is_lab(const char *path, bool *lab, dq_error *error) {
    char *text;
    size_t size;
    dq_status status = dq_file_read(path, (size_t)4 << 20, &text, &size, error);
    if (status) return status;
    *lab = !strncmp(text, "agents:", 7) || strstr(text, "\nagents:");
    free(text);
    return DQ_OK;
}

static dq_status begin_with_lab(reader *r, const char *path, const char *agent, dq_error *error) {
    tune_setup *s = r->setup;
    dq_lab lab;
    dq_status status = dq_lab_read(&lab, path, error);
    int index = 0;
    while (!status && agent && index < lab.agent_count && strcmp(lab.agents[index].name, agent) != 0) index++;
    if (!status && index == lab.agent_count)
        status = dq_fail(error, DQ_NOT_FOUND, path, "the lab has no agent '%.60s'", agent);
    if (!status) status = comparison_configure(&s->config, &lab, index, lab.seed, error);
    if (!status) status = dq_search_default(&s->search, &s->config, error);
    for (int i = 0; !status && i < lab.search.count; i++)
        status = dq_search_set(&s->search, &s->config, lab.search.at[i].key, lab.search.at[i].value,
                               lab.search.at[i].where, error);
    dq_lab_deinit(&lab);
    return status;
}

static dq_status begin(reader *r, const tune_request *request, const char *file, dq_error *error) {
    tune_setup *s = r->setup;
    dq_status status = file ? dq_yaml_read(file, take_names, r, error) : DQ_OK;
    const char *env = request->env && !is_file(request->env) ? request->env : r->env;
    const char *agent = request->agent ? request->agent : r->agent[0] ? r->agent : NULL;
    if (status) return status;
    if (!*env)
        return dq_fail(error, DQ_USAGE, NULL,
                       "which environment? For example: deepq tune CartPole-v1 ('deepq envs' lists them)");
    status = dq_run_config_init(&s->config, env, agent, error);
    return status ? status : dq_search_default(&s->search, &s->config, error);
}

dq_status tune_setup_make(tune_setup *setup, const tune_request *request, dq_error *error) {
    reader r = {.setup = setup};
    bool lab = false;
    const char *files[] = {is_file(request->env) ? request->env : NULL, request->file};
    dq_status status = files[0] ? is_lab(files[0], &lab, error) : DQ_OK;
    if (!status)
        status = lab ? begin_with_lab(&r, files[0], request->agent, error)
                     : begin(&r, request, files[0] ? files[0] : files[1], error);
    if (lab) files[0] = NULL;
    for (int i = 0; i < 2 && !status; i++)
        if (files[i]) status = dq_yaml_read(files[i], take_value, &r, error);
    for (int i = 0; i < request->word_count && !status; i++) status = take_word(&r, request->words[i], error);
    if (!status && setup->tune.start_values) status = dq_search_widen(&setup->search, &setup->config, error);
    if (!status)
        status =
            dq_trial_plan_objectives(&setup->plan, request->objective ? request->objective : "return", error);
    setup->plan.config = setup->config;
    setup->plan.search = &setup->search;
    return status ? status : dq_trial_plan_finish(&setup->plan, error);
}

// The steps a pruner counts are environment steps here, and the first ones tell nothing of a configuration
// yet: where nobody says otherwise, the first rung is a tenth of a training.
void tune_setup_fit(tune_setup *setup) {
    setup->plan.seconds = setup->tune.trial_seconds;
    static const char *const rungs[] = {"asha_min_resource", "hyperband_min_resource"};
    for (size_t i = 0; i < sizeof rungs / sizeof *rungs; i++) {
        const dq_option *row = dq_options_find(dq_tune_options(), rungs[i]);
        char now[64], steps[32];
        if (!row) continue;
        dq_options_format(row, &setup->tune, now, sizeof now);
        if (strcmp(now, row->default_text) != 0) continue;
        snprintf(steps, sizeof steps, "%lld", (long long)(setup->config.total_steps / 10));
        dq_options_set(dq_tune_options(), &setup->tune, rungs[i], steps, "the search", NULL);
    }
}

void tune_setup_deinit(tune_setup *setup) {
    dq_search_deinit(&setup->search);
}

void tune_setup_directions(const tune_setup *setup, dq_direction *directions) {
    for (int i = 0; i < setup->plan.objective_count; i++)
        directions[i] = dq_objectives[setup->plan.objectives[i]].direction;
}

// --- in the study -----------------------------------------------------------------------------------------

typedef struct recorded {
    const char *key;
    struct json_object *value; // NULL: no memory
} recorded;

static void describe(const tune_setup *s, recorded list[3]) {
    char *text = dq_run_config_text(&s->config);
    struct json_object *search = json_object_new_object(), *plan = json_object_new_object();
    for (int i = 0; i < s->search.count; i++)
        json_object_object_add(search, s->search.at[i].name, json_object_new_string(s->search.at[i].text));
    char objectives[128] = "";
    for (int i = 0; i < s->plan.objective_count; i++) {
        if (i) strcat(objectives, ",");
        strcat(objectives, dq_objectives[s->plan.objectives[i]].name);
    }
    json_object_object_add(plan, "objective", json_object_new_string(objectives));
    json_object_object_add(plan, "seeds", json_object_new_int(s->plan.seeds));
    json_object_object_add(plan, "evaluations", json_object_new_int(s->plan.evaluations));
    json_object_object_add(plan, "final_episodes", json_object_new_int(s->plan.final_episodes));
    json_object_object_add(plan, "final_seed", json_object_new_int64(s->plan.final_seed));
    list[0] = (recorded){KEY_CONFIG, text ? json_object_new_string(text) : NULL};
    list[1] = (recorded){KEY_SEARCH, search};
    list[2] = (recorded){KEY_PLAN, plan};
    free(text);
}

static dq_status other_setup(const dq_study *study, const char *key, dq_error *error) {
    const char *what = !strcmp(key, KEY_CONFIG)   ? "other option values"
                       : !strcmp(key, KEY_SEARCH) ? "another search space"
                                                  : "another objective or number of seeds";
    return dq_fail(error, DQ_USAGE, study->name,
                   "this study is there already, with %s; go on with it as it is (--resume), or name another "
                   "(--study NAME)",
                   what);
}

dq_status tune_setup_record(const tune_setup *setup, dq_storage *storage, dq_study *study, dq_error *error) {
    recorded list[3];
    dq_change changes[3];
    int count = 0;
    describe(setup, list);
    dq_status status = DQ_OK;
    for (int i = 0; i < 3 && !status; i++) {
        const char *there = dq_attributes_find(&study->user, list[i].key);
        const char *text = list[i].value ? dq_json_text(list[i].value) : NULL;
        if (!text)
            status = dq_fail(error, DQ_MEMORY, study->name, "there is no memory for the study's setup");
        else if (!there)
            changes[count++] = (dq_change){.kind = DQ_CHANGE_USER, .key = list[i].key, .json = text};
        else if (strcmp(there, text) != 0)
            status = other_setup(study, list[i].key, error);
    }
    if (!status && count > 0) status = dq_storage_write(storage, study, changes, count, error);
    for (int i = 0; i < 3; i++) json_object_put(list[i].value);
    return status;
}

static struct json_object *find(const dq_study *study, const char *key) {
    const char *text = dq_attributes_find(&study->user, key);
    return text ? dq_json_parse(text, strlen(text)) : NULL;
}

static bool take_number(const struct json_object *plan, const char *key, int low, int high, int *value) {
    int64_t number;
    if (!dq_json_integer(dq_json_member(plan, key), &number) || number < low || number > high) return false;
    *value = (int)number;
    return true;
}

static dq_status recall(tune_setup *s, const dq_study *study, struct json_object *config,
                        struct json_object *search, const struct json_object *plan, dq_error *error) {
    const char *objective = json_object_get_string(dq_json_member(plan, "objective"));
    int64_t final_seed = 0;
    if (!json_object_is_type(config, json_type_string) || !json_object_is_type(search, json_type_object) ||
        !objective || !take_number(plan, "seeds", 1, 1000, &s->plan.seeds) ||
        !take_number(plan, "evaluations", 1, 100000, &s->plan.evaluations) ||
        !take_number(plan, "final_episodes", 1, 100000, &s->plan.final_episodes) ||
        !dq_json_integer(dq_json_member(plan, "final_seed"), &final_seed))
        return dq_fail(error, DQ_NOT_FOUND, study->name,
                       "the study does not say what deepq shall train (another program made it): name the "
                       "environment, without --resume, to go on with it");
    s->plan.final_seed = final_seed;
    dq_status status = dq_options_defaults(dq_run_options(), &s->config, error);
    if (!status) status = dq_run_config_parse(&s->config, json_object_get_string(config), KEY_CONFIG, error);
    struct json_object_iterator at = json_object_iter_begin(search), end = json_object_iter_end(search);
    for (; !status && !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *text = json_object_get_string(json_object_iter_peek_value(&at));
        status = dq_search_set(&s->search, &s->config, json_object_iter_peek_name(&at), text ? text : "",
                               KEY_SEARCH, error);
    }
    if (!status) status = dq_trial_plan_objectives(&s->plan, objective, error);
    s->plan.config = s->config;
    s->plan.search = &s->search;
    return status ? status : dq_trial_plan_finish(&s->plan, error);
}

dq_status tune_setup_recall(tune_setup *setup, const dq_study *study, dq_error *error) {
    struct json_object *config = find(study, KEY_CONFIG), *search = find(study, KEY_SEARCH),
                       *plan = find(study, KEY_PLAN);
    dq_status status = recall(setup, study, config, search, plan, error);
    json_object_put(config);
    json_object_put(search);
    json_object_put(plan);
    return status;
}
