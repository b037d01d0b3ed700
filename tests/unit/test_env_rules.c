// Rules of the environments that no recorded episode reaches: options, goals, rewards at rare places.
#include "support.h"

#include <deepq/env.h>
#include <math.h>
#include <string.h>

// One instance with options "key=value key=value".
static dq_vecenv *create(const char *id, const char *assignments) {
    dq_error error;
    unsigned char options[1024];
    char words[256];
    dq_vecenv *env;
    const dq_env_class *c = dq_env_find(id, &error);
    if (!c) fail_msg("%s", error.message);
    assert_true(c->options_size <= sizeof options);
    test_ok(dq_options_defaults(c->options, options, &error), &error);
    snprintf(words, sizeof words, "%s", assignments);
    char *save;
    for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        test_ok(dq_options_assign(c->options, options, word, "test", &error), &error);
    }
    test_ok(dq_vecenv_create(&env, c, options, 1, -1, 0, &error), &error);
    return env;
}

static void step(dq_vecenv *env, int32_t action) {
    dq_vecenv_step(env, &action);
}

static void cartpole_integrators_differ_in_when_positions_move(void **unused) {
    (void)unused;
    dq_vecenv *euler = create("CartPole-v1", ""),
              *implicit = create("CartPole-v1", "kinematics_integrator=semi-implicit");
    const float x = test_floats(euler->observation)[0], v = test_floats(euler->observation)[1];
    step(euler, 1);
    step(implicit, 1);
    assert_float_equal(test_floats(euler->observation)[0], x + 0.02f * v, 1e-7f);
    assert_float_equal(test_floats(implicit->observation)[0],
                       x + 0.02f * test_floats(implicit->observation)[1], 1e-7f);
    assert_true(test_floats(euler->observation)[1] == test_floats(implicit->observation)[1]);
    dq_vecenv_destroy(euler);
    dq_vecenv_destroy(implicit);
}

static void mountaincar_may_ask_for_speed_at_the_flag(void **unused) {
    (void)unused;
    const double at_the_flag[] = {0.4999, 0.02};
    dq_vecenv *slow = create("MountainCar-v0", ""), *fast = create("MountainCar-v0", "goal_velocity=0.05");
    memcpy(slow->state, at_the_flag, sizeof at_the_flag);
    memcpy(fast->state, at_the_flag, sizeof at_the_flag);
    step(slow, 2);
    step(fast, 2);
    assert_true(slow->terminated[0]);
    assert_false(fast->terminated[0]);
    dq_vecenv_destroy(slow);
    dq_vecenv_destroy(fast);
}

static void acrobot_noise_and_equations_matter(void **unused) {
    (void)unused;
    dq_vecenv *plain = create("Acrobot-v1", ""), *noisy = create("Acrobot-v1", "torque_noise_max=1"),
              *nips = create("Acrobot-v1", "book_or_nips=nips");
    assert_memory_equal(plain->observation, noisy->observation, 6 * sizeof(float));
    step(plain, 2);
    step(noisy, 2);
    step(nips, 2);
    assert_memory_not_equal(plain->observation, noisy->observation, 6 * sizeof(float));
    assert_memory_not_equal(plain->observation, nips->observation, 6 * sizeof(float));
    dq_vecenv_destroy(plain);
    dq_vecenv_destroy(noisy);
    dq_vecenv_destroy(nips);
}

