// TPE's division of the trials so far into the best few and the rest.
//
// The best are a tenth of the finished (complete or pruned) trials, rounded up, with one objective at
// most 25. Complete trials come first, the best value before; with several objectives whole fronts, then the
// points of the next front that dominate most volume together (Ozaki et al. 2022, "Multiobjective
// Tree-Structured Parzen Estimator"). Pruned trials follow, those that got further before, then the better
// last value. Facts of Optuna's TPESampler.
#ifndef TUNE_SPLIT_H
#define TUNE_SPLIT_H

#include "tune/suggest.h"

// is_good: [history->count], filled. Running, failed and waiting trials are never good.
dq_status dq_split(const dq_history *history, bool *is_good, dq_error *error);

#endif
