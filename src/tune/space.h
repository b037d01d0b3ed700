// The search space over a run's options: what is searched, and a trial's parameters as a configuration.
//
// A dimension is a line "OPTION: TEXT", and TEXT one of
//   1e-5 .. 1e-2           a range, on the scale that the option's row says, or with "log" or "linear" behind
//   1 .. 9 step 2          with a step
//   16 | 32 | 64           choices; a YAML list is the same
//   all                    what the option's row allows, where that is bounded
//   fixed text             a plain value: not searched, but set before the search
//   off                    not searched any more
// With "* OPTION" behind it, the value is a factor of that other option ("0.1 .. 0.5 * total_steps").
#ifndef TUNE_SPACE_H
#define TUNE_SPACE_H

#include "tune/suggest.h"

#include <deepq/run.h>

typedef struct dq_dimension {
    char name[64];
    char text[400];               // as it was given
    char factor[64];              // the option that the value multiplies; "": none
    bool whole;                   // of an option that holds whole numbers
    bool standard;                // nobody named it: it is as dq_search_default made it
    dq_distribution distribution; // its choices belong to the dimension
} dq_dimension;

typedef struct dq_search {
    dq_dimension *at; // [count], heap
    int count;
} dq_search;

// What is searched where nobody says otherwise: a DQN's options with ranges like those of RL Baselines3 Zoo.
// Fixed values go into `config`.
dq_status dq_search_default(dq_search *space, dq_run_config *config, dq_error *error);
void dq_search_deinit(dq_search *space);

// Sets, replaces or removes one dimension.
dq_status dq_search_set(dq_search *space, dq_run_config *config, const char *name, const char *text,
                        const char *where, dq_error *error);
void dq_search_remove(dq_search *space, const char *name);

// Widens the dimensions of the default space so that they hold what `config` says: a search starts from
// there.
dq_status dq_search_widen(dq_search *space, dq_run_config *config, dq_error *error);

// What `config` says, as far as the space holds it: parameters and their values as Optuna's enqueue_trial
// notes them, one JSON object. NULL: no memory.
char *dq_search_start(const dq_search *space, const dq_run_config *config);

// The value that an option has in `config`, as text; "env.NAME" for its environment's.
bool dq_search_present(const dq_run_config *config, const char *name, char *text, size_t size);

// Interns the space in a study: names and distributions of params [space->count]. Fails where the study has
// another kind of distribution under a name.
dq_status dq_search_intern(const dq_search *space, dq_study *study, dq_trial_param *params, dq_error *error);

// Sets the trial's parameters in `config`. Names that are no options of the run are an error.
dq_status dq_search_apply(const dq_search *space, const dq_trial *trial, dq_run_config *config,
                          dq_error *error);

// An internal value as people read it: 0.001, 64, [64, 64].
void dq_param_text(const dq_distribution *distribution, double value, char *text, size_t size);

// The other way round: the internal value of what stands in JSON ("\"relu\"", 64). False: the distribution
// does not hold it.
bool dq_param_from_json(const dq_distribution *distribution, const char *json, double *value);

#endif
