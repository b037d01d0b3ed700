// Presets and summaries.
#include "tune_results.h"

#include "base/file.h"
#include "cli.h"
#include "study_report.h"
#include "tune/json.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

// --- presets ----------------------------------------------------------------------------------------------

// Rows of one table that do not hold what a plain `train ENV --agent AGENT` would give them.
static void write_rows(dq_option_table table, const char *prefix, const void *values, const void *plain,
                       FILE *out) {
    for (int i = 0; i < table.count; i++) {
        const dq_option *row = &table.rows[i];
        char text[600], other[600];
        dq_options_format(row, values, text, sizeof text);
        dq_options_format(row, plain, other, sizeof other);
        if (strcmp(text, other) != 0 && strcmp(row->name, "seed") != 0 && strcmp(row->name, "env") != 0 &&
            strcmp(row->name, "agent") != 0)
            dq_options_write_row(row, prefix, values, false, out);
    }
}

static dq_status write_preset(const tune_setup *setup, const dq_study *study, const dq_trial *trial,
                              const char *path, dq_error *error) {
    dq_run_config config = setup->config, plain;
    const char *agent = strcmp(config.agent, "default") ? config.agent : NULL;
    dq_status status = dq_search_apply(&setup->search, trial, &config, error);
    if (!status) status = dq_run_config_init(&plain, config.env, agent, error);
    if (status) return status;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return dq_fail(error, DQ_MEMORY, path, "there is no memory for the preset");
    fprintf(out, "# Trial %lld of the study %s:", (long long)trial->number, study->name);
    for (int i = 0; i < trial->value_count && i < setup->plan.objective_count; i++)
        fprintf(out, " %s %.6g", dq_objectives[setup->plan.objectives[i]].name, trial->values[i]);
    fprintf(out, ".\n# deepq train -f %s\nenv: %s\n", strrchr(path, '/') ? strrchr(path, '/') + 1 : path,
            config.env);
    if (agent) fprintf(out, "agent: %s\n", agent);
    write_rows(dq_run_options(), "", &config, &plain, out);
    const dq_env_class *env = dq_env_find(config.env, error);
    if (env) write_rows(env->options, "env.", config.env_options, plain.env_options, out);
    if (fclose(out)) return dq_fail(error, DQ_MEMORY, path, "there is no memory for the preset");
    status = dq_file_replace(path, text, size, error);
    free(text);
    return status;
}

static void preset_path(char *path, size_t size, const tune_setup *setup, const char *folder,
                        const dq_trial *trial) {
    if (setup->plan.objective_count == 1)
        snprintf(path, size, "%s/best.yml", folder);
    else
        snprintf(path, size, "%s/front-%lld.yml", folder, (long long)trial->number);
}

// Are its parameters options of a run? Those of another program's trials need not be.
static bool has_preset(const tune_setup *setup, const dq_trial *trial) {
    dq_run_config config = setup->config;
    return dq_search_apply(&setup->search, trial, &config, NULL) == DQ_OK;
}

// The best trials: one, or the front.
static const dq_trial **best_trials(const tune_setup *setup, const dq_study *study, int *count) {
    const dq_trial **list = calloc((size_t)study->trial_count + 1, sizeof *list);
    *count = 0;
    if (list && setup->plan.objective_count == 1) {
        list[0] = dq_study_best(study);
        *count = list[0] != NULL;
    } else if (list) {
        *count = dq_study_front(study, list);
    }
    return list;
}

dq_status tune_results_write(const tune_setup *setup, const dq_study *study, const char *folder, int *written,
                             dq_error *error) {
    int count;
    const dq_trial **list = best_trials(setup, study, &count);
    char path[PATH_MAX + 64];
    dq_status status = list ? dq_file_make_folder(folder, error)
                            : dq_fail(error, DQ_MEMORY, folder, "there is no memory for the best trials");
    *written = 0;
    for (int i = 0; i < count && !status; i++) {
        if (!has_preset(setup, list[i])) continue;
        preset_path(path, sizeof path, setup, folder, list[i]);
        status = write_preset(setup, study, list[i], path, error);
        *written += !status;
    }
    free(list);
    snprintf(path, sizeof path, "%s/report.html", folder);
    if (!status) status = study_report_save(study, NULL, path, error);
    return status;
}

// --- summaries --------------------------------------------------------------------------------------------

