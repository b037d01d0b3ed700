// Options: one table row per option gives the default, the YAML key, the key=value override, the help,
// the validation, the record in a checkpoint and the tuner's search space.
//
// A table describes a plain C struct; every value is read and written through its row.
#ifndef DEEPQ_OPTIONS_H
#define DEEPQ_OPTIONS_H

#include <deepq/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dq_option_type {
    DQ_OPTION_BOOL,   // bool: true or false (yes/no, on/off, 1/0 are read too)
    DQ_OPTION_INT,    // int64_t: 1000, 1e6 and 1_000_000 are all read
    DQ_OPTION_REAL,   // double
    DQ_OPTION_CHOICE, // int: the position in `choices`
    DQ_OPTION_TEXT,   // char[text_size]
    DQ_OPTION_INTS,   // dq_ints: [128, 128]
} dq_option_type;

typedef struct dq_option {
    const char *name;  // snake_case
    const char *group; // heading in --help
    dq_option_type type;
    size_t offset;            // of the value in the struct
    size_t text_size;         // DQ_OPTION_TEXT: room including the zero; else 0
    const char *default_text; // parsed like any other text, so it is validated too
    double min, max;          // inclusive, for numbers and list items; NAN passes only as a row's default
    bool log_scale;           // the tuner searches it on a log scale
    const char *choices;      // "first|second|third"
    const char *unit;         // "steps", "episodes", "s", or NULL
    const char *help;         // one line
} dq_option;

typedef struct dq_option_table {
    const dq_option *rows;
    int count;
} dq_option_table;

// Writes every default into `values`.
DQ_API dq_status dq_options_defaults(dq_option_table table, void *values, dq_error *error);

// The row called `name`, or NULL.
DQ_API const dq_option *dq_options_find(dq_option_table table, const char *name);

// The known name nearest to `name` by edit distance, or NULL when none is near. "-" is as good as "_".
DQ_API const char *dq_options_nearest(dq_option_table table, const char *name);

// Parses `text` into the option `name`. Unknown names, unreadable text and values out of range fail with a
// sentence and change nothing. `where` (a file with line, or "command line") goes into the error.
DQ_API dq_status dq_options_set(dq_option_table table, void *values, const char *name, const char *text,
                                const char *where, dq_error *error);

// dq_options_set for one "name=text" word.
DQ_API dq_status dq_options_assign(dq_option_table table, void *values, const char *word, const char *where,
                                   dq_error *error);

// The value of one row as text that dq_options_set reads back to the same bits.
DQ_API void dq_options_format(const dq_option *row, const void *values, char *text, size_t size);

// One "name: value" line per row, which is YAML; with comments, the help and the range beside it.
DQ_API void dq_options_write(dq_option_table table, const void *values, bool comments, FILE *out);

// Reads "name: value" lines as dq_options_write makes them (comments and blank lines allowed). On failure
// `values` may hold some of the lines; `where` (a file) comes back with the line's number.
DQ_API dq_status dq_options_read(dq_option_table table, void *values, const char *text, const char *where,
                                 dq_error *error);

// One option found in a text: `text` is its value without quotes, `where` the file with the line. A status
// other than DQ_OK ends the reading and is returned.
typedef dq_status dq_option_fn(void *user, const char *name, const char *text, const char *where,
                               dq_error *error);

// The reading of dq_options_read by itself, for callers whose names come from more than one table.
DQ_API dq_status dq_options_scan(const char *text, const char *where, dq_option_fn *callback, void *user,
                                 dq_error *error);

// The one line of dq_options_write for `row`, with `prefix` (such as "env.", or "") before its name.
DQ_API void dq_options_write_row(const dq_option *row, const char *prefix, const void *values, bool comments,
                                 FILE *out);

// The allowed values of a row as text: "0 to 1", "at least 1 steps", "sgd, rmsprop, adam", "true or false".
DQ_API void dq_options_describe(const dq_option *row, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
