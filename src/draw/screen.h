// Screens: where moving pictures are shown and keys come from: a window or a terminal.
//
// One screen at a time, on one thread. The caller asks how large a picture fits, draws it, shows it with a
// status line, and waits for keys in between.
#ifndef DEEPQ_DRAW_SCREEN_H
#define DEEPQ_DRAW_SCREEN_H

#include <deepq/base.h>

// Keys: a character stands for itself, in lower case; others follow.
typedef enum dq_key {
    DQ_KEY_NONE = 0,
    DQ_KEY_LEFT = 0x100,
    DQ_KEY_RIGHT,
    DQ_KEY_UP,
    DQ_KEY_DOWN,
    DQ_KEY_CLOSE,  // the window was closed, the terminal is gone
    DQ_KEY_REDRAW, // the size changed, or what was shown is lost
} dq_key;

// The first member of every screen.
typedef struct dq_screen {
    const struct dq_screen_class *screen_class;
} dq_screen;

typedef struct dq_screen_class {
    const char *name;
    bool text;          // small letters cannot be read in its pictures: the status lines tell instead
    double most_frames; // a second that make sense
    // width, height: of the picture, in pixels, where the screen is free to choose.
    dq_status (*open)(dq_screen **out, const char *title, int width, int height, dq_error *error);
    void (*close)(dq_screen *screen);
    // The picture that fits now.
    void (*size)(dq_screen *screen, int *width, int *height);
    // rgb: [height, width, 3]. `status`: one or more lines.
    dq_status (*show)(dq_screen *screen, const uint8_t *rgb, int width, int height, const char *status,
                      dq_error *error);
    // The next key within so many seconds; DQ_KEY_NONE when there is none, or when a signal came.
    int (*wait)(dq_screen *screen, double seconds);
    // Whether a key is being pressed, as well as the screen can tell.
    bool (*held)(dq_screen *screen, int key);
} dq_screen_class;

// How a terminal shows pictures.
typedef enum dq_terminal_pixels {
    DQ_TERMINAL_AUTO,   // kitty, else sixel, where the terminal answers that it can, else blocks
    DQ_TERMINAL_BLOCKS, // two pixels a cell, as an upper half block in 24-bit colours
    DQ_TERMINAL_SIXEL,
    DQ_TERMINAL_KITTY,
} dq_terminal_pixels;

extern const dq_screen_class dq_screen_terminal;

// What dq_screen_terminal opens with from now on; DQ_TERMINAL_AUTO at first.
void dq_terminal_choose(dq_terminal_pixels pixels);

// The window's class. Fails when the module that makes windows is not there.
dq_status dq_screen_window(const dq_screen_class **out, dq_error *error);

// Pictures as sixel or kitty text, made by a module (DQ_TERMINAL_SIXEL or _KITTY).
typedef struct dq_pixel_class {
    // The picture over columns x rows cells at the cursor; *text is freed with free().
    dq_status (*encode)(dq_terminal_pixels pixels, const uint8_t *rgb, int width, int height, int columns,
                        int rows, char **text, size_t *size, dq_error *error);
} dq_pixel_class;

#endif
