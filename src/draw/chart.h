// Charts: a figure of panels of series, written as SVG, PNG or PDF.
//
// A figure is plain data of the caller's; nothing is kept after dq_chart_write. Lengths are points of the
// page (one pixel of an SVG, two of a PNG so that it stays sharp on dense screens). Values are f64; NAN
// breaks a line and is otherwise skipped. The same figure gives the same SVG and PNG, byte for byte.
#ifndef DEEPQ_DRAW_CHART_H
#define DEEPQ_DRAW_CHART_H

#include <deepq/base.h>

#define DQ_CHART_COLORS 8  // colour-blind-safe; further ones repeat them with dashes
#define DQ_CHART_GREY   -1 // a colour for what is not a group: single trainings, references

typedef enum dq_series_kind {
    DQ_SERIES_LINE,   // y, and a band between low and high where they are given
    DQ_SERIES_STEPS,  // a staircase: y[i] holds from x[i] to x[i+1]; bands too
    DQ_SERIES_POINTS, // a dot each, with whiskers from low to high where they are given
    DQ_SERIES_BARS,   // from 0 to y, with whiskers
    DQ_SERIES_CELLS,  // a map: the plot's area in rows of `columns` equal cells, shaded; x and y are their
                      // middles
} dq_series_kind;

typedef struct dq_series {
    dq_series_kind kind;
    const char *label;        // in the legend; NULL: not there
    int color;                // 0, 1, 2, ... or DQ_CHART_GREY
    bool faint;               // one of many behind the one that counts
    int count;                // number of points
    const double *x, *y;      // [count]
    const double *low, *high; // [count] or NULL: band or whiskers
    const double *shade;      // [count] or NULL: how strong points and cells are, 0 to 1
    int columns;              // of cells
} dq_series;

// A horizontal line that the eye compares with, such as a score that counts as solved.
typedef struct dq_chart_mark {
    double y;
    const char *label; // written above its left end; may be NULL
} dq_chart_mark;

typedef struct dq_panel {
    const char *title;             // may be NULL
    const char *x_label, *y_label; // may be NULL
    const dq_series *series;
    int series_count;
    const dq_chart_mark *marks;
    int mark_count;
    const char *const *x_names; // [x_name_count] text at x = 0, 1, 2, ... instead of numbers, or NULL
    int x_name_count;
    bool y_from_zero;      // the y axis holds 0
    bool x_log, y_log;     // powers of ten; values that are not positive are skipped
    bool fixed_x, fixed_y; // the axis runs from *_low to *_high instead of fitting the data
    double x_low, x_high, y_low, y_high;
} dq_panel;

typedef enum dq_chart_theme { DQ_CHART_LIGHT, DQ_CHART_DARK } dq_chart_theme;

typedef struct dq_chart {
    const char *title, *subtitle; // may be NULL
    const dq_panel *panels;
    int panel_count;
    int columns;          // of panels; 0: one
    double width, height; // of the whole figure; 0: 720 wide, 300 a row of panels
    dq_chart_theme theme;
} dq_chart;

// Writes the chart to `path`, whose ending says the format: .svg, .png or .pdf. The file appears whole or not
// at all.
dq_status dq_chart_write(const dq_chart *chart, const char *path, dq_error *error);

// The SVG text of the chart. *text is the caller's to free(). Its ids are its own: several on one page go
// into <img> data URLs.
dq_status dq_chart_svg(const dq_chart *chart, char **text, size_t *size, dq_error *error);

#endif
