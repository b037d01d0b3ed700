// Where an axis puts its marks: round numbers, evenly apart.
#ifndef DEEPQ_DRAW_TICKS_H
#define DEEPQ_DRAW_TICKS_H

#include <stddef.h>

#define DQ_TICKS_MAX 24

typedef struct dq_ticks {
    double first, step; // tick i is first + i*step
    int count;
    int decimals; // digits after the point that tell ticks apart
} dq_ticks;

// Ticks within [low, high], 1, 2, 2.5 or 5 times a power of ten apart, about `wanted` of them.
dq_ticks dq_ticks_choose(double low, double high, int wanted);

// The text of tick i: "0.25", "1,500", "20k", "1.5M". Returns text.
char *dq_ticks_label(const dq_ticks *ticks, int index, char *text, size_t size);

#endif
