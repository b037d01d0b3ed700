// Families of environments, and what dynamics with a generator and ends of their own ask of the stepper.
#include "support.h"

#include <deepq/env.h>
#include <math.h>
#include <string.h>

enum { ENDS_AFTER = 3, BREAKS_AT = 7 };

// Counts its steps; truncates itself at the third, or terminates there with action 1.
typedef struct counter {
    uint64_t seed;
    bool seeded, truncated;
    int length, episodes, total;
} counter;

static bool broken;

static void seed(void *state, const void *options, uint64_t value) {
    (void)options;
    counter *c = state;
    c->seed = value;
    c->seeded = true;
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options, (void)rng;
    counter *c = state;
    c->episodes = c->seeded ? 0 : c->episodes + 1;
    c->seeded = c->truncated = false;
    c->length = 0;
    float *numbers = observation;
    numbers[0] = (float)c->seed;
    numbers[1] = (float)c->episodes;
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)options, (void)rng;
    counter *c = state;
    broken |= ++c->total == BREAKS_AT;
    const bool over = ++c->length == ENDS_AFTER;
    c->truncated = over && action == 0;
    float *numbers = observation;
    numbers[0] = (float)c->seed;
    numbers[1] = (float)-c->length;
    *reward = 1;
    return over && action == 1;
}

static bool truncated(const void *state) {
    return ((const counter *)state)->truncated;
}

static dq_status check(const void *options, dq_error *error) {
    (void)options;
    return broken ? dq_fail(error, DQ_IO, "counter", "the counter broke") : DQ_OK;
}

static const float bounds_low[] = {0, -ENDS_AFTER}, bounds_high[] = {1000, 1000};
static const char *const observation_names[] = {"seed", "count"}, *const action_names[] = {"cut", "end"};
static const dq_env_class counter_class = {
    .id = "count:3",
    .summary = "counts",
    .source = "this test",
    .observation = DQ_VECTOR(2),
    .observation_low = bounds_low,
    .observation_high = bounds_high,
    .observation_names = observation_names,
    .actions = 2,
    .action_names = action_names,
    .reward_threshold = NAN,
    .state_size = sizeof(counter),
    .reset = reset,
    .step = step,
    .seed = seed,
    .truncated = truncated,
    .check = check,
};

static int made;

static const dq_env_class *find(const char *id, dq_error *error) {
    made++;
    if (!strcmp(id, "count:3")) return &counter_class;
    dq_fail(error, DQ_USAGE, id, "nobody counts to %s", id + 6);
    return NULL;
}

static int set_up(void **unused) {
    (void)unused;
    dq_error error;
    assert_null(dq_env_find("count:3", &error));
    test_ok(dq_env_register_family("count:", find, &error), &error);
    assert_int_equal(dq_env_register_family("count:", find, &error), DQ_USAGE);
    assert_non_null(strstr(error.message, "registered already"));
    return 0;
}

static void a_family_makes_a_class_once(void **unused) {
    (void)unused;
    dq_error error;
    const int before = dq_env_count();
    assert_null(dq_env_find("count:4", &error));
    assert_string_equal(error.message, "nobody counts to 4");
    assert_ptr_equal(dq_env_find("count:3", &error), &counter_class);
    assert_ptr_equal(dq_env_find("count:3", &error), &counter_class);
    assert_int_equal(made, 2);
    assert_int_equal(dq_env_count(), before + 1);
    assert_ptr_equal(dq_env_at(before), &counter_class);
}

static void own_seeds_and_own_truncation(void **unused) {
    (void)unused;
    dq_error error;
    dq_vecenv *env;
    test_ok(dq_vecenv_create(&env, &counter_class, NULL, 2, -1, 40, &error), &error);
    assert_true(test_floats(env->observation)[0] == 40 && test_floats(env->observation)[2] == 41);
    for (int t = 1; t <= ENDS_AFTER; t++) {
        assert_false(env->truncated[0] || env->terminated[1]);
        dq_vecenv_step(env, (const int32_t[]){0, 1});
    }
    assert_true(env->truncated[0] && !env->terminated[0]);
    assert_true(env->terminated[1] && !env->truncated[1]);
    assert_true(test_floats(env->final_observation)[1] == -ENDS_AFTER &&
                test_floats(env->observation)[1] == 1); // no seed: it goes on
    dq_vecenv_reset(env, 0, 7);
    assert_true(test_floats(env->observation)[0] == 7 && test_floats(env->observation)[1] == 0);

    test_ok(dq_vecenv_check(env, &error), &error);
    for (int t = 0; t < BREAKS_AT; t++) dq_vecenv_step(env, (const int32_t[]){0, 1});
    assert_int_equal(dq_vecenv_check(env, &error), DQ_IO);
    dq_vecenv_destroy(env);
    assert_int_equal(dq_vecenv_create(&env, &counter_class, NULL, 1, -1, 0, &error), DQ_IO);
    assert_null(env);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_makes_a_class_once),
        cmocka_unit_test(own_seeds_and_own_truncation),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
