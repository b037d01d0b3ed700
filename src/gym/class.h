// A class of the family gym:, and what it takes to start workers for it.
#ifndef DEEPQ_GYM_CLASS_H
#define DEEPQ_GYM_CLASS_H

#include "env/atari.h"
#include "gym/worker.h"

#include <deepq/env.h>
#include <pthread.h>

typedef struct gym_options {
    dq_atari_options atari; // of classes that have the wrappers
    int64_t workers;
} gym_options;

enum { GYM_ROWS = DQ_ATARI_ROWS + 1 };

// A class, and what it takes to start a worker for it. `base` is what dq_env_find hands out.
typedef struct gym_class {
    dq_env_class base;
    char id[264]; // "gym:ID"
    gym_description about;
    bool atari;       // frames of the Arcade Learning Environment, behind the wrappers of env/atari.h
    int fire;         // its action; -1: none
    size_t width;     // bytes of what the environment itself shows
    size_t blob_room; // of an episode's start
    size_t longest;   // actions of an episode that are kept
    float low[DQ_OBSERVATION_MAX], high[DQ_OBSERVATION_MAX];
    char names[DQ_OBSERVATION_MAX][8];
    const char *observation_names[DQ_OBSERVATION_MAX], *action_names[DQ_ACTIONS_MAX];
    char summary[320];
    dq_option option_rows[GYM_ROWS];
    pthread_mutex_t lock;
    gym_worker *spare; // one that runs and has no environments yet
} gym_class;

// The class's functions and sizes, from the rest.
void gym_class_fill(gym_class *self);
void gym_become_atari(gym_class *self);

#endif
