// The vectorised stepper keeps its word for every class there is: instances are independent, a snapshot goes
// on to the same bits, limits truncate, resets and final observations are where they belong.
#include "support.h"

#include <deepq/env.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INSTANCES = 5, STEPS = 700 };

static dq_vecenv *create(const dq_env_class *c, int count, int limit, uint64_t seed) {
    dq_vecenv *env;
    dq_error error;
    test_ok(dq_vecenv_create(&env, c, NULL, count, limit, seed, &error), &error);
    return env;
}

// Slow dynamics get fewer steps.
static int steps_for(const dq_env_class *c) {
    return strcmp(c->id, "HIVPatient") == 0 ? STEPS / 3 : STEPS;
}

static void draw_actions(dq_rng *rng, const dq_vecenv *env, int32_t *actions) {
    for (int i = 0; i < env->count; i++) {
        actions[i] = (int32_t)dq_rng_integers(rng, 0, env->env_class->actions);
    }
}

static void every_class_is_complete(void **unused) {
    (void)unused;
    for (int i = 0; i < dq_env_count(); i++) {
        const dq_env_class *c = dq_env_at(i);
        dq_error error;
        dq_env_class copy = *c;
        copy.id = "of the same shape";
        assert_ptr_equal(dq_env_find(c->id, &error), c);
        assert_int_equal(dq_env_register(c, &error), DQ_USAGE); // the id is taken
        copy.step = NULL;
        assert_int_equal(dq_env_register(&copy, &error), DQ_USAGE);
        assert_true(c->options.count == 0 || c->options_size > 0);
    }
    dq_error error;
    assert_null(dq_env_find("CartPoel-v1", &error));
    assert_non_null(strstr(error.message, "CartPole-v1"));
}

static void instances_equal_single_ones(const dq_env_class *c) {
    const size_t d = dq_space_bytes(&c->observation);
    dq_vecenv *together = create(c, INSTANCES, -1, 7), *alone[INSTANCES];
    for (int i = 0; i < INSTANCES; i++) alone[i] = create(c, 1, -1, 7 + (uint64_t)i);
    dq_rng rng;
    dq_rng_seed(&rng, 1);
    for (int step = 0; step < steps_for(c); step++) {
        int32_t actions[INSTANCES];
        draw_actions(&rng, together, actions);
        dq_vecenv_step(together, actions);
        for (size_t i = 0; i < INSTANCES; i++) {
            dq_vecenv_step(alone[i], &actions[i]);
            assert_memory_equal(dq_vecenv_observation(together, (int)i), alone[i]->observation, d);
            assert_memory_equal(dq_vecenv_final_observation(together, (int)i), alone[i]->final_observation,
                                d);
            assert_memory_equal(&together->reward[i], alone[i]->reward, sizeof(double));
            assert_memory_equal(&together->episode_return[i], alone[i]->episode_return, sizeof(double));
            assert_int_equal(together->terminated[i], alone[i]->terminated[0]);
            assert_int_equal(together->truncated[i], alone[i]->truncated[0]);
            assert_int_equal(together->episode_length[i], alone[i]->episode_length[0]);
        }
    }
    for (int i = 0; i < INSTANCES; i++) dq_vecenv_destroy(alone[i]);
    dq_vecenv_destroy(together);
}

static void snapshot_goes_on_to_the_same_bits(const dq_env_class *c) {
    dq_vecenv *env = create(c, INSTANCES, -1, 3);
    const int steps = steps_for(c);
    unsigned char *middle = malloc(env->memory_size), *end = malloc(env->memory_size);
    assert_non_null(middle);
    assert_non_null(end);
    dq_rng rng, rng_middle = {0};
    dq_rng_seed(&rng, 2);
    int32_t actions[INSTANCES];
    for (int step = 0; step < steps; step++) {
        if (step == steps / 2) {
            memcpy(middle, env->memory, env->memory_size);
            rng_middle = rng;
        }
        draw_actions(&rng, env, actions);
        dq_vecenv_step(env, actions);
    }
    memcpy(end, env->memory, env->memory_size);
    dq_vecenv_destroy(env);

    env = create(c, INSTANCES, -1, 99);
    memcpy(env->memory, middle, env->memory_size);
    rng = rng_middle;
    for (int step = steps / 2; step < steps; step++) {
        draw_actions(&rng, env, actions);
        dq_vecenv_step(env, actions);
    }
    assert_memory_equal(env->memory, end, env->memory_size);
    dq_vecenv_destroy(env);
    free(middle);
    free(end);
}

