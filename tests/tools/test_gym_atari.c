// Atari games as gym: environments show what Stable-Baselines3's own wrappers show, and with other options
// what Gymnasium's does, frame by frame over 10,000 raw ones: grey within one level, rewards, lost lives,
// games and the frames behind a reset equal, from the same seeds.
#include "support.h"

#include <deepq/env.h>
#include <deepq/gym.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 2500, PIXELS = 84 * 84 }; // 4 frames a step

typedef struct record {
    uint8_t led_to[PIXELS], next[PIXELS];
} record;

static int farthest; // in grey levels, of all pixels compared

static void compare_frames(const char *what, int t, const void *observed, const uint8_t *expected) {
    const uint8_t *seen = observed;
    for (int i = 0; i < PIXELS; i++) {
        const int apart = abs(seen[i] - expected[i]);
        if (apart > farthest) farthest = apart;
        if (apart > 1) fail_msg("step %d, %s, pixel %d: %d, not %d", t, what, i, seen[i], expected[i]);
    }
}

static void read_all(void *data, size_t size, FILE *in) {
    if (fread(data, 1, size, in) != size) fail_msg("the peer's record is short");
}

typedef struct wrapper {
    const char *name;       // as atari_peer.py knows it
    const char *options[8]; // that make ours do the same
} wrapper;

static const wrapper sb3 = {"sb3", {NULL}};
static const wrapper gymnasium = {"gymnasium",
                                  {"episodic_life=false", "fire_reset=false", "brighter=grey", NULL}};

static void play(const wrapper *whose, const char *id, uint64_t seed) {
    const char *python = getenv("DQ_TOOLS_PYTHON"), *source = getenv("DEEPQ_SOURCE");
    dq_error error;
    dq_vecenv *env;
    char command[4096], name[64];
    snprintf(name, sizeof name, "gym:%s", id);
    setenv("DEEPQ_PYTHON", python, 1);
    const dq_env_class *c = dq_env_find(name, &error);
    if (!c) fail_msg("%s", error.message);
    double options[32];
    assert_true(c->options_size <= sizeof options);
    test_ok(dq_options_defaults(c->options, options, &error), &error);
    for (int i = 0; whose->options[i]; i++)
        test_ok(dq_options_assign(c->options, options, whose->options[i], NULL, &error), &error);
    test_ok(dq_vecenv_create(&env, c, options, 1, -1, seed, &error), &error);

    uint8_t actions[STEPS];
    dq_rng rng;
    dq_rng_seed(&rng, seed + 1);
    for (int t = 0; t < STEPS; t++) actions[t] = (uint8_t)dq_rng_integers(&rng, 0, c->actions);
    FILE *file = fopen("actions", "wb");
    assert_non_null(file);
    fwrite(actions, 1, STEPS, file);
    fclose(file);
    snprintf(command, sizeof command,
             "'%s' '%s/tests/tools/atari_peer.py' %s %s %d %d actions record 2>peer.log", python, source,
             whose->name, id, (int)seed, STEPS);
    if (system(command)) fail_msg("the peer failed; its words are in peer.log");

    FILE *in = fopen("record", "rb");
    static record r;
    int ends = 0, games = 0;
    double total = 0;
    assert_non_null(in);
    read_all(r.next, PIXELS, in);
    compare_frames("reset", 0, dq_vecenv_observation(env, 0), r.next);
    for (int t = 0; t < STEPS; t++) {
        double reward;
        int32_t flags[3];
        read_all(&r, sizeof r, in);
        read_all(&reward, sizeof reward, in);
        read_all(flags, sizeof flags, in);
        dq_vecenv_step(env, &(int32_t){actions[t]});
        test_ok(dq_vecenv_check(env, &error), &error);
        // Where a game ends amid the skipped frames both show what was kept before, which nobody looks at.
        if (env->reward[0] != reward) fail_msg("step %d: reward %g, not %g", t, env->reward[0], reward);
        if ((env->terminated[0] || env->life_lost[0]) != flags[0]) fail_msg("step %d: end %d", t, flags[0]);
        if (env->terminated[0] != flags[1]) fail_msg("step %d: game over %d", t, flags[1]);
        assert_false(env->truncated[0]);
        // Nothing is learned from what a game's last step shows, and Gymnasium keeps one frame less of it.
        if (whose == &sb3 || !flags[1])
            compare_frames("led to", t, dq_vecenv_final_observation(env, 0), r.led_to);
        compare_frames("next", t, dq_vecenv_observation(env, 0), r.next);
        ends += flags[0];
        games += flags[1];
        total += reward;
    }
    printf("%s, %s, seed %d: %d ends, %d games, rewards %g; grey levels apart: at most %d\n", whose->name, id,
           (int)seed, ends, games, total, farthest);
    assert_true(ends > 0 && games > 0 && total != 0 && (whose == &sb3 || ends == games));
    fclose(in);
    dq_vecenv_destroy(env);
}

static void pong(void **unused) {
    (void)unused;
    play(&sb3, "PongNoFrameskip-v4", 3);
    play(&gymnasium, "PongNoFrameskip-v4", 3);
}

static void breakout(void **unused) {
    (void)unused;
    play(&sb3, "BreakoutNoFrameskip-v4", 5);
    play(&gymnasium, "BreakoutNoFrameskip-v4", 5);
}

int main(void) {
    dq_error error;
    if (dq_gym_register(&error)) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(pong), cmocka_unit_test(breakout)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
