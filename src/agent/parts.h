// An agent's parts, for the two files that it is made of: create.c puts them together, agent.c works with
// them.
#ifndef AGENT_PARTS_H
#define AGENT_PARTS_H

#include "agent/agent.h"
#include "agent/config.h"
#include "agent/spread.h"
#include "agent/target_cache.h"
#include "base/arena.h"
#include "base/threads.h"
#include "replay/frames.h"
#include "replay/lambda.h"
#include "replay/nstep.h"
#include "replay/store.h"

typedef struct dq_agent_counters {
    dq_rng explore_rng, sample_rng, noise_rng;
    int64_t updates; // gradient steps
    int64_t synced_episode;
    double loss_sum;
    int64_t loss_count;
    dq_spread q, target;
} dq_agent_counters;

// Floats of the parameter array that the optimizer may touch, and where its state for them starts.
typedef struct dq_agent_span {
    size_t first, count, state;
} dq_agent_span;

struct dq_agent {
    dq_agent_config config;
    dq_schedule epsilon, learning_rate;
    dq_optimizer_config optimizer;
    dq_qnet qnet;
    const dq_backup_class *backup;
    const dq_explorer_class *explorer;
    const void *backup_options, *explorer_options;
    dq_sampler *sampler;
    dq_replay *replay;
    dq_nstep *nstep;
    dq_lambda *rollout;          // NULL: n-step returns and a replay memory
    int finished_rollouts;       // since the last learning
    float *rollout_values;       // [T*N]
    unsigned char *rollout_next; // [N] stacks that a step led to, with a frame memory
    bool frame_memory;           // the replay memory keeps single frames
    dq_frames *frames;           // the newest of each environment, or NULL: one observation is enough
    dq_target_cache *cache;      // of the target network's outputs, or NULL
    int environments;
    int64_t needed; // transitions stored before learning

    dq_arena saved; // what checkpoints hold
    dq_agent_counters *now;
    float *params, *target_params; // [dq_net_size]; the same array without a target network
    float *optimizer_state;
    dq_agent_span *spans; // [span_count] what of the parameters is trained
    int span_count;
    int64_t *newest; // [environments] frame in the replay memory that an episode shows; -1: none yet
    double *moments; // [dq_net_moments] of the observations acted on

    // scratch
    int panels;    // P of a batch
    dq_pool *pool; // of the gradient step and of acting; NULL: one thread
    float *gradient;
    const float *last_output;                     // of the online network at the last batch; NULL: none yet
    dq_asker asker;                               // acting
    dq_workspace *online, *target;                // at s, at s'
    dq_workspace *online_next, *target_current;   // for backups that want them, else NULL
    int64_t *slots;                               // [B]
    int32_t *action;                              // [P][16]
    float *reward, *discount, *weight, *priority; // [P][16]
    float *next_q, *next_q_online, *q, *policy;   // [P][A][16]
    float *targets, *d_output;                    // [P][targets][16], [P][A*N][16]
    float *acting_q;                              // [environments][A]
    dq_transition *complete;                      // [n_step]
    unsigned char *next_stack;                    // of frames, what a step led to
    dq_arena scratch;
};

// The target network's parameters become the online network's.
void dq_agent_copy_target(dq_agent *agent);

#endif
