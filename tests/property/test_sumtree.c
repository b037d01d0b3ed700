// Sum tree against a naive scan, and the prioritized sampler against what its paper promises.
#include <deepq/rng.h>
#include <replay/sampler.h>
#include <replay/sumtree.h>
#include <support.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const dq_sampler_class dq_sampler_prioritized;

static dq_sumtree new_tree(int64_t slots) {
    dq_sumtree tree;
    float *leaves = calloc(dq_sumtree_leaf_room(slots), sizeof *leaves);
    double *sums = calloc(dq_sumtree_sum_room(slots), sizeof *sums);
    assert_non_null(leaves);
    assert_non_null(sums);
    dq_sumtree_init(&tree, slots, leaves, sums);
    return tree;
}

static void free_tree(dq_sumtree *tree) {
    free(tree->level[0]);
    free(tree->leaves);
}

// Whole priorities have exact sums, so that every answer must be the scan's.
static void equals_a_naive_scan_over_a_million_operations(void **state) {
    (void)state;
    const int64_t sizes[] = {1, 3, 16, 17, 64, 65, 100, 257, 1000};
    dq_rng rng;
    dq_rng_seed(&rng, 1);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int64_t n = sizes[s];
        dq_sumtree tree = new_tree(n);
        float *priorities = calloc((size_t)n, sizeof *priorities);
        double total = 0;
        for (int operation = 0; operation < 120000; operation++) {
            if (total == 0 || dq_rng_random(&rng) < 0.5) {
                int64_t slots[8];
                float values[8];
                int count = (int)dq_rng_integers(&rng, 1, 9);
                for (int i = 0; i < count; i++) {
                    slots[i] = dq_rng_integers(&rng, 0, n);
                    values[i] = (float)(dq_rng_integers(&rng, 0, 4) * dq_rng_integers(&rng, 0, 50));
                    total += (double)values[i] - (double)priorities[slots[i]];
                    priorities[slots[i]] = values[i];
                }
                dq_sumtree_set(&tree, slots, values, count);
                assert_true(dq_sumtree_total(&tree) == total);
            } else {
                double point = dq_rng_random(&rng) * total, running = 0;
                if (operation % 4 == 0) point = floor(point);
                int64_t found, expected = 0;
                dq_sumtree_find(&tree, &point, 1, &found);
                while (running + (double)priorities[expected] <= point)
                    running += (double)priorities[expected++];
                assert_int_equal(found, expected);
            }
        }
        free(priorities);
        free_tree(&tree);
    }
}

static void batches_equal_single_calls_and_a_rebuild_changes_nothing(void **state) {
    (void)state;
    enum { SLOTS = 5000, COUNT = 1000 };
    dq_rng rng;
    dq_rng_seed(&rng, 2);
    dq_sumtree batched = new_tree(SLOTS), single = new_tree(SLOTS);
    static int64_t slots[COUNT], found[COUNT];
    static float values[COUNT];
    static double points[COUNT];
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < COUNT; i++) {
            slots[i] = dq_rng_integers(&rng, 0, SLOTS);
            values[i] = (float)pow(dq_rng_random(&rng), 8);
        }
        dq_sumtree_set(&batched, slots, values, COUNT);
        for (int i = 0; i < COUNT; i++) dq_sumtree_set(&single, slots + i, values + i, 1);
        assert_memory_equal(batched.level[0], single.level[0], dq_sumtree_sum_room(SLOTS) * sizeof(double));
        dq_sumtree_rebuild(&single);
        assert_memory_equal(batched.level[0], single.level[0], dq_sumtree_sum_room(SLOTS) * sizeof(double));
        for (int i = 0; i < COUNT; i++) points[i] = dq_rng_random(&rng) * dq_sumtree_total(&batched);
        dq_sumtree_find(&batched, points, COUNT, found);
        for (int i = 0; i < COUNT; i++) {
            int64_t one;
            dq_sumtree_find(&single, points + i, 1, &one);
            assert_int_equal(found[i], one);
        }
    }
    free_tree(&single);
    free_tree(&batched);
}

// Priorities of very different sizes, most of them zero, and points at and beyond the rounding of the total.
static void never_finds_a_slot_of_priority_zero(void **state) {
    (void)state;
    enum { SLOTS = 700 };
    dq_rng rng;
    dq_rng_seed(&rng, 3);
    dq_sumtree tree = new_tree(SLOTS);
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 20; i++) {
            int64_t slot = dq_rng_integers(&rng, 0, SLOTS);
            float value = dq_rng_random(&rng) < 0.7 ? 0 : (float)exp(60 * dq_rng_random(&rng) - 40);
            dq_sumtree_set(&tree, &slot, &value, 1);
        }
        double total = dq_sumtree_total(&tree);
        if (total == 0) continue;
        for (int i = 0; i < 40; i++) {
            double point = i == 0   ? 0
                           : i == 1 ? total
                           : i == 2 ? nextafter(total, 0)
                                    : total * dq_rng_random(&rng);
            int64_t slot;
            dq_sumtree_find(&tree, &point, 1, &slot);
            assert_true(slot >= 0 && slot < SLOTS && tree.leaves[slot] > 0);
        }
    }
    free_tree(&tree);
}

