// The uniform sampler: every slot alike often, no slot twice where that is asked, weights of 1.
#include "base/strategy.h"
#include "replay/sampler.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const dq_sampler_class dq_sampler_uniform;

static dq_sampler *make(const char *replacement, int64_t capacity) {
    dq_error error;
    dq_sampler *sampler;
    void *options = calloc(1, dq_sampler_uniform.about.options_size);
    test_ok(
        dq_options_set(dq_sampler_uniform.about.options, options, "replacement", replacement, "test", &error),
        &error);
    test_ok(dq_sampler_uniform.create(&sampler, options, capacity, &error), &error);
    free(options);
    return sampler;
}

static void every_slot_comes_alike_often(void **state) {
    (void)state;
    enum { SIZE = 200, BATCH = 20, DRAWS = 20000 };
    const char *const ways[] = {"true", "false"};
    for (int way = 0; way < 2; way++) {
        dq_sampler *sampler = make(ways[way], 300);
        dq_rng rng;
        dq_rng_seed(&rng, 5);
        int counts[SIZE] = {0};
        for (int i = 0; i < DRAWS; i++) {
            int64_t slots[BATCH];
            float weights[BATCH];
            dq_sampler_uniform.draw(sampler, &rng, SIZE, i, BATCH, slots, weights);
            for (int b = 0; b < BATCH; b++) {
                assert_in_range(slots[b], 0, SIZE - 1);
                assert_true(weights[b] == 1);
                counts[slots[b]]++;
            }
        }
        double expected = (double)DRAWS * BATCH / SIZE, chi2 = 0;
        for (int s = 0; s < SIZE; s++) chi2 += pow(counts[s] - expected, 2) / expected;
        assert_true(chi2 < 275); // 199 degrees of freedom: above with probability 3e-4
        dq_sampler_uniform.destroy(sampler);
    }
}

static void without_replacement_no_slot_comes_twice(void **state) {
    (void)state;
    enum { CAPACITY = 150, BATCH = 100 };
    dq_sampler *sampler = make("false", CAPACITY);
    dq_rng rng;
    dq_rng_seed(&rng, 9);
    for (int i = 0; i < 2000; i++) {
        int64_t size = BATCH + i % (CAPACITY - BATCH + 1), slots[BATCH];
        float weights[BATCH];
        bool seen[CAPACITY] = {false};
        dq_sampler_uniform.draw(sampler, &rng, size, i, BATCH, slots, weights);
        for (int b = 0; b < BATCH; b++) {
            assert_in_range(slots[b], 0, size - 1);
            assert_false(seen[slots[b]]);
            seen[slots[b]] = true;
        }
    }
    dq_sampler_uniform.destroy(sampler);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slot_comes_alike_often),
        cmocka_unit_test(without_replacement_no_slot_comes_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
