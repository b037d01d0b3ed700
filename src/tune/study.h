// Studies of a hyper-parameter search as plain data, in Optuna's terms, so that either side reads the
// other's.
//
// Place: storage -> study -> suggester (the next trial's parameters) and pruner (whether a trial goes on). A
// study in memory is a copy of what its storage holds. Values of parameters are Optuna's internal ones: the
// number itself, or the position among a categorical distribution's choices. Names and distributions are kept
// once a study: equal ones are equal pointers. One thread at a time.
#ifndef TUNE_STUDY_H
#define TUNE_STUDY_H

#include <deepq/base.h>

typedef enum dq_distribution_kind { DQ_FLOAT, DQ_INTEGER, DQ_CATEGORICAL } dq_distribution_kind;

// Where a parameter comes from. Same name: same kind, same log flag, same choices; the range may differ from
// trial to trial.
typedef struct dq_distribution {
    dq_distribution_kind kind;
    bool log;
    double low, high;           // inclusive; categorical: 0 and choice_count - 1
    double step;                // float: 0 is none; integer: >= 1 (1 with log); categorical: 1
    const char *const *choices; // [choice_count] JSON text of each: "\"relu\"", "64", "true", "null"
    int choice_count;
} dq_distribution;

typedef enum dq_direction { DQ_DIRECTION_NOT_SET, DQ_MINIMIZE, DQ_MAXIMIZE } dq_direction; // Optuna's numbers

typedef enum dq_trial_state { // Optuna's numbers
    DQ_TRIAL_RUNNING,
    DQ_TRIAL_COMPLETE,
    DQ_TRIAL_PRUNED,
    DQ_TRIAL_FAILED,
    DQ_TRIAL_WAITING, // its parameters are wished for, nobody works on it yet
} dq_trial_state;

typedef struct dq_trial_param {
    const char *name; // the study's
    const dq_distribution *distribution;
    double value; // internal
} dq_trial_param;

typedef struct dq_intermediate {
    int64_t step;
    double value; // NAN and infinities included
} dq_intermediate;

// A key and a value as JSON text.
typedef struct dq_attribute {
    char *key, *json;
} dq_attribute;

typedef struct dq_attributes {
    dq_attribute *at; // [count], heap
    int count;
} dq_attributes;

#define DQ_NO_TIME INT64_MIN

typedef struct dq_trial {
    int64_t id;     // in the storage
    int64_t number; // in its study: 0, 1, 2, ...
    dq_trial_state state;
    dq_trial_param *params; // [param_count] in the order they were suggested
    int param_count;
    dq_intermediate *intermediates; // [intermediate_count] by rising step, each step once
    int intermediate_count;
    double *values;  // [value_count]
    int value_count; // 0: none yet; else the study's directions
    dq_attributes user, system;
    int64_t started, completed; // microseconds of local time since 1970-01-01 00:00, or DQ_NO_TIME
} dq_trial;

typedef struct dq_study {
    int64_t id;
    char *name;
    dq_direction *directions; // [direction_count]
    int direction_count;
    dq_trial **trials; // [trial_count] by number; a pointer holds as long as the study
    int trial_count;
    dq_attributes user, system;
    char **names; // [name_count] of parameters, in the order they were first seen
    int name_count;
    dq_distribution **distributions; // [distribution_count] each once
    int distribution_count;
} dq_study;

// --- building: what storages and tests do. They fail only for want of memory. -----------------------------

// Both copy what they are given.
dq_status dq_study_init(dq_study *study, const char *name, const dq_direction *directions, int count,
                        dq_error *error);
void dq_study_deinit(dq_study *study);

// The study's own copy; NULL: no memory.
const char *dq_study_name(dq_study *study, const char *name);
const dq_distribution *dq_study_distribution(dq_study *study, const dq_distribution *distribution);

// A running trial with the next number, without a start time.
dq_status dq_study_add_trial(dq_study *study, dq_trial **trial, dq_error *error);

// Each replaces what was there under the same name, step or key.
dq_status dq_trial_set_param(dq_study *study, dq_trial *trial, const char *name,
                             const dq_distribution *distribution, double value, dq_error *error);
dq_status dq_trial_set_intermediate(dq_trial *trial, int64_t step, double value, dq_error *error);
dq_status dq_trial_set_values(dq_trial *trial, const double *values, int count, dq_error *error);
dq_status dq_attributes_set(dq_attributes *attributes, const char *key, const char *json, dq_error *error);
void dq_attributes_deinit(dq_attributes *attributes);

// Frees what the trial holds, for trials that belong to no study.
void dq_trial_deinit(dq_trial *trial);

// --- reading ----------------------------------------------------------------------------------------------

// NULL: the trial has no such parameter, the list no such key.
const dq_trial_param *dq_trial_find_param(const dq_trial *trial, const char *name);
const char *dq_attributes_find(const dq_attributes *attributes, const char *key);

// Complete, pruned or failed.
bool dq_trial_finished(const dq_trial *trial);

// The value at the largest step; NAN: none. *step may be NULL.
double dq_trial_last(const dq_trial *trial, int64_t *step);

// Is a better than b? NAN is worse than everything else.
bool dq_better(dq_direction direction, double a, double b);

// The complete trial with the best first value, the earliest of equals; NULL: there is none.
const dq_trial *dq_study_best(const dq_study *study);

// Complete trials that no other complete trial beats: as good in every direction and better in one. best:
// [trial_count], in the order of the numbers. Returns how many.
int dq_study_front(const dq_study *study, const dq_trial **best);

// Does the distribution hold this internal value, and is there only one value that it holds?
bool dq_distribution_contains(const dq_distribution *distribution, double value);
bool dq_distribution_single(const dq_distribution *distribution);

// May one parameter have both (same kind, log flag and choices)?
bool dq_distribution_compatible(const dq_distribution *a, const dq_distribution *b);
bool dq_distribution_equal(const dq_distribution *a, const dq_distribution *b);

// The nearest value that the distribution holds: rounded to its steps, cut to its range.
double dq_distribution_snap(const dq_distribution *distribution, double value);

#endif
