// One panel of a chart: its axes and series, drawn into a rectangle of a Cairo page.
#ifndef DEEPQ_DRAW_CHART_PANEL_H
#define DEEPQ_DRAW_CHART_PANEL_H

#include "draw/chart.h"
#include "draw/palette.h"

#include <cairo.h>

typedef struct dq_rect {
    double x, y, width, height;
} dq_rect;

typedef enum dq_align { DQ_ALIGN_LEFT, DQ_ALIGN_CENTER, DQ_ALIGN_RIGHT } dq_align;

// Writes one line with its baseline at y. A bold face for titles.
void dq_chart_text(cairo_t *page, dq_color color, double size, bool bold, dq_align align, double x, double y,
                   const char *text);
double dq_chart_text_width(cairo_t *page, double size, bool bold, const char *text);

// Sets the colour (and beyond the palette's end the dashes) of a series.
void dq_chart_ink(cairo_t *page, const dq_palette *palette, int color, double opacity);

void dq_chart_panel(cairo_t *page, const dq_panel *panel, const dq_palette *palette, dq_rect where);

#endif
