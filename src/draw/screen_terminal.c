// The terminal as a screen: pictures in half blocks, sixels or kitty's protocol, the status below.
//
// In half blocks a cell is two pixels, one above the other; only cells that changed are sent.
#include "base/module.h"
#include "draw/screen.h"
#include "draw/terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STATUS_ROWS = 3, WIDEST_PIXELS = 900 };

static const double arrow_lasts = 0.35; // s, as terminals do not tell when a key is let go

typedef struct terminal {
    dq_screen screen;
    dq_terminal_pixels pixels;
    const dq_pixel_class *encoder;
    int columns, rows, cell_width, cell_height;
    uint64_t *cells; // [rows, columns] what is shown: upper colour << 24 | lower; ~0: nothing
    char *text;      // to be sent
    size_t size, room;
    bool failed; // no memory for the text
    int arrow;
    double arrow_time;
} terminal;

static dq_terminal_pixels chosen;

void dq_terminal_choose(dq_terminal_pixels pixels) {
    chosen = pixels;
}

dq_status dq_screen_window(const dq_screen_class **out, dq_error *error) {
    return dq_module_load("window", "dq_screen_sdl", "window", "watch in the terminal: --terminal",
                          (const void **)out, error);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void put(terminal *self, const char *text, size_t size) {
    if (self->size + size > self->room) {
        const size_t room = 2 * self->room + size + 4096;
        char *grown = realloc(self->text, room);
        if (!grown) {
            self->failed = true;
            return;
        }
        self->text = grown;
        self->room = room;
    }
    memcpy(self->text + self->size, text, size);
    self->size += size;
}

static void say(terminal *self, const char *format, ...) DQ_PRINTF(2, 3);
static void say(terminal *self, const char *format, ...) {
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    const int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put(self, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

static int picture_rows(const terminal *self) {
    return self->rows > STATUS_ROWS + 1 ? self->rows - STATUS_ROWS : 1;
}

// Takes over the terminal's size; everything has to be drawn again.
static bool measure(terminal *self) {
    dq_terminal_size(&self->columns, &self->rows, &self->cell_width, &self->cell_height);
    if (self->cell_width < 1 || self->cell_height < 1) {
        self->cell_width = 10;
        self->cell_height = 20;
    }
    const size_t count = (size_t)self->columns * (size_t)self->rows;
    uint64_t *cells = realloc(self->cells, count * sizeof *cells);
    if (!cells) return false;
    self->cells = cells;
    memset(cells, 0xff, count * sizeof *cells);
    return true;
}

static void close_terminal(dq_screen *screen) {
    terminal *self = (terminal *)screen;
    if (!self) return;
    dq_terminal_give_back();
    free(self->cells);
    free(self->text);
    free(self);
}

static dq_status choose_pixels(terminal *self, dq_error *error) {
    bool kitty = false, sixel = false;
    self->pixels = chosen;
    if (chosen == DQ_TERMINAL_AUTO) {
        dq_terminal_ask(&kitty, &sixel);
        self->pixels = kitty ? DQ_TERMINAL_KITTY : sixel ? DQ_TERMINAL_SIXEL : DQ_TERMINAL_BLOCKS;
    }
    if (self->pixels == DQ_TERMINAL_BLOCKS) return DQ_OK;
    const dq_status status = dq_module_load("chafa", "dq_pixel_chafa", "sixel and kitty pictures",
                                            "use --pixels blocks", (const void **)&self->encoder, error);
    if (!status || chosen != DQ_TERMINAL_AUTO) return status;
    self->pixels = DQ_TERMINAL_BLOCKS;
    return DQ_OK;
}

static dq_status open_terminal(dq_screen **out, const char *title, int width, int height, dq_error *error) {
    (void)title;
    (void)width;
    (void)height;
    *out = NULL;
    terminal *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, "terminal", "there is no memory for the picture");
    dq_status status = dq_terminal_take(error);
    if (!status) status = choose_pixels(self, error);
    if (!status && !measure(self))
        status = dq_fail(error, DQ_MEMORY, "terminal", "there is no memory for the picture");
    if (status) {
        close_terminal(&self->screen);
        return status;
    }
    *out = &self->screen;
    return DQ_OK;
}

static void size(dq_screen *screen, int *width, int *height) {
    terminal *self = (terminal *)screen;
    if (self->pixels == DQ_TERMINAL_BLOCKS) {
        *width = self->columns;
        *height = 2 * picture_rows(self);
        return;
    }
    // Whole pixels a cell; fewer than there are where the picture would be large.
    int w = self->cell_width, h = self->cell_height;
    while (w * self->columns > WIDEST_PIXELS && w > 2 && h > 2) {
        w = (w + 1) / 2;
        h = (h + 1) / 2;
    }
    *width = w * self->columns;
    *height = h * picture_rows(self);
}

static uint32_t pixel(const uint8_t *rgb, size_t i) {
    return (uint32_t)rgb[3 * i] << 16 | (uint32_t)rgb[3 * i + 1] << 8 | rgb[3 * i + 2];
}

static void put_blocks(terminal *self, const uint8_t *rgb, int width, int height) {
    uint32_t front = ~0u, back = ~0u; // the colours set; no colour is ~0
    for (int row = 0; row < height / 2 && row < self->rows; row++) {
        int cursor = -1; // the column the cursor stands in, in this row
        for (int x = 0; x < width && x < self->columns; x++) {
            const size_t i = (size_t)(2 * row) * (size_t)width + (size_t)x;
            const uint32_t upper = pixel(rgb, i), lower = pixel(rgb, i + (size_t)width);
            uint64_t *cell = &self->cells[(size_t)row * (size_t)self->columns + (size_t)x];
            const uint64_t wanted = (uint64_t)upper << 24 | lower;
            if (*cell == wanted) continue;
            *cell = wanted;
            if (cursor != x) say(self, "\033[%d;%dH", row + 1, x + 1);
            if (upper != front && upper != lower) {
                say(self, "\033[38;2;%u;%u;%um", upper >> 16, upper >> 8 & 255, upper & 255);
                front = upper;
            }
            if (lower != back) {
                say(self, "\033[48;2;%u;%u;%um", lower >> 16, lower >> 8 & 255, lower & 255);
                back = lower;
            }
            put(self, upper == lower ? " " : "▀", upper == lower ? 1 : strlen("▀"));
            cursor = x + 1;
        }
    }
    put(self, "\033[0m", 4);
}

static dq_status put_pixels(terminal *self, const uint8_t *rgb, int width, int height, dq_error *error) {
    char *text = NULL;
    size_t length = 0;
    const dq_status status = self->encoder->encode(self->pixels, rgb, width, height, self->columns,
                                                   picture_rows(self), &text, &length, error);
    if (status) return status;
    if (self->pixels == DQ_TERMINAL_KITTY) say(self, "\033_Ga=d,d=A,q=2\033\\"); // forget the picture before
    say(self, "\033[H");
    put(self, text, length);
    free(text);
    return DQ_OK;
}

// Bytes of `text` that fill at most `columns` cells: UTF-8 letters of one cell each.
static size_t fitting(const char *text, size_t length, int columns) {
    size_t i = 0;
    while (i < length) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && columns-- == 0) break;
        i++;
    }
    return i;
}

