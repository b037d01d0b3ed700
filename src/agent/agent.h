// What the runner's checkpoints need of an agent beyond deepq/agent.h.
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/qnet.h"
#include <deepq/replay.h>

// Everything but the replay memory that the agent's future depends on, as blocks of plain memory.
enum { DQ_AGENT_BLOCKS = 5 };
typedef struct dq_block {
    const char *name;
    void *data;
    size_t size;
} dq_block;
void dq_agent_state(dq_agent *agent, dq_block blocks[DQ_AGENT_BLOCKS]);

// The online network's parameters were set from outside: the target network takes them over.
void dq_agent_started(dq_agent *agent);

// After the blocks and the replay memory were read back.
void dq_agent_restored(dq_agent *agent);

// What the last gradient step saw, for those who look on; it stays until the next one. Returns the size B of
// the batch, or 0 before the first step since the agent was made.
// gradient: [trainable] as the optimizer got it. q: [B,A] the online network's values of the batch, the
// caller's memory, or NULL.
int dq_agent_last_step(dq_agent *agent, const float **gradient, float *q);

dq_replay *dq_agent_replay(dq_agent *agent);
const dq_qnet *dq_agent_qnet(const dq_agent *agent);

#endif
