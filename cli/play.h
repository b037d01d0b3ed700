// Playing: one episode at a time in an environment, by a policy, at random or by hand, for record and watch.
#ifndef DEEPQ_CLI_PLAY_H
#define DEEPQ_CLI_PLAY_H

#include "draw/scene.h"

#include <deepq/frames.h>
#include <deepq/run.h>

typedef struct play {
    const dq_env_class *env_class;
    dq_run_config config; // of the environment: options and step limit
    dq_policy *policy;    // NULL: at random
    char player[64];      // the agent's name, or "random"
    int step_limit;       // 0: none
    void *state;
    dq_rng rng, choices; // the environment's stream, and that of random actions
    float *q;            // [A] of the present state; zero when playing at random
    int choice;          // the action that the policy or chance takes next

    uint64_t seed; // the episode was reset with
    int steps;
    double episode_return, q_low, q_high; // the range of the episode's Q values
    bool terminated, truncated;
    dq_trail trail;
    dq_space space;      // of an observation
    void *observation;   // of the present state
    dq_frames *frames;   // what a policy with a frame_stack looks at, else NULL
    float *observations; // what the trail points to; NULL for images
    int32_t *actions;
    double *rewards;
    int room; // rows of the trail
} play;

// `who` is a run's folder, a weights file or "random", which needs `env`; `words` are env.NAME=value and
// step_limit=N. Comes back reset with `seed`.
dq_status play_create(play **out, const char *who, const char *env, const char *const *words, int word_count,
                      uint64_t seed, dq_error *error);

// Plays with a policy, which becomes the play's whatever the outcome, or at random (NULL); `config` names the
// environment.
dq_status play_create_with(play **out, dq_policy *policy, const dq_run_config *config, uint64_t seed,
                           dq_error *error);
void play_destroy(play *p);

// Starts an episode as an evaluation with that seed does.
void play_reset(play *p, uint64_t seed);

// One step; not after the episode's end. Fails when there is no memory for the trail or the environment broke
// down.
dq_status play_step(play *p, int action, dq_error *error);

bool play_over(const play *p);

// What there is to see; good until the next step. `chosen`: the action to come, -1: none.
dq_scene play_scene(const play *p, int chosen);

#endif
