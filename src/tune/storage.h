// Storages: where studies are kept, shared by any number of processes, Optuna's own among them.
//
// A URL chooses one: sqlite:///FILE and postgresql://... are Optuna's relational storage, anything else is
// the path of a journal in Optuna's format. What a process holds of a study is a copy: dq_storage_sync brings
// it up to date, and every write goes to the storage first and comes back from there. One thread at a time.
#ifndef TUNE_STORAGE_H
#define TUNE_STORAGE_H

#include "tune/study.h"

typedef struct dq_storage_class dq_storage_class;

// The first member of every storage's struct.
typedef struct dq_storage {
    const dq_storage_class *storage_class;
} dq_storage;

// What is written about a trial that runs, or about the study.
typedef enum dq_change_kind {
    DQ_CHANGE_INTERMEDIATE, // step, value
    DQ_CHANGE_STATE,        // state, values[value_count]; a finished state carries the present time
    DQ_CHANGE_PARAM,        // param
    DQ_CHANGE_USER,         // key, json: an attribute
    DQ_CHANGE_SYSTEM,
} dq_change_kind;

typedef struct dq_change {
    dq_change_kind kind;
    dq_trial *trial; // NULL: the study, which has attributes alone
    int64_t step;
    double value;
    dq_trial_state state;
    const double *values; // [value_count]
    int value_count;
    const dq_trial_param *param;
    const char *key, *json;
} dq_change;

// Opens `url`; with `make`, one that is not there is made.
dq_status dq_storage_open(dq_storage **out, const char *url, bool make, dq_error *error);
void dq_storage_close(dq_storage *storage); // NULL is fine

// The names of the studies in the order they were made: *names [return value], which the caller frees; the
// texts are the storage's. -1 with an error.
int dq_storage_list(dq_storage *storage, const char ***names, dq_error *error);

// The study of that name, brought up to date, which the storage owns; DQ_NOT_FOUND: none.
dq_status dq_storage_find(dq_storage *storage, const char *name, dq_study **study, dq_error *error);

// The same, made where it is missing.
dq_status dq_storage_make(dq_storage *storage, const char *name, const dq_direction *directions, int count,
                          dq_study **study, dq_error *error);

// Reads what others wrote.
dq_status dq_storage_sync(dq_storage *storage, dq_study *study, dq_error *error);

// Adds a trial with the parameters, state and attributes of `wanted` (a running one starts now), unless the
// study has `limit` trials already (0: no limit; dq_study_counted says which count): then *added is NULL. No
// other process comes between the look and the write.
dq_status dq_storage_add(dq_storage *storage, dq_study *study, const dq_trial *wanted, int64_t limit,
                         dq_trial **added, dq_error *error);

// Makes a waiting trial a running one, if it still waits, and writes `with` in the same step: no process dies
// in between.
dq_status dq_storage_claim(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_change *with,
                           bool *ours, dq_error *error);

// Gives a running trial up, whose worker is gone: it failed, with DQ_ABANDONED in its system attributes, and
// `again` (NULL: nothing) is added, if the trial still runs.
dq_status dq_storage_abandon(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_trial *again,
                             dq_error *error);

// Writes all of it, or none. What concerns a trial that has ended is left out: the first end counts.
dq_status dq_storage_write(dq_storage *storage, dq_study *study, const dq_change *changes, int count,
                           dq_error *error);

// How many trials count towards a wanted number: all but those that were given up because their worker
// died.
int64_t dq_study_counted(const dq_study *study);

// The system attribute that marks such a trial.
#define DQ_ABANDONED "deepq:abandoned"

// --- for the storages --------------------------------------------------------------------------------------

struct dq_storage_class {
    const char *name;
    void (*close)(dq_storage *storage);
    int (*list)(dq_storage *storage, const char ***names, dq_error *error);
    dq_status (*find)(dq_storage *storage, const char *name, dq_study **study, dq_error *error);
    dq_status (*make)(dq_storage *storage, const char *name, const dq_direction *directions, int count,
                      dq_study **study, dq_error *error);
    dq_status (*sync)(dq_storage *storage, dq_study *study, dq_error *error);
    dq_status (*add)(dq_storage *storage, dq_study *study, const dq_trial *wanted, int64_t limit,
                     dq_trial **added, dq_error *error);
    dq_status (*claim)(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_change *with,
                       bool *ours, dq_error *error);
    dq_status (*abandon)(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_trial *again,
                         dq_error *error);
    dq_status (*write)(dq_storage *storage, dq_study *study, const dq_change *changes, int count,
                       dq_error *error);
};

dq_status dq_storage_open_journal(dq_storage **out, const char *path, bool make, dq_error *error);

#endif
