// The run, as its hooks see it.
#ifndef RUN_RUNNER_H
#define RUN_RUNNER_H

#include "agent/agent.h"
#include <deepq/run.h>
#include <stdio.h>

enum { DQ_RUN_HOOKS = 4, DQ_RUN_WINDOW = 100 };

struct dq_hook;

// Counters that a checkpoint holds; plain memory.
typedef struct dq_run_now {
    int64_t step, episode;
    double seconds;                // spent training before this start, as of the checkpoint
    double window[DQ_RUN_WINDOW];  // returns of the last episodes: episode e at e % DQ_RUN_WINDOW
    double lengths[DQ_RUN_WINDOW]; // and their lengths
    double best;                   // best measure so far; see best_params
    dq_metrics row;                // the row of metrics.csv being assembled
    int64_t metrics_bytes;         // of metrics.csv so far
    bool has_best, evaluated;      // evaluated: the row holds an evaluation that is not written yet
} dq_run_now;

struct dq_run {
    dq_run_config config;
    const dq_env_class *env_class;
    char folder[3072]; // "" : nothing is written
    dq_vecenv *env;
    dq_agent *agent;
    dq_run_now now;
    int previous_step;       // environment steps of the last round
    float *best_params;      // [dq_net_size] of the best measure
    bool best_changed;       // since it was last written
    unsigned char *acted_on; // [N] observations: what the last actions saw
    int32_t *actions;        // [N]
    struct dq_hook *hooks[DQ_RUN_HOOKS];
    FILE *metrics;                    // metrics.csv; NULL without a folder
    struct dq_checkpoint *checkpoint; // NULL without a folder
    bool stopping, interrupted;
    unsigned generation; // of interrupts, at creation
    double started;      // clock at the start of dq_run_train
    dq_progress_fn *progress;
    void *progress_user;
    dq_before_checkpoint_fn *before_checkpoint;
    void *before_checkpoint_user;
};

// Seconds spent training, earlier starts of a resumed run included.
double dq_run_seconds(const dq_run *run);

// Whether a multiple of `interval` lies in the steps of the last round; false for 0.
bool dq_run_due(const dq_run *run, int64_t interval);

// A measure of how good the present parameters are; keeps a copy of the best ones.
void dq_run_measured(dq_run *run, double value);

// "FOLDER/name" in a buffer of at least 4096 bytes.
const char *dq_run_path(const dq_run *run, const char *name, char path[4096]);

// Writes weights.safetensors, and best.safetensors where it changed.
dq_status dq_run_write_weights(dq_run *run, dq_error *error);

#endif
