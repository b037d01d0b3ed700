// A Q-network: the plan of layers and the head that reads its outputs; what learning and acting share.
#ifndef AGENT_QNET_H
#define AGENT_QNET_H

#include "agent/head.h"
#include <deepq/net.h>

typedef struct dq_qnet {
    dq_net *net;
    dq_head *head;
    int observation_size; // D
    int actions;          // A
} dq_qnet;

// max_batch: the largest batch of any call of the head.
dq_status dq_qnet_init(dq_qnet *qnet, const dq_agent_config *config, int observation_size, int actions,
                       int max_batch, dq_error *error);
void dq_qnet_deinit(dq_qnet *qnet);

// What one thread needs to ask for action values: up to max_batch observations at once.
typedef struct dq_asker {
    const dq_qnet *qnet;
    dq_workspace *workspace;
    int max_batch;
    dq_mode mode;  // DQ_EVAL at first; DQ_NOISY: with the noise in params
    float *output; // [1][A*N][16]
    float *q;      // [P][A][16]
    float *row;    // [A*N]
} dq_asker;

dq_status dq_asker_init(dq_asker *asker, const dq_qnet *qnet, int max_batch, dq_error *error);
void dq_asker_deinit(dq_asker *asker);

// q: [A] values of one observation [D].
void dq_asker_one(dq_asker *asker, float *params, const float *observation, float *q);

// observations: [count,D] -> q: [count,A].
void dq_asker_many(dq_asker *asker, float *params, const float *observations, int count, float *q);

#endif
