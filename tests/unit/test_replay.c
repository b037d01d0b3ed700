// The replay memory: ring order, memory per transition, and the gather into panels.
#include "replay/store.h"
#include "support.h"

#include <deepq/net.h>
#include <stdlib.h>
#include <string.h>

enum { D = 3 };

static void add(dq_replay *replay, int number) {
    float s[D], t[D];
    for (int f = 0; f < D; f++) s[f] = (float)(10 * number + f), t[f] = (float)(10 * number + f) + 0.5F;
    dq_transition transition = {s, t, number % 5, (float)number, number % 7 ? 0.9F : 0.0F};
    assert_int_equal(dq_replay_add(replay, &transition), number % dq_replay_capacity(replay));
}

static void check(dq_transition transition, int number) {
    for (int f = 0; f < D; f++) {
        assert_true(test_floats(transition.observation)[f] == (float)(10 * number + f));
        assert_true(test_floats(transition.next_observation)[f] == (float)(10 * number + f) + 0.5F);
    }
    assert_int_equal(transition.action, number % 5);
    assert_true(transition.reward == (float)number);
    assert_true(transition.discount == (number % 7 ? 0.9F : 0.0F));
}

static void the_newest_lie_over_the_oldest(void **state) {
    (void)state;
    dq_error error;
    dq_replay *replay;
    test_ok(dq_replay_create(&replay, 10, &(dq_space)DQ_VECTOR(D), &error), &error);
    for (int number = 0; number < 37; number++) {
        add(replay, number);
        int size = number + 1 < 10 ? number + 1 : 10;
        assert_int_equal(dq_replay_size(replay), size);
        assert_int_equal(dq_replay_inserted(replay), number + 1);
        for (int back = 0; back < size; back++)
            check(dq_replay_at(replay, (number - back) % 10), number - back);
    }
    dq_replay_destroy(replay);
}

static void a_million_cartpole_transitions_take_60_megabytes(void **state) {
    (void)state;
    dq_error error;
    dq_replay *replay;
    test_ok(dq_replay_create(&replay, 1000000, &(dq_space)DQ_VECTOR(4), &error), &error);
    assert_in_range(dq_replay_bytes(replay), 1, 60000000);
    dq_replay_destroy(replay);
}

static void gathering_fills_panels_and_pads_with_zeros(void **state) {
    (void)state;
    enum { BATCH = 21, PADDED = 32 };
    dq_error error;
    dq_replay *replay;
    test_ok(dq_replay_create(&replay, 50, &(dq_space)DQ_VECTOR(D), &error), &error);
    for (int number = 0; number < 80; number++) add(replay, number);
    int64_t slots[BATCH];
    for (int b = 0; b < BATCH; b++) slots[b] = (b * 17 + 3) % 50;
    float s[PADDED * D], t[PADDED * D], reward[PADDED], discount[PADDED];
    int32_t action[PADDED];
    memset(s, 0xff, sizeof s);
    memset(t, 0xff, sizeof t);
    memset(reward, 0xff, sizeof reward);
    dq_replay_gather(replay, slots, BATCH, s, action, reward, discount);
    dq_replay_gather_next(replay, slots, BATCH, t);
    for (int b = 0; b < PADDED; b++) {
        float row[D], next[D];
        for (int f = 0; f < D; f++) {
            row[f] = s[(b / DQ_LANES * D + f) * DQ_LANES + b % DQ_LANES];
            next[f] = t[(b / DQ_LANES * D + f) * DQ_LANES + b % DQ_LANES];
        }
        if (b < BATCH) {
            int number = (int)(slots[b] < 30 ? slots[b] + 50 : slots[b]);
            check((dq_transition){row, next, action[b], reward[b], discount[b]}, number);
        } else {
            for (int f = 0; f < D; f++) assert_true(row[f] == 0 && next[f] == 0);
            assert_true(action[b] == 0 && reward[b] == 0 && discount[b] == 0);
        }
    }
    dq_replay_destroy(replay);
}

static void impossible_sizes_fail_with_a_sentence(void **state) {
    (void)state;
    dq_error error;
    dq_replay *replay;
    assert_int_equal(dq_replay_create(&replay, 0, &(dq_space)DQ_VECTOR(4), &error), DQ_USAGE);
    assert_int_equal(dq_replay_create(&replay, INT64_MAX / 2, &(dq_space)DQ_VECTOR(4), &error), DQ_MEMORY);
    assert_non_null(strstr(error.message, "buffer_size"));
    assert_null(replay);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_lie_over_the_oldest),
        cmocka_unit_test(a_million_cartpole_transitions_take_60_megabytes),
        cmocka_unit_test(gathering_fills_panels_and_pads_with_zeros),
        cmocka_unit_test(impossible_sizes_fail_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
