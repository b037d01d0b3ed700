// Making and checking the tables of Optuna's relational storage, as its storages/_rdb/models.py declares
// them.
#include "tune/storage_rdb.h"

#include <stdio.h>
#include <string.h>

#define ALEMBIC_HEAD "v3.2.0.a" // of Optuna 3.2 to 5.0

// KEY, REAL, TIME and the names of enumerations stand for the database's types.
static const char *const tables[] = {
    "CREATE TABLE studies (study_id KEY, study_name VARCHAR(512) NOT NULL, PRIMARY KEY (study_id))",
    "CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name)",
    "CREATE TABLE version_info (version_info_id INTEGER NOT NULL, schema_version INTEGER, library_version "
    "VARCHAR(256), PRIMARY KEY (version_info_id), CHECK (version_info_id=1))",
    "CREATE TABLE study_directions (study_direction_id KEY, direction ENUM_studydirection NOT NULL, study_id "
    "INTEGER NOT NULL, objective INTEGER NOT NULL, PRIMARY KEY (study_direction_id), UNIQUE (study_id, "
    "objective), FOREIGN KEY(study_id) REFERENCES studies (study_id))",
    "CREATE TABLE study_user_attributes (study_user_attribute_id KEY, study_id INTEGER, key VARCHAR(512), "
    "value_json TEXT, PRIMARY KEY (study_user_attribute_id), UNIQUE (study_id, key), FOREIGN KEY(study_id) "
    "REFERENCES studies (study_id))",
    "CREATE TABLE study_system_attributes (study_system_attribute_id KEY, study_id INTEGER, key "
    "VARCHAR(512), "
    "value_json TEXT, PRIMARY KEY (study_system_attribute_id), UNIQUE (study_id, key), FOREIGN KEY(study_id) "
    "REFERENCES studies (study_id))",
    "CREATE TABLE trials (trial_id KEY, number INTEGER, study_id INTEGER, state ENUM_trialstate NOT NULL, "
    "datetime_start TIME, datetime_complete TIME, PRIMARY KEY (trial_id), FOREIGN KEY(study_id) REFERENCES "
    "studies (study_id))",
    "CREATE INDEX ix_trials_study_id ON trials (study_id)",
    "CREATE TABLE trial_user_attributes (trial_user_attribute_id KEY, trial_id INTEGER, key VARCHAR(512), "
    "value_json TEXT, PRIMARY KEY (trial_user_attribute_id), UNIQUE (trial_id, key), FOREIGN KEY(trial_id) "
    "REFERENCES trials (trial_id))",
    "CREATE TABLE trial_system_attributes (trial_system_attribute_id KEY, trial_id INTEGER, key "
    "VARCHAR(512), "
    "value_json TEXT, PRIMARY KEY (trial_system_attribute_id), UNIQUE (trial_id, key), FOREIGN KEY(trial_id) "
    "REFERENCES trials (trial_id))",
    "CREATE TABLE trial_params (param_id KEY, trial_id INTEGER, param_name VARCHAR(512), param_value REAL, "
    "distribution_json TEXT, PRIMARY KEY (param_id), UNIQUE (trial_id, param_name), FOREIGN KEY(trial_id) "
    "REFERENCES trials (trial_id))",
    "CREATE TABLE trial_values (trial_value_id KEY, trial_id INTEGER NOT NULL, objective INTEGER NOT NULL, "
    "value REAL, value_type ENUM_trialvaluetype NOT NULL, PRIMARY KEY (trial_value_id), UNIQUE (trial_id, "
    "objective), FOREIGN KEY(trial_id) REFERENCES trials (trial_id))",
    "CREATE TABLE trial_intermediate_values (trial_intermediate_value_id KEY, trial_id INTEGER NOT NULL, "
    "step "
    "INTEGER NOT NULL, intermediate_value REAL, intermediate_value_type ENUM_trialintermediatevaluetype NOT "
    "NULL, PRIMARY KEY (trial_intermediate_value_id), UNIQUE (trial_id, step), FOREIGN KEY(trial_id) "
    "REFERENCES trials (trial_id))",
    "CREATE TABLE trial_heartbeats (trial_heartbeat_id KEY, trial_id INTEGER NOT NULL, heartbeat TIME NOT "
    "NULL, PRIMARY KEY (trial_heartbeat_id), UNIQUE (trial_id), FOREIGN KEY(trial_id) REFERENCES trials "
    "(trial_id))",
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY "
    "KEY (version_num))",
    "INSERT INTO version_info (version_info_id, schema_version, library_version) VALUES (1, 12, '5.0.0')",
    "INSERT INTO alembic_version (version_num) VALUES ('" ALEMBIC_HEAD "')",
};

