// Statistics against rliable (tests/data/stats/make_rliable.py says how the figures were recorded): point
// estimates, and intervals over the very same resamples, to 1e-6.
#include <run/stats.h>
#include <support.h>

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_object *cases;

static double number(json_object *object, const char *name) {
    json_object *member = json_object_object_get(object, name);
    if (!member) fail_msg("the reference has no %s", name);
    return json_object_get_double(member);
}

// The numbers of a list, on the heap.
static double *numbers(json_object *object, const char *name, int *count) {
    json_object *list = json_object_object_get(object, name);
    if (!list) fail_msg("the reference has no %s", name);
    *count = (int)json_object_array_length(list);
    double *x = malloc(((size_t)*count + 1) * sizeof *x);
    for (int i = 0; i < *count; i++)
        x[i] = json_object_get_double(json_object_array_get_idx(list, (size_t)i));
    return x;
}

static void check(const char *what, double got, double expected) {
    if (!(fabs(got - expected) <= 1e-6 * fmax(1, fabs(expected))))
        fail_msg("%s: got %.17g, rliable says %.17g", what, got, expected);
}

static void check_interval(const char *name, dq_stats_interval got, json_object *object) {
    int count;
    double *expected = numbers(object, name, &count);
    check(name, got.low, expected[0]);
    check(name, got.high, expected[1]);
    free(expected);
}

static void point_estimates_equal_rliable(void **state) {
    (void)state;
    for (size_t k = 0; k < json_object_array_length(cases); k++) {
        json_object *c = json_object_array_get_idx(cases, k);
        int n, ny, nt, np, runs = (int)number(c, "runs"), tasks = (int)number(c, "tasks");
        double *x = numbers(c, "x", &n), *y = numbers(c, "y", &ny),
               *thresholds = numbers(c, "thresholds", &nt);
        double *profile = numbers(c, "profile", &np), *got = malloc((size_t)nt * sizeof *got);
        assert_int_equal(n, runs * tasks);
        check("mean", dq_stats_mean(x, (size_t)n), number(c, "mean"));
        check("sd", dq_stats_sd(x, (size_t)n), number(c, "sd"));
        check("optimality gap", dq_stats_optimality_gap(x, (size_t)n, 1), number(c, "optimality_gap"));
        check("improvement", dq_stats_improvement(x, runs, y, (int)number(c, "runs_y"), tasks),
              number(c, "improvement"));
        dq_stats_profile(x, (size_t)n, thresholds, nt, got);
        for (int i = 0; i < nt; i++) check("profile", got[i], profile[i]);

        double *copy = malloc((size_t)n * sizeof *copy);
        memcpy(copy, x, (size_t)n * sizeof *x);
        check("iqm", dq_stats_iqm(copy, (size_t)n), number(c, "iqm"));
        check("median", dq_stats_median(copy, (size_t)n), number(c, "median"));
        check("quantile", dq_stats_quantile(copy, (size_t)n, 0.1), number(c, "quantile_0.1"));
        memcpy(copy, x, (size_t)n * sizeof *x);
        check("median of means", dq_stats_median_of_means(copy, runs, tasks), number(c, "median_of_means"));
        free(copy), free(got), free(profile), free(thresholds), free(y), free(x);
    }
}