// --- the sampler ------------------------------------------------------------------------------------------

static dq_sampler *new_sampler(int64_t capacity, const char *const *words, int count) {
    const dq_sampler_class *kind = &dq_sampler_prioritized;
    dq_error error;
    void *options = calloc(1, kind->about.options_size);
    dq_sampler *sampler;
    test_ok(dq_options_defaults(kind->about.options, options, &error), &error);
    for (int i = 0; i < count; i++)
        test_ok(dq_options_assign(kind->about.options, options, words[i], NULL, &error), &error);
    test_ok(kind->create(&sampler, options, capacity, &error), &error);
    free(options);
    return sampler;
}

// Chi-square with `bins - 1` degrees of freedom: mean bins - 1, variance 2 (bins - 1); 5 sigma is refused.
static void check_frequencies(const char *sampling, int size) {
    enum { BATCH = 50, BATCHES = 20000 };
    const dq_sampler_class *kind = &dq_sampler_prioritized;
    const char *words[] = {"priority_alpha=0.7", "priority_offset=0", sampling};
    dq_sampler *sampler = new_sampler(size + 13, words, 3);
    dq_rng rng;
    dq_rng_seed(&rng, 4);
    int64_t *slots = calloc((size_t)size, sizeof *slots);
    float *priorities = calloc((size_t)size, sizeof *priorities);
    double *probability = calloc((size_t)size, sizeof *probability), total = 0;
    int64_t *hits = calloc((size_t)size, sizeof *hits), drawn[BATCH];
    float weights[BATCH];
    for (int i = 0; i < size; i++) {
        kind->insert(sampler, i);
        slots[i] = i;
        priorities[i] = (float)dq_rng_integers(&rng, 1, 100);
        total += probability[i] = pow((double)priorities[i], 0.7);
    }
    kind->update(sampler, slots, priorities, size);
    for (int b = 0; b < BATCHES; b++) {
        kind->draw(sampler, &rng, size, 0, BATCH, drawn, weights);
        for (int i = 0; i < BATCH; i++) hits[drawn[i]]++;
    }
    double chi_square = 0;
    for (int i = 0; i < size; i++) {
        double expected = probability[i] / total * BATCH * BATCHES, off = (double)hits[i] - expected;
        chi_square += off * off / expected;
    }
    double limit = size - 1 + 5 * sqrt(2.0 * (size - 1));
    if (chi_square > limit)
        fail_msg("%s, %d slots: chi-square %g, at most %g", sampling, size, chi_square, limit);
    kind->destroy(sampler);
    free(hits), free(probability), free(priorities), free(slots);
}

static void draws_in_proportion_to_the_priorities(void **state) {
    (void)state;
    const int sizes[] = {20, 200, 1111};
    for (int i = 0; i < 3; i++) {
        check_frequencies("priority_stratified=false", sizes[i]);
        check_frequencies("priority_stratified=true", sizes[i]);
    }
}

static void alpha_0_gives_weights_of_1(void **state) {
    (void)state;
    const dq_sampler_class *kind = &dq_sampler_prioritized;
    const char *words[] = {"priority_alpha=0"};
    dq_sampler *sampler = new_sampler(100, words, 1);
    dq_rng rng;
    dq_rng_seed(&rng, 5);
    int64_t slots[32];
    float weights[32], priorities[32];
    for (int i = 0; i < 100; i++) kind->insert(sampler, i);
    for (int round = 0; round < 100; round++) {
        kind->draw(sampler, &rng, 100, round * 1000, 32, slots, weights);
        for (int i = 0; i < 32; i++) {
            assert_true(weights[i] == 1.0F);
            priorities[i] = (float)dq_rng_random(&rng) * 100;
        }
        kind->update(sampler, slots, priorities, 32);
    }
    kind->destroy(sampler);
}

