// Drawing: the primitives an environment draws itself with, and what a viewer tells it beside its state.
//
// A draw function first sets its view, the rectangle of its world that the picture shows, then draws from
// back to front. Lengths are world units, y points up and the aspect is kept. No graphics library is behind
// these names: a canvas is a table of functions that a viewer (or a test) fills in.
#ifndef DEEPQ_DRAW_H
#define DEEPQ_DRAW_H

#include <deepq/base.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dq_rgba {
    uint8_t red, green, blue, alpha;
} dq_rgba;

typedef struct dq_point {
    double x, y;
} dq_point;

typedef enum dq_text_align { DQ_TEXT_LEFT, DQ_TEXT_CENTER, DQ_TEXT_RIGHT } dq_text_align;

// The episode so far, for pictures that show where it has been. Row 0 is the reset, the last row the state
// that is being drawn.
typedef struct dq_trail {
    int count, width;          // rows, at least 1, and D; 0 for images
    const float *observations; // [count, D]; images are not kept
    const int32_t *actions;    // [count] what led to the row; -1 at the reset
    const double *rewards;     // [count] of that step; 0 at the reset
    int step_limit;            // 0: none
} dq_trail;

struct dq_canvas;

typedef struct dq_canvas_class {
    void (*view)(struct dq_canvas *canvas, double left, double bottom, double right, double top,
                 dq_rgba background);
    void (*polygon)(struct dq_canvas *canvas, const dq_point *points, int count, dq_rgba fill);
    // A line through the points, with round ends and joins; at least one pixel wide.
    void (*line)(struct dq_canvas *canvas, const dq_point *points, int count, double width, dq_rgba color);
    void (*circle)(struct dq_canvas *canvas, dq_point center, double radius, dq_rgba fill);
    // One line of UTF-8 text, its capitals about 0.7 `size` high, standing on `at`. Text too small to read is
    // left out.
    void (*text)(struct dq_canvas *canvas, dq_point at, double size, dq_text_align align, const char *text,
                 dq_rgba color);
    // rgb: [height, width, 3] from the top row down, over the whole view.
    void (*image)(struct dq_canvas *canvas, const uint8_t *rgb, int width, int height);
} dq_canvas_class;

// The first member of every canvas.
typedef struct dq_canvas {
    const dq_canvas_class *canvas_class;
    const dq_trail *trail; // NULL: the viewer keeps none
} dq_canvas;

// --- colours and points -----------------------------------------------------------------------------------

// 0xrrggbb, opaque.
static inline dq_rgba dq_rgb(uint32_t hex) {
    dq_rgba color = {(uint8_t)(hex >> 16), (uint8_t)(hex >> 8), (uint8_t)hex, 255};
    return color;
}

static inline dq_rgba dq_faded(uint32_t hex, double opacity) {
    dq_rgba color = dq_rgb(hex);
    color.alpha = (uint8_t)(255 * opacity + 0.5);
    return color;
}

static inline dq_point dq_at(double x, double y) {
    dq_point point = {x, y};
    return point;
}

// (x, y) turned by `angle` (anticlockwise, rad) around the origin, then moved there.
static inline dq_point dq_turned(dq_point origin, double angle, double x, double y) {
    const double c = cos(angle), s = sin(angle);
    return dq_at(origin.x + c * x - s * y, origin.y + s * x + c * y);
}

// The action that led to the state being drawn; -1 at a reset or when the viewer does not tell.
static inline int dq_canvas_action(const dq_canvas *canvas) {
    return canvas->trail ? canvas->trail->actions[canvas->trail->count - 1] : -1;
}

// --- primitives -------------------------------------------------------------------------------------------

static inline void dq_draw_view(dq_canvas *canvas, double left, double bottom, double right, double top,
                                dq_rgba background) {
    canvas->canvas_class->view(canvas, left, bottom, right, top, background);
}

static inline void dq_draw_polygon(dq_canvas *canvas, const dq_point *points, int count, dq_rgba fill) {
    canvas->canvas_class->polygon(canvas, points, count, fill);
}

static inline void dq_draw_rectangle(dq_canvas *canvas, double left, double bottom, double right, double top,
                                     dq_rgba fill) {
    const dq_point corners[4] = {{left, bottom}, {right, bottom}, {right, top}, {left, top}};
    canvas->canvas_class->polygon(canvas, corners, 4, fill);
}

static inline void dq_draw_line(dq_canvas *canvas, const dq_point *points, int count, double width,
                                dq_rgba color) {
    canvas->canvas_class->line(canvas, points, count, width, color);
}

static inline void dq_draw_segment(dq_canvas *canvas, dq_point from, dq_point to, double width,
                                   dq_rgba color) {
    const dq_point ends[2] = {from, to};
    canvas->canvas_class->line(canvas, ends, 2, width, color);
}

static inline void dq_draw_circle(dq_canvas *canvas, dq_point center, double radius, dq_rgba fill) {
    canvas->canvas_class->circle(canvas, center, radius, fill);
}

static inline void dq_draw_text(dq_canvas *canvas, dq_point at, double size, dq_text_align align,
                                const char *text, dq_rgba color) {
    canvas->canvas_class->text(canvas, at, size, align, text, color);
}

static inline void dq_draw_image(dq_canvas *canvas, const uint8_t *rgb, int width, int height) {
    canvas->canvas_class->image(canvas, rgb, width, height);
}

// A shaft with a head at `to`; nothing when the ends are the same.
static inline void dq_draw_arrow(dq_canvas *canvas, dq_point from, dq_point to, double width, dq_rgba color) {
    const double length = hypot(to.x - from.x, to.y - from.y);
    if (!(length > 0)) return;
    const double angle = atan2(to.y - from.y, to.x - from.x), head = fmin(3 * width, length);
    const dq_point tip[3] = {to, dq_turned(to, angle, -head, 0.6 * head),
                             dq_turned(to, angle, -head, -0.6 * head)};
    const dq_point neck = dq_turned(to, angle, -head, 0);
    if (length > head) dq_draw_segment(canvas, from, neck, width, color);
    dq_draw_polygon(canvas, tip, 3, color);
}

#ifdef __cplusplus
}
#endif
#endif
