// PostgreSQL behind dq_sql_driver. A module: see base/module.h.
#include "tune/sql.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 16 };

struct dq_sql {
    PGconn *connection;
    char name[200]; // without a password
};

static dq_status failed(const dq_sql *self, dq_error *error) {
    char text[300];
    snprintf(text, sizeof text, "%s", PQerrorMessage(self->connection));
    for (char *c = text; *c; c++)
        if (*c == '\n') *c = c[1] ? ' ' : 0;
    return dq_fail(error, DQ_IO, self->name, "PostgreSQL says: %s", text);
}

static void close_database(dq_sql *self) {
    if (!self) return;
    PQfinish(self->connection);
    free(self);
}

static void no_notice(void *user, const char *message) {
    (void)user, (void)message;
}

// "postgresql+psycopg2://..." is SQLAlchemy's way to name a Python driver.
static dq_status open_database(dq_sql **out, const char *url, bool make, dq_error *error) {
    (void)make; // the server's business
    const char *rest = strstr(url, "://");
    dq_sql *self = calloc(1, sizeof *self);
    char *plain = rest ? malloc(strlen(url) + 16) : NULL;
    if (!self || !plain) {
        free(self);
        free(plain);
        return dq_fail(error, DQ_MEMORY, "postgresql://", "there is no memory for the database");
    }
    sprintf(plain, "postgresql%s", rest);
    const char *host = strchr(rest, '@');
    snprintf(self->name, sizeof self->name, "postgresql://%s", host ? host + 1 : rest + 3);
    self->connection = PQconnectdb(plain);
    free(plain);
    dq_status status = DQ_OK;
    if (PQstatus(self->connection) != CONNECTION_OK) status = failed(self, error);
    if (!status) PQsetNoticeProcessor(self->connection, no_notice, NULL);
    if (status)
        close_database(self);
    else
        *out = self;
    return status;
}

static const char *value_text(const dq_sql_value *value, char number[40]) {
    switch (value->kind) {
    case DQ_SQL_NULL:
        return NULL;
    case DQ_SQL_INTEGER:
        snprintf(number, 40, "%lld", (long long)value->integer);
        return number;
    case DQ_SQL_REAL:
        snprintf(number, 40, "%.17g", value->real);
        return number;
    default:
        return value->text;
    }
}

// Object identifiers of the types (pg_type.dat): int8, int2, int4, float4, float8.
static dq_sql_kind kind_of(Oid type) {
    if (type == 20 || type == 21 || type == 23) return DQ_SQL_INTEGER;
    return type == 700 || type == 701 ? DQ_SQL_REAL : DQ_SQL_TEXT;
}

static dq_status take_rows(PGresult *result, dq_sql_row_fn *row, void *user, dq_error *error) {
    const int count = PQnfields(result);
    for (int r = 0; row && r < PQntuples(result); r++) {
        dq_sql_value columns[DQ_SQL_COLUMNS_MAX] = {0};
        for (int i = 0; i < count && i < DQ_SQL_COLUMNS_MAX; i++) {
            if (PQgetisnull(result, r, i)) continue;
            columns[i].text = PQgetvalue(result, r, i);
            columns[i].kind = kind_of(PQftype(result, i));
            columns[i].integer = strtoll(columns[i].text, NULL, 10);
            columns[i].real = strtod(columns[i].text, NULL);
        }
        dq_status status = row(user, columns, count, error);
        if (status) return status;
    }
    return DQ_OK;
}

static dq_status run(dq_sql *self, const char *text, const dq_sql_value *values, int count,
                     dq_sql_row_fn *row, void *user, dq_error *error) {
    const char *texts[VALUES_MAX];
    char numbers[VALUES_MAX][40];
    for (int i = 0; i < count && i < VALUES_MAX; i++) texts[i] = value_text(&values[i], numbers[i]);
    PGresult *result = PQexecParams(self->connection, text, count, NULL, texts, NULL, NULL, 0);
    const ExecStatusType state = PQresultStatus(result);
    dq_status status = DQ_OK;
    if (state == PGRES_TUPLES_OK)
        status = take_rows(result, row, user, error);
    else if (state != PGRES_COMMAND_OK)
        status = failed(self, error);
    PQclear(result);
    return status;
}

__attribute__((visibility("default"))) extern const dq_sql_driver dq_module_sql;
const dq_sql_driver dq_module_sql = {
    .version = DQ_SQL_VERSION,
    .open = open_database,
    .close = close_database,
    .run = run,
    .begin = "BEGIN",
    .lock = "SELECT study_id FROM studies WHERE study_id = $1 FOR UPDATE",
    .lock_tables = "SELECT pg_advisory_xact_lock(hashtext('optuna')::bigint)::text",
    .find_tables = "SELECT to_regclass('alembic_version')::text",
    .snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ",
    .integer_key = "SERIAL NOT NULL",
    .real = "DOUBLE PRECISION",
    .time = "TIMESTAMP WITHOUT TIME ZONE",
    .enums = true,
};
