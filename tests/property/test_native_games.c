// Pong-native and Breakout-native: the quick way to the small grey frame equals rendering and shrinking,
// games follow their rules, and an idle player loses.
#include "support.h"

#include "env/native.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = DQ_SCREEN_WIDTH * DQ_SCREEN_HEIGHT, SMALL = 84 * 84 };

static const char *const ids[] = {"Pong-native", "Pong2-native", "Breakout-native"};

// `words`: options, NULL at the end.
static dq_vecenv *create(const char *id, const char *const *words, int count, uint64_t seed) {
    dq_error error;
    dq_atari_options options;
    dq_vecenv *env;
    const dq_env_class *c = dq_env_find(id, &error);
    assert_non_null(c);
    test_ok(dq_options_defaults(c->options, &options, &error), &error);
    for (int i = 0; words && words[i]; i++)
        test_ok(dq_options_assign(c->options, &options, words[i], NULL, &error), &error);
    test_ok(dq_vecenv_create(&env, c, &options, count, -1, seed, &error), &error);
    return env;
}

// Three instances of one seed see the same game as colour, small and cropped; all three from one description.
static void small_frames_equal_shrunk_ones(void **state) {
    (void)state;
    static uint8_t grey[PIXELS], small[SMALL];
    static const char *const kinds[] = {"screen=84x84", "screen=84x110"};
    for (int game = 0; game < 3; game++)
        for (int kind = 0; kind < 2; kind++) {
            dq_vecenv *a = create(ids[game], (const char *[]){kinds[kind], NULL}, 1, 5);
            dq_vecenv *b = create(ids[game], (const char *[]){"screen=colour", NULL}, 1, 5);
            assert_int_equal(a->space.size, SMALL);
            assert_int_equal(b->space.size, 3 * PIXELS);
            dq_rng rng;
            dq_rng_seed(&rng, 2);
            int changed = 0;
            for (int t = 0; t < 1500; t++) {
                const uint8_t *rgb = b->observation, *seen = a->observation;
                for (int i = 0; i < PIXELS; i++)
                    grey[i] = dq_screen_luma(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]);
                dq_screen_shrink((dq_screen_kind)kind, grey, small);
                assert_memory_equal(seen, small, SMALL);
                const int32_t action = (int32_t)dq_rng_integers(&rng, 0, a->env_class->actions);
                dq_vecenv_step(a, &action);
                dq_vecenv_step(b, &action);
                assert_true(a->reward[0] == b->reward[0]);
                changed += a->reward[0] != 0;
            }
            assert_true(changed > 5);
            dq_vecenv_destroy(a);
            dq_vecenv_destroy(b);
        }
}

static void an_idle_player_loses_at_pong(void **state) {
    (void)state;
    dq_vecenv *env = create("Pong-native", NULL, 4, 1);
    int games = 0;
    for (int t = 0; t < 4000; t++) {
        dq_vecenv_step(env, (const int32_t[]){0, 0, 0, 0});
        for (int i = 0; i < 4; i++) {
            assert_true(fabs(env->reward[i]) <= 1);
            assert_false(env->life_lost[i]);
            if (!env->terminated[i]) continue;
            games++;
            assert_true(env->episode_return[i] < -5);
        }
    }
    assert_true(games >= 4);
    dq_vecenv_destroy(env);
}

// Reads the frame: the column of the first pixel of a colour in rows [top, bottom), or -1.
static int find(const uint8_t *rgb, int top, int bottom, int left, int right, const int *color, bool row) {
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            const uint8_t *p = rgb + 3 * (y * DQ_SCREEN_WIDTH + x);
            if (p[0] == color[0] && p[1] == color[1] && p[2] == color[2]) return row ? y : x;
        }
    return -1;
}

// The return of a game of a player who keeps the paddle's upper edge this far above the ball; frames: how
// long.
static double follow(int above, int most, int *frames) {
    static const int white[] = {236, 236, 236}, green[] = {92, 186, 92};
    dq_vecenv *env = create("Pong-native", (const char *[]){"screen=colour", "frame_skip=1", NULL}, 1, 3);
    for (*frames = 0; !env->terminated[0] && *frames < most; ++*frames) {
        const uint8_t *rgb = env->observation;
        const int ball = find(rgb, 34, 194, 20, 140, white, true),
                  own = find(rgb, 34, 194, 140, 144, green, true);
        const int aim = ball < 0 ? own : ball - above;
        const int32_t action = aim < own - 2 ? 2 : aim > own + 2 ? 3 : 0;
        dq_vecenv_step(env, &action);
    }
    const double earned = env->episode_return[0];
    dq_vecenv_destroy(env);
    return earned;
}

