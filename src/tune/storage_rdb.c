// The storage that is a database: the tables of Optuna's RDBStorage (schema 12, Alembic's v3.2.0.a, which
// Optuna 3.2 to 5 share), in SQLite or PostgreSQL.
//
// Optuna keeps moments in universal time (version 5; earlier ones kept local time), states and directions by
// their names, and what is no finite number by a type beside the value. Whatever depends on what is there
// happens in one transaction that other writers wait for.
#include "tune/storage_rdb.h"
#include "base/module.h"
#include "tune/json.h"
#include "tune/sql.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct rdb_storage {
    dq_storage storage;
    const dq_sql_driver *driver;
    dq_sql *sql;
    dq_study *study; // the one that is read; NULL: none yet
    char url[256];
} rdb_storage;

static const char *const states[] = {"RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"};
static const char *const directions_of[] = {"NOT_SET", "MINIMIZE", "MAXIMIZE"};

static dq_sql_value integer(int64_t value) {
    return (dq_sql_value){.kind = DQ_SQL_INTEGER, .integer = value};
}

static dq_sql_value text(const char *value) {
    return (dq_sql_value){.kind = value ? DQ_SQL_TEXT : DQ_SQL_NULL, .text = value};
}

// A finite number; others are NULL, with their type beside them.
static dq_sql_value real_or_null(double value) {
    return (dq_sql_value){.kind = isfinite(value) ? DQ_SQL_REAL : DQ_SQL_NULL, .real = value};
}

static const char *type_of(double value) {
    return isnan(value) ? "NAN" : isfinite(value) ? "FINITE" : value > 0 ? "INF_POS" : "INF_NEG";
}

static dq_sql_value now(char room[40]) {
    dq_json_write_time(dq_time_to_utc(dq_time_now()), room, 40);
    room[10] = ' ';
    return text(room);
}

#define RUN(self, statement, row, user, error, ...)                                                          \
    (self)->driver->run((self)->sql, statement, (const dq_sql_value[]){__VA_ARGS__},                         \
                        (int)(sizeof((const dq_sql_value[]){__VA_ARGS__}) / sizeof(dq_sql_value)), row,      \
                        user, error)

static dq_status plain(rdb_storage *self, const char *statement, dq_error *error) {
    return self->driver->run(self->sql, statement, NULL, 0, NULL, NULL, error);
}

static void close_rdb(dq_storage *storage) {
    rdb_storage *self = (rdb_storage *)storage;
    if (self->study) dq_study_deinit(self->study);
    free(self->study);
    if (self->sql) self->driver->close(self->sql);
    free(self);
}

// --- transactions -----------------------------------------------------------------------------------------

static dq_status begin(rdb_storage *self, const dq_study *study, dq_error *error) {
    dq_status status = plain(self, self->driver->begin, error);
    if (!status && study && self->driver->lock)
        status = RUN(self, self->driver->lock, NULL, NULL, error, integer(study->id));
    return status;
}

static dq_status end(rdb_storage *self, dq_status status, dq_error *error) {
    if (status) {
        plain(self, "ROLLBACK", NULL);
        return status;
    }
    return plain(self, "COMMIT", error);
}

// --- reading ----------------------------------------------------------------------------------------------

// What every row function gets.
typedef struct reading {
    rdb_storage *self;
    dq_study *study;
    dq_trial *trial;
    int64_t found; // an id, or how many rows
} reading;

static dq_status bad_row(const reading *r, const char *what, dq_error *error) {
    return dq_fail(error, DQ_FORMAT, r->self->url, "a trial of the study '%.60s' has no proper %s",
                   r->study->name, what);
}

static dq_status take_id(void *user, const dq_sql_value *v, int count, dq_error *error) {
    (void)count, (void)error;
    ((reading *)user)->found = v[0].integer;
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
    while (state < 5 && (!v[1].text || strcmp(states[state], v[1].text) != 0)) state++;
    if (state == 5) return bad_row(&c->r, "state", error);
    trial->id = v[0].integer;
    trial->state = (dq_trial_state)state;
    take_time(&v[2], &trial->started);
    take_time(&v[3], &trial->completed);
    return DQ_OK;
}

