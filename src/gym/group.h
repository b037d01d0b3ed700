// Environments and the workers that have them. A state's environment is found by the state's address.
//
// The instances that share one options struct (a dq_vecenv's) form a group with workers of its own, dealt out
// in turn: a group belongs to one thread at a time.
#ifndef DEEPQ_GYM_GROUP_H
#define DEEPQ_GYM_GROUP_H

#include "gym/class.h"

enum { GYM_WORKERS_MOST = 64 };

typedef struct gym_instance {
    struct gym_group *group;
    int worker, slot; // of the group
    bool fits, renders;
    uint64_t fingerprint; // of the episode that the worker's environment is in, where it fits
    // of the step under way
    bool waits, stepped;
    double reward;
    int frames; // made by it
    bool ran;   // several frames in one request
    int ahead;  // of its frames, those that the wrappers have not come to
} gym_instance;

typedef struct gym_group {
    gym_class *of;
    int worker_count;
    gym_worker *workers[GYM_WORKERS_MOST];
    int deaths[GYM_WORKERS_MOST];    // of those that follow each other closely
    int64_t steps[GYM_WORKERS_MOST]; // answered since the last one
    int count, room, left;           // instances ever, and those that are not released
    gym_instance **instances; // instance i: worker i % worker_count, slot i / worker_count; NULL: released
    dq_status status;         // not DQ_OK: broken for good
    dq_error error;
} gym_group;

// dq_env_class.open, release and check.
dq_status gym_open(const dq_env_class *env_class, void *state, const void *options, dq_error *error);
void gym_close(const void *state);
dq_status gym_check(const void *options, dq_error *error);

gym_instance *gym_find(const void *state);
gym_worker *gym_worker_of(const gym_instance *in);

// One request of one environment. False: the worker died of it, and another is there, or the group is broken.
bool gym_ask(gym_instance *in, gym_command command, bool flag, uint64_t argument, uint64_t seed);

// Instances that wait to be stepped, by worker and slot: posts the first run of slots of each worker, and
// waits for all of them. Returns whether there was any.
bool gym_step_slots(gym_group *g, int frames);

#endif
