// Suggesters: where the next trial's parameters come from. One file suggest_NAME.c each, with
// `const dq_suggester_class dq_suggest_NAME`; the list is made from the file names. (The replay's samplers
// have the name that Optuna gives these.)
//
// What a suggester knows is the history it is handed, trials of other processes included; whatever else it
// wants to find again goes into its trials as notes.
#ifndef TUNE_SUGGEST_H
#define TUNE_SUGGEST_H

#include "base/strategy.h"
#include "tune/study.h"
#include <deepq/rng.h>

// What is searched: names and distributions, interned by the study.
typedef struct dq_search_space {
    const dq_trial_param *params; // [count]; their values mean nothing
    int count;
} dq_search_space;

// The trials that a suggestion may learn from, by rising number, running ones included: all of the study or,
// where the pruner keeps groups (Hyperband's brackets), those of the new trial's group. The new trial itself
// is not among them.
typedef struct dq_history {
    const dq_study *study;
    const dq_trial *const *trials; // [count]
    int count;
} dq_history;

// What is written to the trial's system attributes: a key and JSON text.
typedef struct dq_note {
    char key[64], json[512];
} dq_note;

enum { DQ_NOTES_MAX = 8 };

typedef struct dq_notes {
    dq_note at[DQ_NOTES_MAX];
    int count;
} dq_notes;

typedef struct dq_suggester_class dq_suggester_class;

// The first member of every suggester's struct.
typedef struct dq_suggester {
    const dq_suggester_class *suggester_class;
} dq_suggester;

struct dq_suggester_class {
    dq_strategy about; // its options struct has rows; validate is NULL

    // `options` is the class's options struct, copied.
    dq_status (*create)(dq_suggester **out, const void *options, dq_error *error);
    void (*destroy)(dq_suggester *suggester);

    // Parameters that are decided together, once per trial, before any other: values [space->count] come as
    // NAN and may stay so. NULL: every parameter is decided by itself. Fails with DQ_NOT_FOUND where nothing
    // is left to try (a grid); the search then ends.
    dq_status (*together)(dq_suggester *suggester, const dq_history *history, const dq_trial *trial,
                          const dq_search_space *space, dq_rng *rng, double *values, dq_notes *notes,
                          dq_error *error);

    // One parameter that `together` left open; `trial` has those decided before it. Returns an internal value
    // that the distribution holds.
    double (*alone)(dq_suggester *suggester, const dq_history *history, const dq_trial *trial,
                    const char *name, const dq_distribution *distribution, dq_rng *rng);
};

extern const dq_suggester_class *const dq_suggester_classes[]; // NULL-terminated
const dq_suggester_class *dq_suggester_find(const char *name); // NULL: none

#endif
