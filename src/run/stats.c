// Statistics of scores: point estimates, and percentile intervals from a stratified bootstrap.
//
// Orders are found by selection, not by sorting: an interquartile mean of 100 scores costs about a
// microsecond, and an interval takes ten thousand of them. Definitions as in rliable 1.2 (metrics.py,
// library.py) and the percentile interval of arch's bootstrap: numpy's linear quantile of the figures.
// Source: Agarwal et al. 2021; Mann and Whitney 1947; Efron and Tibshirani 1993, chapter 13.
#include "run/stats.h"

#include <deepq/rng.h>

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double dq_stats_mean(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

double dq_stats_sd(const double *x, size_t n) {
    if (n == 1) return 0;
    double mean = dq_stats_mean(x, n), sum = 0;
    for (size_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / ((double)n - 1));
}

// Reorders x so that x[k] is what sorting would put there, smaller ones before and larger ones behind it
// (Hoare's selection, 1961). A NAN never compares as smaller, so the scans stay inside.
static void select_rank(double *x, size_t n, size_t k) {
    ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, rank = (ptrdiff_t)k;
    while (low < high) {
        double pivot = x[low + (high - low) / 2];
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (x[i] < pivot) i++;
            while (x[j] > pivot) j--;
            if (i > j) break;
            double swapped = x[i];
            x[i++] = x[j], x[j--] = swapped;
        }
        if (rank <= j)
            high = j;
        else if (rank >= i)
            low = i;
        else
            return;
    }
}

double dq_stats_quantile(double *x, size_t n, double p) {
    assert(p >= 0 && p <= 1);
    if (n == 0) return NAN;
    double position = p * ((double)n - 1);
    size_t below = (size_t)position;
    if (below >= n - 1) below = n - 1;
    select_rank(x, n, below);
    double part = position - (double)below;
    if (part <= 0 || below + 1 >= n) return x[below];
    double next = x[below + 1];
    for (size_t i = below + 2; i < n; i++)
        if (x[i] < next) next = x[i];
    return x[below] + part * (next - x[below]);
}

double dq_stats_median(double *x, size_t n) {
    return dq_stats_quantile(x, n, 0.5);
}

double dq_stats_iqm(double *x, size_t n) {
    size_t cut = n / 4;
    if (cut > 0) {
        select_rank(x, n, cut);
        select_rank(x + cut, n - cut, n - 2 * cut);
    }
    return dq_stats_mean(x + cut, n - 2 * cut);
}

double dq_stats_median_of_means(double *x, int runs, int tasks) {
    for (int task = 0; task < tasks; task++) {
        for (int run = 1; run < runs; run++) x[task] += x[(size_t)run * (size_t)tasks + (size_t)task];
        x[task] /= runs;
    }
    return dq_stats_median(x, (size_t)tasks);
}

double dq_stats_optimality_gap(const double *x, size_t n, double target) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] < target ? x[i] : target;
    return target - sum / (double)n;
}

double dq_stats_improvement(const double *x, int runs_x, const double *y, int runs_y, int tasks) {
    double sum = 0;
    for (int task = 0; task < tasks; task++) {
        int64_t twice_u = 0; // 2 for a win, 1 for a tie
        for (int i = 0; i < runs_x; i++) {
            double score = x[(size_t)i * (size_t)tasks + (size_t)task];
            for (int j = 0; j < runs_y; j++) {
                double other = y[(size_t)j * (size_t)tasks + (size_t)task];
                twice_u += (score > other) + (score >= other);
            }
        }
        sum += (double)twice_u / (2.0 * runs_x * runs_y);
    }
    return sum / tasks;
}

void dq_stats_profile(const double *x, size_t n, const double *thresholds, int count, double *profile) {
    for (int k = 0; k < count; k++) {
        size_t above = 0;
        for (size_t i = 0; i < n; i++) above += x[i] > thresholds[k];
        profile[k] = (double)above / (double)n;
    }
}

// --- the bootstrap ------------------------------------------------------------------------------------

static dq_status check_scores(const double *x, int runs, int tasks, double level, int reps, dq_error *error) {
    if (runs < 1 || tasks < 1)
        return dq_fail(error, DQ_USAGE, "statistics",
                       "an interval needs at least one score, got %d runs of %d tasks", runs, tasks);
    if (!(level > 0 && level < 1) || reps < 1)
        return dq_fail(error, DQ_USAGE, "statistics",
                       "an interval needs a level between 0 and 1 and at least one resample, got %g and %d",
                       level, reps);
    for (size_t i = 0; i < (size_t)runs * (size_t)tasks; i++)
        if (isnan(x[i]))
            return dq_fail(error, DQ_USAGE, "statistics",
                           "score %zu is not a number, so there is no interval", i);
    return DQ_OK;
}

// Fills out [runs, tasks] with runs drawn with replacement within each task.
static void resample(double *out, const double *x, int runs, int tasks, dq_rng *rng) {
    for (int run = 0; run < runs; run++)
        for (int task = 0; task < tasks; task++)
            *out++ = x[(size_t)dq_rng_integers(rng, 0, runs) * (size_t)tasks + (size_t)task];
}

static dq_stats_interval percentile_interval(double *figures, int reps, double level) {
    dq_stats_interval interval;
    interval.low = dq_stats_quantile(figures, (size_t)reps, (1 - level) / 2);
    interval.high = dq_stats_quantile(figures, (size_t)reps, (1 + level) / 2);
    return interval;
}

