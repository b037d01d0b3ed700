// The frame memory against a naive list of whole stacks: several environments, n-step returns, ends of both
// kinds, wrap-around; packed and not; and what it takes.
#include "support.h"

#include "agent/agent.h"
#include "base/module.h"
#include "replay/nstep.h"
#include "replay/store.h"
#include <deepq/agent.h>
#include <deepq/frames.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT = 7, WIDTH = 14, FRAME = HEIGHT * WIDTH, MOST = 4, BATCH = 1 };

typedef struct expected {
    unsigned char seen[FRAME * MOST], next[FRAME * MOST];
    int32_t action;
    float reward, discount;
} expected;

static uint32_t flat; // so many frames out of four can be packed

// A frame that no other equals.
static void paint(uint32_t number, unsigned char *frame) {
    for (uint32_t i = 0; i < FRAME; i++)
        frame[i] = i >= 3 && number % 4 < flat
                       ? (unsigned char)number
                       : (unsigned char)((number >> 8 * (i % 3)) ^ (i < 3 ? 0 : i * i * 2654435761U >> 13));
}

typedef struct world {
    int environments, stack, n_step, capacity;
    double ends, cuts; // probabilities of an end and of a time limit
    bool bootstrap_truncated;
    int compression; // 0: none
} world;

static dq_agent *make_agent(const world *w) {
    static const dq_space space = DQ_IMAGE(HEIGHT, WIDTH, 1);
    dq_error error;
    dq_agent_config config;
    dq_agent *agent;
    test_ok(dq_options_defaults(dq_agent_options(), &config, &error), &error);
    config.frame_stack = w->stack;
    config.n_step = w->n_step;
    config.buffer_size = w->capacity;
    if (w->compression > 1) config.frame_compression = w->compression;
    config.learning_starts = 1;
    config.net_arch = (dq_ints){1, {2}};
    config.batch_size = BATCH;
    config.bootstrap_truncated = w->bootstrap_truncated;
    test_ok(dq_agent_create(&agent, &config, &space, 3, w->environments, 1, &error), &error);
    return agent;
}

static struct {
    unsigned char seen[FRAME * MOST], next[FRAME * MOST];
    int32_t action[DQ_LANES];
    float reward[DQ_LANES], discount[DQ_LANES];
} taken;

static void take(const dq_agent *agent, int64_t slot) {
    const dq_replay *replay = dq_agent_replay((dq_agent *)agent);
    dq_replay_gather(replay, &slot, 1, taken.seen, taken.action, taken.reward, taken.discount);
    dq_replay_gather_next(replay, &slot, 1, taken.next);
}

// Whether what was taken out of a slot is this transition.
static bool same(const expected *e, size_t bytes) {
    return taken.action[0] == e->action && taken.reward[0] == e->reward && taken.discount[0] == e->discount &&
           !memcmp(taken.seen, e->seen, bytes) && (e->discount == 0 || !memcmp(taken.next, e->next, bytes));
}

// Plays `rounds` and compares the whole memory now and then. `exact`: slots hold what a plain ring would;
// otherwise each holds one of the transitions made so far. Returns the share of the newest that are there.
static void check(const world *w, int rounds, uint64_t seed, bool exact) {
    const dq_space space = DQ_IMAGE(HEIGHT, WIDTH, 1);
    const size_t bytes = (size_t)(FRAME * w->stack), environments = (size_t)w->environments;
    dq_error error;
    dq_agent *agent = make_agent(w);
    dq_nstep *naive;
    dq_frames *frames;
    dq_rng rng;
    dq_rng_seed(&rng, seed);
    test_ok(dq_nstep_create(&naive, w->n_step, w->environments, bytes, 0.99, w->bootstrap_truncated, &error),
            &error);
    test_ok(dq_frames_create(&frames, &space, w->stack, w->environments, &error), &error);
    expected *made = calloc((size_t)rounds * environments + 1, sizeof *made);
    unsigned char *now = malloc(FRAME * environments), next[FRAME], next_stack[FRAME * MOST];
    dq_transition complete[16];
    int32_t actions[16];
    int64_t count = 0;
    uint32_t painted = 0;
    assert_true(made && now);
    for (size_t i = 0; i < environments; i++) paint(painted++, now + i * FRAME);
    for (int round = 0; round < rounds; round++) {
        dq_agent_act(agent, now, w->environments, round, 0, actions);
        for (int i = 0; i < w->environments; i++) {
            unsigned char *frame = now + (size_t)i * FRAME;
            const bool terminated = dq_rng_random(&rng) < w->ends,
                       truncated = !terminated && dq_rng_random(&rng) < w->cuts;
            const double reward = dq_rng_uniform(&rng, -1, 1);
            paint(painted++, next);
            dq_frames_push(frames, i, frame);
            dq_frames_peek(frames, i, next, next_stack);
            dq_agent_observe(agent, i, frame, actions[i], reward, next, terminated, truncated);
            const int new = dq_nstep_push(naive, i, dq_frames_at(frames, i), actions[i], reward, next_stack,
                                          terminated, truncated, complete);
            for (int k = 0; k < new; k++) {
                expected *e = &made[count++];
                memcpy(e->seen, complete[k].observation, bytes);
                memcpy(e->next, complete[k].next_observation, bytes);
                e->action = complete[k].action;
                e->reward = complete[k].reward;
                e->discount = complete[k].discount;
            }
            memcpy(frame, next, FRAME);
            if (!terminated && !truncated) continue;
            dq_frames_clear(frames, i);
            paint(painted++, frame);
        }
        if (round % 37 != 0 && round + 1 < rounds) continue;
        const dq_replay *replay = dq_agent_replay(agent);
        const int64_t size = dq_replay_size(replay), inserted = dq_replay_inserted(replay);
        if (exact) assert_int_equal(inserted, count);
        for (int64_t slot = 0; slot < size; slot++) {
            bool found = false;
            take(agent, slot);
            if (exact) {
                const int64_t behind = (inserted - 1 - slot) / w->capacity * w->capacity;
                found = same(&made[slot + behind], bytes);
            }
            for (int64_t k = count - 1; !exact && !found && k >= 0 && k > count - 2 - 2 * w->capacity; k--)
                found = same(&made[k], bytes);
            if (!found)
                fail_msg("round %d, slot %d of %d is not what it should be", round, (int)slot, (int)size);
        }
    }
    free(made);
    free(now);
    dq_frames_destroy(frames);
    dq_nstep_destroy(naive);
    dq_agent_destroy(agent);
}

