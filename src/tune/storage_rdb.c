// The storage that is a database: the tables of Optuna's RDBStorage (schema 12, Alembic's v3.2.0.a, which
// Optuna 3.2 to 5 share), in SQLite or PostgreSQL.
//
// Optuna keeps moments in universal time (version 5; earlier ones kept local time), states and directions by
// their names, and what is no finite number by a type beside the value. Whatever depends on what is there
// happens in one transaction that other writers wait for.
#include "tune/storage_rdb.h"
#include "base/module.h"
#include "tune/storage_rdb_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const directions_of[] = {"NOT_SET", "MINIMIZE", "MAXIMIZE"};

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

// --- studies ----------------------------------------------------------------------------------------------

// One state of the database, though it takes several statements.
static dq_status sync_study(dq_storage *storage, dq_study *study, dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    dq_status status = plain(self, self->driver->snapshot, error);
    return status ? status : end(self, dq_rdb_read(self, study, error), error);
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
    int64_t found = -1;
    struct {
        dq_direction list[64];
        int count;
    } to = {.count = 0};
    if (self->study && !strcmp(self->study->name, name)) {
        *study = self->study;
        return sync_study(storage, *study, error);
    }
    dq_status status = RUN(self, "SELECT study_id FROM studies WHERE study_name = $1", dq_rdb_take_id, &found,
                           error, text(name));
    if (!status && found < 0)
        status = dq_fail(error, DQ_NOT_FOUND, self->url, "there is no study '%.100s'", name);
    if (!status)
        status = RUN(self, "SELECT direction FROM study_directions WHERE study_id = $1 ORDER BY objective",
                     take_direction, &to, error, integer(found));
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
    read->id = found;
    *study = self->study = read;
    return sync_study(storage, read, error);
}

static dq_status make(dq_storage *storage, const char *name, const dq_direction *directions, int count,
                      dq_study **study, dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    int64_t found = -1;
    dq_status status = begin(self, NULL, error);
    if (status) return status;
    status = RUN(
        self,
        "INSERT INTO studies (study_name) VALUES ($1) ON CONFLICT (study_name) DO NOTHING RETURNING study_id",
        dq_rdb_take_id, &found, error, text(name));
    for (int i = 0; i < count && !status && found >= 0; i++)
        status =
            RUN(self, "INSERT INTO study_directions (direction, study_id, objective) VALUES ($1, $2, $3)",
                NULL, NULL, error, text(directions_of[directions[i]]), integer(found), integer(i));
    status = end(self, status, error);
    return status ? status : find(storage, name, study, error);
}

// --- trials -----------------------------------------------------------------------------------------------

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
    status = dq_rdb_read(self, study, error);
    if (!status && (limit == 0 || dq_study_counted(study) < limit))
        status = dq_rdb_put_trial(self, study, wanted, &id, error);
    status = end(self, status, error);
    if (!status && id >= 0) status = sync_study(storage, study, error);
    if (!status && id >= 0) *added = by_id(study, id);
    return status;
}

static dq_status claim(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_change *with,
                       bool *ours, dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    int64_t found = -1;
    char time[40];
    *ours = false;
    dq_status status = begin(self, study, error);
    if (status) return status;
    status = RUN(
        self,
        "UPDATE trials SET state = 'RUNNING', datetime_start = $2 WHERE trial_id = $1 AND state = 'WAITING' "
        "RETURNING trial_id",
        dq_rdb_take_id, &found, error, integer(trial->id), dq_rdb_now(time));
    if (!status && found == trial->id) status = dq_rdb_put_change(self, study, with, error);
    status = end(self, status, error);
    if (!status) status = sync_study(storage, study, error);
    *ours = !status && found == trial->id;
    return status;
}

static dq_status abandon(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_trial *again,
                         dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    int64_t id;
    dq_status status = begin(self, study, error);
    if (status) return status;
    status = dq_rdb_read(self, study, error);
    if (!status && trial->state == DQ_TRIAL_RUNNING) {
        const dq_change failed = {.kind = DQ_CHANGE_STATE, .trial = trial, .state = DQ_TRIAL_FAILED};
        status = dq_rdb_put_attribute(self, "trial_system_attributes", "trial_id", trial->id, DQ_ABANDONED,
                                      "true", error);
        if (!status) status = dq_rdb_put_change(self, study, &failed, error);
        if (!status && again) status = dq_rdb_put_trial(self, study, again, &id, error);
    }
    status = end(self, status, error);
    return status ? status : sync_study(storage, study, error);
}

static dq_status write_changes(dq_storage *storage, dq_study *study, const dq_change *changes, int count,
                               dq_error *error) {
    rdb_storage *self = (rdb_storage *)storage;
    dq_status status = begin(self, study, error);
    if (status) return status;
    status = dq_rdb_read(self, study, error);
    for (int i = 0; i < count && !status; i++)
        if (!changes[i].trial || !dq_trial_finished(changes[i].trial))
            status = dq_rdb_put_change(self, study, &changes[i], error);
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
