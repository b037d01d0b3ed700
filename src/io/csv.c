// Reading tables of numbers: the whole file is taken into memory and walked cell by cell.
#include "io/csv.h"

#include "base/file.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 4096 };

// The most a table may be: 2^31 bytes of text, years of metrics.
#define FILE_MAX ((size_t)1 << 31)

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

// Takes the next cell of a line: cell [length] without its comma. False when the line is used up.
static bool next_cell(const char **rest, const char *end, const char **cell, size_t *length) {
    if (!*rest) return false;
    const char *comma = memchr(*rest, ',', (size_t)(end - *rest));
    *cell = *rest;
    *length = (size_t)((comma ? comma : end) - *rest);
    *rest = comma ? comma + 1 : NULL;
    return true;
}

static dq_status read_names(dq_csv *table, const char *line, const char *end, const char *where,
                            dq_error *error) {
    size_t count = 1, length;
    for (const char *c = line; c < end; c++) count += *c == ',';
    if (line == end || count > COLUMNS_MAX || memchr(line, 0, (size_t)(end - line)))
        return dq_fail(error, DQ_FORMAT, where,
                       "the first line should hold column names, separated by commas");
    table->names = calloc(count, sizeof *table->names);
    if (!table->names) return dq_fail(error, DQ_MEMORY, where, "no memory for %zu columns", count);
    for (const char *rest = line, *cell; next_cell(&rest, end, &cell, &length);) {
        table->names[table->columns] = strndup(cell, length);
        if (!table->names[table->columns]) return dq_fail(error, DQ_MEMORY, where, "no memory for a name");
        table->columns++;
    }
    return DQ_OK;
}

static bool read_number(const char *cell, size_t length, double *value) {
    char text[64];
    *value = NAN;
    if (length == 0) return true;
    if (length >= sizeof text) return false;
    memcpy(text, cell, length);
    text[length] = 0;
    return strlen(text) == length && dq_text_to_real(text, value);
}

// Parses one line into row[columns]; false where it does not hold that many numbers.
static bool read_row(const char *line, const char *end, double *row, int columns) {
    int c = 0;
    size_t length;
    for (const char *rest = line, *cell; next_cell(&rest, end, &cell, &length); c++)
        if (c == columns || !read_number(cell, length, &row[c])) return false;
    return c == columns;
}

static double *room_for_row(dq_csv *table, int64_t *capacity) {
    if (table->rows == *capacity) {
        int64_t more = *capacity ? 2 * *capacity : 16;
        double *grown = realloc(table->values, (size_t)more * (size_t)table->columns * sizeof *grown);
        if (!grown) return NULL;
        table->values = grown;
        *capacity = more;
    }
    return table->values + table->rows * table->columns;
}

// One line [line, end) without its line feed.
static dq_status read_line(dq_csv *table, int64_t *capacity, const char *line, const char *end,
                           const char *where, dq_error *error) {
    if (end > line && end[-1] == '\r') end--;
    if (line < end && *line == '#') return DQ_OK;
    if (table->columns == 0) return read_names(table, line, end, where, error);
    double *row = room_for_row(table, capacity);
    if (!row) return dq_fail(error, DQ_MEMORY, where, "no memory for more rows");
    if (!read_row(line, end, row, table->columns))
        return dq_fail(error, DQ_FORMAT, where, "the line should hold %d numbers, separated by commas",
                       table->columns);
    table->rows++;
    return DQ_OK;
}

dq_status dq_csv_parse(dq_csv *table, const char *text, size_t size, const char *where, dq_error *error) {
    *table = (dq_csv){0};
    int64_t capacity = 0, number = 0;
    for (const char *line = text, *end = text + size; line < end;) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        if (!feed) break;
        char place[320];
        snprintf(place, sizeof place, "%.280s:%lld", where, (long long)++number);
        dq_status status = read_line(table, &capacity, line, feed, place, error);
        if (status != DQ_OK) return status;
        line = feed + 1;
    }
    if (table->columns == 0)
        return dq_fail(error, DQ_FORMAT, where, "the file is empty; a table with column names was expected");
    return DQ_OK;
}

dq_status dq_csv_read(dq_csv *table, const char *path, dq_error *error) {
    char *text;
    size_t size;
    *table = (dq_csv){0};
    dq_status status = dq_file_read(path, FILE_MAX, &text, &size, error);
    if (status != DQ_OK) return status;
    status = dq_csv_parse(table, text, size, path, error);
    free(text);
    return status;
}
