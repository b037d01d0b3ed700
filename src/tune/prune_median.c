// The median rule: a trial whose best value so far is worse than the median of what complete trials reported
// at the same step ends. Equal to Optuna's MedianPruner, decision for decision.
//
// Golovin et al. 2017, "Google Vizier: A Service for Black-Box Optimization", section 3.2.2, with the values
// at a step instead of running averages.
#include "tune/order.h"
#include "tune/prune.h"

#include <math.h>
#include <stdlib.h>

typedef struct median_options {
    int64_t startup_trials, warmup_steps, interval_steps, min_trials;
} median_options;

#define ROW(name, field, text, low, unit, help)                                                              \
    {                                                                                                        \
        name, "median", DQ_OPTION_INT, offsetof(median_options, field), 0, text, low, 1e15, false, NULL,     \
            unit, help                                                                                       \
    }

static const dq_option rows[] = {
    ROW("median_startup_trials", startup_trials, "5", 0, "trials",
        "complete trials before the first is pruned"),
    ROW("median_warmup_steps", warmup_steps, "0", 0, "steps", "steps of a trial before it may be pruned"),
    ROW("median_interval_steps", interval_steps, "1", 1, "steps", "steps between two looks at a trial"),
    ROW("median_min_trials", min_trials, "1", 1, "trials", "complete trials with a value at the step"),
};

// Numbers that are not NaN, sorted; half way between the middle two of an even count.
static double median(const double *value, int count, int *order) {
    dq_order(value, count, order, order + count);
    while (count > 0 && isnan(value[order[count - 1]])) count--;
    if (count == 0) return (double)NAN;
    double low = value[order[(count - 1) / 2]], high = value[order[count / 2]];
    return low == high ? low : low + (high - low) * 0.5;
}

// A look is due at the first reported step at or after warmup, warmup + interval, ...
static bool due(const median_options *options, const dq_trial *trial, int64_t step) {
    if (step < options->warmup_steps) return false;
    int64_t since = (step - options->warmup_steps) / options->interval_steps * options->interval_steps;
    int64_t before =
        trial->intermediate_count > 1 ? trial->intermediates[trial->intermediate_count - 2].step : -1;
    return before < since + options->warmup_steps;
}

static bool prune(const void *options, const dq_study *study, const dq_trial *trial, dq_notes *notes) {
    (void)notes;
    const median_options *o = options;
    int complete = 0, found = 0;
    int64_t step;
    for (int i = 0; i < study->trial_count; i++) complete += study->trials[i]->state == DQ_TRIAL_COMPLETE;
    if (complete == 0 || complete < o->startup_trials || trial->intermediate_count == 0) return false;
    dq_trial_last(trial, &step);
    if (!due(o, trial, step)) return false;

    dq_direction direction = study->directions[0];
    double best = (double)NAN;
    for (int i = 0; i < trial->intermediate_count; i++)
        if (dq_better(direction, trial->intermediates[i].value, best)) best = trial->intermediates[i].value;
    if (isnan(best)) return true;

    double *value = malloc((size_t)complete * (sizeof(double) + 2 * sizeof(int)));
    if (!value) return false;
    for (int i = 0; i < study->trial_count; i++) {
        const dq_trial *other = study->trials[i];
        if (other->state != DQ_TRIAL_COMPLETE) continue;
        for (int k = 0; k < other->intermediate_count && other->intermediates[k].step <= step; k++)
            if (other->intermediates[k].step == step) value[found++] = other->intermediates[k].value;
    }
    double middle = found < o->min_trials ? (double)NAN : median(value, found, (int *)(value + complete));
    free(value);
    return !isnan(middle) && dq_better(direction, middle, best);
}

const dq_pruner_class dq_prune_median = {
    .about = {.name = "median",
              .summary = "trials below the median of complete trials at the same step end",
              .source = "Golovin et al. 2017, Google Vizier, section 3.2.2",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(median_options)},
    .prune = prune,
};
