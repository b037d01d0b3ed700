// Greedy episodes: what evaluation during training and policies of finished runs share.
#ifndef RUN_ROLLOUT_H
#define RUN_ROLLOUT_H

#include "agent/qnet.h"
#include <deepq/env.h>

typedef struct dq_rollout dq_rollout;

// Environments and room for episodes of one thread. `options` may be NULL for the class's defaults.
dq_status dq_rollout_create(dq_rollout **out, const dq_qnet *qnet, const dq_env_class *env_class,
                            const void *options, int step_limit, int most_episodes, dq_error *error);
void dq_rollout_destroy(dq_rollout *rollout);

// What one episode came to.
typedef struct dq_episode {
    int64_t length;
    double episode_return;    // undiscounted
    double discounted_return; // sum of gamma^t r_t
    double q_start;           // max Q at the start
} dq_episode;

// Plays episodes [count] with params; episode i resets its environment with seed + i. An episode's course
// depends on its seed and the parameters alone. Allocates nothing. Fails only where environments break down
// (dq_vecenv_check).
dq_status dq_rollout_play(dq_rollout *rollout, float *params, double gamma, uint64_t seed, int count,
                          dq_episode *episodes, dq_error *error);

#endif
