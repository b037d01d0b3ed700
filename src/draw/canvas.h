// Canvases: where the primitives of deepq/draw.h go.
//
// A board is a picture in memory, drawn by Cairo. It is drawn on a rectangle of pixels at a time, so that an
// environment's view and the panel beside it share one picture. A probe draws nothing and remembers what was
// asked of it: the view's shape for whoever chooses a picture's size, and whether the rest made sense.
#ifndef DEEPQ_DRAW_CANVAS_H
#define DEEPQ_DRAW_CANVAS_H

#include <deepq/draw.h>

#define DQ_BOARD_SIDE_MAX 8192 // pixels

typedef struct dq_board dq_board;

// width, height: 1 to DQ_BOARD_SIDE_MAX pixels.
dq_status dq_board_create(dq_board **out, int width, int height, dq_error *error);
void dq_board_destroy(dq_board *board);
int dq_board_width(const dq_board *board);
int dq_board_height(const dq_board *board);

// Fills the whole picture.
void dq_board_clear(dq_board *board, dq_rgba color);

// A canvas for the pixels [x, x+width) x [y, y+height), y down. The view that is set on it is fitted into the
// middle of them and cut at its own edges. The canvas is the board's; it serves until the next call.
dq_canvas *dq_board_canvas(dq_board *board, double x, double y, double width, double height,
                           const dq_trail *trail);

// Copies the picture to rgb: [height, width, 3].
void dq_board_read(dq_board *board, uint8_t *rgb);

// A picture as a PNG file in memory; *data is the caller's to free.
dq_status dq_png_encode(const uint8_t *rgb, int width, int height, unsigned char **data, size_t *size,
                        dq_error *error);

typedef struct dq_probe {
    dq_canvas canvas; // first
    int views;        // how often a view was set
    double left, bottom, right, top;
    int shapes;                          // all primitives but views
    bool finite;                         // every number was
    bool sensible;                       // sizes are not negative, texts not NULL, images not empty
    double low_x, low_y, high_x, high_y; // of all points drawn
} dq_probe;

void dq_probe_init(dq_probe *probe, const dq_trail *trail);

#endif