static void print_trial(const tune_setup *setup, const dq_trial *trial, const char *folder) {
    char path[PATH_MAX + 64], text[300];
    preset_path(path, sizeof path, setup, folder, trial);
    printf("trial %lld:", (long long)trial->number);
    for (int i = 0; i < trial->value_count && i < setup->plan.objective_count; i++)
        printf("  %s %.6g", dq_objectives[setup->plan.objectives[i]].name, trial->values[i]);
    printf("\n");
    for (int i = 0; i < trial->param_count; i++) {
        dq_param_text(trial->params[i].distribution, trial->params[i].value, text, sizeof text);
        printf("  %-24s %s\n", trial->params[i].name, text);
    }
    if (has_preset(setup, trial))
        printf("  train it: deepq train -f %s\n", path);
    else
        printf("  another program's trial: its parameters are no options of a training\n");
}

void tune_results_print(const tune_setup *setup, const dq_study *study, const char *folder, int written) {
    int count = 0;
    const dq_trial **list = best_trials(setup, study, &count);
    if (list && count == 0) printf("no trial is complete yet\n");
    if (count > 1)
        printf("%d trials that no other one beats (%d presets); the first of them:\n", count, written);
    if (list && count > 0) print_trial(setup, list[0], folder);
    free(list);
}

static struct json_object *trial_json(const tune_setup *setup, const dq_trial *trial, const char *folder) {
    struct json_object *object = json_object_new_object(), *params = json_object_new_object(),
                       *values = json_object_new_array();
    char path[PATH_MAX + 64], text[300];
    preset_path(path, sizeof path, setup, folder, trial);
    for (int i = 0; i < trial->value_count; i++)
        json_object_array_add(values, cli_json_number(trial->values[i]));
    for (int i = 0; i < trial->param_count; i++) {
        const dq_trial_param *param = &trial->params[i];
        struct json_object *value;
        if (param->distribution->kind == DQ_CATEGORICAL) {
            const char *choice = param->distribution->choices[(int)param->value];
            value = dq_json_parse(choice, strlen(choice));
        } else {
            dq_param_text(param->distribution, param->value, text, sizeof text);
            value = param->distribution->kind == DQ_INTEGER ? json_object_new_int64((int64_t)param->value)
                                                            : cli_json_number(param->value);
        }
        json_object_object_add(params, param->name, value);
    }
    json_object_object_add(object, "number", json_object_new_int64(trial->number));
    json_object_object_add(object, "values", values);
    json_object_object_add(object, "params", params);
    json_object_object_add(object, "preset", has_preset(setup, trial) ? json_object_new_string(path) : NULL);
    return object;
}

int tune_results_json(const tune_setup *setup, const dq_study *study, const char *storage, const char *folder,
                      const tune_crew_result *result) {
    static const char *const names[] = {"running", "complete", "pruned", "failed", "waiting"};
    struct json_object *object = json_object_new_object(), *states = json_object_new_object(),
                       *objectives = json_object_new_array(), *best = json_object_new_array();
    int of_state[5] = {0}, count = 0;
    for (int i = 0; i < study->trial_count; i++) of_state[study->trials[i]->state]++;
    for (int i = 0; i < 5; i++) json_object_object_add(states, names[i], json_object_new_int(of_state[i]));
    for (int i = 0; i < setup->plan.objective_count; i++)
        json_object_array_add(objectives,
                              json_object_new_string(dq_objectives[setup->plan.objectives[i]].name));
    const dq_trial **list = best_trials(setup, study, &count);
    for (int i = 0; i < count; i++) json_object_array_add(best, trial_json(setup, list[i], folder));
    free(list);
    json_object_object_add(object, "study", json_object_new_string(study->name));
    json_object_object_add(object, "storage", json_object_new_string(storage));
    json_object_object_add(object, "env", json_object_new_string(setup->config.env));
    json_object_object_add(object, "objectives", objectives);
    json_object_object_add(object, "trials", json_object_new_int(study->trial_count));
    json_object_object_add(object, "states", states);
    json_object_object_add(object, "ended_here", json_object_new_int64(result->told));
    json_object_object_add(object, "seconds", cli_json_number(result->seconds));
    json_object_object_add(object, "trials_per_hour",
                           cli_json_number((double)result->told / (result->seconds + 1e-9) * 3600));
    json_object_object_add(object, "interrupted", json_object_new_boolean(result->interrupted));
    json_object_object_add(object, "best", best);
    return cli_json_print(object);
}
