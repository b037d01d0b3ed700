// Statistics of scores: what `eval` and `compare` print beside a mean, in the definitions of rliable.
//
// A score matrix is [runs, tasks] f64, row-major: one row a run (seed), one column a task (environment).
// The episodes of one evaluation are a matrix of one column. Tasks are the strata of the bootstrap: runs
// are resampled within each task. Every interval comes from one dq_rng stream, so that a seed fixes it.
// Source: Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice".
#ifndef DQ_RUN_STATS_H
#define DQ_RUN_STATS_H

#include <deepq/base.h>

#define DQ_STATS_REPS  10000 // resamples behind an interval, unless the caller knows better
#define DQ_STATS_LEVEL 0.95  // its usual coverage

typedef struct dq_stats_interval {
    double low, high;
} dq_stats_interval;

// --- point estimates: no allocation, any thread; NAN for an empty list --------------------------------

double dq_stats_mean(const double *x, size_t n);
double dq_stats_sd(const double *x, size_t n); // of a sample: n - 1 below; 0 when n is 1

// These three reorder x. Quantile p in [0,1] interpolates linearly, as numpy.quantile.
double dq_stats_quantile(double *x, size_t n, double p);
double dq_stats_median(double *x, size_t n);
// Interquartile mean: scipy.stats.trim_mean(x, 0.25), which drops floor(n/4) values at either end.
double dq_stats_iqm(double *x, size_t n);

// Median over tasks of the mean over runs, rliable's aggregate_median. Overwrites the first row of x.
double dq_stats_median_of_means(double *x, int runs, int tasks);

// How far the scores, cut off above `target`, stay below it on average.
double dq_stats_optimality_gap(const double *x, size_t n, double target);

// P(X > Y) + P(X = Y)/2, averaged over tasks: Mann-Whitney's U over runs_x * runs_y.
double dq_stats_improvement(const double *x, int runs_x, const double *y, int runs_y, int tasks);

// Performance profile: profile[k] is the share of all scores above thresholds[k].
void dq_stats_profile(const double *x, size_t n, const double *thresholds, int count, double *profile);

// --- intervals: percentile bootstrap; they fail on an empty matrix, on NAN, and out of memory
// ---------------

// One figure of a resampled matrix, which it may reorder.
typedef double dq_stats_fn(double *x, int runs, int tasks, const void *context);

dq_status dq_stats_bootstrap(dq_stats_interval *out, dq_stats_fn *figure, const void *context,
                             const double *x, int runs, int tasks, double level, int reps, uint64_t seed,
                             dq_error *error);

dq_status dq_stats_iqm_interval(dq_stats_interval *out, const double *x, int runs, int tasks, double level,
                                int reps, uint64_t seed, dq_error *error);
dq_status dq_stats_mean_interval(dq_stats_interval *out, const double *x, int runs, int tasks, double level,
                                 int reps, uint64_t seed, dq_error *error);

// Both algorithms are resampled, independently of each other.
dq_status dq_stats_improvement_interval(dq_stats_interval *out, const double *x, int runs_x, const double *y,
                                        int runs_y, int tasks, double level, int reps, uint64_t seed,
                                        dq_error *error);

// bands: [count], one interval a threshold (pointwise), all from the same resamples.
dq_status dq_stats_profile_intervals(dq_stats_interval *bands, const double *x, int runs, int tasks,
                                     const double *thresholds, int count, double level, int reps,
                                     uint64_t seed, dq_error *error);

// --- what a list of episode returns is told by ------------------------------------------------------------

typedef struct dq_stats_summary {
    double mean, sd, median, iqm;
    double iqm_low, iqm_high; // 95% bootstrap interval of the interquartile mean
} dq_stats_summary;

// x: [n] returns of n episodes or final scores of n runs; not changed. The interval takes DQ_STATS_REPS
// resamples of the stream of `seed`.
dq_status dq_stats_summarize(dq_stats_summary *out, const double *x, int n, uint64_t seed, dq_error *error);

#endif
