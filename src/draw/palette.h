// Colours of charts: after Okabe and Ito 2008, "Color Universal Design", darkened where a line on white needs
// it.
#ifndef DEEPQ_DRAW_PALETTE_H
#define DEEPQ_DRAW_PALETTE_H

#include "draw/chart.h"

typedef struct dq_color {
    double red, green, blue;
} dq_color;

typedef struct dq_palette {
    dq_color paper, ink, quiet, axis, grid; // background; titles; labels; axis line; grid lines
    dq_color grey;                          // DQ_CHART_GREY
    dq_color series[DQ_CHART_COLORS];
} dq_palette;

const dq_palette *dq_palette_of(dq_chart_theme theme);

#endif
