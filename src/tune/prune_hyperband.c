// Hyperband: successive halving in several brackets, which begin at later and later rungs, so that slow
// starters have a chance. Decisions, notes and the bracket of each trial are those of Optuna's
// HyperbandPruner.
//
// Li et al. 2018, "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization", algorithm 1. The
// number of trials is not known beforehand, so that a hash of study and trial number deals the trials out to
// the brackets in the paper's proportions.
#include "base/file.h"
#include "tune/rungs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct hyperband_options {
    int64_t min_resource, max_resource, reduction_factor, bootstrap;
} hyperband_options;

#define ROW(name, field, text, low, high, unit, help)                                                        \
    {                                                                                                        \
        name, "hyperband", DQ_OPTION_INT, offsetof(hyperband_options, field), 0, text, low, high, false,     \
            NULL, unit, help                                                                                 \
    }

static const dq_option rows[] = {
    ROW("hyperband_min_resource", min_resource, "1", 1, 1e15, "steps",
        "steps to the first rung of the first bracket"),
    ROW("hyperband_max_resource", max_resource, "0", 0, 1e15, "steps",
        "steps of a whole trial; 0 takes the longest complete trial, and prunes none before there is one"),
    ROW("hyperband_reduction_factor", reduction_factor, "3", 2, 1000, NULL,
        "one trial in so many climbs on from a rung, and the next is so many times as far"),
    ROW("hyperband_bootstrap_count", bootstrap, "0", 0, 1e9, "trials",
        "trials that must reach a rung before any climbs on"),
};

// How many brackets there are; 0: not known yet.
static int count_brackets(const hyperband_options *o, const dq_study *study) {
    int64_t longest = o->max_resource, step;
    if (longest == 0) {
        for (int i = 0; i < study->trial_count; i++) {
            const dq_trial *other = study->trials[i];
            if (other->state != DQ_TRIAL_COMPLETE || other->intermediate_count == 0) continue;
            dq_trial_last(other, &step);
            if (step + 1 > longest) longest = step + 1;
        }
        if (longest == 0) return 0;
    }
    // The quotient of two logarithms may round below a whole number; Optuna lets it, and brackets must agree.
    double brackets = log((double)longest / (double)o->min_resource) / log((double)o->reduction_factor);
    return brackets < 0 ? 1 : (int)floor(brackets) + 1;
}

// Bracket b of B gets a share ceil(B factor^s / (s + 1)) of the trials, s = B - 1 - b.
static double share(const hyperband_options *o, int bracket, int brackets) {
    int s = brackets - 1 - bracket;
    return ceil(brackets * pow((double)o->reduction_factor, s) / (s + 1));
}

static int bracket_of(const hyperband_options *o, const dq_study *study, const dq_trial *trial,
                      int brackets) {
    char number[32];
    snprintf(number, sizeof number, "_%lld", (long long)trial->number);
    uint32_t hash = dq_crc32(dq_crc32(0, study->name, strlen(study->name)), number, strlen(number));
    double total = 0;
    for (int b = 0; b < brackets; b++) total += share(o, b, brackets);
    double place = fmod(hash, total);
    int bracket = 0;
    while (bracket < brackets - 1 && (place -= share(o, bracket, brackets)) >= 0) bracket++;
    return bracket;
}

static bool same_group(const void *options, const dq_study *study, const dq_trial *a, const dq_trial *b) {
    int brackets = count_brackets(options, study);
    return brackets == 0 ||
           bracket_of(options, study, a, brackets) == bracket_of(options, study, b, brackets);
}

typedef struct group {
    const hyperband_options *options;
    int brackets, bracket;
} group;

static bool in_bracket(const void *user, const dq_study *study, const dq_trial *a, const dq_trial *b) {
    (void)a;
    const group *g = user;
    return bracket_of(g->options, study, b, g->brackets) == g->bracket;
}

static bool prune(const void *options, const dq_study *study, const dq_trial *trial, dq_notes *notes) {
    const hyperband_options *o = options;
    int brackets = count_brackets(o, study);
    if (brackets == 0 || trial->intermediate_count == 0) return false;
    group g = {o, brackets, bracket_of(o, study, trial, brackets)};
    dq_rungs rungs = {.min_resource = o->min_resource,
                      .factor = o->reduction_factor,
                      .skipped = g.bracket,
                      .bootstrap = o->bootstrap,
                      .group = &g,
                      .same_group = in_bracket};
    return dq_rungs_prune(&rungs, study, trial, notes);
}

const dq_pruner_class dq_prune_hyperband = {
    .about = {.name = "hyperband",
              .summary = "successive halving in brackets that begin at later and later rungs",
              .source = "Li et al. 2018, Hyperband",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(hyperband_options)},
    .prune = prune,
    .same_group = same_group,
};
