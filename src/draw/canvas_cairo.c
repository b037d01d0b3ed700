// The board: primitives drawn into a picture in memory by Cairo.
//
// World to pixels: x' = origin_x + scale x, y' = origin_y - scale y, with one scale for both, so that the
// view fits into its rectangle and stands in the middle of it.
#include "draw/canvas.h"

#include <cairo.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_TEXT = 6 }; // pixels; below, letters are smudges

struct dq_board {
    dq_canvas canvas; // first
    cairo_surface_t *surface;
    cairo_t *pen;
    int width, height;
    double x, y, w, h; // the rectangle that is drawn on, pixels
    double scale, origin_x, origin_y;
};

static void set_color(cairo_t *pen, dq_rgba c) {
    cairo_set_source_rgba(pen, c.red / 255.0, c.green / 255.0, c.blue / 255.0, c.alpha / 255.0);
}

static double to_x(const dq_board *b, double x) {
    return b->origin_x + b->scale * x;
}

static double to_y(const dq_board *b, double y) {
    return b->origin_y - b->scale * y;
}

static void view(dq_canvas *canvas, double left, double bottom, double right, double top,
                 dq_rgba background) {
    dq_board *b = (dq_board *)canvas;
    b->scale = fmin(b->w / (right - left), b->h / (top - bottom));
    b->origin_x = b->x + b->w / 2 - b->scale * (left + right) / 2;
    b->origin_y = b->y + b->h / 2 + b->scale * (bottom + top) / 2;
    cairo_reset_clip(b->pen);
    const double x0 = floor(to_x(b, left) + 1e-6), x1 = ceil(to_x(b, right) - 1e-6);
    const double y0 = floor(to_y(b, top) + 1e-6), y1 = ceil(to_y(b, bottom) - 1e-6);
    cairo_rectangle(b->pen, x0, y0, x1 - x0, y1 - y0);
    cairo_clip(b->pen);
    set_color(b->pen, background);
    cairo_paint(b->pen);
}

static void path(dq_board *b, const dq_point *points, int count) {
    cairo_new_path(b->pen);
    for (int i = 0; i < count; i++) cairo_line_to(b->pen, to_x(b, points[i].x), to_y(b, points[i].y));
}

static void polygon(dq_canvas *canvas, const dq_point *points, int count, dq_rgba fill) {
    dq_board *b = (dq_board *)canvas;
    path(b, points, count);
    cairo_close_path(b->pen);
    set_color(b->pen, fill);
    cairo_fill(b->pen);
}

static void line(dq_canvas *canvas, const dq_point *points, int count, double width, dq_rgba color) {
    dq_board *b = (dq_board *)canvas;
    path(b, points, count);
    cairo_set_line_width(b->pen, fmax(width * b->scale, 1));
    set_color(b->pen, color);
    cairo_stroke(b->pen);
}

static void circle(dq_canvas *canvas, dq_point center, double radius, dq_rgba fill) {
    dq_board *b = (dq_board *)canvas;
    cairo_new_path(b->pen);
    cairo_arc(b->pen, to_x(b, center.x), to_y(b, center.y), radius * b->scale, 0, 2 * M_PI);
    set_color(b->pen, fill);
    cairo_fill(b->pen);
}

static void text(dq_canvas *canvas, dq_point at, double size, dq_text_align align, const char *words,
                 dq_rgba color) {
    dq_board *b = (dq_board *)canvas;
    const double pixels = size * b->scale;
    if (!(pixels >= SMALLEST_TEXT)) return;
    cairo_set_font_size(b->pen, pixels);
    double shift = 0;
    if (align != DQ_TEXT_LEFT) {
        cairo_text_extents_t extents;
        cairo_text_extents(b->pen, words, &extents);
        shift = extents.x_advance * (align == DQ_TEXT_RIGHT ? 1 : 0.5);
    }
    set_color(b->pen, color);
    cairo_move_to(b->pen, to_x(b, at.x) - shift, to_y(b, at.y));
    cairo_show_text(b->pen, words);
}

