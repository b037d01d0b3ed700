// Tables of numbers: reads a CSV file with one line of column names, as metrics.csv and recorded episodes
// are.
#ifndef DEEPQ_IO_CSV_H
#define DEEPQ_IO_CSV_H

#include <deepq/base.h>

typedef struct dq_csv {
    int columns;
    int64_t rows;
    char **names;   // [columns]
    double *values; // [rows, columns] row-major; NAN where a cell is empty
} dq_csv;

// Reads a whole file. Lines that start with '#' say something to people and are skipped. A last line without
// its line feed is one that a writer was stopped in: it is left out. Errors name file and line. Free with
// dq_csv_deinit, also after an error.
dq_status dq_csv_read(dq_csv *table, const char *path, dq_error *error);
// The same from memory. `where` names it in errors.
dq_status dq_csv_parse(dq_csv *table, const char *text, size_t size, const char *where, dq_error *error);
void dq_csv_deinit(dq_csv *table);

// The position of a column, or -1.
int dq_csv_column(const dq_csv *table, const char *name);

// Copies a column: out [rows].
void dq_csv_copy(const dq_csv *table, int column, double *out);

#endif
