// The environments of a gym: class: which worker has which, and how an episode is brought back.
#ifndef DEEPQ_GYM_INSTANCES_H
#define DEEPQ_GYM_INSTANCES_H

#include "gym/worker.h"

#include <deepq/env.h>
#include <pthread.h>

typedef struct gym_options {
    int64_t workers;
} gym_options;

// A class, and what it takes to start a worker for it. `base` is what dq_env_find hands out.
typedef struct gym_class {
    dq_env_class base;
    char id[264]; // "gym:ID"
    gym_description about;
    size_t width;     // bytes of an observation
    size_t blob_room; // of an episode's start
    size_t longest;   // actions of an episode that are kept
    float low[DQ_OBSERVATION_MAX], high[DQ_OBSERVATION_MAX];
    char names[DQ_OBSERVATION_MAX][8];
    const char *observation_names[DQ_OBSERVATION_MAX], *action_names[DQ_ACTIONS_MAX];
    char summary[320];
    dq_option option_rows[1];
    pthread_mutex_t lock;
    gym_worker *spare; // one that runs and has no environments yet
} gym_class;

// The class's functions and sizes, from its description.
void gym_instances_fill(gym_class *self);

#endif