static void intervals_equal_rliable_on_the_same_resamples(void **state) {
    (void)state;
    dq_error error;
    for (size_t k = 0; k < json_object_array_length(cases); k++) {
        json_object *c = json_object_array_get_idx(cases, k);
        int n, ny, nt, runs = (int)number(c, "runs"), tasks = (int)number(c, "tasks"),
                       reps = (int)number(c, "reps");
        double level = number(c, "level");
        uint64_t seed = (uint64_t)number(c, "seed");
        double *x = numbers(c, "x", &n), *y = numbers(c, "y", &ny),
               *thresholds = numbers(c, "thresholds", &nt);
        dq_stats_interval got;
        test_ok(dq_stats_iqm_interval(&got, x, runs, tasks, level, reps, seed, &error), &error);
        check_interval("iqm_interval", got, c);
        test_ok(dq_stats_mean_interval(&got, x, runs, tasks, level, reps, seed, &error), &error);
        check_interval("mean_interval", got, c);
        test_ok(dq_stats_improvement_interval(&got, x, runs, y, (int)number(c, "runs_y"), tasks, level, reps,
                                              seed, &error),
                &error);
        check_interval("improvement_interval", got, c);

        dq_stats_interval *bands = calloc((size_t)nt, sizeof *bands);
        test_ok(dq_stats_profile_intervals(bands, x, runs, tasks, thresholds, nt, level, reps, seed, &error),
                &error);
        int count;
        double *low = numbers(c, "profile_low", &count), *high = numbers(c, "profile_high", &count);
        for (int i = 0; i < nt; i++) {
            check("profile_low", bands[i].low, low[i]);
            check("profile_high", bands[i].high, high[i]);
        }
        free(high), free(low), free(bands), free(thresholds), free(y), free(x);
    }
}

// With streams of its own rliable must agree but for sampling error: 5% of the interval's width.
static void intervals_agree_with_rliable_of_another_stream(void **state) {
    (void)state;
    dq_error error;
    for (size_t k = 0; k < json_object_array_length(cases); k++) {
        json_object *c = json_object_array_get_idx(cases, k);
        int n, two, runs = (int)number(c, "runs"), tasks = (int)number(c, "tasks");
        double *x = numbers(c, "x", &n), *other = numbers(c, "free", &two);
        dq_stats_interval got;
        test_ok(dq_stats_iqm_interval(&got, x, runs, tasks, 0.95, 20000, 99, &error), &error);
        double allowed = 0.05 * (other[1] - other[0]) + 1e-9;
        if (fabs(got.low - other[0]) > allowed || fabs(got.high - other[1]) > allowed)
            fail_msg("case %zu: [%g, %g], rliable says [%g, %g]", k, got.low, got.high, other[0], other[1]);
        free(other), free(x);
    }
}

static void a_summary_repeats_and_leaves_its_input_alone(void **state) {
    (void)state;
    dq_error error;
    double x[9] = {9, 1, 8, 2, 7, 3, 6, 4, 5}, same[9];
    memcpy(same, x, sizeof x);
    dq_stats_summary a, b;
    test_ok(dq_stats_summarize(&a, x, 9, 7, &error), &error);
    test_ok(dq_stats_summarize(&b, x, 9, 7, &error), &error);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_equal(x, same, sizeof x);
    assert_true(a.mean == 5 && a.median == 5 && a.iqm == 5);
    assert_true(a.iqm_low < 5 && a.iqm_high > 5 && a.iqm_low >= 1 && a.iqm_high <= 9);
    test_ok(dq_stats_summarize(&a, x, 1, 7, &error), &error);
    assert_true(a.mean == 9 && a.sd == 0 && a.iqm_low == 9 && a.iqm_high == 9);
}

static void bad_scores_are_refused(void **state) {
    (void)state;
    dq_error error;
    dq_stats_interval out;
    double x[2] = {1, NAN};
    assert_int_equal(dq_stats_iqm_interval(&out, x, 2, 1, 0.95, 100, 0, &error), DQ_USAGE);
    assert_int_equal(dq_stats_iqm_interval(&out, x, 0, 1, 0.95, 100, 0, &error), DQ_USAGE);
    assert_int_equal(dq_stats_iqm_interval(&out, x, 1, 1, 1.5, 100, 0, &error), DQ_USAGE);
}

int main(void) {
    const char *data = getenv("DQ_TEST_DATA");
    char path[1024];
    snprintf(path, sizeof path, "%s/stats/rliable.json", data ? data : "tests/data");
    json_object *file = json_object_from_file(path);
    if (!file) return TEST_SKIPPED;
    cases = json_object_object_get(file, "cases");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(point_estimates_equal_rliable),
        cmocka_unit_test(intervals_equal_rliable_on_the_same_resamples),
        cmocka_unit_test(intervals_agree_with_rliable_of_another_stream),
        cmocka_unit_test(a_summary_repeats_and_leaves_its_input_alone),
        cmocka_unit_test(bad_scores_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_object_put(file);
    return failed;
}
