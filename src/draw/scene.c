// Scenes: the environment's own picture, or its observation as bars or image, and the panel with return and Q
// values.
//
// The panel is drawn in units of its own, 200 by 400, whatever the size of the picture.
#include "draw/scene.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PAPER  0xffffff
#define INK    0x1b1f24
#define QUIET  0x59626d
#define SHADE  0xe1e5ea
#define DESK   0xf3f4f6
#define BAR    0x9db4c8
#define CHOSEN 0xe07b1a

enum { PANEL_WIDTH = 200, PANEL_HEIGHT = 400, WIDEST = 600 };

// --- environments that do not draw themselves --------------------------------------------------------------

// Where x lies between the bounds, 0 to 1; without bounds 0.5 is zero and the ends are far away.
static double placed(double x, double low, double high) {
    if (isfinite(low) && isfinite(high) && high > low) return fmin(fmax((x - low) / (high - low), 0), 1);
    return 0.5 + 0.5 * x / (1 + fabs(x));
}

static void draw_bars(const dq_scene *scene, dq_canvas *canvas) {
    const dq_env_class *e = scene->env_class;
    const int rows = scene->space->size;
    const float *now = scene->observation;
    dq_draw_view(canvas, 0, 0, 12, 8, dq_rgb(PAPER));
    const double pitch = fmin(7.4 / rows, 0.9), size = 0.42 * pitch;
    for (int i = 0; i < rows; i++) {
        const double x = (double)now[i], low = (double)e->observation_low[i],
                     high = (double)e->observation_high[i];
        const double y = 7.7 - (i + 1) * pitch, left = 4, right = 10;
        const bool from_low = isfinite(low) && isfinite(high) && low >= 0;
        const double zero = left + (right - left) * (from_low ? 0 : placed(0, low, high));
        const double at = left + (right - left) * placed(x, low, high);
        char value[32];
        snprintf(value, sizeof value, "%.4g", x);
        dq_draw_rectangle(canvas, left, y, right, y + 0.62 * pitch, dq_rgb(SHADE));
        if (at != zero)
            dq_draw_rectangle(canvas, fmin(zero, at), y, fmax(zero, at), y + 0.62 * pitch, dq_rgb(0x0b6cb0));
        dq_draw_text(canvas, dq_at(left - 0.2, y + 0.18 * pitch), size, DQ_TEXT_RIGHT,
                     e->observation_names[i], dq_rgb(INK));
        dq_draw_text(canvas, dq_at(right + 0.2, y + 0.18 * pitch), size, DQ_TEXT_LEFT, value, dq_rgb(QUIET));
    }
}

// Grey or colour; of more channels the last one.
static void draw_image(const dq_scene *scene, dq_canvas *canvas) {
    const int height = scene->space->shape[0], width = scene->space->shape[1], depth = scene->space->shape[2];
    const size_t pixels = (size_t)height * (size_t)width;
    uint8_t *rgb = malloc(pixels * 3);
    dq_draw_view(canvas, 0, 0, width, height, dq_rgb(INK));
    for (size_t i = 0; rgb && i < pixels; i++) {
        const uint8_t *pixel = (const uint8_t *)scene->observation + i * (size_t)depth;
        for (size_t k = 0; k < 3; k++) rgb[3 * i + k] = pixel[depth == 3 ? k : (size_t)depth - 1];
    }
    if (rgb) dq_draw_image(canvas, rgb, width, height);
    free(rgb);
}

static void draw_world(const dq_scene *scene, dq_canvas *canvas) {
    if (scene->env_class->draw)
        scene->env_class->draw(scene->state, scene->options, canvas);
    else if (scene->space->element == DQ_U8)
        draw_image(scene, canvas);
    else
        draw_bars(scene, canvas);
}

// --- the panel ---------------------------------------------------------------------------------------------

// "-110", "243.7", "5.31e+10".
static const char *short_number(double x, char text[32]) {
    if (x == floor(x) && fabs(x) < 1e6)
        snprintf(text, 32, "%.0f", x);
    else
        snprintf(text, 32, fabs(x) < 1e6 ? "%.*f" : "%.*e", fabs(x) < 100 || fabs(x) >= 1e6 ? 2 : 1, x);
    return text;
}

