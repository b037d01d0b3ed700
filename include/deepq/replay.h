// Replay memory: a fixed-size ring of transitions.
//
// A transition carries what a learner needs and nothing it can derive: observation, action, the (n-step)
// reward sum, the next observation and the discount that multiplies its value. The discount is gamma^n,
// or 0 where nothing follows, so that a learner never asks why an episode ended.
#ifndef DEEPQ_REPLAY_H
#define DEEPQ_REPLAY_H

#include <deepq/base.h>
#include <deepq/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dq_replay dq_replay;

// One transition, borrowed pointers.
typedef struct dq_transition {
    const void *observation;      // dq_space_bytes, as the environment wrote it
    const void *next_observation; // likewise
    int32_t action;
    float reward;   // sum of gamma^k r_k over the n steps
    float discount; // gamma^n; 0: no bootstrap
} dq_transition;

// Room for `capacity` transitions with observations of that space, allocated at once.
DQ_API dq_status dq_replay_create(dq_replay **out, int64_t capacity, const dq_space *space, dq_error *error);
DQ_API void dq_replay_destroy(dq_replay *replay);

DQ_API int64_t dq_replay_size(const dq_replay *replay);     // transitions stored
DQ_API int64_t dq_replay_inserted(const dq_replay *replay); // ever inserted; slot = number % capacity
DQ_API int64_t dq_replay_capacity(const dq_replay *replay);
DQ_API size_t dq_replay_bytes(const dq_replay *replay); // memory held

// O(1). Overwrites the oldest when full; returns the slot.
DQ_API int64_t dq_replay_add(dq_replay *replay, const dq_transition *transition);

// O(1): slot in [0, size).
DQ_API dq_transition dq_replay_at(const dq_replay *replay, int64_t slot);

#ifdef __cplusplus
}
#endif
#endif