// Whoever meets the ball beats the opponent: it is no wall, and no rally goes round for ever.
static void the_opponent_can_be_beaten(void **state) {
    (void)state;
    static const int above[] = {12, 6}; // the ball in the lower part of the paddle, in its middle
    for (int i = 0; i < 2; i++) {
        int frames;
        const double earned = follow(above[i], 40000, &frames);
        print_message("a player who follows the ball ends at %g after %d frames\n", earned, frames);
        assert_true(frames < 40000);
        assert_true(earned > 0);
    }
}

// A paddle that follows the ball loses no life and clears bricks; the points are the wall's.
static void breakout_pays_its_bricks(void **state) {
    (void)state;
    static const int red[] = {200, 72, 72};
    dq_vecenv *env = create("Breakout-native",
                            (const char *[]){"screen=colour", "frame_skip=1", "noop_max=0", NULL}, 1, 3);
    double earned = 0;
    int lost = 0;
    bool over = false;
    for (int t = 0; t < 60000 && !over; t++) {
        const uint8_t *rgb = env->observation;
        const int paddle = find(rgb, 189, 190, 8, 152, red, false);
        int ball = find(rgb, 93, 189, 8, 152, red, false);
        if (ball < 0) ball = paddle + 8 + t / 400 % 3;
        const int goal = ball - 3 - t / 97 % 9; // met at changing places
        const int32_t action = goal > paddle + 3 ? 2 : goal < paddle - 3 ? 3 : 1;
        dq_vecenv_step(env, &action);
        assert_true(env->reward[0] == 0 || env->reward[0] == 1 || env->reward[0] == 4 ||
                    env->reward[0] == 7 || env->reward[0] == 8 || env->reward[0] == 11 ||
                    env->reward[0] == 14 || env->reward[0] == 2 || env->reward[0] == 5);
        earned += env->reward[0];
        lost += env->life_lost[0];
        over = env->terminated[0];
    }
    print_message("%g points, %d lives lost, %s\n", earned, lost, over ? "over" : "going on");
    assert_true(earned > 200 && lost < 5);
    assert_true(!over || lost == 4 || earned == 864);
    dq_vecenv_destroy(env);
}

static void without_fire_nothing_is_served(void **state) {
    (void)state;
    dq_vecenv *env = create("Breakout-native", (const char *[]){"fire_reset=false", NULL}, 1, 3);
    for (int t = 0; t < 500; t++) {
        dq_vecenv_step(env, (const int32_t[]){t % 2 ? 2 : 0});
        assert_false(env->terminated[0] || env->life_lost[0]);
    }
    dq_vecenv_destroy(env);
}

// Lives: told as lost four times, then the game is over; without episodic_life never.
static void five_lives_make_a_game(void **state) {
    (void)state;
    for (int episodic = 0; episodic < 2; episodic++) {
        dq_vecenv *env =
            create("Breakout-native",
                   (const char *[]){episodic ? "episodic_life=true" : "episodic_life=false", NULL}, 1, 9);
        int lost = 0, games = 0;
        for (int t = 0; games < 5 && t < 20000; t++) {
            dq_vecenv_step(env, (const int32_t[]){1});
            lost += env->life_lost[0];
            if (!env->terminated[0]) continue;
            games++;
            assert_int_equal(lost, episodic ? 4 : 0);
            lost = 0;
        }
        assert_int_equal(games, 5);
        dq_vecenv_destroy(env);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_frames_equal_shrunk_ones), cmocka_unit_test(an_idle_player_loses_at_pong),
        cmocka_unit_test(the_opponent_can_be_beaten),     cmocka_unit_test(breakout_pays_its_bricks),
        cmocka_unit_test(without_fire_nothing_is_served), cmocka_unit_test(five_lives_make_a_game),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
