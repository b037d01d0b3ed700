// Every environment that draws itself sets one view and keeps what it draws finite and near that view, with a
// trail and without, in every state that random actions lead to.
#include "support.h"

#include "draw/canvas.h"

#include <deepq/env.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 400, SEEDS = 3 };

static void check(const dq_env_class *e, const void *state, const void *options, const dq_trail *trail,
                  int step) {
    dq_probe probe;
    dq_probe_init(&probe, trail);
    e->draw(state, options, &probe.canvas);
    if (probe.views != 1 || probe.shapes < 2 || !probe.finite || !probe.sensible)
        fail_msg("%s, step %d: %d views, %d shapes, finite %d, sensible %d", e->id, step, probe.views,
                 probe.shapes, probe.finite, probe.sensible);
    const double wide = probe.right - probe.left, high = probe.top - probe.bottom;
    if (probe.low_x < probe.left - 0.3 * wide || probe.high_x > probe.right + 0.3 * wide ||
        probe.low_y < probe.bottom - 0.3 * high || probe.high_y > probe.top + 0.3 * high)
        fail_msg("%s, step %d: shapes from (%g, %g) to (%g, %g) in a view from (%g, %g) to (%g, %g)", e->id,
                 step, probe.low_x, probe.low_y, probe.high_x, probe.high_y, probe.left, probe.bottom,
                 probe.right, probe.top);
}

static void play(const dq_env_class *e, uint64_t seed) {
    const bool image = e->observation.element == DQ_U8;
    const size_t width = image ? 0 : (size_t)e->observation.size, row = dq_space_bytes(&e->observation);
    dq_error error = {0};
    dq_rng rng, choices;
    void *state = aligned_alloc(64, (e->state_size + 63) / 64 * 64);
    void *options = calloc(1, e->options_size + 1);
    float *observations = calloc((STEPS + 1) * width + 1, sizeof *observations);
    float *observation = malloc(row);
    int32_t *actions = calloc(STEPS + 1, sizeof *actions);
    double *rewards = calloc(STEPS + 1, sizeof *rewards);
    assert_true(state && options && observations && observation && actions && rewards);
    if (e->options_size > 0) test_ok(dq_options_defaults(e->options, options, &error), &error);
    memset(state, 0, e->state_size);
    dq_rng_seed(&rng, seed);
    dq_rng_seed(&choices, seed + 1000);
    e->reset(state, options, &rng, observation);
    memcpy(observations, observation, width * sizeof(float));
    actions[0] = -1;
    dq_trail trail = {1, (int)width, observations, actions, rewards, e->step_limit};
    check(e, state, options, &trail, 0);
    bool terminated = false;
    for (int t = 1; t <= STEPS && !terminated; t++) {
        actions[t] = (int32_t)dq_rng_integers(&choices, 0, e->actions);
        terminated = e->step(state, options, &rng, actions[t], observation, &rewards[t]);
        memcpy(observations + (size_t)t * width, observation, width * sizeof(float));
        trail.count = t + 1;
        check(e, state, options, &trail, t);
        check(e, state, options, NULL, t);
    }
    if (e->release) e->release(state);
    free(state);
    free(options);
    free(observations);
    free(observation);
    free(actions);
    free(rewards);
}

static void test_every_environment(void **fixture) {
    (void)fixture;
    int drawn = 0;
    for (int i = 0; i < dq_env_count(); i++) {
        const dq_env_class *e = dq_env_at(i);
        assert_true(e->frame_rate >= 0 && e->frame_rate <= 1000);
        if (!e->draw) continue;
        drawn++;
        for (uint64_t seed = 0; seed < SEEDS; seed++) play(e, seed);
    }
    assert_true(drawn >= 6);
}

// The probe itself: it must see what it is there to find.
static void test_probe_finds_mistakes(void **fixture) {
    (void)fixture;
    dq_probe probe;
    dq_probe_init(&probe, NULL);
    dq_draw_view(&probe.canvas, 0, 0, 2, 1, dq_rgb(0));
    dq_draw_circle(&probe.canvas, dq_at(1, 1), 0.5, dq_rgb(0));
    assert_true(probe.finite && probe.sensible && probe.views == 1 && probe.shapes == 1);
    assert_true(probe.high_y == 1.5 && probe.low_x == 0.5);
    dq_draw_segment(&probe.canvas, dq_at(0, 0), dq_at((double)NAN, 1), 0.1, dq_rgb(0));
    assert_false(probe.finite);
    dq_draw_circle(&probe.canvas, dq_at(1, 1), -1, dq_rgb(0));
    assert_false(probe.sensible);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_environment),
        cmocka_unit_test(test_probe_finds_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