// Follows two instances beside a plain count of their steps and sums.
static void episodes_end_where_they_should(const dq_env_class *c, int limit) {
    const size_t d = dq_space_bytes(&c->observation);
    const bool numbers = c->observation.element == DQ_F32;
    dq_vecenv *env = create(c, 2, limit, 11);
    int64_t length[2] = {0};
    double sum[2] = {0};
    dq_rng rng;
    dq_rng_seed(&rng, 5);
    for (int step = 0; step < steps_for(c); step++) {
        int32_t actions[2];
        draw_actions(&rng, env, actions);
        dq_vecenv_step(env, actions);
        for (size_t i = 0; i < 2; i++) {
            length[i]++;
            sum[i] += env->reward[i];
            assert_int_equal(env->episode_length[i], length[i]);
            assert_true(env->episode_return[i] == sum[i]);
            assert_false(env->terminated[i] && env->truncated[i]);
            assert_int_equal(env->truncated[i], limit > 0 && length[i] == limit && !env->terminated[i]);
            const bool over = env->terminated[i] || env->truncated[i];
            const float *next = dq_vecenv_observation(env, (int)i);
            const float *last = dq_vecenv_final_observation(env, (int)i);
            if (!over && !env->life_lost[i]) assert_memory_equal(next, last, d);
            if (over) length[i] = 0, sum[i] = 0;
            for (size_t k = 0; numbers && k < d / sizeof(float); k++)
                assert_true(isfinite(last[k]) && isfinite(next[k]));
        }
    }
    dq_vecenv_destroy(env);
}

// The automatic reset draws from the instance's own stream, as Gymnasium's reset() without a seed does.
static void reset_goes_on_with_the_stream(const dq_env_class *c) {
    const size_t d = dq_space_bytes(&c->observation);
    dq_vecenv *env = create(c, 1, 1, 21);
    unsigned char *state = malloc(env->state_stride), *expected = malloc(d), *after = malloc(d);
    assert_true(state && expected && after);
    dq_rng rng = env->rng[0];
    double reward;
    memcpy(state, env->state, env->state_stride);
    const int32_t action = 0;
    c->step(state, env->options, &rng, action, after, &reward);
    c->reset(state, env->options, &rng, expected);
    dq_vecenv_step(env, &action);
    assert_memory_equal(env->final_observation, after, d);
    assert_memory_equal(env->observation, expected, d);
    assert_true(env->truncated[0] || env->terminated[0]);

    dq_vecenv_reset(env, 0, 21);
    dq_vecenv *fresh = create(c, 1, 1, 21);
    assert_memory_equal(env->memory, fresh->memory, env->memory_size);
    dq_vecenv_destroy(fresh);
    dq_vecenv_destroy(env);
    free(state);
    free(expected);
    free(after);
}

// step is step_with_noise with draws of its own; restore undoes observe.
static void replaying_equals_stepping(const dq_env_class *c) {
    dq_vecenv *a = create(c, 1, 0, 4), *b = create(c, 1, 0, 4);
    double exact[DQ_OBSERVATION_MAX], noise[DQ_OBSERVATION_MAX];
    for (int step = 0; step < 50; step++) {
        const int32_t action = step % c->actions;
        if (c->step_with_noise) {
            for (int i = 0; i < c->noise_size; i++) noise[i] = dq_rng_uniform(b->rng, -1, 1);
            c->step_with_noise(b->state, b->options, noise, action, b->final_observation, b->reward);
            dq_vecenv_step(a, &action);
            if (a->terminated[0]) break;
            assert_memory_equal(a->state, b->state, c->state_size);
            assert_memory_equal(a->final_observation, b->final_observation,
                                (size_t)c->observation.size * sizeof(float));
        }
        if (c->observe && c->restore) {
            c->observe(a->state, a->options, exact);
            memset(b->state, 0, c->state_size);
            c->restore(b->state, b->options, exact);
            assert_memory_equal(a->state, b->state, c->state_size);
        }
    }
    dq_vecenv_destroy(a);
    dq_vecenv_destroy(b);
}

static void the_stepper_keeps_its_word(void **unused) {
    (void)unused;
    for (int i = 0; i < dq_env_count(); i++) {
        const dq_env_class *c = dq_env_at(i);
        print_message("%s\n", c->id);
        instances_equal_single_ones(c);
        snapshot_goes_on_to_the_same_bits(c);
        episodes_end_where_they_should(c, 0);
        episodes_end_where_they_should(c, 1);
        episodes_end_where_they_should(c, 13);
        reset_goes_on_with_the_stream(c);
        replaying_equals_stepping(c);
    }
}

static void wrong_numbers_are_refused(void **unused) {
    (void)unused;
    dq_error error;
    dq_vecenv *env;
    const dq_env_class *c = dq_env_find("CartPole-v1", &error);
    assert_int_equal(dq_vecenv_create(&env, c, NULL, 0, -1, 0, &error), DQ_USAGE);
    assert_null(env);
    env = create(c, 1, -1, 0);
    assert_int_equal(env->step_limit, 500);
    dq_vecenv_destroy(env);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_is_complete),
        cmocka_unit_test(the_stepper_keeps_its_word),
        cmocka_unit_test(wrong_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