static void put_status(terminal *self, const char *status) {
    for (int line = 0; line < STATUS_ROWS; line++) {
        const size_t length = strcspn(status, "\n");
        say(self, "\033[%d;1H\033[K", picture_rows(self) + 1 + line);
        put(self, status, fitting(status, length, self->columns));
        status += length + (status[length] == '\n');
    }
}

static dq_status show(dq_screen *screen, const uint8_t *rgb, int width, int height, const char *status_line,
                      dq_error *error) {
    terminal *self = (terminal *)screen;
    dq_status status = DQ_OK;
    self->size = 0;
    say(self, "\033[?2026h"); // the terminal may hold its picture until all is there
    if (self->pixels == DQ_TERMINAL_BLOCKS)
        put_blocks(self, rgb, width, height);
    else
        status = put_pixels(self, rgb, width, height, error);
    put_status(self, status_line);
    say(self, "\033[?2026l");
    if (status) return status;
    if (self->failed) return dq_fail(error, DQ_MEMORY, "terminal", "there is no memory for the picture");
    if (!dq_terminal_write(self->text, self->size))
        return dq_fail(error, DQ_IO, "terminal", "the terminal is gone");
    return DQ_OK;
}

static int wait_key(dq_screen *screen, double seconds) {
    terminal *self = (terminal *)screen;
    const int key = dq_terminal_key(seconds);
    if (key >= DQ_KEY_LEFT && key <= DQ_KEY_DOWN) {
        self->arrow = key;
        self->arrow_time = now();
    }
    if (key == DQ_KEY_REDRAW && dq_terminal_changed()) {
        if (!measure(self)) return DQ_KEY_CLOSE;
        dq_terminal_write("\033[2J", 4);
    }
    return key;
}

static bool held(dq_screen *screen, int key) {
    const terminal *self = (const terminal *)screen;
    return self->arrow == key && now() - self->arrow_time < arrow_lasts;
}

const dq_screen_class dq_screen_terminal = {
    .name = "terminal",
    .text = true,
    .most_frames = 30,
    .open = open_terminal,
    .close = close_terminal,
    .size = size,
    .show = show,
    .wait = wait_key,
    .held = held,
};
