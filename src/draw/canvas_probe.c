// The probe: a canvas that draws nothing and remembers what was asked of it.
#include "draw/canvas.h"

#include <string.h>

static void look_at(dq_probe *p, double x, double y, double margin) {
    if (!isfinite(x) || !isfinite(y) || !isfinite(margin)) p->finite = false;
    p->low_x = fmin(p->low_x, x - margin);
    p->low_y = fmin(p->low_y, y - margin);
    p->high_x = fmax(p->high_x, x + margin);
    p->high_y = fmax(p->high_y, y + margin);
}

static void view(dq_canvas *canvas, double left, double bottom, double right, double top,
                 dq_rgba background) {
    dq_probe *p = (dq_probe *)canvas;
    (void)background;
    p->views++;
    p->left = left;
    p->bottom = bottom;
    p->right = right;
    p->top = top;
    if (!isfinite(left + bottom + right + top)) p->finite = false;
    if (!(left < right && bottom < top)) p->sensible = false;
}

static void points_of(dq_probe *p, const dq_point *points, int count, int least, double margin) {
    p->shapes++;
    if (count < least || p->views == 0) p->sensible = false;
    for (int i = 0; i < count; i++) look_at(p, points[i].x, points[i].y, margin);
}

static void polygon(dq_canvas *canvas, const dq_point *points, int count, dq_rgba fill) {
    (void)fill;
    points_of((dq_probe *)canvas, points, count, 3, 0);
}

static void line(dq_canvas *canvas, const dq_point *points, int count, double width, dq_rgba color) {
    dq_probe *p = (dq_probe *)canvas;
    (void)color;
    if (!(width >= 0)) p->sensible = false;
    points_of(p, points, count, 1, width / 2);
}

static void circle(dq_canvas *canvas, dq_point center, double radius, dq_rgba fill) {
    dq_probe *p = (dq_probe *)canvas;
    (void)fill;
    if (!(radius >= 0)) p->sensible = false;
    points_of(p, &center, 1, 1, radius);
}

static void text(dq_canvas *canvas, dq_point at, double size, dq_text_align align, const char *words,
                 dq_rgba color) {
    dq_probe *p = (dq_probe *)canvas;
    (void)align;
    (void)color;
    if (!(size > 0) || !words || !memchr(words, 0, 256)) p->sensible = false;
    points_of(p, &at, 1, 1, 0);
}

static void image(dq_canvas *canvas, const uint8_t *rgb, int width, int height) {
    dq_probe *p = (dq_probe *)canvas;
    p->shapes++;
    if (!rgb || width < 1 || height < 1 || p->views == 0) p->sensible = false;
}

static const dq_canvas_class probe_class = {view, polygon, line, circle, text, image};

void dq_probe_init(dq_probe *probe, const dq_trail *trail) {
    *probe = (dq_probe){.canvas = {&probe_class, trail},
                        .finite = true,
                        .sensible = true,
                        .low_x = INFINITY,
                        .low_y = INFINITY,
                        .high_x = -INFINITY,
                        .high_y = -INFINITY};
}
