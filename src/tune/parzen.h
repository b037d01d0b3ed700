// A Parzen estimator over several parameters: a mixture with one kernel per observation and one prior, each
// kernel a product of normals cut to the range (real and whole numbers) and of smoothed choices.
//
// Bergstra et al. 2011 ("Algorithms for Hyper-Parameter Optimization", section 4) with the widths that Optuna
// 5 gives kernels: the larger distance to a neighbour, at least range / min(100, n + 2), at most the range.
// Values are internal ones (study.h); distributions with `log` are modelled on a log scale.
#ifndef TUNE_PARZEN_H
#define TUNE_PARZEN_H

#include "tune/study.h"
#include <deepq/rng.h>

typedef enum dq_parzen_weights {
    DQ_PARZEN_EVEN,   // all observations weigh 1
    DQ_PARZEN_RECENT, // the last 25 weigh 1, the first 1/n, those between on a line (Bergstra et al. 2013)
} dq_parzen_weights;

typedef struct dq_parzen dq_parzen;

// axes: [axis_count], none of a single value; they outlive the estimator. observations: [count, axis_count],
// the oldest first, copied; count may be 0.
dq_status dq_parzen_create(dq_parzen **made, const dq_distribution *const *axes, int axis_count,
                           const double *observations, int count, dq_parzen_weights weights, dq_error *error);
void dq_parzen_destroy(dq_parzen *parzen); // NULL is fine

// One point drawn from the mixture. value: [axis_count]
void dq_parzen_draw(const dq_parzen *parzen, dq_rng *rng, double *value);

// log densities (log probabilities on axes with steps or choices) of `count` points, [count, axis_count].
dq_status dq_parzen_log_density(const dq_parzen *parzen, const double *points, int count, double *log_density,
                                dq_error *error);

#endif
