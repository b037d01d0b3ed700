// Reading Optuna's journal.
#include "tune/journal.h"

#include "tune/json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { // Optuna's JournalOperation
    CREATE_STUDY,
    DELETE_STUDY,
    SET_STUDY_USER_ATTR,
    SET_STUDY_SYSTEM_ATTR,
    CREATE_TRIAL,
    SET_TRIAL_PARAM,
    SET_TRIAL_STATE_VALUES,
    SET_TRIAL_INTERMEDIATE_VALUE,
    SET_TRIAL_USER_ATTR,
    SET_TRIAL_SYSTEM_ATTR,
    DISCARD_TRIALS, // Optuna passes it over
    OPERATIONS,
};

enum { DIRECTIONS_MAX = 64 };

// What every reader of a record needs.
typedef struct record {
    dq_journal *journal;
    const struct json_object *log;
    const char *where;
    dq_error *error;
} record;

static dq_status malformed(const record *r, const char *what) {
    return dq_fail(r->error, DQ_FORMAT, r->where, "the journal's record has no proper %s", what);
}

static dq_status no_memory(const record *r) {
    return dq_fail(r->error, DQ_MEMORY, r->where, "there is no memory for the journal's studies");
}

void dq_journal_deinit(dq_journal *journal) {
    for (int i = 0; i < journal->study_count; i++) {
        dq_study_deinit(journal->studies[i]);
        free(journal->studies[i]);
    }
    free(journal->studies);
    free(journal->deleted);
    free(journal->trials);
    *journal = (dq_journal){0};
}

dq_study *dq_journal_find(const dq_journal *journal, const char *name) {
    for (int i = 0; i < journal->study_count; i++)
        if (!journal->deleted[i] && !strcmp(journal->studies[i]->name, name)) return journal->studies[i];
    return NULL;
}

static bool grow(void **array, int count, size_t size) {
    if (count & (count - 1)) return true;
    void *larger = realloc(*array, (count ? 2 * (size_t)count : 1) * size);
    if (!larger) return false;
    *array = larger;
    return true;
}

// --- studies ----------------------------------------------------------------------------------------------

static dq_status create_study(const record *r) {
    dq_journal *journal = r->journal;
    const struct json_object *name = dq_json_member(r->log, "study_name");
    const struct json_object *list = dq_json_member(r->log, "directions");
    if (!json_object_is_type(name, json_type_string)) return malformed(r, "study_name");
    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) < 1 ||
        json_object_array_length(list) > DIRECTIONS_MAX)
        return malformed(r, "directions");
    const int count = (int)json_object_array_length(list);
    dq_direction directions[DIRECTIONS_MAX];
    for (int i = 0; i < count; i++) {
        int64_t direction;
        if (!dq_json_integer(json_object_array_get_idx(list, (size_t)i), &direction) || direction < 0 ||
            direction > DQ_MAXIMIZE)
            return malformed(r, "directions");
        directions[i] = (dq_direction)direction;
    }
    const char *text = json_object_get_string((struct json_object *)name);
    if (dq_journal_find(journal, text)) return DQ_OK; // the first of that name counts
    dq_study *study = malloc(sizeof *study);
    if (!study || !grow((void **)&journal->studies, journal->study_count, sizeof *journal->studies) ||
        !grow((void **)&journal->deleted, journal->study_count, sizeof *journal->deleted)) {
        free(study);
        return no_memory(r);
    }
    dq_status status = dq_study_init(study, text, directions, count, r->error);
    if (status) {
        free(study);
        return status;
    }
    study->id = journal->study_count;
    journal->studies[journal->study_count] = study;
    journal->deleted[journal->study_count++] = false;
    return DQ_OK;
}

// The study a record speaks of; *study NULL: it is gone, or never was.
static dq_status find_study(const record *r, dq_study **study) {
    int64_t id;
    *study = NULL;
    if (!dq_json_integer(dq_json_member(r->log, "study_id"), &id)) return malformed(r, "study_id");
    if (id >= 0 && id < r->journal->study_count && !r->journal->deleted[id]) *study = r->journal->studies[id];
    return DQ_OK;
}