static void swingup_pays_near_the_top_and_charges_for_ends(void **unused) {
    (void)unused;
    dq_vecenv *env = create("CartPoleSwingUp", "");
    const struct {
        float state[4];
        double reward;
        bool terminated;
    } cases[] = {
        {{0, 0, 0.2f, 0}, 1, false},   {{0, 0, -0.2f, 0}, 1, false},    {{0, 0, 0.25f, 0}, 0, false},
        {{2.39f, 5, 0, 0}, -10, true}, {{-2.39f, -5, 0, 0}, -10, true}, {{0, 0, 3, 12.9f}, -10, true},
        {{0, 0, 3.1f, 5}, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(env->state, cases[i].state, sizeof cases[i].state);
        step(env, 1);
        assert_true(env->reward[0] == cases[i].reward);
        assert_int_equal(env->terminated[0], cases[i].terminated);
        assert_true(fabsf(test_floats(env->final_observation)[2]) <= (float)M_PI);
    }
    dq_vecenv_destroy(env);
}

static void bicycle_may_end_at_the_goal(void **unused) {
    (void)unused;
    // Upright, riding east, the front wheel 1 cm before the goal's edge.
    const double xf = 990 - 0.01;
    const double state[12] = {0, 0, 0, 0, xf - 1.11, 0, xf, 0, 0, 0.01, -M_PI / 2, 0};
    dq_vecenv *goes_on = create("Bicycle", "max_noise=0"),
              *ends = create("Bicycle", "max_noise=0 goal_ends=true");
    goes_on->env_class->restore(goes_on->state, goes_on->options, state);
    ends->env_class->restore(ends->state, ends->options, state);
    step(goes_on, 0);
    step(ends, 0);
    assert_false(goes_on->terminated[0]);
    assert_true(ends->terminated[0]);
    // 10 / 3.6 m/s for 0.01 s, straight on: 0.01 of reward a metre.
    assert_true(fabs(ends->reward[0] - 0.01 * 10 / 3.6 * 0.01) < 1e-9);
    assert_true(fabs((double)test_floats(ends->final_observation)[9] - (0.01 - 10 / 3.6 * 0.01)) < 1e-5);
    dq_vecenv_destroy(goes_on);
    dq_vecenv_destroy(ends);
}

static void bicycle_falls_either_way(void **unused) {
    (void)unused;
    for (int side = -1; side <= 1; side += 2) {
        dq_vecenv *env = create("Bicycle", "");
        double state[12];
        env->env_class->observe(env->state, env->options, state);
        state[2] = side * (M_PI / 15 - 1e-4);
        state[3] = side * 1.0;
        env->env_class->restore(env->state, env->options, state);
        step(env, 0);
        assert_true(env->terminated[0]);
        dq_vecenv_destroy(env);
    }
}

static void hiv_patients_start_and_differ_as_asked(void **unused) {
    (void)unused;
    const struct {
        const char *options;
        float E;
    } cases[] = {{"", 24}, {"start=unhealthy", 24}, {"start=healthy", 353108}, {"start=uninfected", 10}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_vecenv *env = create("HIVPatient", cases[i].options);
        assert_true(test_floats(env->observation)[5] == cases[i].E);
        dq_vecenv_destroy(env);
    }
    // Randomised patients answer the same treatment differently, the standard one always alike.
    float V[2][3];
    for (int randomized = 0; randomized < 2; randomized++) {
        dq_vecenv *env = create("HIVPatient", randomized ? "domain_randomization=true" : "");
        for (int patient = 0; patient < 3; patient++) {
            dq_vecenv_reset(env, 0, (uint64_t)patient);
            step(env, 3);
            V[randomized][patient] = test_floats(env->observation)[4];
        }
        dq_vecenv_destroy(env);
    }
    assert_true(V[0][0] == V[0][1] && V[0][1] == V[0][2]);
    assert_true(V[1][0] != V[1][1] && V[1][1] != V[1][2]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cartpole_integrators_differ_in_when_positions_move),
        cmocka_unit_test(mountaincar_may_ask_for_speed_at_the_flag),
        cmocka_unit_test(acrobot_noise_and_equations_matter),
        cmocka_unit_test(swingup_pays_near_the_top_and_charges_for_ends),
        cmocka_unit_test(bicycle_may_end_at_the_goal),
        cmocka_unit_test(bicycle_falls_either_way),
        cmocka_unit_test(hiv_patients_start_and_differ_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
