// Random numbers: NumPy's default_rng, draw for draw.
//
// dq_rng is PCG64 (XSL-RR 128/64, O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient
// Statistically Good Algorithms") seeded by NumPy's SeedSequence. It is plain memory: copying the
// struct copies the stream. One stream belongs to one thread at a time.
#ifndef DEEPQ_RNG_H
#define DEEPQ_RNG_H

#include <deepq/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dq_rng {
    uint64_t state_high, state_low;         // the 128-bit state
    uint64_t increment_high, increment_low; // the 128-bit stream selector, odd
    uint32_t has_half, half;                // the unused upper half of the last 64-bit draw
} dq_rng;

// numpy.random.default_rng(seed)
DQ_API void dq_rng_seed(dq_rng *rng, uint64_t seed);

// The generator of SeedSequence(seed, spawn_key=keys): what spawn() hands to a child. The k-th child
// of SeedSequence(seed).spawn(n) has the single key k.
DQ_API void dq_rng_seed_child(dq_rng *rng, uint64_t seed, const uint32_t *keys, int key_count);

// SeedSequence(seed, spawn_key=keys).generate_state(count), 32-bit words.
DQ_API void dq_seed_sequence(uint64_t seed, const uint32_t *keys, int key_count, uint32_t *words, int count);

// The same two for a seed of any size, as 32-bit words, the lowest first: NumPy takes whole numbers of more
// than 64 bits.
DQ_API void dq_rng_seed_wide(dq_rng *rng, const uint32_t *seed, int seed_words, const uint32_t *keys,
                             int key_count);
DQ_API void dq_seed_sequence_wide(const uint32_t *seed, int seed_words, const uint32_t *keys, int key_count,
                                  uint32_t *words, int count);

DQ_API uint64_t dq_rng_next64(dq_rng *rng);
DQ_API uint32_t dq_rng_next32(dq_rng *rng);

// [0, 1), 53 bits: Generator.random
DQ_API double dq_rng_random(dq_rng *rng);

// [low, high): Generator.uniform
DQ_API double dq_rng_uniform(dq_rng *rng, double low, double high);

// [low, high), low < high: Generator.integers with its default 64-bit type (Lemire's method)
DQ_API int64_t dq_rng_integers(dq_rng *rng, int64_t low, int64_t high);

// Mean 0, variance 1: Generator.standard_normal (ziggurat)
DQ_API double dq_rng_normal(dq_rng *rng);

#ifdef __cplusplus
}
#endif
#endif
