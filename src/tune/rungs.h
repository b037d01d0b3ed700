// The rungs of asynchronous successive halving, which ASHA climbs once and Hyperband in several brackets.
#ifndef TUNE_RUNGS_H
#define TUNE_RUNGS_H

#include "tune/prune.h"

typedef struct dq_rungs {
    int64_t min_resource; // steps to the first rung of bracket 0
    int64_t factor;       // of steps from rung to rung; one trial in `factor` climbs on
    int64_t skipped;      // rungs left out at the bottom: the bracket
    int64_t bootstrap;    // trials on a rung before one climbs on
    const void *group;    // handed to same_group
    bool (*same_group)(const void *group, const dq_study *study, const dq_trial *a,
                       const dq_trial *b); // NULL: all
} dq_rungs;

// Climbs as many rungs as the trial's last step reaches, noting each under Optuna's key completed_rung_N.
// True: the trial has lost on one and ends.
bool dq_rungs_prune(const dq_rungs *rungs, const dq_study *study, const dq_trial *trial, dq_notes *notes);

#endif
