// The page about a run or a comparison.
#ifndef DEEPQ_CLI_REPORT_H
#define DEEPQ_CLI_REPORT_H

#include "comparison.h"

// `title` may be NULL. The comparison is scored. One training alone gets a page of its own kind.
dq_status report_write(const comparison *c, const char *title, FILE *out, dq_error *error);

// The options of every agent (report_options.c): what tells the agents apart, and what they share.
dq_status report_options(const comparison *c, FILE *out, dq_error *error);

#endif
