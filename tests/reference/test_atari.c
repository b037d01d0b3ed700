// Frames and games against OpenCV and Stable-Baselines3's AtariWrapper: tests/tools/make_atari_reference.py
// wrote the data from the same formulas.
#include "support.h"

#include "env/atari.h"
#include "io/npy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = DQ_SCREEN_WIDTH, HEIGHT = DQ_SCREEN_HEIGHT, SMALL = 84 * 84, STEPS = 600 };

static dq_array data(const char *name) {
    dq_array array;
    dq_error error;
    char path[4096];
    snprintf(path, sizeof path, "%s/atari/%s", getenv("DQ_TEST_DATA"), name);
    test_ok(dq_npy_read(&array, path, &error), &error);
    return array;
}

static uint8_t color_at(uint32_t number, uint32_t x, uint32_t y, uint32_t c) {
    const uint32_t patch = (x / 5 * 7919 + y / 7 * 104729 + c * 31 + number * 1009) * 2654435761U;
    const uint32_t grain = (x * 31 + y * 17 + c) * 2246822519U;
    return (uint8_t)((patch >> 24) ^ ((grain >> 27) * ((patch >> 20) & 1)));
}

static void frames_are_shrunk_as_opencv_does(void **state) {
    (void)state;
    dq_array expected = data("shrunk.npy");
    assert_int_equal(expected.count, 4 * 2 * SMALL);
    static uint8_t grey[HEIGHT * WIDTH], small[SMALL];
    int apart = 0, largest = 0;
    for (uint32_t number = 0; number < 4; number++) {
        for (uint32_t i = 0; i < HEIGHT * WIDTH; i++) {
            const uint32_t x = i % WIDTH, y = i / WIDTH;
            grey[i] = dq_screen_luma(color_at(number, x, y, 0), color_at(number, x, y, 1),
                                     color_at(number, x, y, 2));
        }
        for (int kind = 0; kind < 2; kind++) {
            const uint8_t *reference = (const uint8_t *)expected.data + ((int)number * 2 + kind) * SMALL;
            dq_screen_shrink((dq_screen_kind)kind, grey, small);
            for (int i = 0; i < SMALL; i++) {
                const int difference = abs(small[i] - reference[i]);
                apart += difference > 0;
                largest = difference > largest ? difference : largest;
            }
        }
    }
    print_message("%d of %d pixels differ, by at most %d\n", apart, 8 * SMALL, largest);
    assert_true(largest <= 1);
    assert_true(apart < 8 * SMALL / 50);
    dq_array_deinit(&expected);
}

typedef struct toy {
    uint64_t h;
    int games, lives;
    uint64_t kept[2];
} toy;

static void start(void *machine, dq_rng *rng) {
    (void)rng;
    toy *t = machine;
    t->h = 12345 + (uint64_t)++t->games;
    t->lives = 3;
}

static bool frame(void *machine, dq_rng *rng, int action, double *reward) {
    (void)rng;
    toy *t = machine;
    t->h = (t->h * 1103515245 + 12345 + (uint64_t)action * 7919) % (1ULL << 31);
    t->lives -= (t->h >> 12) % 23 == 0 && action != 2;
    *reward = (double)((t->h >> 9) % 5) - 1;
    return t->lives == 0;
}

static int lives(const void *machine) {
    return ((const toy *)machine)->lives;
}

static void keep(void *machine, int slot) {
    toy *t = machine;
    t->kept[slot] = t->h;
}

static uint8_t shown(const toy *t, const dq_atari *a) {
    unsigned rgb[3];
    for (int c = 0; c < 3; c++) {
        const unsigned one = t->kept[0] >> 8 * c & 255, two = t->kept[1] >> 8 * c & 255;
        rgb[c] = a->now ? t->h >> 8 * c & 255 : one > two ? one : two;
    }
    return dq_screen_luma(rgb[0], rgb[1], rgb[2]);
}

static void games_are_wrapped_as_stable_baselines3_does(void **state) {
    (void)state;
    dq_array expected = data("wrapped.npy");
    assert_int_equal(expected.count, STEPS * 4);
    const dq_console console = {start, frame, lives, keep, 1};
    const dq_atari_options options = {
        .noop_max = 30, .frame_skip = 4, .episodic_life = true, .fire_reset = true};
    toy t = {0};
    dq_atari a = {0};
    dq_rng rng;
    dq_rng_seed(&rng, 7);
    dq_atari_start(&console, &t, &a, &options, &rng);
    int ends = 0, losses = 0;
    for (int64_t k = 0; k < STEPS; k++) {
        double reward, unseen = 0;
        bool over = dq_atari_step(&console, &t, &a, &options, &rng, (int)(k * k / 3 % 4), &reward);
        const bool lost = a.lost;
        const uint8_t after = shown(&t, &a);
        if (lost) over = dq_atari_resume(&console, &t, &a, &options, &rng, &unseen);
        if (over) dq_atari_start(&console, &t, &a, &options, &rng);
        const double got[4] = {reward, lost || over, after, shown(&t, &a)};
        for (int64_t i = 0; i < 4; i++) {
            const double difference = got[i] - dq_array_get(&expected, 4 * k + i);
            if (difference > (i < 2 ? 0 : 1) || difference < (i < 2 ? 0 : -1))
                fail_msg("step %d, column %d: %g, not %g", (int)k, (int)i, got[i],
                         dq_array_get(&expected, 4 * k + i));
        }
        ends += over;
        losses += lost;
    }
    assert_true(ends > 20 && losses > 40);
    dq_array_deinit(&expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_shrunk_as_opencv_does),
        cmocka_unit_test(games_are_wrapped_as_stable_baselines3_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