static void memory_equals_whole_stacks(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 24; seed++) {
        const world w = {.environments = 1 + (int)seed % 3,
                         .stack = 1 + (int)(seed % 4),
                         .n_step = 1 + (int)(seed / 2 % 4),
                         .capacity = 50 + 13 * (int)seed,
                         .ends = seed % 5 == 0 ? 0.3 : 0.05,
                         .cuts = 0.02,
                         .bootstrap_truncated = seed % 3 != 0};
        check(&w, 1500, seed, true);
    }
}

// So many cut episodes that their last frames do not fit: the oldest transitions go early, none is wrong.
static void a_crowded_memory_holds_nothing_wrong(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        const world w = {.environments = 2,
                         .stack = 3,
                         .n_step = 1 + (int)seed % 3,
                         .capacity = 700,
                         .ends = 0.01,
                         .cuts = 0.6,
                         .bootstrap_truncated = true};
        check(&w, 1200, seed, false);
    }
}

static void need_lz4(void) {
    char path[4096];
    if (!dq_module_find("deepq-lz4.so", path)) skip();
}

static void packed_frames_come_back(void **state) {
    (void)state;
    need_lz4();
    flat = 4;
    for (uint64_t seed = 0; seed < 12; seed++) {
        const world w = {.environments = 1 + (int)seed % 3,
                         .stack = 1 + (int)(seed % 4),
                         .n_step = 1 + (int)(seed / 2 % 4),
                         .capacity = 150 + 13 * (int)seed,
                         .ends = 0.05,
                         .cuts = 0.02,
                         .bootstrap_truncated = seed % 3 != 0,
                         .compression = 3};
        check(&w, 1500, seed, true);
    }
    flat = 0;
}

// Frames that do not shrink as far as was promised, and such as do not shrink at all: the oldest go early.
static void frames_that_do_not_fit_go_early(void **state) {
    (void)state;
    need_lz4();
    for (uint64_t seed = 0; seed < 8; seed++) {
        flat = (uint32_t)seed % 4;
        const world w = {.environments = 1 + (int)seed % 2,
                         .stack = 1 + (int)seed % 3,
                         .n_step = 1 + (int)seed % 3,
                         .capacity = 400,
                         .ends = 0.02,
                         .cuts = 0.05,
                         .bootstrap_truncated = true,
                         .compression = seed < 4 ? 4 : 100};
        check(&w, 1000, seed, false);
    }
    flat = 0;
}

static void vectors_have_no_frames(void **state) {
    (void)state;
    dq_error error;
    dq_agent_config config;
    dq_agent *agent;
    test_ok(dq_options_defaults(dq_agent_options(), &config, &error), &error);
    config.frame_compression = 4;
    assert_int_equal(dq_agent_create(&agent, &config, &(dq_space)DQ_VECTOR(4), 2, 1, 1, &error), DQ_USAGE);
    assert_non_null(strstr(error.message, "no frames to compress"));
}

static void a_million_atari_transitions_take_7_3_gigabytes(void **state) {
    (void)state;
    const dq_space screen = DQ_IMAGE(84, 84, 1);
    dq_replay *replay;
    dq_error error;
    test_ok(dq_replay_create_frames(&replay, 1000000, &screen, 4, 2 * 8 * (5 + 4 + 1), 1, &error), &error);
    print_message("%.3f GB\n", (double)dq_replay_bytes(replay) / 1e9);
    assert_true(dq_replay_bytes(replay) <= 7300000000);
    dq_replay_destroy(replay);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_equals_whole_stacks),
        cmocka_unit_test(a_crowded_memory_holds_nothing_wrong),
        cmocka_unit_test(packed_frames_come_back),
        cmocka_unit_test(frames_that_do_not_fit_go_early),
        cmocka_unit_test(vectors_have_no_frames),
        cmocka_unit_test(a_million_atari_transitions_take_7_3_gigabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
