// Episodes: what a state holds, and how it goes on whatever happens to the worker.
#ifndef DEEPQ_GYM_EPISODE_H
#define DEEPQ_GYM_EPISODE_H

#include "gym/group.h"

enum { GYM_TERMINATED = 1, GYM_TRUNCATED = 2, GYM_KEPT = 2 };

typedef struct gym_state {
    uint64_t fingerprint; // of the episode's start and all since; 0: no episode
    uint64_t observed;    // of the last observation
    uint64_t seed;        // the last one that was given
    int64_t length;       // actions since the reset
    bool seeded;          // the next reset is with that seed
    uint8_t ended;        // by the last step: GYM_TERMINATED, GYM_TRUNCATED
    bool lost;            // the environment is not where this state is: only a reset helps
    int32_t lives;
    double earned; // since the reset
    dq_atari atari;
    gym_start start;
    // then the start's blob [blob_room], observations [GYM_KEPT][width] and the actions [longest]
} gym_state;

// Observation k of the two that a state keeps: the last one (0), or the frames that Atari's wrappers keep.
unsigned char *gym_kept_of(const gym_class *c, gym_state *s, int k);

// dq_env_class.seed
void gym_seed(void *state, const void *options, uint64_t seed);

// A new episode, from the seed where one was given. False: the group has broken down.
bool gym_begin(gym_instance *in, gym_state *s);

// Brings the worker's environment to where the state is, if it is elsewhere. False: the episode is lost.
bool gym_ready(gym_instance *in, gym_state *s);

// One action for so many frames, or till the episode's end; false: it could not be made.
bool gym_advance(gym_instance *in, gym_state *s, int action, int frames);

// gym_advance of many at once, all workers side by side; which could be made is in gym_instance.stepped.
void gym_advance_many(void *states, size_t stride, int count, const int32_t *actions, int frames);
gym_state *gym_state_at(void *states, size_t stride, int i);

// The episode of a state that could not advance ends as truncated.
void gym_end_lost(const gym_instance *in, gym_state *s);

#endif
