// dq_rng: NumPy's SeedSequence, PCG64 and the draws of its Generator.
//
// Sources: O'Neill 2014 (PCG) and 2015 ("Developing a seed_seq alternative") for the generator and its
// seeding, Lemire 2019 for integers, Marsaglia and Tsang 2000 ("The ziggurat method for generating random
// variables") in the 256-strip, 52-bit form for normals. Equal to NumPy draw for draw.
#include "base/rng_inline.h"

#include "base/rng_ziggurat.h"

#include <assert.h>
#include <math.h>

#define POOL_WORDS 4

static uint32_t hash_word(uint32_t word, uint32_t *constant) {
    word ^= *constant;
    *constant *= 0x931e8875u;
    word *= *constant;
    return word ^ (word >> 16);
}

static uint32_t mix_words(uint32_t x, uint32_t y) {
    uint32_t mixed = 0xca01f9ddu * x - 0x4973f715u * y;
    return mixed ^ (mixed >> 16);
}

void dq_seed_sequence_wide(const uint32_t *seed, int seed_words, const uint32_t *keys, int key_count,
                           uint32_t *words, int count) {
    uint32_t pool[POOL_WORDS];
    uint32_t constant = 0x43b0d7e5u;
    // The seed's first words fill the pool, with zeros behind them so that a key never takes their place.
    for (int i = 0; i < POOL_WORDS; i++) pool[i] = hash_word(i < seed_words ? seed[i] : 0, &constant);
    for (int source = 0; source < POOL_WORDS; source++)
        for (int target = 0; target < POOL_WORDS; target++)
            if (source != target) pool[target] = mix_words(pool[target], hash_word(pool[source], &constant));
    int rest = seed_words > POOL_WORDS ? seed_words - POOL_WORDS : 0;
    for (int i = 0; i < rest + key_count; i++) {
        uint32_t word = i < rest ? seed[POOL_WORDS + i] : keys[i - rest];
        for (int target = 0; target < POOL_WORDS; target++)
            pool[target] = mix_words(pool[target], hash_word(word, &constant));
    }

    constant = 0x8b51f9ddu;
    for (int i = 0; i < count; i++) {
        uint32_t word = pool[i % POOL_WORDS] ^ constant;
        constant *= 0x58f38dedu;
        word *= constant;
        words[i] = word ^ (word >> 16);
    }
}

void dq_seed_sequence(uint64_t seed, const uint32_t *keys, int key_count, uint32_t *words, int count) {
    dq_seed_sequence_wide((const uint32_t[]){(uint32_t)seed, (uint32_t)(seed >> 32)}, 2, keys, key_count,
                          words, count);
}

void dq_rng_seed_wide(dq_rng *rng, const uint32_t *seed, int seed_words, const uint32_t *keys,
                      int key_count) {
    uint32_t words[8];
    dq_seed_sequence_wide(seed, seed_words, keys, key_count, words, 8);
    uint64_t draws[4];
    for (int i = 0; i < 4; i++) draws[i] = (uint64_t)words[2 * i + 1] << 32 | words[2 * i];
    dq_u128 start = (dq_u128)draws[0] << 64 | draws[1];
    dq_u128 increment = ((dq_u128)draws[2] << 64 | draws[3]) << 1 | 1;
    dq_u128 state = (increment + start) * DQ_PCG_MULTIPLIER + increment;
    *rng = (dq_rng){
        .state_high = (uint64_t)(state >> 64),
        .state_low = (uint64_t)state,
        .increment_high = (uint64_t)(increment >> 64),
        .increment_low = (uint64_t)increment,
    };
}

void dq_rng_seed_child(dq_rng *rng, uint64_t seed, const uint32_t *keys, int key_count) {
    dq_rng_seed_wide(rng, (const uint32_t[]){(uint32_t)seed, (uint32_t)(seed >> 32)}, 2, keys, key_count);
}

void dq_rng_seed(dq_rng *rng, uint64_t seed) {
    dq_rng_seed_child(rng, seed, NULL, 0);
}

uint64_t dq_rng_next64(dq_rng *rng) {
    return dq_rng_next64_inline(rng);
}

uint32_t dq_rng_next32(dq_rng *rng) {
    return dq_rng_next32_inline(rng);
}

double dq_rng_random(dq_rng *rng) {
    return dq_rng_random_inline(rng);
}

double dq_rng_uniform(dq_rng *rng, double low, double high) {
    return dq_rng_uniform_inline(rng, low, high);
}

int64_t dq_rng_integers(dq_rng *rng, int64_t low, int64_t high) {
    assert(low < high);
    return dq_rng_integers_inline(rng, low, high);
}

// A draw beyond the start of the tail: Marsaglia 1964, "Generating a variable from the tail of the normal
// distribution".
static double normal_tail(dq_rng *rng) {
    for (;;) {
        double x = -DQ_ZIGGURAT_TAIL_INVERSE * log1p(-dq_rng_random_inline(rng));
        double y = -log1p(-dq_rng_random_inline(rng));
        if (y + y > x * x) return DQ_ZIGGURAT_TAIL + x;
    }
}

double dq_rng_normal(dq_rng *rng) {
    for (;;) {
        uint64_t draw = dq_rng_next64_inline(rng); // 3 spare bits, 52 of size, sign, 8 of strip
        unsigned strip = draw & 0xff;
        bool negative = draw >> 8 & 1;
        uint64_t size = draw >> 9 & 0x000fffffffffffff;
        double x = (double)size * dq_ziggurat_width[strip];
        if (negative) x = -x;
        if (size < dq_ziggurat_inside[strip]) return x;
        if (strip == 0) {
            double tail = normal_tail(rng);
            return size >> 8 & 1 ? -tail : tail;
        }
        double below = dq_ziggurat_density[strip], above = dq_ziggurat_density[strip - 1];
        if ((above - below) * dq_rng_random_inline(rng) + below < exp(-0.5 * x * x)) return x;
    }
}
