// Asynchronous successive halving: rungs at min_resource, min_resource x 4, x 16 ... steps, and one trial in
// four climbs on from each. See rungs.c; decisions and notes are those of Optuna's SuccessiveHalvingPruner.
#include "tune/rungs.h"

typedef struct asha_options {
    int64_t min_resource, reduction_factor, skipped, bootstrap;
} asha_options;

#define ROW(name, field, text, low, high, unit, help)                                                        \
    {                                                                                                        \
        name, "asha", DQ_OPTION_INT, offsetof(asha_options, field), 0, text, low, high, false, NULL, unit,   \
            help                                                                                             \
    }

static const dq_option rows[] = {
    ROW("asha_min_resource", min_resource, "0", 0, 1e15, "steps",
        "steps to the first rung; 0 is a hundredth of the longest complete trial, and prunes none before "
        "there is one"),
    ROW("asha_reduction_factor", reduction_factor, "4", 2, 1000, NULL,
        "one trial in so many climbs on from a rung, and the next is so many times as far"),
    ROW("asha_min_early_stopping_rate", skipped, "0", 0, 60, "rungs", "rungs left out at the bottom"),
    ROW("asha_bootstrap_count", bootstrap, "0", 0, 1e9, "trials",
        "trials that must reach a rung before any climbs on"),
};

static bool prune(const void *options, const dq_study *study, const dq_trial *trial, dq_notes *notes) {
    const asha_options *o = options;
    int64_t min_resource = o->min_resource, step;
    if (trial->intermediate_count == 0) return false;
    if (min_resource == 0) {
        int64_t longest = -1;
        for (int i = 0; i < study->trial_count; i++) {
            const dq_trial *other = study->trials[i];
            if (other->state != DQ_TRIAL_COMPLETE || other->intermediate_count == 0) continue;
            dq_trial_last(other, &step);
            if (step > longest) longest = step;
        }
        if (longest < 0) return false;
        min_resource = longest >= 100 ? longest / 100 : 1;
    }
    dq_rungs rungs = {.min_resource = min_resource,
                      .factor = o->reduction_factor,
                      .skipped = o->skipped,
                      .bootstrap = o->bootstrap};
    return dq_rungs_prune(&rungs, study, trial, notes);
}

const dq_pruner_class dq_prune_asha = {
    .about = {.name = "asha",
              .summary = "successive halving: the best quarter of each rung goes on",
              .source = "Li et al. 2020, A System for Massively Parallel Hyperparameter Tuning",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(asha_options)},
    .prune = prune,
};
