// What the files of the relational storage share: storage_rdb.c (transactions and the storage's functions),
// storage_rdb_read.c (rows into a study) and storage_rdb_write.c (changes into rows).
#ifndef TUNE_STORAGE_RDB_ROWS_H
#define TUNE_STORAGE_RDB_ROWS_H

#include "tune/sql.h"
#include "tune/storage.h"

typedef struct rdb_storage {
    dq_storage storage;
    const dq_sql_driver *driver;
    dq_sql *sql;
    dq_study *study; // the one that is read; NULL: none yet
    char url[256];
} rdb_storage;

extern const char *const dq_rdb_states[5]; // names of dq_trial_state

static inline dq_sql_value integer(int64_t value) {
    return (dq_sql_value){.kind = DQ_SQL_INTEGER, .integer = value};
}

static inline dq_sql_value text(const char *value) {
    return (dq_sql_value){.kind = value ? DQ_SQL_TEXT : DQ_SQL_NULL, .text = value};
}

// The present in universal time, as a text in `room`.
dq_sql_value dq_rdb_now(char room[40]);

// One statement whose $1, $2, ... are what stands behind `error`.
#define RUN(self, statement, row, user, error, ...)                                                          \
    (self)->driver->run((self)->sql, statement, (const dq_sql_value[]){__VA_ARGS__},                         \
                        (int)(sizeof((const dq_sql_value[]){__VA_ARGS__}) / sizeof(dq_sql_value)), row,      \
                        user, error)

// A row function that takes the first column as an int64_t.
dq_status dq_rdb_take_id(void *user, const dq_sql_value *v, int count, dq_error *error);

// Reads what has changed, inside a transaction of the caller's.
dq_status dq_rdb_read(rdb_storage *self, dq_study *study, dq_error *error);

// Writing, inside a transaction too.
dq_status dq_rdb_put_attribute(rdb_storage *self, const char *table, const char *owner, int64_t id,
                               const char *key, const char *json, dq_error *error);
dq_status dq_rdb_put_trial(rdb_storage *self, const dq_study *study, const dq_trial *wanted, int64_t *id,
                           dq_error *error);
dq_status dq_rdb_put_change(rdb_storage *self, const dq_study *study, const dq_change *change,
                            dq_error *error);

#endif
