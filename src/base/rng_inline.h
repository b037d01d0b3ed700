// The hot core of dq_rng, for loops that draw once per transition or parameter.
//
// PCG64 is a 128-bit linear congruential generator with the XSL-RR output function (O'Neill 2014, section
// 6.3.3). NumPy steps first and outputs the new state. Every function here equals its dq_rng_ namesake.
#ifndef DQ_BASE_RNG_INLINE_H
#define DQ_BASE_RNG_INLINE_H

#include <deepq/rng.h>

__extension__ typedef unsigned __int128 dq_u128;

#define DQ_PCG_MULTIPLIER (((dq_u128)2549297995355413924u << 64) | 4865540595714422341u)

static inline uint64_t dq_rng_next64_inline(dq_rng *rng) {
    dq_u128 state = ((dq_u128)rng->state_high << 64) | rng->state_low;
    dq_u128 increment = ((dq_u128)rng->increment_high << 64) | rng->increment_low;
    state = state * DQ_PCG_MULTIPLIER + increment;
    uint64_t high = (uint64_t)(state >> 64), low = (uint64_t)state;
    rng->state_high = high;
    rng->state_low = low;
    uint64_t folded = high ^ low;
    unsigned turn = (unsigned)(high >> 58);
    return (folded >> turn) | (folded << (-turn & 63));
}

// One 64-bit draw serves two 32-bit ones, the lower half first.
static inline uint32_t dq_rng_next32_inline(dq_rng *rng) {
    if (rng->has_half) {
        rng->has_half = 0;
        return rng->half;
    }
    uint64_t draw = dq_rng_next64_inline(rng);
    rng->has_half = 1;
    rng->half = (uint32_t)(draw >> 32);
    return (uint32_t)draw;
}

static inline double dq_rng_random_inline(dq_rng *rng) {
    return (double)(dq_rng_next64_inline(rng) >> 11) * (1.0 / 9007199254740992.0);
}

static inline double dq_rng_uniform_inline(dq_rng *rng, double low, double high) {
    return low + (high - low) * dq_rng_random_inline(rng);
}

// [0, last] for last < 2^32 - 1: Lemire 2019, "Fast random integer generation in an interval", algorithm 5.
static inline uint32_t dq_rng_below32_inline(dq_rng *rng, uint32_t last) {
    uint32_t count = last + 1;
    uint64_t product = (uint64_t)dq_rng_next32_inline(rng) * count;
    if ((uint32_t)product < count) {
        uint32_t threshold = (UINT32_MAX - last) % count;
        while ((uint32_t)product < threshold) product = (uint64_t)dq_rng_next32_inline(rng) * count;
    }
    return (uint32_t)(product >> 32);
}

// [low, high), low < high. Like NumPy, ranges of up to 32 bits use half draws.
static inline int64_t dq_rng_integers_inline(dq_rng *rng, int64_t low, int64_t high) {
    uint64_t last = (uint64_t)high - (uint64_t)low - 1;
    uint64_t offset;
    if (last == 0) {
        offset = 0;
    } else if (last < UINT32_MAX) {
        offset = dq_rng_below32_inline(rng, (uint32_t)last);
    } else if (last == UINT32_MAX) {
        offset = dq_rng_next32_inline(rng);
    } else {
        uint64_t count = last + 1; // cannot wrap: high <= INT64_MAX keeps last below 2^64 - 1
        dq_u128 product = (dq_u128)dq_rng_next64_inline(rng) * count;
        if ((uint64_t)product < count) {
            uint64_t threshold = (UINT64_MAX - last) % count;
            while ((uint64_t)product < threshold) product = (dq_u128)dq_rng_next64_inline(rng) * count;
        }
        offset = (uint64_t)(product >> 64);
    }
    return (int64_t)((uint64_t)low + offset);
}

#endif
