// A Q-network: the plan of layers and the head that reads its outputs; what learning and acting share.
#ifndef AGENT_QNET_H
#define AGENT_QNET_H

#include "agent/head.h"
#include <deepq/net.h>

typedef struct dq_qnet {
    dq_net *net;
    dq_head *head;
    dq_space frame; // what the environment shows
    dq_space input; // what the network sees: frame_stack of them
    int stack;      // frame_stack
    int actions;    // A
} dq_qnet;

// `space`: of one observation. max_batch: the largest batch of any call of the head.
dq_status dq_qnet_init(dq_qnet *qnet, const dq_agent_config *config, const dq_space *space, int actions,
                       int max_batch, dq_error *error);
void dq_qnet_deinit(dq_qnet *qnet);

// Where a batch's inputs go in a workspace: panels of floats, or rows of bytes for networks on images.
void *dq_qnet_place(dq_workspace *workspace);

// What a thread needs to ask for action values: up to max_batch observations at once.
typedef struct dq_asker {
    const dq_qnet *qnet;
    dq_workspace *workspace;
    int max_batch;
    dq_mode mode;  // DQ_EVAL at first; DQ_NOISY: with the noise in params
    float *output; // [1][A*N][16]
    float *q;      // [P][A][16]
    float *row;    // [A*N]
} dq_asker;

// pool: of threads that share the work, or NULL.
dq_status dq_asker_init(dq_asker *asker, const dq_qnet *qnet, int max_batch, struct dq_pool *pool,
                        dq_error *error);
void dq_asker_deinit(dq_asker *asker);

// q: [A] values of one input, an observation or a stack of frames.
void dq_asker_one(dq_asker *asker, float *params, const void *input, float *q);

// inputs: [count] rows -> q: [count,A].
void dq_asker_many(dq_asker *asker, float *params, const void *inputs, int count, float *q);

#endif
