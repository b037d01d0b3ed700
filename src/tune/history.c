// Questions about the trials a suggester may learn from.
#include "tune/history.h"

#include <math.h>

bool dq_trial_tells(const dq_study *study, const dq_trial *trial, bool with_pruned) {
    return (trial->state == DQ_TRIAL_COMPLETE && trial->value_count == study->direction_count) ||
           (with_pruned && trial->state == DQ_TRIAL_PRUNED);
}

const dq_trial_param *dq_trial_sound_param(const dq_trial *trial, const char *name) {
    const dq_trial_param *param = dq_trial_find_param(trial, name);
    if (!param || !isfinite(param->value) || (param->distribution->log && param->value <= 0)) return NULL;
    if (param->distribution->kind == DQ_CATEGORICAL &&
        (param->value < 0 || param->value > param->distribution->choice_count - 1 ||
         param->value != rint(param->value)))
        return NULL;
    return param;
}

int dq_history_told(const dq_history *history, bool with_pruned) {
    int told = 0;
    for (int i = 0; i < history->count; i++)
        told += dq_trial_tells(history->study, history->trials[i], with_pruned);
    return told;
}

bool dq_history_shares(const dq_history *history, const dq_trial_param *param, bool with_pruned) {
    bool any = false;
    for (int i = 0; i < history->count; i++) {
        if (!dq_trial_tells(history->study, history->trials[i], with_pruned)) continue;
        const dq_trial_param *seen = dq_trial_sound_param(history->trials[i], param->name);
        if (!seen) return false;
        if (seen->distribution != param->distribution &&
            !dq_distribution_equal(seen->distribution, param->distribution))
            return false;
        any = true;
    }
    return any;
}

static void widen(const dq_distribution *d, double *low, double *high) {
    *low = d->low - d->step / 2;
    *high = d->high + d->step / 2;
    if (d->log) *low = log(*low), *high = log(*high);
}

double dq_distribution_to_unit(const dq_distribution *d, double value) {
    double low, high;
    widen(d, &low, &high);
    return ((d->log ? log(value) : value) - low) / (high - low);
}

double dq_distribution_from_unit(const dq_distribution *d, double unit) {
    double low, high;
    widen(d, &low, &high);
    double value = low + unit * (high - low);
    return dq_distribution_snap(d, d->log ? exp(value) : value);
}

double dq_distribution_draw(const dq_distribution *d, dq_rng *rng) {
    return dq_distribution_from_unit(d, dq_rng_random(rng));
}
