// Makes an SVG that Cairo wrote smaller.
#ifndef DEEPQ_DRAW_SVG_SHORT_H
#define DEEPQ_DRAW_SVG_SHORT_H

#include <stddef.h>

// Rounds the coordinates of paths (the d attributes) to a hundredth of a pixel, in place. `text` is
// zero-terminated, and so is what is left of it. Returns its new length.
size_t dq_svg_shorten(char *text);

#endif
