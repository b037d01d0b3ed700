// Rows of the relational storage into a study. Trials that have ended are not read again.
#include "tune/json.h"
#include "tune/storage_rdb_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const dq_rdb_states[5] = {"RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"};

// What every row function gets.
typedef struct reading {
    rdb_storage *self;
    dq_study *study;
    dq_trial *trial;
} reading;

static dq_status bad_row(const reading *r, const char *what, dq_error *error) {
    return dq_fail(error, DQ_FORMAT, r->self->url, "a trial of the study '%.60s' has no proper %s",
                   r->study->name, what);
}

dq_status dq_rdb_take_id(void *user, const dq_sql_value *v, int count, dq_error *error) {
    (void)count, (void)error;
    *(int64_t *)user = v[0].integer;
    return DQ_OK;
}

static double number_of(const dq_sql_value *value, const dq_sql_value *type) {
    if (value->kind != DQ_SQL_NULL) return value->real;
    if (type->text && !strcmp(type->text, "INF_POS")) return (double)INFINITY;
    return type->text && !strcmp(type->text, "INF_NEG") ? -(double)INFINITY : (double)NAN;
}

static dq_status take_param(void *user, const dq_sql_value *v, int count, dq_error *error) {
    reading *r = user;
    const dq_distribution *distribution;
    (void)count;
    if (!v[0].text || !v[2].text || v[1].kind == DQ_SQL_NULL) return bad_row(r, "parameter", error);
    dq_status status =
        dq_json_read_distribution(r->study, v[2].text, strlen(v[2].text), &distribution, r->self->url, error);
    return status ? status
                  : dq_trial_set_param(r->study, r->trial, v[0].text, distribution, v[1].real, error);
}

static dq_status take_intermediate(void *user, const dq_sql_value *v, int count, dq_error *error) {
    (void)count;
    return dq_trial_set_intermediate(((reading *)user)->trial, v[0].integer, number_of(&v[1], &v[2]), error);
}

static dq_status take_value(void *user, const dq_sql_value *v, int count, dq_error *error) {
    dq_trial *trial = ((reading *)user)->trial;
    double values[64];
    (void)count;
    if (trial->value_count == 64) return bad_row(user, "values", error);
    if (trial->value_count) memcpy(values, trial->values, (size_t)trial->value_count * sizeof *values);
    values[trial->value_count] = number_of(&v[0], &v[1]);
    return dq_trial_set_values(trial, values, trial->value_count + 1, error);
}

static dq_status take_attribute(void *user, const dq_sql_value *v, int count, dq_error *error) {
    dq_attributes *to = user;
    (void)count;
    return v[0].text && v[1].text ? dq_attributes_set(to, v[0].text, v[1].text, error) : DQ_OK;
}

static void take_time(const dq_sql_value *v, int64_t *time) {
    int64_t utc;
    *time = v->text && dq_json_read_time(v->text, &utc) ? dq_time_from_utc(utc) : DQ_NO_TIME;
}

// All of a trial but its own row.
static dq_status read_trial(reading *r, dq_error *error) {
    rdb_storage *self = r->self;
    const dq_sql_value id = integer(r->trial->id);
    r->trial->value_count = 0;
    dq_status status = RUN(self,
                           "SELECT param_name, param_value, distribution_json FROM trial_params WHERE "
                           "trial_id = $1 ORDER BY param_id",
                           take_param, r, error, id);
    if (!status)
        status =
            RUN(self,
                "SELECT step, intermediate_value, intermediate_value_type FROM trial_intermediate_values "
                "WHERE trial_id = $1",
                take_intermediate, r, error, id);
    if (!status)
        status =
            RUN(self, "SELECT value, value_type FROM trial_values WHERE trial_id = $1 ORDER BY objective",
                take_value, r, error, id);
    if (!status)
        status = RUN(self, "SELECT key, value_json FROM trial_user_attributes WHERE trial_id = $1",
                     take_attribute, &r->trial->user, error, id);
    if (!status)
        status = RUN(self, "SELECT key, value_json FROM trial_system_attributes WHERE trial_id = $1",
                     take_attribute, &r->trial->system, error, id);
    return status;
}

// A row of the trials: the list of those to be read grows, since no statement runs inside another.
typedef struct changed {
    reading r;
    int seen; // rows so far: their order is the numbers'
    int *numbers, count;
} changed;

static dq_status take_trial(void *user, const dq_sql_value *v, int count, dq_error *error) {
    changed *c = user;
    dq_study *study = c->r.study;
    dq_trial *trial = NULL;
    (void)count;
    const int number = c->seen++;
    if (number < study->trial_count)
        trial = study->trials[number];
    else if (dq_study_add_trial(study, &trial, error))
        return DQ_MEMORY;
    else
        trial->state = DQ_TRIAL_RUNNING;
    if (dq_trial_finished(trial)) return DQ_OK; // it does not change any more
    int *larger = realloc(c->numbers, ((size_t)c->count + 1) * sizeof *larger);
    if (!larger) return dq_fail(error, DQ_MEMORY, c->r.self->url, "there is no memory for the trials");
    c->numbers = larger;
    c->numbers[c->count++] = number;
    int state = 0;
    while (state < 5 && (!v[1].text || strcmp(dq_rdb_states[state], v[1].text) != 0)) state++;
    if (state == 5) return bad_row(&c->r, "state", error);
    trial->id = v[0].integer;
    trial->state = (dq_trial_state)state;
    take_time(&v[2], &trial->started);
    take_time(&v[3], &trial->completed);
    return DQ_OK;
}

dq_status dq_rdb_read(rdb_storage *self, dq_study *study, dq_error *error) {
    changed c = {.r = {.self = self, .study = study}};
    const dq_sql_value id = integer(study->id);
    dq_status status = RUN(self, "SELECT key, value_json FROM study_user_attributes WHERE study_id = $1",
                           take_attribute, &study->user, error, id);
    if (!status)
        status = RUN(self, "SELECT key, value_json FROM study_system_attributes WHERE study_id = $1",
                     take_attribute, &study->system, error, id);
    if (!status)
        status =
            RUN(self,
                "SELECT trial_id, state, datetime_start, datetime_complete FROM trials WHERE study_id = $1 "
                "ORDER BY trial_id",
                take_trial, &c, error, id);
    for (int i = 0; i < c.count && !status; i++) {
        c.r.trial = study->trials[c.numbers[i]];
        status = read_trial(&c.r, error);
    }
    free(c.numbers);
    return status;
}
