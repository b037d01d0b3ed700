// The tuner: asks for trials, takes their intermediate values, tells how they ended. It joins a storage, a
// search space, a suggester and a pruner, for the threads of one process beside any number of other
// processes.
//
// A trial that this program runs carries who works on it (DQ_WORKER) and a heartbeat. Where the worker is
// gone (its process on this machine, or its heartbeat elsewhere), whoever asks next gives the trial up and,
// for `retries` times, queues its parameters again. All functions but create and destroy may be called by any
// thread.
#ifndef TUNE_TUNER_H
#define TUNE_TUNER_H

#include "tune/prune.h"
#include "tune/space.h"
#include "tune/storage.h"

// User attributes of a trial.
#define DQ_WORKER    "deepq:worker"    // "HOST/BOOT/PID/START"
#define DQ_HEARTBEAT "deepq:heartbeat" // a number that grows
#define DQ_REASON    "deepq:error"     // why it failed, as a sentence
#define DQ_SECONDS   "deepq:seconds"   // processor time of its trainings

// How a study is searched. The strategies' own options are rows of dq_tune_options.
typedef struct dq_tune_config {
    int suggester, pruner; // positions in the lists
    int64_t seed;          // of the suggestions
    int64_t trials;        // of the study, in all; 0: no limit
    double heartbeat;      // seconds between beats; three without one mean that a worker is gone
    int64_t retries;       // of a trial whose worker died
    double trial_seconds;  // processor time that a whole trial may take; 0: any
    bool start_values;     // the first trial has the values that the options have already
    _Alignas(8) unsigned char strategy_options[2048];
} dq_tune_config;

// Rows of dq_tune_config: "suggester", "pruner" and what else there is. Built on the first call; any thread.
dq_option_table dq_tune_options(void);

// The options struct of a class inside the configuration.
const void *dq_tune_strategy_options(const dq_tune_config *config, const dq_strategy *about);

typedef struct dq_tuner dq_tuner;

// The storage, study and search space stay the caller's and must outlive the tuner; nobody else uses the
// storage meanwhile.
dq_status dq_tuner_create(dq_tuner **out, const dq_tune_config *config, dq_storage *storage, dq_study *study,
                          const dq_search *search, dq_error *error);
void dq_tuner_destroy(dq_tuner *tuner);

// The next trial, whose parameters are in `params` (a trial of the caller's, zeroed, to be freed with
// dq_trial_deinit; the study's own changes under other threads' hands). *trial NULL: there are enough, or
// nothing is left to try.
dq_status dq_tuner_ask(dq_tuner *tuner, dq_trial **trial, dq_trial *params, dq_error *error);

// *prune: stop it. A trial that another process has given up meanwhile is pruned too.
dq_status dq_tuner_report(dq_tuner *tuner, dq_trial *trial, int64_t step, double value, bool *prune,
                          dq_error *error);

// How it ended. A complete one has the study's number of values; with a NAN among them it failed. A pruned
// one takes its last intermediate value, as in Optuna. `reason` may be NULL. seconds: of processor time.
dq_status dq_tuner_tell(dq_tuner *tuner, dq_trial *trial, dq_trial_state state, const double *values,
                        int count, double seconds, const char *reason, dq_error *error);

// Gives a trial of this process back to be run again later.
dq_status dq_tuner_give_back(dq_tuner *tuner, dq_trial *trial, dq_error *error);

// To be called about once a second: reads what others wrote, and writes heartbeats where they are due.
dq_status dq_tuner_tick(dq_tuner *tuner, dq_error *error);

// What a display shows.
typedef struct dq_tuner_counts {
    int64_t total, running, complete, pruned, failed, waiting;
    double best; // NAN: none yet; of the first direction
    int64_t best_number;
} dq_tuner_counts;

void dq_tuner_count(dq_tuner *tuner, dq_tuner_counts *counts);

#endif
