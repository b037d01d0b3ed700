// Patterns for names with points in them, such as tensors': "hidden1, *.bias".
//
// A list is separated by commas; spaces around a pattern do not count. A pattern without '*' fits a whole
// name or the leading parts of one: "hidden1" fits hidden1 and hidden1.weight, not hidden10. One '*' stands
// for any letters, none and points included.
#ifndef DQ_BASE_PATTERN_H
#define DQ_BASE_PATTERN_H

#include <deepq/base.h>

// Does the pattern of `length` letters fit? `rest` is where in the name that begins which the pattern leaves
// open (for '*': what it stands for; else what follows the leading parts), and `rest_length` how long it is.
bool dq_pattern_fits(const char *pattern, size_t length, const char *name, size_t *rest, size_t *rest_length);

// Does one of the patterns fit? An empty list fits nothing.
bool dq_patterns_fit(const char *patterns, const char *name);

// The next pattern of a list, without spaces: *length letters at the pointer returned; *patterns moves on.
// NULL: there is no more.
const char *dq_patterns_next(const char **patterns, size_t *length);

#endif
