// Options in a YAML file: one mapping of names to values.
//
// Values are scalars or lists of scalars, which come out as text ("[128, 128]"). One level of nesting is
// flattened: "env: {wind: true}" is "env.wind". Anchors, tags and a second document are refused.
#ifndef DQ_IO_YAML_H
#define DQ_IO_YAML_H

#include <deepq/options.h>

// Calls `callback` for every option of the file in its order, with "FILE:LINE" as where. A name given twice,
// and what is not such a mapping, fails with a sentence. An empty file holds no options.
dq_status dq_yaml_read(const char *path, dq_option_fn *callback, void *user, dq_error *error);
// The same from memory. `where` names it in errors.
dq_status dq_yaml_scan(const char *text, size_t size, const char *where, dq_option_fn *callback, void *user,
                       dq_error *error);

// Sets the options of one table from a file; an unknown name comes with the nearest known one. On failure
// `values` may hold some of them.
dq_status dq_yaml_read_options(dq_option_table table, void *values, const char *path, dq_error *error);

#endif