static void draw_values(const dq_scene *scene, double top, dq_canvas *canvas) {
    const dq_env_class *e = scene->env_class;
    const double left = 14, right = PANEL_WIDTH - 14;
    const double pitch = fmin(38, (top - 8) / e->actions), size = fmin(12, 0.42 * pitch);
    const double range = scene->q_high - scene->q_low;
    for (int a = 0; a < e->actions; a++) {
        const double y = top - (a + 1) * pitch, q = (double)scene->q[a], high = 0.28 * pitch;
        const double part = range > 0 ? fmin(fmax((q - scene->q_low) / range, 0), 1) : 1;
        const bool chosen = a == scene->chosen;
        char value[32];
        const double words = y + high + 0.18 * pitch;
        dq_draw_text(canvas, dq_at(left, words), size, DQ_TEXT_LEFT, e->action_names[a],
                     dq_rgb(chosen ? INK : QUIET));
        dq_draw_text(canvas, dq_at(right, words), size, DQ_TEXT_RIGHT, short_number(q, value),
                     dq_rgb(chosen ? INK : QUIET));
        dq_draw_rectangle(canvas, left, y, right, y + high, dq_rgb(SHADE));
        dq_draw_rectangle(canvas, left, y, left + fmax(part * (right - left), 1.5), y + high,
                          dq_rgb(chosen ? CHOSEN : BAR));
    }
}

static void draw_panel(const dq_scene *scene, dq_canvas *canvas) {
    const dq_trail *trail = scene->trail;
    const double left = 14;
    char text[96], number[32];
    dq_draw_view(canvas, 0, 0, PANEL_WIDTH, PANEL_HEIGHT, dq_rgb(DESK));
    dq_draw_text(canvas, dq_at(left, 374), 15, DQ_TEXT_LEFT, scene->env_class->id, dq_rgb(INK));
    snprintf(text, sizeof text, "%.40s, seed %" PRIu64, scene->player, scene->seed);
    dq_draw_text(canvas, dq_at(left, 357), 11, DQ_TEXT_LEFT, text, dq_rgb(QUIET));
    dq_draw_text(canvas, dq_at(left, 328), 11, DQ_TEXT_LEFT, "return", dq_rgb(QUIET));
    dq_draw_text(canvas, dq_at(left, 300), 26, DQ_TEXT_LEFT, short_number(scene->episode_return, number),
                 dq_rgb(INK));
    const int step = trail ? trail->count - 1 : 0;
    if (trail && trail->step_limit > 0)
        snprintf(text, sizeof text, "step %d of %d%s", step, trail->step_limit, scene->over ? ", over" : "");
    else
        snprintf(text, sizeof text, "step %d%s", step, scene->over ? ", over" : "");
    dq_draw_text(canvas, dq_at(left, 278), 11, DQ_TEXT_LEFT, text, dq_rgb(QUIET));
    if (!scene->q) return;
    dq_draw_segment(canvas, dq_at(left, 262), dq_at(PANEL_WIDTH - left, 262), 1, dq_rgb(SHADE));
    dq_draw_text(canvas, dq_at(left, 240), 11, DQ_TEXT_LEFT, "Q values", dq_rgb(QUIET));
    draw_values(scene, 232, canvas);
}

// --- both --------------------------------------------------------------------------------------------------

void dq_scene_size(const dq_scene *scene, bool panel, int *width, int *height) {
    dq_probe probe;
    dq_probe_init(&probe, scene->trail);
    draw_world(scene, &probe.canvas);
    double aspect = (probe.right - probe.left) / (probe.top - probe.bottom);
    if (!(probe.views > 0 && aspect > 0.01 && aspect < 100)) aspect = 1.5;
    double high = PANEL_HEIGHT, wide = aspect * high;
    if (wide > WIDEST) {
        wide = WIDEST;
        high = wide / aspect;
    }
    *height = (int)lround(high / 2) * 2;
    *width = (int)lround(wide / 2) * 2;
    if (panel) *width += *height * PANEL_WIDTH / PANEL_HEIGHT / 2 * 2;
}

void dq_scene_draw(const dq_scene *scene, bool panel, dq_board *board) {
    const int width = dq_board_width(board), height = dq_board_height(board);
    const int beside = panel ? (int)fmin(0.4 * width, (double)height * PANEL_WIDTH / PANEL_HEIGHT) : 0;
    dq_board_clear(board, dq_rgb(DESK));
    draw_world(scene, dq_board_canvas(board, 0, 0, width - beside, height, scene->trail));
    if (panel) draw_panel(scene, dq_board_canvas(board, width - beside, 0, beside, height, scene->trail));
}