static dq_status set_attributes(const record *r, const struct json_object *from, const char *what,
                                dq_attributes *to) {
    if (!from) return DQ_OK;
    if (!json_object_is_type(from, json_type_object)) return malformed(r, what);
    struct json_object_iterator at = json_object_iter_begin((struct json_object *)from);
    const struct json_object_iterator end = json_object_iter_end(from);
    dq_status status = DQ_OK;
    for (; !status && !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
        status = dq_attributes_set(to, json_object_iter_peek_name(&at),
                                   dq_json_text(json_object_iter_peek_value(&at)), r->error);
    return status;
}

// --- trials -----------------------------------------------------------------------------------------------

static dq_status read_state(const record *r, const struct json_object *from, dq_trial_state *state) {
    int64_t number;
    if (!dq_json_integer(from, &number) || number < 0 || number > DQ_TRIAL_WAITING)
        return malformed(r, "state");
    *state = (dq_trial_state)number;
    return DQ_OK;
}

static dq_status read_time(const record *r, const char *key, int64_t *time) {
    const struct json_object *from = dq_json_member(r->log, key);
    if (!from) return DQ_OK;
    if (!json_object_is_type(from, json_type_string) ||
        !dq_json_read_time(json_object_get_string((struct json_object *)from), time))
        return malformed(r, key);
    return DQ_OK;
}

static dq_status read_values(const record *r, const struct json_object *from, dq_trial *trial) {
    double values[DIRECTIONS_MAX];
    size_t count = json_object_is_type(from, json_type_array) ? json_object_array_length(from) : 0;
    if (count < 1 || count > DIRECTIONS_MAX) return malformed(r, "values");
    for (size_t i = 0; i < count; i++)
        if (!dq_json_number(json_object_array_get_idx(from, i), &values[i])) return malformed(r, "values");
    return dq_trial_set_values(trial, values, (int)count, r->error);
}

static dq_status set_param(const record *r, dq_study *study, dq_trial *trial, const char *name,
                           const struct json_object *value, const struct json_object *distribution,
                           bool check) {
    double internal;
    if (!dq_json_number(value, &internal)) return malformed(r, "param_value_internal");
    if (!json_object_is_type(distribution, json_type_string)) return malformed(r, "distribution");
    const dq_distribution *interned = NULL;
    struct json_object *text = (struct json_object *)distribution;
    dq_status status =
        dq_json_read_distribution(study, json_object_get_string(text),
                                  (size_t)json_object_get_string_len(text), &interned, r->where, r->error);
    if (status) return status;
    for (int i = 0; check && i < study->trial_count; i++) {
        const dq_trial_param *first = dq_trial_find_param(study->trials[i], name);
        if (!first) continue;
        if (!dq_distribution_compatible(first->distribution, interned)) return DQ_OK;
        break;
    }
    return dq_trial_set_param(study, trial, name, interned, internal, r->error);
}

static dq_status read_params(const record *r, dq_study *study, dq_trial *trial) {
    const struct json_object *params = dq_json_member(r->log, "params");
    const struct json_object *distributions = dq_json_member(r->log, "distributions");
    if (!params) return DQ_OK;
    if (!json_object_is_type(params, json_type_object)) return malformed(r, "params");
    struct json_object_iterator at = json_object_iter_begin((struct json_object *)params);
    const struct json_object_iterator end = json_object_iter_end(params);
    dq_status status = DQ_OK;
    for (; !status && !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *name = json_object_iter_peek_name(&at);
        status = set_param(r, study, trial, name, json_object_iter_peek_value(&at),
                           dq_json_member(distributions, name), false);
    }
    return status;
}

static dq_status read_intermediates(const record *r, dq_trial *trial) {
    const struct json_object *from = dq_json_member(r->log, "intermediate_values");
    if (!from) return DQ_OK;
    if (!json_object_is_type(from, json_type_object)) return malformed(r, "intermediate_values");
    struct json_object_iterator at = json_object_iter_begin((struct json_object *)from);
    const struct json_object_iterator end = json_object_iter_end(from);
    dq_status status = DQ_OK;
    for (; !status && !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        char *rest;
        const char *name = json_object_iter_peek_name(&at);
        const long long step = strtoll(name, &rest, 10);
        double value;
        if (rest == name || *rest || !dq_json_number(json_object_iter_peek_value(&at), &value))
            return malformed(r, "intermediate_values");
        status = dq_trial_set_intermediate(trial, step, value, r->error);
    }
    return status;
}

static dq_status fill_trial(const record *r, dq_study *study, dq_trial *trial) {
    const struct json_object *state = dq_json_member(r->log, "state");
    const struct json_object *value = dq_json_member(r->log, "value");
    const struct json_object *values = dq_json_member(r->log, "values");
    double one;
    dq_status status = state ? read_state(r, state, &trial->state) : DQ_OK;
    if (!status) status = read_time(r, "datetime_start", &trial->started);
    if (!status) status = read_time(r, "datetime_complete", &trial->completed);
    if (!status) status = read_params(r, study, trial);
    if (!status && value)
        status = dq_json_number(value, &one) ? dq_trial_set_values(trial, &one, 1, r->error)
                                             : malformed(r, "value");
    if (!status && values) status = read_values(r, values, trial);
    if (!status) status = read_intermediates(r, trial);
    if (!status) status = set_attributes(r, dq_json_member(r->log, "user_attrs"), "user_attrs", &trial->user);
    if (!status)
        status = set_attributes(r, dq_json_member(r->log, "system_attrs"), "system_attrs", &trial->system);
    return status;
}

static bool is_own(const record *r) {
    const char *worker = json_object_get_string(dq_json_member(r->log, "worker_id"));
    return worker && r->journal->worker && !strcmp(worker, r->journal->worker);
}

static dq_status create_trial(const record *r) {
    dq_journal *journal = r->journal;
    dq_study *study;
    dq_trial *trial;
    dq_status status = find_study(r, &study);
    if (status || !study) return status;
    if (!grow((void **)&journal->trials, journal->trial_count, sizeof *journal->trials)) return no_memory(r);
    status = dq_study_add_trial(study, &trial, r->error);
    if (status) return status;
    trial->id = journal->trial_count;
    journal->trials[journal->trial_count++] = (dq_journal_trial){study, trial};
    if (is_own(r)) journal->created = trial;
    return fill_trial(r, study, trial);
}

// The trial a record speaks of; NULL: there is none, or it has ended.
static dq_status find_trial(const record *r, dq_journal_trial *found) {
    int64_t id;
    *found = (dq_journal_trial){0};
    if (!dq_json_integer(dq_json_member(r->log, "trial_id"), &id)) return malformed(r, "trial_id");
    if (id >= 0 && id < r->journal->trial_count && !dq_trial_finished(r->journal->trials[id].trial))
        *found = r->journal->trials[id];
    return DQ_OK;
}

static dq_status set_state(const record *r, dq_trial *trial) {
    dq_trial_state state = DQ_TRIAL_RUNNING;
    dq_status status = read_state(r, dq_json_member(r->log, "state"), &state);
    if (status) return status;
    if (state == DQ_TRIAL_RUNNING && trial->state == state) return DQ_OK; // another one claimed it
    if (state == DQ_TRIAL_RUNNING) status = read_time(r, "datetime_start", &trial->started);
    if (state == DQ_TRIAL_RUNNING && is_own(r)) r->journal->claimed = trial;
    const struct json_object *values = dq_json_member(r->log, "values");
    if (!status && values) status = read_values(r, values, trial);
    if (!status && state != DQ_TRIAL_RUNNING && state != DQ_TRIAL_WAITING)
        status = read_time(r, "datetime_complete", &trial->completed);
    if (!status) trial->state = state;
    return status;
}

static dq_status set_intermediate(const record *r, dq_trial *trial) {
    int64_t step;
    double value;
    if (!dq_json_integer(dq_json_member(r->log, "step"), &step)) return malformed(r, "step");
    if (!dq_json_number(dq_json_member(r->log, "intermediate_value"), &value))
        return malformed(r, "intermediate_value");
    return dq_trial_set_intermediate(trial, step, value, r->error);
}

static dq_status set_one_param(const record *r, const dq_journal_trial *at) {
    const struct json_object *name = dq_json_member(r->log, "param_name");
    if (!json_object_is_type(name, json_type_string)) return malformed(r, "param_name");
    return set_param(r, at->study, at->trial, json_object_get_string((struct json_object *)name),
                     dq_json_member(r->log, "param_value_internal"), dq_json_member(r->log, "distribution"),
                     true);
}

// --- records ----------------------------------------------------------------------------------------------

static dq_status apply_to_study(const record *r, int64_t operation) {
    dq_study *study;
    dq_status status = find_study(r, &study);
    if (status || !study) return status;
    if (operation == DELETE_STUDY) {
        r->journal->deleted[study->id] = true;
        return DQ_OK;
    }
    const bool user = operation == SET_STUDY_USER_ATTR;
    const char *key = user ? "user_attr" : "system_attr";
    return set_attributes(r, dq_json_member(r->log, key), key, user ? &study->user : &study->system);
}

static dq_status apply_to_trial(const record *r, int64_t operation) {
    dq_journal_trial at;
    dq_status status = find_trial(r, &at);
    if (status || !at.trial) return status;
    switch (operation) {
    case SET_TRIAL_PARAM:
        return set_one_param(r, &at);
    case SET_TRIAL_STATE_VALUES:
        return set_state(r, at.trial);
    case SET_TRIAL_INTERMEDIATE_VALUE:
        return set_intermediate(r, at.trial);
    case SET_TRIAL_USER_ATTR:
        return set_attributes(r, dq_json_member(r->log, "user_attr"), "user_attr", &at.trial->user);
    default:
        return set_attributes(r, dq_json_member(r->log, "system_attr"), "system_attr", &at.trial->system);
    }
}

dq_status dq_journal_apply(dq_journal *journal, const char *line, size_t length, const char *name,
                           dq_error *error) {
    char where[256];
    snprintf(where, sizeof where, "%.200s:%lld", name, (long long)journal->lines + 1);
    struct json_object *log = dq_json_parse(line, length);
    int64_t operation;
    dq_status status;
    const record r = {journal, log, where, error};
    if (!dq_json_integer(dq_json_member(log, "op_code"), &operation))
        status =
            dq_fail(error, DQ_FORMAT, where,
                    "this is no record of Optuna's journal, which has one JSON object with op_code a line");
    else if (operation < 0 || operation >= OPERATIONS)
        status = dq_fail(error, DQ_FORMAT, where,
                         "the journal's operation %lld is unknown; it may come from a newer Optuna than 5.0",
                         (long long)operation);
    else if (operation == CREATE_STUDY)
        status = create_study(&r);
    else if (operation == CREATE_TRIAL)
        status = create_trial(&r);
    else if (operation < CREATE_TRIAL)
        status = apply_to_study(&r, operation);
    else if (operation < DISCARD_TRIALS)
        status = apply_to_trial(&r, operation);
    else
        status = DQ_OK;
    json_object_put(log);
    if (!status) journal->lines++;
    return status;
}

dq_status dq_journal_read(dq_journal *journal, const char *text, size_t size, size_t *used, const char *name,
                          dq_error *error) {
    *used = 0;
    while (*used < size) {
        const char *line = text + *used, *end = memchr(line, '\n', size - *used);
        if (!end) break;
        dq_status status = dq_journal_apply(journal, line, (size_t)(end - line), name, error);
        if (status) return status;
        *used += (size_t)(end - line) + 1;
    }
    return DQ_OK;
}
