// The page about a study: what came of the search, and its pictures.
#ifndef DEEPQ_CLI_STUDY_REPORT_H
#define DEEPQ_CLI_STUDY_REPORT_H

#include "tune/study.h"

#include <stdio.h>

// `title` may be NULL.
dq_status study_report_write(const dq_study *study, const char *title, FILE *out, dq_error *error);

// Into a file, which appears whole or not at all.
dq_status study_report_save(const dq_study *study, const char *title, const char *path, dq_error *error);

#endif
