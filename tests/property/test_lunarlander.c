// LunarLander's state is plain memory although its bodies' world is not: snapshots go on to the same bits, in
// the air, on the ground, and after more steps than the state holds actions for.
#include "support.h"

#include <deepq/env.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONG = 4096 + 700 };

static dq_vecenv *create(const char *options_text, int count, int limit, uint64_t seed) {
    dq_error error;
    dq_vecenv *env;
    unsigned char options[256];
    char words[128];
    const dq_env_class *c = dq_env_find("LunarLander-v3", &error);
    if (!c) exit(TEST_SKIPPED); // built without Box2D
    assert_true(c->options_size <= sizeof options);
    test_ok(dq_options_defaults(c->options, options, &error), &error);
    snprintf(words, sizeof words, "%s", options_text);
    char *save;
    for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        test_ok(dq_options_assign(c->options, options, word, "test", &error), &error);
    }
    test_ok(dq_vecenv_create(&env, c, options, count, limit, seed, &error), &error);
    return env;
}

// Gymnasium's heuristic pilot, bound for a height above the pad; 0 lands.
static int32_t pilot(const float *o, float height) {
    float angle = fminf(fmaxf(o[0] * 0.5f + o[2], -0.4f), 0.4f);
    float turn = (angle - o[4]) * 0.5f - o[5];
    float target = height > 0 ? height : 0.55f * fabsf(o[0]);
    float lift = (target - o[1]) * 0.5f - o[3] * 0.5f;
    if (height <= 0 && (o[6] != 0 || o[7] != 0)) {
        turn = 0;
        lift = -o[3] * 0.5f;
    }
    if (lift > fabsf(turn) && lift > 0.05f) return 2;
    return turn < -0.05f ? 3 : turn > 0.05f ? 1 : 0;
}

// Plays `steps`, keeps a snapshot of one moment, and plays on from it in another stepper.
static void play_from_a_snapshot(float height, int steps, int moment, const char *options) {
    dq_vecenv *env = create(options, 1, 0, 5), *other = create("", 1, 0, 77);
    unsigned char *snapshot = malloc(env->memory_size);
    assert_non_null(snapshot);
    assert_int_equal(env->memory_size, other->memory_size);
    for (int i = 0; i < steps; i++) {
        if (i == moment) memcpy(snapshot, env->memory, env->memory_size);
        int32_t action = pilot(env->observation, height);
        dq_vecenv_step(env, &action);
    }
    memcpy(other->memory, snapshot, env->memory_size);
    for (int i = moment; i < steps; i++) {
        int32_t action = pilot(other->observation, height);
        dq_vecenv_step(other, &action);
    }
    assert_memory_equal(env->memory, other->memory, env->memory_size);
    if (height > 0) assert_int_equal(env->episode_length[0], steps); // it hovered all the time
    free(snapshot);
    dq_vecenv_destroy(env);
    dq_vecenv_destroy(other);
}

static void a_landing_goes_on_from_any_moment(void **unused) {
    (void)unused;
    const int moments[] = {0, 1, 60, 150, 180, 190, 200, 250, 399};
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        play_from_a_snapshot(0, 400, moments[i], "");
        play_from_a_snapshot(0, 400, moments[i], "wind=true gravity=-9");
    }
}

static void a_hover_is_longer_than_the_history(void **unused) {
    (void)unused;
    const int moments[] = {4000, 4094, 4095, 4096, 4097, LONG - 100};
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
        play_from_a_snapshot(0.8f, LONG, moments[i], "");
}

// Two snapshots in turn in one stepper: each time the world is another one.
static void two_states_share_a_place(void **unused) {
    (void)unused;
    dq_vecenv *a = create("", 1, -1, 1), *b = create("", 1, -1, 2), *shared = create("", 1, -1, 3);
    unsigned char *memory[2] = {malloc(a->memory_size), malloc(a->memory_size)};
    memcpy(memory[0], a->memory, a->memory_size);
    memcpy(memory[1], b->memory, a->memory_size);
    for (int i = 0; i < 60; i++) {
        for (int k = 0; k < 2; k++) {
            dq_vecenv *own = k ? b : a;
            int32_t action = pilot(own->observation, 0);
            memcpy(shared->memory, memory[k], shared->memory_size);
            dq_vecenv_step(own, &action);
            dq_vecenv_step(shared, &action);
            assert_memory_equal(shared->memory, own->memory, own->memory_size);
            memcpy(memory[k], shared->memory, shared->memory_size);
        }
    }
    for (int k = 0; k < 2; k++) free(memory[k]);
    dq_vecenv_destroy(a);
    dq_vecenv_destroy(b);
    dq_vecenv_destroy(shared);
}

// Returns of the heuristic pilot on 40 seeds: it lands nearly always.
static void the_pilot_lands(void **unused) {
    (void)unused;
    double sum = 0;
    int landed = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        dq_vecenv *env = create("", 1, -1, seed);
        do {
            int32_t action = pilot(env->observation, 0);
            dq_vecenv_step(env, &action);
        } while (!env->terminated[0] && !env->truncated[0]);
        sum += env->episode_return[0];
        landed += env->reward[0] == 100;
        dq_vecenv_destroy(env);
    }
    print_message("%d of 40 landings, mean return %.1f\n", landed, sum / 40);
    assert_true(landed >= 32);
    assert_true(sum / 40 > 200);
}

static void gravity_pulls_as_asked(void **unused) {
    (void)unused;
    dq_vecenv *weak = create("gravity=-2", 1, -1, 0), *strong = create("gravity=-11", 1, -1, 0);
    const int32_t nothing = 0;
    float before[2] = {test_floats(weak->observation)[3], test_floats(strong->observation)[3]};
    dq_vecenv_step(weak, &nothing);
    dq_vecenv_step(strong, &nothing);
    // 1/50 s of acceleration, in units of 7.5 m/s
    assert_float_equal(test_floats(weak->observation)[3] - before[0], -2 / 50.0f / 7.5f, 2e-3f);
    assert_float_equal(test_floats(strong->observation)[3] - before[1], -11 / 50.0f / 7.5f, 2e-3f);
    dq_vecenv_destroy(weak);
    dq_vecenv_destroy(strong);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_landing_goes_on_from_any_moment),
        cmocka_unit_test(a_hover_is_longer_than_the_history),
        cmocka_unit_test(two_states_share_a_place),
        cmocka_unit_test(the_pilot_lands),
        cmocka_unit_test(gravity_pulls_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
