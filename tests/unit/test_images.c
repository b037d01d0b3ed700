// Observations that are images: bytes all the way, lives, stacks of frames, learning from them.
#include "run_support.h"

#include <catch.h>
#include <deepq/frames.h>
#include <stdlib.h>
#include <string.h>

static int set_up(void **unused) {
    (void)unused;
    dq_error error;
    test_ok(dq_env_register(&scenario_catch, &error), &error);
    return 0;
}

static void classes_say_what_their_image_is(void **state) {
    (void)state;
    dq_error error;
    dq_env_class wrong = scenario_catch;
    wrong.id = "Flat";
    wrong.observation = (dq_space){DQ_U8, 1, {80, 0, 0}, 80};
    assert_int_equal(dq_env_register(&wrong, &error), DQ_USAGE);
    assert_non_null(strstr(error.message, "DQ_IMAGE"));
    wrong.observation = scenario_catch.observation;
    wrong.resume = NULL;
    assert_int_equal(dq_env_register(&wrong, &error), DQ_USAGE);
    assert_non_null(strstr(error.message, "life_lost and resume"));
    char text[48];
    assert_string_equal(dq_space_describe(&scenario_catch.observation, text), "10x8x1 bytes");
}

// Lost lives end nothing but what is learned: counts go on, and what comes next is another fruit at the top.
static void lives_end_no_episode(void **state) {
    (void)state;
    dq_error error;
    dq_vecenv *env;
    test_ok(dq_vecenv_create(&env, &scenario_catch, NULL, 2, -1, 3, &error), &error);
    int lost[2] = {0}, games = 0;
    double sum[2] = {0};
    for (int t = 0; t < 4000; t++) {
        dq_vecenv_step(env, (const int32_t[]){0, t % 3});
        for (int i = 0; i < 2; i++) {
            sum[i] += env->reward[i];
            assert_true(env->episode_return[i] == sum[i]);
            assert_false(env->life_lost[i] && env->terminated[i]);
            lost[i] += env->life_lost[i];
            const unsigned char *next = dq_vecenv_observation(env, i);
            const unsigned char *last = dq_vecenv_final_observation(env, i);
            int tops = 0;
            for (int k = 0; k < CATCH_WIDTH; k++) tops += next[k] == 255;
            assert_int_equal(tops, env->episode_length[i] % (CATCH_HEIGHT - 1) == 0 &&
                                       (env->life_lost[i] || env->terminated[i]));
            if (!env->life_lost[i] && !env->terminated[i])
                assert_memory_equal(next, last, CATCH_HEIGHT * CATCH_WIDTH);
            if (!env->terminated[i]) continue;
            assert_true(lost[i] < CATCH_LIVES);
            games++;
            lost[i] = 0;
            sum[i] = 0;
        }
    }
    assert_true(games > 50);
    dq_vecenv_destroy(env);
}

// Against stacks built from a plain list of frames.
static void stacks_hold_the_newest_frames(void **state) {
    (void)state;
    enum { STACK = 3, LANES = 2, MOST = 40 };
    const dq_space spaces[] = {DQ_IMAGE(4, 5, 1), DQ_IMAGE(3, 2, 3), DQ_VECTOR(7)};
    dq_error error;
    dq_rng rng;
    dq_rng_seed(&rng, 1);
    for (int s = 0; s < 3; s++) {
        const dq_space *space = &spaces[s];
        const dq_space stacked = dq_frames_space(space, STACK);
        const size_t bytes = dq_space_bytes(space), all = dq_space_bytes(&stacked),
                     element = bytes / (size_t)space->size;
        const size_t channels = (size_t)space->shape[space->rank - 1] * element;
        assert_int_equal(all, STACK * bytes);
        dq_frames *frames;
        test_ok(dq_frames_create(&frames, space, STACK, LANES, &error), &error);
        unsigned char list[LANES][MOST][64] = {{{0}}}, seen[256], expected[256];
        int length[LANES] = {0};
        for (int t = 0; t < 500; t++) {
            const int lane = (int)dq_rng_integers(&rng, 0, LANES);
            if (length[lane] == MOST - STACK || dq_rng_random(&rng) < 0.1) {
                dq_frames_clear(frames, lane);
                length[lane] = 0;
            }
            unsigned char *frame = list[lane][length[lane]++];
            for (size_t i = 0; i < bytes; i++) frame[i] = (unsigned char)dq_rng_integers(&rng, 0, 256);
            memset(expected, 0, sizeof expected);
            for (int back = 0; back < STACK && back < length[lane]; back++) // element by element
                for (size_t i = 0; i < bytes; i++)
                    expected[i / channels * channels * STACK + (size_t)(STACK - 1 - back) * channels +
                             i % channels] = list[lane][length[lane] - 1 - back][i];
            dq_frames_peek(frames, lane, frame, seen);
            assert_memory_equal(seen, expected, all);
            dq_frames_push(frames, lane, frame);
            assert_memory_equal(dq_frames_at(frames, lane), expected, all);
        }
        dq_frames_destroy(frames);
    }
}