dq_status dq_stats_bootstrap(dq_stats_interval *out, dq_stats_fn *figure, const void *context,
                             const double *x, int runs, int tasks, double level, int reps, uint64_t seed,
                             dq_error *error) {
    dq_status status = check_scores(x, runs, tasks, level, reps, error);
    if (status != DQ_OK) return status;
    double *scores = calloc((size_t)runs * (size_t)tasks, sizeof *scores);
    double *figures = calloc((size_t)reps, sizeof *figures);
    if (!scores || !figures) {
        status = dq_fail(error, DQ_MEMORY, "statistics", "no memory for a bootstrap of %d resamples", reps);
        goto end;
    }
    dq_rng rng;
    dq_rng_seed(&rng, seed);
    for (int rep = 0; rep < reps; rep++) {
        resample(scores, x, runs, tasks, &rng);
        figures[rep] = figure(scores, runs, tasks, context);
    }
    *out = percentile_interval(figures, reps, level);
end:
    free(figures);
    free(scores);
    return status;
}

static double iqm_figure(double *x, int runs, int tasks, const void *context) {
    (void)context;
    return dq_stats_iqm(x, (size_t)runs * (size_t)tasks);
}

dq_status dq_stats_iqm_interval(dq_stats_interval *out, const double *x, int runs, int tasks, double level,
                                int reps, uint64_t seed, dq_error *error) {
    return dq_stats_bootstrap(out, iqm_figure, NULL, x, runs, tasks, level, reps, seed, error);
}

static double mean_figure(double *x, int runs, int tasks, const void *context) {
    (void)context;
    return dq_stats_mean(x, (size_t)runs * (size_t)tasks);
}

dq_status dq_stats_mean_interval(dq_stats_interval *out, const double *x, int runs, int tasks, double level,
                                 int reps, uint64_t seed, dq_error *error) {
    return dq_stats_bootstrap(out, mean_figure, NULL, x, runs, tasks, level, reps, seed, error);
}

dq_status dq_stats_improvement_interval(dq_stats_interval *out, const double *x, int runs_x, const double *y,
                                        int runs_y, int tasks, double level, int reps, uint64_t seed,
                                        dq_error *error) {
    dq_status status = check_scores(x, runs_x, tasks, level, reps, error);
    if (status == DQ_OK) status = check_scores(y, runs_y, tasks, level, reps, error);
    if (status != DQ_OK) return status;
    double *scores_x = calloc((size_t)runs_x * (size_t)tasks, sizeof *scores_x);
    double *scores_y = calloc((size_t)runs_y * (size_t)tasks, sizeof *scores_y);
    double *figures = calloc((size_t)reps, sizeof *figures);
    if (!scores_x || !scores_y || !figures) {
        status = dq_fail(error, DQ_MEMORY, "statistics", "no memory for a bootstrap of %d resamples", reps);
        goto end;
    }
    dq_rng rng;
    dq_rng_seed(&rng, seed);
    for (int rep = 0; rep < reps; rep++) {
        resample(scores_x, x, runs_x, tasks, &rng);
        resample(scores_y, y, runs_y, tasks, &rng);
        figures[rep] = dq_stats_improvement(scores_x, runs_x, scores_y, runs_y, tasks);
    }
    *out = percentile_interval(figures, reps, level);
end:
    free(figures);
    free(scores_y);
    free(scores_x);
    return status;
}

dq_status dq_stats_profile_intervals(dq_stats_interval *bands, const double *x, int runs, int tasks,
                                     const double *thresholds, int count, double level, int reps,
                                     uint64_t seed, dq_error *error) {
    dq_status status = check_scores(x, runs, tasks, level, reps, error);
    if (status != DQ_OK) return status;
    size_t scores_count = (size_t)runs * (size_t)tasks;
    double *scores = calloc(scores_count, sizeof *scores);
    double *profile = calloc((size_t)count + 1, sizeof *profile);
    double *figures = calloc((size_t)reps * (size_t)count + 1, sizeof *figures); // [count, reps]
    if (!scores || !profile || !figures) {
        status = dq_fail(error, DQ_MEMORY, "statistics", "no memory for a bootstrap of %d resamples", reps);
        goto end;
    }
    dq_rng rng;
    dq_rng_seed(&rng, seed);
    for (int rep = 0; rep < reps; rep++) {
        resample(scores, x, runs, tasks, &rng);
        dq_stats_profile(scores, scores_count, thresholds, count, profile);
        for (int k = 0; k < count; k++) figures[(size_t)k * (size_t)reps + (size_t)rep] = profile[k];
    }
    for (int k = 0; k < count; k++)
        bands[k] = percentile_interval(figures + (size_t)k * (size_t)reps, reps, level);
end:
    free(figures);
    free(profile);
    free(scores);
    return status;
}

dq_status dq_stats_summarize(dq_stats_summary *out, const double *x, int n, uint64_t seed, dq_error *error) {
    dq_stats_interval interval = {0};
    dq_status status = dq_stats_iqm_interval(&interval, x, n, 1, DQ_STATS_LEVEL, DQ_STATS_REPS, seed, error);
    if (status != DQ_OK) return status;
    double *ordered = malloc((size_t)n * sizeof *ordered);
    if (!ordered) return dq_fail(error, DQ_MEMORY, "statistics", "no memory for %d scores", n);
    memcpy(ordered, x, (size_t)n * sizeof *ordered);
    *out = (dq_stats_summary){.mean = dq_stats_mean(x, (size_t)n),
                              .sd = dq_stats_sd(x, (size_t)n),
                              .median = dq_stats_median(ordered, (size_t)n),
                              .iqm_low = interval.low,
                              .iqm_high = interval.high};
    out->iqm = dq_stats_iqm(ordered, (size_t)n);
    free(ordered);
    return DQ_OK;
}
