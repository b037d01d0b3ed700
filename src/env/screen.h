// Screens of arcade games: 160 x 210 pixels, as the Atari 2600 shows them, and what a network sees of them.
//
// A native game describes a frame as rectangles; colour frames, the small grey ones and the pictures of
// viewers all come from that list. Environments with frames of other origin use the functions on bytes.
#ifndef ENV_SCREEN_H
#define ENV_SCREEN_H

#include <deepq/base.h>
#include <deepq/draw.h>

enum { DQ_SCREEN_WIDTH = 160, DQ_SCREEN_HEIGHT = 210, DQ_SCREEN_COLORS = 8, DQ_SCREEN_RECTANGLES = 256 };

// What becomes of a frame.
typedef enum dq_screen_kind {
    DQ_SCREEN_GREY,    // "84x84": resized to 84 x 84
    DQ_SCREEN_CROPPED, // "84x110": resized to 84 x 110, of which rows 17 to 100 are kept: 84 x 84 again
    DQ_SCREEN_COLOR,   // "colour": as it is, 210 x 160 x 3
} dq_screen_kind;
dq_space dq_screen_space(dq_screen_kind kind);

// ITU-R BT.601 luma, rounded as OpenCV does.
static inline uint8_t dq_screen_luma(unsigned red, unsigned green, unsigned blue) {
    return (uint8_t)((9798 * red + 19235 * green + 3735 * blue + 16384) >> 15);
}

// Area averaging of a grey frame [210][160] to the kind's 84 x 84, as OpenCV's INTER_AREA.
void dq_screen_shrink(dq_screen_kind kind, const uint8_t *grey, uint8_t *small);

// --- frames of rectangles ----------------------------------------------------------------------------------

typedef struct dq_rectangle {
    int16_t x, y, width, height; // inside the screen, y down
    uint8_t color;               // in the palette
} dq_rectangle;

typedef struct dq_picture {
    int still, count; // the first `still` lie apart from each other; the others lie over them, back to front
    dq_rectangle rectangles[DQ_SCREEN_RECTANGLES];
} dq_picture;

typedef struct dq_palette {
    uint8_t rgb[DQ_SCREEN_COLORS][3]; // 0: the background
} dq_palette;

void dq_picture_add(dq_picture *picture, int x, int y, int width, int height, int color);

// A number of that many digits, each 12 x 10 pixels and 16 apart.
void dq_picture_add_number(dq_picture *picture, int x, int y, int digits, int number, int color);

// rgb: [210][160][3]
void dq_picture_paint(const dq_picture *picture, const dq_palette *palette, uint8_t *rgb);

// What a network sees of the brighter of two frames, in each colour or in grey.
void dq_picture_observe(const dq_picture *a, const dq_picture *b, const dq_palette *palette,
                        dq_screen_kind kind, bool brighter_grey, uint8_t *observation);

// On a canvas, pixel for pixel.
void dq_picture_draw(const dq_picture *picture, const dq_palette *palette, struct dq_canvas *canvas);

#endif