static const char *const learning[] = {"env=Catch",
                                       "frame_stack=2",
                                       "net_arch=[64]",
                                       "total_steps=30000",
                                       "buffer_size=5000",
                                       "learning_starts=500",
                                       "batch_size=32",
                                       "learning_rate=0.002",
                                       "epsilon_period=10000",
                                       "gamma=0.95",
                                       "target_update_interval=200",
                                       "checkpoint_seconds=0",
                                       "backup=double",
                                       NULL};

static void a_small_network_learns_to_catch(void **state) {
    (void)state;
    dq_error error;
    dq_run *run;
    dq_policy *policy, *copy;
    double returns[20], again[20];
    dq_run_config config = test_run_config(learning);
    const char *folder = test_folder();
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    test_ok(dq_run_train(run, &error), &error);
    test_ok(dq_policy_from_run(&copy, run, &error), &error);
    test_ok(dq_policy_load(&policy, folder, &error), &error);
    assert_int_equal(dq_policy_frame_stack(policy), 2);
    assert_true(dq_space_same(dq_policy_observation(policy), &scenario_catch.observation));
    assert_int_equal(dq_policy_input(policy)->shape[2], 2);
    int64_t steps;
    test_ok(dq_policy_evaluate(policy, NULL, NULL, 20, 1, 2, returns, &steps, &error), &error);
    test_ok(dq_policy_evaluate(copy, NULL, NULL, 20, 1, 1, again, NULL, &error), &error);
    assert_memory_equal(returns, again, sizeof returns);
    double mean = 0;
    for (int i = 0; i < 20; i++) mean += returns[i] / 20;
    print_message("mean of 20 games: %g of %d\n", mean, CATCH_FRUITS);
    assert_true(mean > 8.5); // chance comes to about -2; a lost life must not end a game of the evaluation
    assert_true(steps <= 20 * CATCH_FRUITS * (CATCH_HEIGHT - 1));
    unsigned char image[CATCH_HEIGHT * CATCH_WIDTH * 2] = {255};
    float q[3], mine[3];
    dq_policy_q(policy, image, q);
    dq_agent_q(dq_run_agent(run), image, mine);
    assert_memory_equal(q, mine, sizeof q);
    dq_policy_destroy(policy);
    dq_policy_destroy(copy);
    dq_run_destroy(run);
    test_remove_folder(folder);
}

static void what_cannot_be_looked_at_has_a_sentence(void **state) {
    (void)state;
    static const struct {
        const char *env, *word, *says;
    } cases[] = {
        {"CartPole-v1", "network=dqn2015", "looks at images"},
        {"Catch", "network=dqn2015", "does not fit"},
        {"Catch", "normalize_observation=true", "images are divided by 255"},
        {"Catch", "observation=scaled", "declares a scale"},
        {"CartPole-v1", "observation=scaled frame_stack=2", "no scale"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char env[64], words[2][64] = {"", ""};
        snprintf(env, sizeof env, "env=%s", cases[i].env);
        sscanf(cases[i].word, "%63s %63s", words[0], words[1]);
        dq_error error = {0};
        dq_run *run;
        dq_run_config config =
            test_run_config((const char *[]){env, words[0], words[1][0] ? words[1] : NULL, NULL});
        assert_int_equal(dq_run_create(&run, &config, NULL, &error), DQ_USAGE);
        if (!strstr(error.message, cases[i].says)) fail_msg("%s: %s", cases[i].word, error.message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_say_what_their_image_is),
        cmocka_unit_test(lives_end_no_episode),
        cmocka_unit_test(stacks_hold_the_newest_frames),
        cmocka_unit_test(a_small_network_learns_to_catch),
        cmocka_unit_test(what_cannot_be_looked_at_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
