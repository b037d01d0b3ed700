// SQLite behind dq_sql_driver. A module: see base/module.h.
#include "tune/sql.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dq_sql {
    sqlite3 *database;
    char path[PATH_MAX];
};

static dq_status failed(const dq_sql *self, dq_error *error) {
    return dq_fail(error, DQ_IO, self->path, "SQLite says: %s",
                   self->database ? sqlite3_errmsg(self->database) : "there is no memory");
}

static void close_database(dq_sql *self) {
    if (!self) return;
    sqlite3_close(self->database);
    free(self);
}

// "sqlite:///FILE", as SQLAlchemy has it
static dq_status open_database(dq_sql **out, const char *url, bool make, dq_error *error) {
    const char *path = strstr(url, ":///");
    if (!path || !path[4])
        return dq_fail(error, DQ_USAGE, url,
                       "a database of SQLite is sqlite:///FILE, or sqlite:////ABSOLUTE/FILE");
    dq_sql *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, url, "there is no memory for the database");
    snprintf(self->path, sizeof self->path, "%s", path + 4);
    const int flags = make ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE;
    dq_status status = DQ_OK;
    if (sqlite3_open_v2(self->path, &self->database, flags, NULL) != SQLITE_OK) status = failed(self, error);
    if (!status) sqlite3_busy_timeout(self->database, 60000); // other writers are quick
    if (status)
        close_database(self);
    else
        *out = self;
    return status;
}

static void bind(sqlite3_stmt *statement, int at, const dq_sql_value *value) {
    char name[16];
    snprintf(name, sizeof name, "$%d", at + 1);
    const int index = sqlite3_bind_parameter_index(statement, name);
    if (value->kind == DQ_SQL_INTEGER)
        sqlite3_bind_int64(statement, index, value->integer);
    else if (value->kind == DQ_SQL_REAL)
        sqlite3_bind_double(statement, index, value->real);
    else if (value->kind == DQ_SQL_TEXT)
        sqlite3_bind_text(statement, index, value->text, -1, SQLITE_TRANSIENT);
}

static dq_status take_row(sqlite3_stmt *statement, dq_sql_row_fn *row, void *user, dq_error *error) {
    dq_sql_value columns[DQ_SQL_COLUMNS_MAX] = {0};
    const int count = sqlite3_column_count(statement);
    for (int i = 0; i < count && i < DQ_SQL_COLUMNS_MAX; i++) {
        const int type = sqlite3_column_type(statement, i);
        columns[i].kind = type == SQLITE_NULL      ? DQ_SQL_NULL
                          : type == SQLITE_INTEGER ? DQ_SQL_INTEGER
                          : type == SQLITE_FLOAT   ? DQ_SQL_REAL
                                                   : DQ_SQL_TEXT;
        columns[i].integer = sqlite3_column_int64(statement, i);
        columns[i].real = sqlite3_column_double(statement, i);
        columns[i].text =
            columns[i].kind == DQ_SQL_TEXT ? (const char *)sqlite3_column_text(statement, i) : NULL;
    }
    return row ? row(user, columns, count, error) : DQ_OK;
}

static dq_status run(dq_sql *self, const char *text, const dq_sql_value *values, int count,
                     dq_sql_row_fn *row, void *user, dq_error *error) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(self->database, text, -1, &statement, NULL) != SQLITE_OK)
        return failed(self, error);
    for (int i = 0; i < count; i++) bind(statement, i, &values[i]);
    dq_status status = DQ_OK;
    int step = SQLITE_ROW;
    while (!status && (step = sqlite3_step(statement)) == SQLITE_ROW)
        status = take_row(statement, row, user, error);
    if (!status && step != SQLITE_DONE) status = failed(self, error);
    sqlite3_finalize(statement);
    return status;
}

__attribute__((visibility("default"))) extern const dq_sql_driver dq_module_sql;
const dq_sql_driver dq_module_sql = {
    .version = DQ_SQL_VERSION,
    .open = open_database,
    .close = close_database,
    .run = run,
    .begin = "BEGIN IMMEDIATE",
    .find_tables = "SELECT name FROM sqlite_master WHERE name = 'alembic_version'",
    .snapshot = "BEGIN",
    .integer_key = "INTEGER NOT NULL",
    .real = "FLOAT",
    .time = "DATETIME",
};