static dq_status read_study(rdb_storage *self, dq_study *study, dq_error *error) {
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

// One state of the database, though it takes several statements.
static dq_status sync_study(dq_storage *storage, dq_study *study, dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    dq_status status =
        plain(self, self->driver->enums ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN", error);
    return status ? status : end(self, read_study(self, study, error), error);
}

// Names and texts in one block that the caller frees: texts grow behind the list, which is sized first.
static dq_status count_names(void *user, const dq_sql_value *v, int count, dq_error *error) {
    size_t *sizes = user;
    (void)count, (void)error;
    sizes[0]++;
    sizes[1] += strlen(v[0].text ? v[0].text : "") + 1;
    return DQ_OK;
}

static dq_status put_name(void *user, const dq_sql_value *v, int count, dq_error *error) {
    struct {
        const char **names;
        int count;
        char *texts;
    } *to = user;
    (void)count, (void)error;
    to->names[to->count++] = strcpy(to->texts, v[0].text ? v[0].text : "");
    to->texts += strlen(to->texts) + 1;
    return DQ_OK;
}

static int list(dq_storage *storage, const char ***names, dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    static const char statement[] = "SELECT study_name FROM studies ORDER BY study_id";
    size_t sizes[2] = {0};
    struct {
        const char **names;
        int count;
        char *texts;
    } to = {0};
    dq_status status = plain(self, self->driver->begin, error); // nobody adds one in between
    if (!status) status = self->driver->run(self->sql, statement, NULL, 0, count_names, sizes, error);
    if (!status) {
        to.names = malloc((sizes[0] + 1) * sizeof *to.names + sizes[1]);
        if (!to.names)
            status = dq_fail(error, DQ_MEMORY, self->url, "there is no memory for the studies' names");
        else
            to.texts = (char *)(to.names + sizes[0] + 1);
    }
    if (!status) status = self->driver->run(self->sql, statement, NULL, 0, put_name, &to, error);
    status = end(self, status, error);
    *names = to.names;
    return status ? -1 : to.count;
}

static dq_status take_direction(void *user, const dq_sql_value *v, int count, dq_error *error) {
    struct {
        dq_direction list[64];
        int count;
    } *to = user;
    (void)count, (void)error;
    for (int d = 0; d < 3 && to->count < 64; d++)
        if (v[0].text && !strcmp(v[0].text, directions_of[d])) to->list[to->count++] = (dq_direction)d;
    return DQ_OK;
}

static dq_status find(dq_storage *storage, const char *name, dq_study **study, dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    reading r = {.self = self, .found = -1};
    struct {
        dq_direction list[64];
        int count;
    } to = {.count = 0};
    if (self->study && !strcmp(self->study->name, name)) {
        *study = self->study;
        return sync_study(storage, *study, error);
    }
    dq_status status =
        RUN(self, "SELECT study_id FROM studies WHERE study_name = $1", take_id, &r, error, text(name));
    if (!status && r.found < 0)
        status = dq_fail(error, DQ_NOT_FOUND, self->url, "there is no study '%.100s'", name);
    if (!status)
        status = RUN(self, "SELECT direction FROM study_directions WHERE study_id = $1 ORDER BY objective",
                     take_direction, &to, error, integer(r.found));
    if (!status && to.count == 0)
        status = dq_fail(error, DQ_FORMAT, self->url, "the study '%.100s' has no direction", name);
    if (status) return status;
    if (self->study)
        return dq_fail(error, DQ_USAGE, self->url, "one study at a time is read from a database");
    dq_study *read = calloc(1, sizeof *read);
    status = read ? dq_study_init(read, name, to.list, to.count, error)
                  : dq_fail(error, DQ_MEMORY, self->url, "there is no memory for the study");
    if (status) {
        free(read);
        return status;
    }
    read->id = r.found;
    *study = self->study = read;
    return sync_study(storage, read, error);
}

// --- writing ----------------------------------------------------------------------------------------------

static dq_status make(dq_storage *storage, const char *name, const dq_direction *directions, int count,
                      dq_study **study, dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    reading r = {.self = self, .found = -1};
    dq_status status = begin(self, NULL, error);
    if (status) return status;
    status = RUN(
        self,
        "INSERT INTO studies (study_name) VALUES ($1) ON CONFLICT (study_name) DO NOTHING RETURNING study_id",
        take_id, &r, error, text(name));
    for (int i = 0; i < count && !status && r.found >= 0; i++)
        status =
            RUN(self, "INSERT INTO study_directions (direction, study_id, objective) VALUES ($1, $2, $3)",
                NULL, NULL, error, text(directions_of[directions[i]]), integer(r.found), integer(i));
    status = end(self, status, error);
    return status ? status : find(storage, name, study, error);
}

static dq_status put_attribute(rdb_storage *self, const char *table, const char *owner, int64_t id,
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
        status = put_attribute(self, table, "trial_id", id, list_of->at[i].key, list_of->at[i].json, error);
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

static dq_status put_trial(rdb_storage *self, const dq_study *study, const dq_trial *wanted, int64_t *id,
                           dq_error *error) {
    reading r = {.self = self, .found = -1};
    char started[40];
    const dq_sql_value none = text(NULL);
    dq_status status = RUN(self,
                           "INSERT INTO trials (number, study_id, state, datetime_start) SELECT count(*), "
                           "$1, $2, $3 FROM trials "
                           "WHERE study_id = $1 RETURNING trial_id",
                           take_id, &r, error, integer(study->id), text(states[wanted->state]),
                           wanted->state == DQ_TRIAL_WAITING ? none : now(started));
    for (int i = 0; i < wanted->param_count && !status; i++)
        status = put_param(self, r.found, &wanted->params[i], error);
    if (!status) status = put_attributes(self, "trial_user_attributes", r.found, &wanted->user, error);
    if (!status) status = put_attributes(self, "trial_system_attributes", r.found, &wanted->system, error);
    *id = r.found;
    return status;
}

static dq_status set_state(rdb_storage *self, const dq_change *change, dq_error *error) {
    char time[40];
    const char *statement = change->state == DQ_TRIAL_RUNNING
                                ? "UPDATE trials SET state = $2, datetime_start = $3 WHERE trial_id = $1"
                                : "UPDATE trials SET state = $2, datetime_complete = $3 WHERE trial_id = $1";
    dq_status status = RUN(self, statement, NULL, NULL, error, integer(change->trial->id),
                           text(states[change->state]), now(time));
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

static dq_status put_change(rdb_storage *self, const dq_study *study, const dq_change *c, dq_error *error) {
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
        return put_attribute(self, user ? "trial_user_attributes" : "trial_system_attributes", "trial_id",
                             c->trial->id, c->key, c->json, error);
    return put_attribute(self, user ? "study_user_attributes" : "study_system_attributes", "study_id",
                         study->id, c->key, c->json, error);
}

// --- the storage ------------------------------------------------------------------------------------------

static dq_trial *by_id(const dq_study *study, int64_t id) {
    for (int i = study->trial_count - 1; i >= 0; i--)
        if (study->trials[i]->id == id) return study->trials[i];
    return NULL;
}

static dq_status add(dq_storage *storage, dq_study *study, const dq_trial *wanted, int64_t limit,
                     dq_trial **added, dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    int64_t id = -1;
    *added = NULL;
    dq_status status = begin(self, study, error);
    if (status) return status;
    status = read_study(self, study, error);
    if (!status && (limit == 0 || dq_study_counted(study) < limit))
        status = put_trial(self, study, wanted, &id, error);
    status = end(self, status, error);
    if (!status && id >= 0) status = sync_study(storage, study, error);
    if (!status && id >= 0) *added = by_id(study, id);
    return status;
}

static dq_status claim(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_change *with,
                       bool *ours, dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    reading r = {.self = self, .found = -1};
    char time[40];
    *ours = false;
    dq_status status = begin(self, study, error);
    if (status) return status;
    status = RUN(
        self,
        "UPDATE trials SET state = 'RUNNING', datetime_start = $2 WHERE trial_id = $1 AND state = 'WAITING' "
        "RETURNING trial_id",
        take_id, &r, error, integer(trial->id), now(time));
    if (!status && r.found == trial->id) status = put_change(self, study, with, error);
    status = end(self, status, error);
    if (!status) status = sync_study(storage, study, error);
    *ours = !status && r.found == trial->id;
    return status;
}

static dq_status abandon(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_trial *again,
                         dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    int64_t id;
    dq_status status = begin(self, study, error);
    if (status) return status;
    status = read_study(self, study, error);
    if (!status && trial->state == DQ_TRIAL_RUNNING) {
        const dq_change failed = {.kind = DQ_CHANGE_STATE, .trial = trial, .state = DQ_TRIAL_FAILED};
        status = put_attribute(self, "trial_system_attributes", "trial_id", trial->id, DQ_ABANDONED, "true",
                               error);
        if (!status) status = set_state(self, &failed, error);
        if (!status && again) status = put_trial(self, study, again, &id, error);
    }
    status = end(self, status, error);
    return status ? status : sync_study(storage, study, error);
}

static dq_status write_changes(dq_storage *storage, dq_study *study, const dq_change *changes, int count,
                               dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    dq_status status = begin(self, study, error);
    if (status) return status;
    status = read_study(self, study, error);
    for (int i = 0; i < count && !status; i++)
        if (!changes[i].trial || !dq_trial_finished(changes[i].trial))
            status = put_change(self, study, &changes[i], error);
    status = end(self, status, error);
    return status ? status : sync_study(storage, study, error);
}

static const dq_storage_class rdb_class = {
    .name = "relational",
    .close = close_rdb,
    .list = list,
    .find = find,
    .make = make,
    .sync = sync_study,
    .add = add,
    .claim = claim,
    .abandon = abandon,
    .write = write_changes,
};

dq_status dq_storage_open_rdb(dq_storage **out, const char *url, bool make_it, dq_error *error) {
    const char *module = !strncmp(url, "sqlite", 6) ? "sqlite" : "postgresql";
    const void *symbol;
    dq_status status = dq_module_load(module, "dq_module_sql", "a database",
                                      "a journal file needs no library", &symbol, error);
    if (status) return status;
    rdb_storage *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, url, "there is no memory for the database");
    self->storage.storage_class = &rdb_class;
    self->driver = symbol;
    const char *at = strrchr(url, '@'); // what stands before it may be a password
    snprintf(self->url, sizeof self->url, "%s", at ? at + 1 : url);
    if (self->driver->version != DQ_SQL_VERSION)
        status = dq_fail(error, DQ_UNSUPPORTED, module, "this module does not belong to this program");
    if (!status) status = self->driver->open(&self->sql, url, make_it, error);
    if (!status) status = dq_rdb_prepare(self->driver, self->sql, self->url, make_it, error);
    if (status)
        close_rdb(&self->storage);
    else
        *out = &self->storage;
    return status;
}
