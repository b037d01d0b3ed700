// What a search is about: from the command line and files, and as the study keeps it, so that --resume and
// other processes need nothing but the storage.
#ifndef DEEPQ_CLI_TUNE_SETUP_H
#define DEEPQ_CLI_TUNE_SETUP_H

#include "tune/trial_run.h"

enum { TUNE_WORDS_MAX = 256 };

typedef struct tune_request {
    const char *env; // or a .yml file: a lab, or options with env: and search:
    const char *agent, *file, *objective;
    const char *words[TUNE_WORDS_MAX]; // key=value: options, search.OPTION=..., rows of dq_tune_options
    int word_count;
} tune_request;

typedef struct tune_setup {
    dq_run_config config; // what is not searched, with the evaluation as it was given
    dq_search search;
    dq_trial_plan plan;
    dq_tune_config tune;
} tune_setup;

// Fills the setup; plan.seeds, evaluations, final_episodes and final_seed stand already, and tune holds what
// the flags say.
dq_status tune_setup_make(tune_setup *setup, const tune_request *request, dq_error *error);
void tune_setup_deinit(tune_setup *setup);

// Gives the pruners rungs that fit the trainings' length, where nobody set them.
void tune_setup_fit(tune_setup *setup);

// The study's directions: directions [plan.objective_count].
void tune_setup_directions(const tune_setup *setup, dq_direction *directions);

// Writes the setup into a study that has none yet; one that is there has to be the same.
dq_status tune_setup_record(const tune_setup *setup, dq_storage *storage, dq_study *study, dq_error *error);

// The setup that is recorded in the study. tune stays as it was.
dq_status tune_setup_recall(tune_setup *setup, const dq_study *study, dq_error *error);

#endif
