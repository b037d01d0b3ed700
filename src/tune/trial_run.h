// A trial as trainings: its parameters become a configuration, several seeds of it are trained one after the
// other, and the objectives come from what they reach.
//
// While they train, greedy evaluations become the trial's intermediate values: after t steps of seed k (0, 1,
// ...) the value at step k T + t is the mean over the k seeds that have ended and the present one. A pruned
// trial stops at that moment.
#ifndef TUNE_TRIAL_RUN_H
#define TUNE_TRIAL_RUN_H

#include "tune/tuner.h"

enum { DQ_OBJECTIVES_MAX = 4 };

// What can be searched for; the list ends with a NULL name.
typedef struct dq_objective {
    const char *name;
    dq_direction direction;
    const char *help;
} dq_objective;

extern const dq_objective dq_objectives[];

typedef struct dq_trial_plan {
    dq_run_config config; // what is not searched
    const dq_search *search;
    int objectives[DQ_OBJECTIVES_MAX]; // [objective_count] positions in dq_objectives
    int objective_count;
    int seeds;          // config.seed, config.seed + 1, ...
    int evaluations;    // per training
    int final_episodes; // greedy ones that score a trained seed: resets with final_seed, final_seed + 1, ...
    int64_t final_seed;
    double seconds; // of processor time that a trial may take; 0: any
} dq_trial_plan;

// Reads "return,seconds" into the plan.
dq_status dq_trial_plan_objectives(dq_trial_plan *plan, const char *text, dq_error *error);

// Makes the configuration fit to be searched with, or says why it is not.
dq_status dq_trial_plan_finish(dq_trial_plan *plan, dq_error *error);

// Trains a trial that dq_tuner_ask gave and tells the tuner how it ended. A configuration that cannot work
// makes the trial fail, not this function. DQ_INTERRUPTED: dq_run_interrupt was called, and the trial is
// given back.
dq_status dq_trial_run(const dq_trial_plan *plan, dq_tuner *tuner, dq_trial *trial, const dq_trial *params,
                       dq_error *error);

#endif
