// The tables of Optuna's relational storage.
#ifndef TUNE_STORAGE_RDB_H
#define TUNE_STORAGE_RDB_H

#include "tune/sql.h"
#include "tune/storage.h"

dq_status dq_storage_open_rdb(dq_storage **out, const char *url, bool make, dq_error *error);

// Looks whether the tables are those of the version that this program knows; with `make`, makes them where
// there are none.
dq_status dq_rdb_prepare(const dq_sql_driver *driver, dq_sql *sql, const char *url, bool make,
                         dq_error *error);

#endif
