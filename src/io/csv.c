// Tables of numbers: reads a CSV file with one line of column names.
#include "io/csv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { columns_max = 4096 };

void dq_csv_deinit(dq_csv *table) {
    for (int c = 0; c < table->columns; c++) free(table->names[c]);
    free(table->names);
    free(table->values);
    *table = (dq_csv){0};
}

int dq_csv_column(const dq_csv *table, const char *name) {
    for (int c = 0; c < table->columns; c++)
        if (strcmp(table->names[c], name) == 0) return c;
    return -1;
}

void dq_csv_copy(const dq_csv *table, int column, double *out) {
    for (int64_t r = 0; r < table->rows; r++) out[r] = table->values[r * table->columns + column];
}

static dq_status read_names(dq_csv *table, char *line, const char *path, dq_error *error) {
    int count = 1;
    for (const char *c = line; *c; c++) count += *c == ',';
    if (line[0] == 0 || count > columns_max)
        return dq_fail(error, DQ_FORMAT, path,
                       "the first line should hold column names, separated by commas");
    table->names = calloc((size_t)count, sizeof *table->names);
    if (!table->names) return dq_fail(error, DQ_MEMORY, path, "out of memory");
    for (char *name; (name = strsep(&line, ","));) {
        char *copy = strdup(name);
        if (!copy) return dq_fail(error, DQ_MEMORY, path, "out of memory");
        table->names[table->columns++] = copy;
    }
    return DQ_OK;
}

// Parses one line into row[columns]; false where it does not hold that many numbers.
static bool read_row(char *line, double *row, int columns) {
    int c = 0;
    for (char *cell; (cell = strsep(&line, ",")); c++) {
        if (c == columns) return false;
        char *end = cell;
        row[c] = *cell ? strtod(cell, &end) : (double)NAN;
        if (*end || (*cell && end == cell)) return false;
    }
    return c == columns;
}

static double *room_for_row(dq_csv *table, int64_t *capacity) {
    if (table->rows == *capacity) {
        int64_t more = *capacity ? 2 * *capacity : 256;
        double *grown = realloc(table->values, (size_t)more * (size_t)table->columns * sizeof *grown);
        if (!grown) return NULL;
        table->values = grown;
        *capacity = more;
    }
    return table->values + table->rows * table->columns;
}

dq_status dq_csv_read(dq_csv *table, const char *path, dq_error *error) {
    *table = (dq_csv){0};
    FILE *file = fopen(path, "r");
    if (!file)
        return dq_fail(error, errno == ENOENT ? DQ_NOT_FOUND : DQ_IO, path, "cannot read: %s",
                       strerror(errno));
    dq_status status = DQ_OK;
    char *line = NULL;
    size_t size = 0;
    int64_t capacity = 0, number = 0;
    for (ssize_t n; !status && (n = getline(&line, &size, file)) >= 0;) {
        number++;
        if (line[n - 1] != '\n') break;
        line[n - 1] = 0;
        if (n > 1 && line[n - 2] == '\r') line[n - 2] = 0;
        if (number == 1) {
            status = read_names(table, line, path, error);
            continue;
        }
        double *row = room_for_row(table, &capacity);
        char where[320];
        snprintf(where, sizeof where, "%.280s:%lld", path, (long long)number);
        if (!row)
            status = dq_fail(error, DQ_MEMORY, path, "out of memory");
        else if (!read_row(line, row, table->columns))
            status = dq_fail(error, DQ_FORMAT, where, "the line should hold %d numbers, separated by commas",
                             table->columns);
        else
            table->rows++;
    }
    if (!status && ferror(file)) status = dq_fail(error, DQ_IO, path, "cannot read: %s", strerror(errno));
    if (!status && table->columns == 0)
        status = dq_fail(error, DQ_FORMAT, path, "the file is empty; a table with column names was expected");
    free(line);
    fclose(file);
    return status;
}