// w_i = (N P(i))^-beta / max_j w_j over the batch, with beta on its way from 0.4 to 1.
static void weights_follow_the_paper(void **state) {
    (void)state;
    enum { SIZE = 300, BATCH = 64 };
    const dq_sampler_class *kind = &dq_sampler_prioritized;
    const char *words[] = {"priority_alpha=0.6", "priority_beta=0.4", "priority_beta_end=1",
                           "priority_beta_period=1000", "priority_offset=0.1"};
    dq_sampler *sampler = new_sampler(SIZE, words, 5);
    dq_rng rng;
    dq_rng_seed(&rng, 6);
    int64_t all[SIZE], slots[BATCH];
    float errors[SIZE], weights[BATCH];
    double total = 0;
    for (int i = 0; i < SIZE; i++) {
        kind->insert(sampler, i);
        all[i] = i;
        errors[i] = (float)dq_rng_random(&rng) * 5;
        total += pow((double)errors[i] + 0.1, 0.6);
    }
    kind->update(sampler, all, errors, SIZE);
    for (int64_t updates = 0; updates <= 2000; updates += 500) {
        double beta = updates < 1000 ? 0.4 + 0.6 * (double)updates / 1000 : 1, largest = 0;
        kind->draw(sampler, &rng, SIZE, updates, BATCH, slots, weights);
        for (int i = 0; i < BATCH; i++) {
            double p = pow((double)errors[slots[i]] + 0.1, 0.6) / total;
            largest = fmax(largest, pow(SIZE * p, -beta));
        }
        for (int i = 0; i < BATCH; i++) {
            double p = pow((double)errors[slots[i]] + 0.1, 0.6) / total;
            assert_true(fabs((double)weights[i] - pow(SIZE * p, -beta) / largest) < 1e-5);
        }
    }
    kind->destroy(sampler);
}

// New transitions get the largest priority so far; saved memory read back into a fresh sampler goes on alike.
static void new_ones_come_first_and_a_saved_sampler_goes_on(void **state) {
    (void)state;
    enum { SIZE = 1000, BATCH = 64 };
    const dq_sampler_class *kind = &dq_sampler_prioritized;
    dq_sampler *a = new_sampler(SIZE, NULL, 0), *b = new_sampler(SIZE, NULL, 0);
    dq_rng rng, other;
    dq_rng_seed(&rng, 7);
    int64_t slots[BATCH], other_slots[BATCH];
    float weights[BATCH], other_weights[BATCH], errors[BATCH];
    for (int i = 0; i < 500; i++) kind->insert(a, i);
    for (int round = 0; round < 200; round++) {
        kind->draw(a, &rng, 500, round, BATCH, slots, weights);
        for (int i = 0; i < BATCH; i++) errors[i] = (float)dq_rng_random(&rng) * (round == 100 ? 7 : 0.5F);
        kind->update(a, slots, errors, BATCH);
    }
    float largest = 0;
    size_t size, other_size;
    char *memory = kind->state(a, &size), *other_memory = kind->state(b, &other_size);
    const float *leaves = (const float *)(memory + 64);
    for (int i = 0; i < 500; i++) largest = leaves[i] > largest ? leaves[i] : largest;
    kind->insert(a, 500);
    assert_true(leaves[500] >= largest && leaves[500] > 1);

    assert_int_equal(size, other_size);
    memcpy(other_memory, memory, size);
    kind->restored(b);
    other = rng;
    for (int round = 0; round < 50; round++) {
        kind->draw(a, &rng, 501, round, BATCH, slots, weights);
        kind->draw(b, &other, 501, round, BATCH, other_slots, other_weights);
        assert_memory_equal(slots, other_slots, sizeof slots);
        assert_memory_equal(weights, other_weights, sizeof weights);
        for (int i = 0; i < BATCH; i++) errors[i] = (float)(slots[i] % 10);
        kind->update(a, slots, errors, BATCH);
        kind->update(b, slots, errors, BATCH);
    }
    kind->destroy(b);
    kind->destroy(a);
}

static void priorities_that_are_not_numbers_do_no_harm(void **state) {
    (void)state;
    const dq_sampler_class *kind = &dq_sampler_prioritized;
    dq_sampler *sampler = new_sampler(4, NULL, 0);
    int64_t slots[4] = {0, 1, 2, 3};
    float errors[4] = {NAN, INFINITY, 0, 1}, weights[4];
    dq_rng rng;
    dq_rng_seed(&rng, 8);
    for (int i = 0; i < 4; i++) kind->insert(sampler, i);
    kind->update(sampler, slots, errors, 4);
    kind->draw(sampler, &rng, 4, 0, 4, slots, weights);
    for (int i = 0; i < 4; i++)
        assert_true(slots[i] >= 0 && slots[i] < 4 && weights[i] >= 0 && weights[i] <= 1);
    kind->destroy(sampler);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_a_naive_scan_over_a_million_operations),
        cmocka_unit_test(batches_equal_single_calls_and_a_rebuild_changes_nothing),
        cmocka_unit_test(never_finds_a_slot_of_priority_zero),
        cmocka_unit_test(draws_in_proportion_to_the_priorities),
        cmocka_unit_test(alpha_0_gives_weights_of_1),
        cmocka_unit_test(weights_follow_the_paper),
        cmocka_unit_test(new_ones_come_first_and_a_saved_sampler_goes_on),
        cmocka_unit_test(priorities_that_are_not_numbers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
