// Changes into rows of the relational storage.
#include "tune/json.h"
#include "tune/storage_rdb_rows.h"

#include <math.h>
#include <stdio.h>

// A finite number; others are NULL, with their type beside them.
static dq_sql_value real_or_null(double value) {
    return (dq_sql_value){.kind = isfinite(value) ? DQ_SQL_REAL : DQ_SQL_NULL, .real = value};
}

static const char *type_of(double value) {
    return isnan(value) ? "NAN" : isfinite(value) ? "FINITE" : value > 0 ? "INF_POS" : "INF_NEG";
}

dq_sql_value dq_rdb_now(char room[40]) {
    dq_json_write_time(dq_time_to_utc(dq_time_now()), room, 40);
    room[10] = ' ';
    return text(room);
}

dq_status dq_rdb_put_attribute(rdb_storage *self, const char *table, const char *owner, int64_t id,
                               const char *key, const char *json, dq_error *error) {
    char statement[300];
    snprintf(statement, sizeof statement,
             "INSERT INTO %s (%s, key, value_json) VALUES ($1, $2, $3) ON CONFLICT (%s, key) DO UPDATE SET "
             "value_json = excluded.value_json",
             table, owner, owner);
    return RUN(self, statement, NULL, NULL, error, integer(id), text(key), text(json));
}

static dq_status put_attributes(rdb_storage *self, const char *table, int64_t id,
                                const dq_attributes *list_of, dq_error *error) {
    dq_status status = DQ_OK;
    for (int i = 0; i < list_of->count && !status; i++)
        status =
            dq_rdb_put_attribute(self, table, "trial_id", id, list_of->at[i].key, list_of->at[i].json, error);
    return status;
}

static dq_status put_param(rdb_storage *self, int64_t id, const dq_trial_param *param, dq_error *error) {
    struct json_object *distribution = dq_json_distribution(param->distribution);
    dq_status status =
        RUN(self,
            "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES "
            "($1, $2, $3, $4) ON CONFLICT (trial_id, param_name) DO UPDATE SET param_value = "
            "excluded.param_value, distribution_json = excluded.distribution_json",
            NULL, NULL, error, integer(id), text(param->name), real_or_null(param->value),
            text(json_object_get_string(distribution)));
    json_object_put(distribution);
    return status;
}

dq_status dq_rdb_put_trial(rdb_storage *self, const dq_study *study, const dq_trial *wanted, int64_t *id,
                           dq_error *error) {
    *id = -1;
    char started[40];
    const dq_sql_value none = text(NULL);
    dq_status status = RUN(self,
                           "INSERT INTO trials (number, study_id, state, datetime_start) SELECT count(*), "
                           "$1, $2, $3 FROM trials "
                           "WHERE study_id = $1 RETURNING trial_id",
                           dq_rdb_take_id, id, error, integer(study->id), text(dq_rdb_states[wanted->state]),
                           wanted->state == DQ_TRIAL_WAITING ? none : dq_rdb_now(started));
    for (int i = 0; i < wanted->param_count && !status; i++)
        status = put_param(self, *id, &wanted->params[i], error);
    if (!status) status = put_attributes(self, "trial_user_attributes", *id, &wanted->user, error);
    if (!status) status = put_attributes(self, "trial_system_attributes", *id, &wanted->system, error);
    return status;
}

static dq_status set_state(rdb_storage *self, const dq_change *change, dq_error *error) {
    char time[40];
    const char *statement = change->state == DQ_TRIAL_RUNNING
                                ? "UPDATE trials SET state = $2, datetime_start = $3 WHERE trial_id = $1"
                                : "UPDATE trials SET state = $2, datetime_complete = $3 WHERE trial_id = $1";
    dq_status status = RUN(self, statement, NULL, NULL, error, integer(change->trial->id),
                           text(dq_rdb_states[change->state]), dq_rdb_now(time));
    for (int i = 0; i < change->value_count && !status; i++)
        status = RUN(
            self,
            "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES ($1, $2, $3, $4) ON "
            "CONFLICT (trial_id, objective) DO UPDATE SET value = excluded.value, value_type = "
            "excluded.value_type",
            NULL, NULL, error, integer(change->trial->id), integer(i), real_or_null(change->values[i]),
            text(type_of(change->values[i])));
    return status;
}

dq_status dq_rdb_put_change(rdb_storage *self, const dq_study *study, const dq_change *c, dq_error *error) {
    if (c->kind == DQ_CHANGE_STATE) return set_state(self, c, error);
    if (c->kind == DQ_CHANGE_PARAM) return put_param(self, c->trial->id, c->param, error);
    if (c->kind == DQ_CHANGE_INTERMEDIATE)
        return RUN(
            self,
            "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, "
            "intermediate_value_type) VALUES ($1, $2, $3, $4) ON CONFLICT (trial_id, step) DO UPDATE SET "
            "intermediate_value = excluded.intermediate_value, intermediate_value_type = "
            "excluded.intermediate_value_type",
            NULL, NULL, error, integer(c->trial->id), integer(c->step), real_or_null(c->value),
            text(type_of(c->value)));
    const bool user = c->kind == DQ_CHANGE_USER;
    if (c->trial)
        return dq_rdb_put_attribute(self, user ? "trial_user_attributes" : "trial_system_attributes",
                                    "trial_id", c->trial->id, c->key, c->json, error);
    return dq_rdb_put_attribute(self, user ? "study_user_attributes" : "study_system_attributes", "study_id",
                                study->id, c->key, c->json, error);
}