// A surface of its own that holds rgb; NULL when there is no memory.
static cairo_surface_t *surface_of(const uint8_t *rgb, int width, int height) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(surface);
        return NULL;
    }
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (int y = 0; y < height; y++) {
        uint32_t *row = (uint32_t *)(void *)(pixels + (size_t)y * stride);
        for (int x = 0; x < width; x++, rgb += 3)
            row[x] = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

static void image(dq_canvas *canvas, const uint8_t *rgb, int width, int height) {
    dq_board *b = (dq_board *)canvas;
    cairo_surface_t *surface = surface_of(rgb, width, height);
    if (!surface) return; // the picture stays without it
    double x0, y0, x1, y1;
    cairo_clip_extents(b->pen, &x0, &y0, &x1, &y1);
    cairo_save(b->pen);
    cairo_translate(b->pen, x0, y0);
    cairo_scale(b->pen, (x1 - x0) / width, (y1 - y0) / height);
    cairo_set_source_surface(b->pen, surface, 0, 0);
    const bool larger = x1 - x0 >= width;
    cairo_pattern_set_filter(cairo_get_source(b->pen), larger ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_paint(b->pen);
    cairo_restore(b->pen);
    cairo_surface_destroy(surface);
}

static const dq_canvas_class board_class = {view, polygon, line, circle, text, image};

dq_status dq_board_create(dq_board **out, int width, int height, dq_error *error) {
    *out = NULL;
    if (width < 1 || height < 1 || width > DQ_BOARD_SIDE_MAX || height > DQ_BOARD_SIDE_MAX)
        return dq_fail(error, DQ_USAGE, "picture", "a picture has 1 to %d pixels a side, not %dx%d",
                       DQ_BOARD_SIDE_MAX, width, height);
    dq_board *b = calloc(1, sizeof *b);
    if (!b) return dq_fail(error, DQ_MEMORY, "picture", "there is no memory for the picture");
    b->canvas.canvas_class = &board_class;
    b->width = width;
    b->height = height;
    b->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    b->pen = cairo_create(b->surface);
    cairo_set_line_cap(b->pen, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(b->pen, CAIRO_LINE_JOIN_ROUND);
    cairo_select_font_face(b->pen, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_font_options_t *fonts = cairo_font_options_create();
    cairo_font_options_set_hint_metrics(fonts, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(fonts, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(b->pen, fonts);
    cairo_font_options_destroy(fonts);
    if (cairo_status(b->pen) != CAIRO_STATUS_SUCCESS) {
        dq_board_destroy(b);
        return dq_fail(error, DQ_MEMORY, "picture", "there is no memory for a picture of %dx%d pixels", width,
                       height);
    }
    *out = b;
    return DQ_OK;
}

void dq_board_destroy(dq_board *board) {
    if (!board) return;
    cairo_destroy(board->pen);
    cairo_surface_destroy(board->surface);
    free(board);
}

int dq_board_width(const dq_board *board) {
    return board->width;
}

int dq_board_height(const dq_board *board) {
    return board->height;
}

void dq_board_clear(dq_board *board, dq_rgba color) {
    cairo_reset_clip(board->pen);
    set_color(board->pen, color);
    cairo_paint(board->pen);
}

dq_canvas *dq_board_canvas(dq_board *board, double x, double y, double width, double height,
                           const dq_trail *trail) {
    board->x = x;
    board->y = y;
    board->w = width;
    board->h = height;
    board->canvas.trail = trail;
    return &board->canvas;
}

void dq_board_read(dq_board *board, uint8_t *rgb) {
    cairo_surface_flush(board->surface);
    const unsigned char *pixels = cairo_image_surface_get_data(board->surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(board->surface);
    for (int y = 0; y < board->height; y++) {
        const uint32_t *row = (const uint32_t *)(const void *)(pixels + (size_t)y * stride);
        for (int x = 0; x < board->width; x++) {
            *rgb++ = (uint8_t)(row[x] >> 16);
            *rgb++ = (uint8_t)(row[x] >> 8);
            *rgb++ = (uint8_t)row[x];
        }
    }
}

// --- PNG ---------------------------------------------------------------------------------------------------

typedef struct bytes {
    unsigned char *data;
    size_t size, capacity;
} bytes;

static cairo_status_t append(void *user, const unsigned char *data, unsigned length) {
    bytes *b = user;
    if (b->size + length > b->capacity) {
        const size_t capacity = 2 * b->capacity + length + 4096;
        unsigned char *grown = realloc(b->data, capacity);
        if (!grown) return CAIRO_STATUS_NO_MEMORY;
        b->data = grown;
        b->capacity = capacity;
    }
    memcpy(b->data + b->size, data, length);
    b->size += length;
    return CAIRO_STATUS_SUCCESS;
}

dq_status dq_png_encode(const uint8_t *rgb, int width, int height, unsigned char **data, size_t *size,
                        dq_error *error) {
    bytes out = {0};
    cairo_surface_t *surface = surface_of(rgb, width, height);
    const cairo_status_t status =
        surface ? cairo_surface_write_to_png_stream(surface, append, &out) : CAIRO_STATUS_NO_MEMORY;
    if (surface) cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS) {
        free(out.data);
        return dq_fail(error, DQ_MEMORY, "picture", "there is no memory for a PNG of %dx%d pixels", width,
                       height);
    }
    *data = out.data;
    *size = out.size;
    return DQ_OK;
}