static const struct {
    const char *name, *values;
    int longest; // of the values, where they are text
} enums[] = {
    {"studydirection", "'NOT_SET', 'MINIMIZE', 'MAXIMIZE'", 8},
    {"trialstate", "'RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'", 8},
    {"trialvaluetype", "'FINITE', 'INF_POS', 'INF_NEG'", 7},
    {"trialintermediatevaluetype", "'FINITE', 'INF_POS', 'INF_NEG', 'NAN'", 7},
};

// Copies a declaration with the database's types in their places.
static void translate(const dq_sql_driver *driver, const char *from, char *to, size_t size) {
    size_t used = 0;
    while (*from && used + 64 < size) {
        const size_t word = strspn(from, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
        char text[64];
        snprintf(text, sizeof text, "%.*s", (int)(word ? word : 1), from);
        const char *type = !strcmp(text, "REAL") ? driver->real : !strcmp(text, "TIME") ? driver->time : text;
        if (!strcmp(text, "KEY") && strncmp(to + used - 8, "PRIMARY ", 8) != 0 &&
            strncmp(to + used - 8, "FOREIGN ", 8) != 0)
            type = driver->integer_key;
        for (size_t i = 0; i < sizeof enums / sizeof *enums; i++)
            if (!strncmp(text, "ENUM_", 5) && !strcmp(text + 5, enums[i].name)) {
                snprintf(text, sizeof text, "VARCHAR(%d)", enums[i].longest);
                type = driver->enums ? enums[i].name : text;
            }
        used += (size_t)snprintf(to + used, size - used, "%s", type);
        from += word ? word : 1;
    }
}

static dq_status make_tables(const dq_sql_driver *driver, dq_sql *sql, dq_error *error) {
    char statement[1000];
    dq_status status = DQ_OK;
    for (size_t i = 0; driver->enums && i < sizeof enums / sizeof *enums && !status; i++) {
        snprintf(statement, sizeof statement, "CREATE TYPE %s AS ENUM (%s)", enums[i].name, enums[i].values);
        status = driver->run(sql, statement, NULL, 0, NULL, NULL, error);
    }
    for (size_t i = 0; i < sizeof tables / sizeof *tables && !status; i++) {
        memset(statement, 0, sizeof statement);
        if (strncmp(tables[i], "INSERT", 6) == 0)
            snprintf(statement, sizeof statement, "%s", tables[i]);
        else
            translate(driver, tables[i], statement, sizeof statement);
        status = driver->run(sql, statement, NULL, 0, NULL, NULL, error);
    }
    return status;
}

static dq_status take_version(void *user, const dq_sql_value *v, int count, dq_error *error) {
    (void)count, (void)error;
    snprintf(user, 64, "%s", v[0].text ? v[0].text : "");
    return DQ_OK;
}

static dq_status read_version(const dq_sql_driver *driver, dq_sql *sql, char version[64], dq_error *error) {
    *version = 0;
    return driver->run(sql, "SELECT version_num FROM alembic_version", NULL, 0, take_version, version, error);
}

// Somebody else may be making them.
static dq_status make_if_missing(const dq_sql_driver *driver, dq_sql *sql, dq_error *error) {
    char found[64] = "";
    dq_status status = driver->run(sql, driver->begin, NULL, 0, NULL, NULL, error);
    if (status) return status;
    if (driver->lock_tables) status = driver->run(sql, driver->lock_tables, NULL, 0, NULL, NULL, error);
    if (!status) status = driver->run(sql, driver->find_tables, NULL, 0, take_version, found, error);
    if (!status && !*found) status = make_tables(driver, sql, error);
    dq_status ended =
        driver->run(sql, status ? "ROLLBACK" : "COMMIT", NULL, 0, NULL, NULL, status ? NULL : error);
    return status ? status : ended;
}

dq_status dq_rdb_prepare(const dq_sql_driver *driver, dq_sql *sql, const char *url, bool make,
                         dq_error *error) {
    char version[64];
    dq_status status = read_version(driver, sql, version, error);
    if (status && !make) return dq_fail(error, DQ_FORMAT, url, "this database holds no tables of Optuna's");
    if (status) status = make_if_missing(driver, sql, error);
    if (!status) status = read_version(driver, sql, version, error);
    if (status || !strcmp(version, ALEMBIC_HEAD)) return status;
    return dq_fail(error, DQ_UNSUPPORTED, url,
                   "the database's tables have version '%.40s', and this program knows " ALEMBIC_HEAD
                   " (Optuna 3.2 to 5); 'optuna storage upgrade' brings older ones up to that",
                   version);
}
