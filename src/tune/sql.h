// A database that a module speaks to: module_sqlite.c, module_postgresql.c. What is said to it is in
// storage_rdb.c and the same for both.
#ifndef TUNE_SQL_H
#define TUNE_SQL_H

#include <deepq/base.h>

typedef enum dq_sql_kind { DQ_SQL_NULL, DQ_SQL_INTEGER, DQ_SQL_REAL, DQ_SQL_TEXT } dq_sql_kind;

typedef struct dq_sql_value {
    dq_sql_kind kind;
    int64_t integer;
    double real;
    const char *text; // of a result: until the row function returns
} dq_sql_value;

typedef struct dq_sql dq_sql;

// One row of a result. A status other than DQ_OK ends the statement and is returned.
typedef dq_status dq_sql_row_fn(void *user, const dq_sql_value *columns, int count, dq_error *error);

typedef struct dq_sql_driver {
    int version; // DQ_SQL_VERSION

    // `make`: a database that is not there may be made, where the driver can.
    dq_status (*open)(dq_sql **out, const char *url, bool make, dq_error *error);
    void (*close)(dq_sql *sql);

    // One statement, whose $1, $2, ... are values [count]; `row` may be NULL.
    dq_status (*run)(dq_sql *sql, const char *statement, const dq_sql_value *values, int count,
                     dq_sql_row_fn *row, void *user, dq_error *error);

    const char *begin;       // a transaction that other writers wait for
    const char *lock;        // what is run behind it, with the study's id as $1; NULL: nothing
    const char *lock_tables; // and before tables are looked for and made; NULL: nothing
    const char *find_tables; // a row whose text is not NULL: Alembic's table is there
    const char *snapshot;    // a transaction that sees one state throughout
    const char *integer_key; // the type of a primary key that counts by itself
    const char *real, *time; // types of columns
    bool enums;              // enumerations are types of their own
} dq_sql_driver;

enum { DQ_SQL_VERSION = 2, DQ_SQL_COLUMNS_MAX = 16 };

#endif
