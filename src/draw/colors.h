// Colours of an animation: counts how often each occurs and chooses the palette that fits them best.
//
// Flat drawings have few colours: up to `most` of them are kept exactly. More are parted by variance (Wan,
// Wong and Prusinkiewicz 1988): the box with the largest squared error is cut at its mean, across the
// channel that spreads most.
#ifndef DEEPQ_DRAW_COLORS_H
#define DEEPQ_DRAW_COLORS_H

#include <deepq/base.h>

typedef struct dq_colors dq_colors;

dq_status dq_colors_create(dq_colors **out, dq_error *error);
void dq_colors_destroy(dq_colors *colors);

// Counts `pixels` pixels of 0xrrggbb. Past 32768 different colours the lowest bits no longer count.
dq_status dq_colors_add(dq_colors *colors, uint32_t color, uint32_t pixels, dq_error *error);

// Fills palette[0..n) with 0xrrggbb and returns n, 1 to most <= 255. *error (may be NULL): the mean squared
// distance of a pixel from its palette's colour.
int dq_colors_choose(dq_colors *colors, int most, uint32_t *palette, double *error);

// How many different colours were counted.
int dq_colors_count(const dq_colors *colors);

// The palette's index for a colour that was added. After dq_colors_choose.
uint8_t dq_colors_index(const dq_colors *colors, uint32_t color);

#endif
