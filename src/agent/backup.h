// Backups: the policy whose value at s' the target takes, and what is added to the reward.
//
// A backup turns action values into probabilities of the next actions, [P][A][16]: one-hot for max and
// double, softmax for Munchausen. Terms that depend on the policy (entropy at s', scaled log-policy at s)
// go into `reward`. So heads need no cases. Shapes are head.h's panels.
#ifndef AGENT_BACKUP_H
#define AGENT_BACKUP_H

#include "base/strategy.h"
#include <deepq/agent.h>

typedef struct dq_backup_inputs {
    int actions, panels;
    const float *next_q;        // [P][A][16] target network at s'
    const float *next_q_online; // [P][A][16] online network at s'; NULL unless wants_online
    const float *q;             // [P][A][16] target network at s; NULL unless wants_current
    const int32_t *action;      // [P][16] taken at s
    const float *discount;      // [P][16] gamma^n, or 0
} dq_backup_inputs;

typedef struct dq_backup_class {
    dq_strategy about;
    bool wants_online;  // needs the online network's values at s'
    bool wants_current; // needs the target network's values at s

    // Fills policy [P][A][16] and may add to reward [P][16]. `options` is the class's options struct.
    void (*apply)(const void *options, const dq_backup_inputs *inputs, float *policy, float *reward);
} dq_backup_class;

// Made from the names of src/agent/backup_*.c: dq_backup_NAME; ends with NULL.
extern const dq_backup_class *const dq_backup_classes[];

#endif
