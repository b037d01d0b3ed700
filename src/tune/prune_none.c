// No pruning: every trial runs to its end.
#include "tune/prune.h"

static bool prune(const void *options, const dq_study *study, const dq_trial *trial, dq_notes *notes) {
    (void)options, (void)study, (void)trial, (void)notes;
    return false;
}

const dq_pruner_class dq_prune_none = {
    .about = {.name = "none", .summary = "every trial runs to its end"},
    .prune = prune,
};
