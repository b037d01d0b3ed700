// Pruners: whether a running trial is worth going on with. One file prune_NAME.c each, with
// `const dq_pruner_class dq_prune_NAME`; the list is made from the file names.
//
// A pruner has no state of its own: it looks at the study, and what it wants other processes (and Optuna's
// pruner of the same name) to find, such as a rung that a trial has reached, goes into the trial as notes.
#ifndef TUNE_PRUNE_H
#define TUNE_PRUNE_H

#include "tune/suggest.h"

typedef struct dq_pruner_class {
    dq_strategy about; // its options struct has rows; validate is NULL

    // Asked after each intermediate value of `trial`, which is the study's own and holds it already. Notes
    // are in the trial's system attributes before it is asked again. Studies with several directions have no
    // pruner.
    bool (*prune)(const void *options, const dq_study *study, const dq_trial *trial, dq_notes *notes);

    // Do two trials belong to the same group, so that a suggestion for one learns from the other? NULL: all
    // do.
    bool (*same_group)(const void *options, const dq_study *study, const dq_trial *a, const dq_trial *b);
} dq_pruner_class;

extern const dq_pruner_class *const dq_pruner_classes[]; // NULL-terminated
const dq_pruner_class *dq_pruner_find(const char *name); // NULL: none

#endif
