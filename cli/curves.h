// Learning curves: runs' metrics, gathered into groups of trainings that differ in their seed alone, and the
// figures made of them. train, plot and what compares runs draw through here.
#ifndef DEEPQ_CLI_CURVES_H
#define DEEPQ_CLI_CURVES_H

#include "draw/chart.h"
#include "io/csv.h"

#include <limits.h>

typedef struct curves_run {
    char folder[PATH_MAX];
    char env[64], agent[64];
    char *settings; // the lines of config.yml but the seed's: equal text, equal group
    dq_csv metrics;
    int group;
} curves_run;

typedef struct curves {
    curves_run *runs; // [count]
    int count, groups;
} curves;

typedef struct curves_style {
    const char *title;          // NULL: environment and agent
    const char *x;              // "step" (NULL), "episode" or "seconds"
    const char *const *columns; // [column_count] one panel each; NULL: chosen from what was measured
    int column_count;
    dq_chart_theme theme;
    bool bare;  // no title and subtitle: what it is put into has them
    int window; // of the moving average, in rows; 0: 100, but at most a twentieth of the rows
} curves_style;

// Loads every folder given: a run's, or one that holds runs (seed-0, seed-1, ...). Fails when a folder holds
// none.
dq_status curves_load(curves *out, char *const *folders, int count, dq_error *error);
void curves_deinit(curves *c);

// Draws all runs into `path` (.svg, .png, .pdf).
dq_status curves_draw(const curves *c, const curves_style *style, const char *path, dq_error *error);
// The same as SVG text; *text is the caller's to free().
dq_status curves_svg(const curves *c, const curves_style *style, char **text, dq_error *error);

// The runs below a folder, sorted by number: the folder itself, or its sub-folders that hold a run. *folders
// is an array of `count` strings to free with curves_free_folders.
dq_status curves_find(const char *folder, char ***folders, int *count, dq_error *error);
void curves_free_folders(char **folders, int count);

// Moving average over the last `window` measured values: out[i] from x[i-window+1..i], NAN where x is.
void curves_smooth(const double *x, int64_t n, int window, double *out);

#endif
