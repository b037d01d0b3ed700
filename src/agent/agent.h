// What the runner's checkpoints need of an agent beyond deepq/agent.h.
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/qnet.h"
#include <deepq/replay.h>

// Everything but the replay memory that the agent's future depends on, as blocks of plain memory.
enum { DQ_AGENT_BLOCKS = 4 };
typedef struct dq_block {
    const char *name;
    void *data;
    size_t size;
} dq_block;
void dq_agent_state(dq_agent *agent, dq_block blocks[DQ_AGENT_BLOCKS]);

// After the blocks and the replay memory were read back.
void dq_agent_restored(dq_agent *agent);

dq_replay *dq_agent_replay(dq_agent *agent);
const dq_qnet *dq_agent_qnet(const dq_agent *agent);

#endif
