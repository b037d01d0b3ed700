// The random fractions of quantile layers: a function of a seed and a place, so that the layer that predicts
// at them and the loss that judges them agree without handing arrays around.
#ifndef DQ_NN_FRACTION_H
#define DQ_NN_FRACTION_H

#include <stdint.h>

// Uniform in (0, 1), never an end. `place` numbers the fractions of one batch. The mixing function is
// Wellons' lowbias32 (2018, "Prospecting for hash functions").
static inline float dq_fraction(uint32_t seed, uint32_t place) {
    uint32_t x = seed * 0x9E3779B1u + place * 0x85EBCA77u;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    x ^= x >> 16;
    return ((float)(int32_t)(x >> 9) + 0.5F) * 0x1p-23F;
}

// The fractions of panel p: place ((p * samples + i) * 16 + lane) is fraction i of that lane's sample.
static inline uint32_t dq_fraction_place(int panel, int samples, int i) {
    return ((uint32_t)panel * (uint32_t)samples + (uint32_t)i) * 16u;
}

#endif
