// Pictures of a study: how a search went, and what it says about the parameters.
#ifndef DEEPQ_CLI_STUDY_CHARTS_H
#define DEEPQ_CLI_STUDY_CHARTS_H

#include "draw/chart.h"
#include "tune/study.h"

// The kinds there are; a NULL name ends the list.
typedef struct study_chart_kind {
    const char *name, *title, *help;
} study_chart_kind;

extern const study_chart_kind study_chart_kinds[];

typedef struct study_chart study_chart;

// A picture of the study for one objective (0, 1, ...). DQ_NOT_FOUND: the study has nothing to show of that
// kind yet, and the error says what is missing. The study must outlive the picture and stay as it is.
dq_status study_chart_create(study_chart **out, const dq_study *study, const char *kind, int objective,
                             dq_error *error);
void study_chart_destroy(study_chart *chart); // NULL is fine

// To be written with dq_chart_write or dq_chart_svg; theme may be changed.
dq_chart *study_chart_figure(study_chart *chart);

// "return" where the study's metric names say so, else "objective" or "objective 1".
void study_objective_name(const dq_study *study, int objective, char *name, size_t size);

#endif
