// Studies as plain data: what is set is found, distributions hold what they say, the best and the front.
#include "support.h"
#include "tune/prune.h"

#include <math.h>

static dq_study study;

static int begin(void **state) {
    (void)state;
    return dq_study_init(&study, "s", (dq_direction[]){DQ_MAXIMIZE, DQ_MINIMIZE}, 2, NULL);
}

static int end(void **state) {
    (void)state;
    dq_study_deinit(&study);
    return 0;
}

static dq_trial *add(double first, double second) {
    dq_trial *trial = NULL;
    assert_int_equal(dq_study_add_trial(&study, &trial, NULL), DQ_OK);
    assert_int_equal(dq_trial_set_values(trial, (double[]){first, second}, 2, NULL), DQ_OK);
    trial->state = DQ_TRIAL_COMPLETE;
    return trial;
}

static void what_is_set_is_found(void **state) {
    (void)state;
    dq_trial *trial = add(1, 1);
    const dq_distribution kinds = {.kind = DQ_CATEGORICAL,
                                   .high = 1,
                                   .step = 1,
                                   .choices = (const char *[]){"\"a\"", "true"},
                                   .choice_count = 2};
    const dq_distribution rate = {.kind = DQ_FLOAT, .low = 1e-5, .high = 1, .log = true};
    for (int round = 0; round < 2; round++) {
        assert_int_equal(dq_trial_set_param(&study, trial, "kind", &kinds, round, NULL), DQ_OK);
        assert_int_equal(dq_trial_set_param(&study, trial, "rate", &rate, 0.5, NULL), DQ_OK);
        for (int step = 5; step > 0; step--)
            assert_int_equal(dq_trial_set_intermediate(trial, step * 10, step + round, NULL), DQ_OK);
        assert_int_equal(dq_attributes_set(&trial->user, "key", round ? "2" : "1", NULL), DQ_OK);
    }
    assert_int_equal(trial->param_count, 2);
    assert_int_equal(study.distribution_count, 2);
    assert_int_equal(study.name_count, 2);
    assert_true(dq_trial_find_param(trial, "kind")->value == 1);
    assert_string_equal(dq_trial_find_param(trial, "kind")->distribution->choices[1], "true");
    assert_null(dq_trial_find_param(trial, "other"));
    assert_int_equal(trial->intermediate_count, 5);
    for (int i = 0; i < 5; i++) assert_int_equal(trial->intermediates[i].step, (i + 1) * 10);
    int64_t step = 0;
    assert_true(dq_trial_last(trial, &step) == 6);
    assert_int_equal(step, 50);
    assert_string_equal(dq_attributes_find(&trial->user, "key"), "2");
}

static void the_best_and_the_front(void **state) {
    (void)state;
    add(NAN, 0); // good in one direction only
    add(5, 5);
    add(5, 5);        // as good: both are in the front, the earlier is the best
    add(4, 6);        // beaten
    add(7, INFINITY); // the best first value
    add(3, 1);
    add(100, 0)->state = DQ_TRIAL_PRUNED;
    assert_int_equal(dq_study_best(&study)->number, 4);
    const dq_trial *front[7];
    const int expected[] = {0, 1, 2, 4, 5};
    assert_int_equal(dq_study_front(&study, front), 5);
    for (int i = 0; i < 5; i++) assert_int_equal(front[i]->number, expected[i]);
}

static void values_snap_to_what_the_distribution_holds(void **state) {
    (void)state;
    const dq_distribution list[] = {
        {.kind = DQ_FLOAT, .low = 0.1, .high = 1, .step = 0.25}, // 0.1 0.35 0.6 0.85
        {.kind = DQ_INTEGER, .low = 1, .high = 1000, .step = 1, .log = true},
        {.kind = DQ_INTEGER, .low = -3, .high = 8, .step = 4},
        {.kind = DQ_FLOAT, .low = 1e-5, .high = 1e-2, .log = true},
        {.kind = DQ_FLOAT, .low = 2, .high = 2},
    };
    dq_suggester *suggester = NULL;
    const dq_suggester_class *random = dq_suggester_find("random");
    assert_non_null(random);
    assert_int_equal(random->create(&suggester, NULL, NULL), DQ_OK);
    dq_rng rng;
    dq_rng_seed(&rng, 1);
    for (int i = 0; i < 5; i++) {
        double smallest = INFINITY, largest = -INFINITY;
        for (int k = 0; k < 3000; k++) {
            double value = random->alone(suggester, NULL, NULL, "x", &list[i], &rng);
            assert_true(dq_distribution_contains(&list[i], value));
            smallest = fmin(smallest, value);
            largest = fmax(largest, value);
        }
        assert_true(smallest <= list[i].low * (list[i].log ? 1.2 : 1));
        assert_true(largest >= (i == 0 ? 0.85 : i == 2 ? 5 : list[i].high * 0.8) - 1e-12);
        assert_true(dq_distribution_contains(&list[i], dq_distribution_snap(&list[i], 1e9)));
        assert_int_equal(dq_distribution_single(&list[i]), i == 4);
    }
    assert_false(dq_distribution_contains(&list[2], 0));
    assert_false(dq_distribution_contains(&list[0], NAN));
    random->destroy(suggester);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_set_is_found, begin, end),
        cmocka_unit_test_setup_teardown(the_best_and_the_front, begin, end),
        cmocka_unit_test(values_snap_to_what_the_distribution_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
