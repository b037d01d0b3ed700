// Writing records of Optuna's journal.
//
// Times are local and carry no offset, as Optuna 4 writes them: both majors take that for local time, while
// version 4 cannot compare such times with ones that carry an offset.
#include "tune/journal.h"
#include "tune/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool append(dq_journal_text *text, struct json_object *record) {
    const char *line = dq_json_text(record);
    const size_t length = strlen(line);
    char *larger = realloc(text->at, text->size + length + 2);
    if (larger) {
        memcpy(larger + text->size, line, length);
        text->at = larger;
        text->size += length;
        text->at[text->size++] = '\n';
        text->at[text->size] = 0;
    }
    json_object_put(record);
    return larger != NULL;
}

static struct json_object *begin(const dq_journal_text *text, int operation) {
    struct json_object *record = json_object_new_object();
    json_object_object_add(record, "op_code", json_object_new_int(operation));
    json_object_object_add(record, "worker_id", json_object_new_string(text->worker));
    return record;
}

static void add_time(struct json_object *record, const char *key, int64_t time) {
    char text[40];
    if (time != DQ_NO_TIME) dq_json_write_time(time, text, sizeof text);
    json_object_object_add(record, key, time == DQ_NO_TIME ? NULL : json_object_new_string(text));
}

static struct json_object *parsed(const char *json) {
    return dq_json_parse(json, strlen(json));
}

static struct json_object *all_attributes(const dq_attributes *attributes) {
    struct json_object *object = json_object_new_object();
    for (int i = 0; i < attributes->count; i++)
        json_object_object_add(object, attributes->at[i].key, parsed(attributes->at[i].json));
    return object;
}

static struct json_object *all_values(const double *values, int count) {
    if (count < 1) return NULL;
    struct json_object *array = json_object_new_array();
    for (int i = 0; i < count; i++) json_object_array_add(array, dq_json_real(values[i]));
    return array;
}

// Whole numbers look whole: Optuna keeps what stands here.
static struct json_object *internal_value(const dq_trial_param *param) {
    if (param->distribution->kind == DQ_FLOAT) return dq_json_real(param->value);
    return json_object_new_int64((int64_t)param->value);
}

bool dq_journal_put_study(dq_journal_text *text, const char *name, const dq_direction *directions,
                          int count) {
    struct json_object *record = begin(text, 0), *list = json_object_new_array();
    for (int i = 0; i < count; i++) json_object_array_add(list, json_object_new_int((int)directions[i]));
    json_object_object_add(record, "study_name", json_object_new_string(name));
    json_object_object_add(record, "directions", list);
    return append(text, record);
}

bool dq_journal_put_trial(dq_journal_text *text, const dq_study *study, const dq_trial *wanted) {
    struct json_object *record = begin(text, 4);
    json_object_object_add(record, "study_id", json_object_new_int64(study->id));
    add_time(record, "datetime_start", wanted->state == DQ_TRIAL_WAITING ? DQ_NO_TIME : dq_time_now());
    if (dq_trial_finished(wanted)) add_time(record, "datetime_complete", dq_time_now());
    json_object_object_add(record, "state", json_object_new_int((int)wanted->state));
    json_object_object_add(record, "value",
                           wanted->value_count == 1 ? dq_json_real(wanted->values[0]) : NULL);
    json_object_object_add(record, "values",
                           wanted->value_count > 1 ? all_values(wanted->values, wanted->value_count) : NULL);
    struct json_object *distributions = json_object_new_object(), *params = json_object_new_object();
    for (int i = 0; i < wanted->param_count; i++) {
        const dq_trial_param *param = &wanted->params[i];
        json_object_object_add(distributions, param->name, dq_json_distribution(param->distribution));
        json_object_object_add(params, param->name, internal_value(param));
    }
    struct json_object *intermediates = json_object_new_object();
    for (int i = 0; i < wanted->intermediate_count; i++) {
        char step[32];
        snprintf(step, sizeof step, "%lld", (long long)wanted->intermediates[i].step);
        json_object_object_add(intermediates, step, dq_json_real(wanted->intermediates[i].value));
    }
    json_object_object_add(record, "distributions", distributions);
    json_object_object_add(record, "params", params);
    json_object_object_add(record, "user_attrs", all_attributes(&wanted->user));
    json_object_object_add(record, "system_attrs", all_attributes(&wanted->system));
    json_object_object_add(record, "intermediate_values", intermediates);
    return append(text, record);
}

bool dq_journal_put_change(dq_journal_text *text, const dq_study *study, const dq_change *change) {
    static const int of_trial[] = {[DQ_CHANGE_INTERMEDIATE] = 7,
                                   [DQ_CHANGE_STATE] = 6,
                                   [DQ_CHANGE_PARAM] = 5,
                                   [DQ_CHANGE_USER] = 8,
                                   [DQ_CHANGE_SYSTEM] = 9};
    static const int of_study[] = {[DQ_CHANGE_USER] = 2, [DQ_CHANGE_SYSTEM] = 3};
    const dq_trial *trial = change->trial;
    struct json_object *record = begin(text, trial ? of_trial[change->kind] : of_study[change->kind]);
    json_object_object_add(record, trial ? "trial_id" : "study_id",
                           json_object_new_int64(trial ? trial->id : study->id));
    if (change->kind == DQ_CHANGE_INTERMEDIATE) {
        json_object_object_add(record, "step", json_object_new_int64(change->step));
        json_object_object_add(record, "intermediate_value", dq_json_real(change->value));
    } else if (change->kind == DQ_CHANGE_STATE) {
        json_object_object_add(record, "state", json_object_new_int((int)change->state));
        json_object_object_add(record, "values", all_values(change->values, change->value_count));
        if (change->state != DQ_TRIAL_WAITING)
            add_time(record, change->state == DQ_TRIAL_RUNNING ? "datetime_start" : "datetime_complete",
                     dq_time_now());
    } else if (change->kind == DQ_CHANGE_PARAM) {
        json_object_object_add(record, "param_name", json_object_new_string(change->param->name));
        json_object_object_add(record, "param_value_internal", internal_value(change->param));
        json_object_object_add(record, "distribution", dq_json_distribution(change->param->distribution));
    } else {
        struct json_object *attribute = json_object_new_object();
        json_object_object_add(attribute, change->key, parsed(change->json));
        json_object_object_add(record, change->kind == DQ_CHANGE_USER ? "user_attr" : "system_attr",
                               attribute);
    }
    return append(text, record);
}
