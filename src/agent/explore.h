// Explorers: how an action is chosen while training.
//
// In two steps, so that no network runs for an action that does not need one: `propose` sets the actions it
// can choose without action values and DQ_ASK_Q for the others, `choose` picks one of the latter.
#ifndef AGENT_EXPLORE_H
#define AGENT_EXPLORE_H

#include "base/strategy.h"
#include <deepq/agent.h>

#define DQ_ASK_Q (-1)

typedef struct dq_explorer_class {
    dq_strategy about;
    bool wants_noise; // action values come from a network with fresh noise (DQ_NOISY)

    // Fills chosen [count], each in [0, actions) or DQ_ASK_Q; returns how many ask.
    int (*propose)(const void *options, dq_rng *rng, double epsilon, int actions, int count, int32_t *chosen);

    // The action for values q [actions].
    int32_t (*choose)(const void *options, dq_rng *rng, double epsilon, const float *q, int actions);
} dq_explorer_class;

// Made from the names of src/agent/explore_*.c: dq_explore_NAME; ends with NULL.
extern const dq_explorer_class *const dq_explorer_classes[];

// The first of the largest.
int dq_argmax(const float *q, int actions);

#endif
