// A part of a picture with axes of its own: maps x and y of some quantity into a rectangle of the view.
#ifndef DQ_ENV_INSET_H
#define DQ_ENV_INSET_H

#include <deepq/draw.h>

typedef struct inset {
    double left, bottom, right, top;     // in the view
    double x_low, y_low, x_high, y_high; // what its edges stand for
} inset;

static inline dq_point inset_at(const inset *in, double x, double y) {
    return dq_at(in->left + (x - in->x_low) / (in->x_high - in->x_low) * (in->right - in->left),
                 in->bottom + (y - in->y_low) / (in->y_high - in->y_low) * (in->top - in->bottom));
}

// A line through many points, handed over in pieces that share their ends.
typedef struct inset_line {
    dq_canvas *canvas;
    double width;
    dq_rgba color;
    int count;
    dq_point points[256];
} inset_line;

static inline void inset_line_flush(inset_line *line) {
    if (line->count > 1) dq_draw_line(line->canvas, line->points, line->count, line->width, line->color);
    line->points[0] = line->points[line->count > 0 ? line->count - 1 : 0];
    line->count = line->count > 0 ? 1 : 0;
}

static inline void inset_line_to(inset_line *line, dq_point to) {
    if (line->count == (int)(sizeof line->points / sizeof *line->points)) inset_line_flush(line);
    line->points[line->count++] = to;
}

#endif
