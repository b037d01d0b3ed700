// dq_rng against NumPy: every member of rng/*.npz, draw for draw and bit for bit.
//
// A member is called SEED.WHAT: state32x8 and state64x4 (SeedSequence words), raw, random, uniform_LOW_HIGH,
// integers_HIGH or integers_LOW_HIGH, standard_normal, and spawnK.random for the k-th child.
#include "support.h"

#include "io/npz.h"

#include <deepq/rng.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A decimal seed of any size up to 128 bits as 32-bit words.
static void read_seed(const char *digits, uint32_t words[4]) {
    memset(words, 0, 4 * sizeof *words);
    for (; *digits >= '0' && *digits <= '9'; digits++) {
        uint64_t carry = (uint64_t)(*digits - '0');
        for (int i = 0; i < 4; i++) {
            carry += (uint64_t)words[i] * 10;
            words[i] = (uint32_t)carry;
            carry >>= 32;
        }
    }
}

// One draw as the type of the recorded array.
static void draw(dq_rng *rng, const char *what, void *out) {
    char *middle, *end;
    double real;
    int64_t whole;
    if (!strcmp(what, "raw")) {
        uint64_t raw = dq_rng_next64(rng);
        memcpy(out, &raw, 8);
        return;
    }
    if (!strncmp(what, "integers_", 9)) {
        long long first = strtoll(what + 9, &middle, 10);
        whole = *middle ? dq_rng_integers(rng, first, strtoll(middle + 1, NULL, 10))
                        : dq_rng_integers(rng, 0, first);
        memcpy(out, &whole, 8);
        return;
    }
    if (!strcmp(what, "random")) {
        real = dq_rng_random(rng);
    } else if (!strcmp(what, "standard_normal")) {
        real = dq_rng_normal(rng);
    } else if (!strncmp(what, "uniform_", 8)) {
        double low = strtod(what + 8, &middle);
        real = dq_rng_uniform(rng, low, strtod(middle + 1, &end));
    } else {
        fail_msg("what is '%s'?", what);
        return;
    }
    memcpy(out, &real, 8);
}

static void check_member(const char *name, const dq_array *recorded) {
    uint32_t seed[4], key = 0;
    const char *what = strchr(name, '.') + 1;
    int keys = 0;
    read_seed(name, seed);
    if (!strncmp(what, "state", 5)) {
        uint32_t words[64];
        size_t size = (size_t)recorded->count * dq_array_element_size(recorded->type);
        assert_true(size <= sizeof words);
        dq_seed_sequence_wide(seed, 4, NULL, 0, words, (int)(size / 4));
        assert_memory_equal(words, recorded->data, size);
        return;
    }
    if (!strncmp(what, "spawn", 5)) {
        key = (uint32_t)atoi(what + 5);
        keys = 1;
        what = strchr(what, '.') + 1;
    }
    dq_rng rng;
    dq_rng_seed_wide(&rng, seed, 4, &key, keys);
    for (int64_t i = 0; i < recorded->count; i++) {
        unsigned char got[8];
        draw(&rng, what, got);
        if (memcmp(got, (const char *)recorded->data + 8 * i, 8))
            fail_msg("%s: draw %lld differs from NumPy's", name, (long long)i);
    }
    if (seed[2] || seed[3]) return; // and by the plain functions, where the seed fits them
    uint64_t small = (uint64_t)seed[1] << 32 | seed[0];
    dq_rng plain, again;
    dq_rng_seed_wide(&again, seed, 4, &key, keys);
    if (keys) {
        dq_rng_seed_child(&plain, small, &key, keys);
    } else {
        dq_rng_seed(&plain, small);
    }
    assert_memory_equal(&plain, &again, sizeof plain);
}

static void test_numpy(void **state) {
    (void)state;
    glob_t files;
    assert_int_equal(glob(test_reference_path("rng/*.npz"), 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        dq_npz file;
        dq_error error;
        test_ok(dq_npz_read(&file, files.gl_pathv[i], &error), &error);
        assert_true(file.count > 0);
        for (int j = 0; j < file.count; j++) check_member(file.names[j], &file.arrays[j]);
        dq_npz_deinit(&file);
    }
    globfree(&files);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numpy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
