// The memory that deepq and a worker process share: a page of requests, answers and description, then arrays
// with a place per slot, an environment each. python/deepq_gym_worker.py knows the same numbers.
//
// `request` is counted up by deepq after it wrote what it asks for; the worker answers by setting `reply` to
// the same number. Either side that is about to sleep in a futex says so first, so that the other wakes it.
#ifndef DEEPQ_GYM_LAYOUT_H
#define DEEPQ_GYM_LAYOUT_H

#include <deepq/env.h>
#include <stdatomic.h>
#include <stddef.h>

enum { GYM_NAME_SIZE = 24, GYM_PAGE = 4096 };

// What is asked of a worker. DESCRIBE is the first request, number 1, made by starting it.
typedef enum gym_command {
    GYM_DESCRIBE,
    GYM_LAY_OUT, // the memory has grown to `argument` bytes, and `layout` holds
    GYM_RESET,   // slot `first`; with a seed in `argument` where count is 1
    GYM_STEP,    // slots first ... first + count - 1
    GYM_RUN,     // the same, each action for `argument` frames
    GYM_REPLAY,  // slot `first`: its start or else `seed`, then `argument` actions; one that renders where
                 // count is 1
    GYM_RENDER,  // slot `first`; the result is width << 16 | height, or 0
    GYM_END,
} gym_command;

typedef enum gym_outcome { GYM_READY, GYM_UNKNOWN, GYM_MISSING, GYM_UNFIT, GYM_BROKEN } gym_outcome;

// What an episode begins with.
typedef enum gym_start_kind {
    GYM_START_UNKNOWN, // nothing that could bring it back
    GYM_START_SEED,    // reset(seed=seed)
    GYM_START_DRAWN,   // a reset that went on with the generator, a PCG64 in the state `words`
} gym_start_kind;

typedef struct gym_start {
    uint32_t kind, blob_size;
    uint64_t words[6]; // state low and high, increment low and high, has_uint32, uinteger
    // the blob follows: the Arcade Learning Environment's whole state
} gym_start;

typedef struct gym_description {
    uint32_t outcome, unused;
    uint32_t image; // observations are u8 [shape]; else f32 [shape[0]]
    uint32_t rank, shape[3];
    uint32_t actions, blob_room;
    uint32_t renders, nondeterministic, has_lives;
    int64_t step_limit; // 0: none
    double threshold, frame_rate;
    float low[DQ_OBSERVATION_MAX], high[DQ_OBSERVATION_MAX];
    char action_names[DQ_ACTIONS_MAX][GYM_NAME_SIZE];
    char source[256];
    char room[184];
    char message[1024]; // why there is no environment
} gym_description;

typedef struct gym_layout {
    uint64_t slots;
    uint64_t actions;             // i32 [slots]; these are places, from the memory's beginning
    uint64_t rewards;             // f64 [slots]
    uint64_t flags;               // u8 [slots]: 1 terminated, 2 truncated, 4 times a run's frames
    uint64_t lives;               // i32 [slots]
    uint64_t starts, start_size;  // gym_start and its blob [slots]
    uint64_t observations, width; // [slots][2], `width` bytes apart: the last, and of a run the one before
    uint64_t history;             // u8 [longest]: the actions of a replay
    uint64_t frame;               // to the end of the memory
} gym_layout;

typedef struct gym_page {
    _Alignas(64) uint64_t unused;
    _Alignas(64) _Atomic uint32_t request;
    uint32_t first, count;
    uint32_t argument[2], seed[2]; // 64 bits each, the lower half first
    _Alignas(64) _Atomic uint32_t reply;
    uint32_t result;
    _Alignas(64) _Atomic uint32_t worker_sleeps;
    _Alignas(64) _Atomic uint32_t parent_sleeps;
    _Alignas(64) gym_layout layout;
    _Alignas(64) unsigned char more[64];
    _Alignas(64) gym_description description;
} gym_page;

_Static_assert(offsetof(gym_page, request) == 64 && offsetof(gym_page, first) == 68, "the worker's REQUEST");
_Static_assert(offsetof(gym_page, reply) == 128 && offsetof(gym_page, result) == 132, "the worker's REPLY");
_Static_assert(offsetof(gym_page, worker_sleeps) == 192 && offsetof(gym_page, parent_sleeps) == 256,
               "sleeps");
_Static_assert(offsetof(gym_page, layout) == 320 && sizeof(gym_layout) == 88, "the worker's LAYOUT");
_Static_assert(offsetof(gym_page, description) == 512 && sizeof(gym_page) == GYM_PAGE,
               "the worker's DESCRIPTION");
_Static_assert(sizeof(gym_start) == 56 && DQ_OBSERVATION_MAX == 64 && DQ_ACTIONS_MAX == 64,
               "the worker's numbers");

#endif
