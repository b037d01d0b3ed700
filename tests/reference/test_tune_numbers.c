// The search's numbers against SciPy, cmaes and Optuna: tests/data/tune/make_tune.py says how they were
// recorded.
#include <support.h>
#include <tune/cmaes.h>
#include <tune/history.h>
#include <tune/importance.h>
#include <tune/normal.h>
#include <tune/pareto.h>
#include <tune/parzen.h>
#include <tune/prune.h>
#include <tune/split.h>

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_object *open_reference(const char *name) {
    char path[1024];
    const char *data = getenv("DQ_TEST_DATA");
    snprintf(path, sizeof path, "%s/tune/%s.json", data ? data : "tests/data", name);
    json_object *root = json_object_from_file(path);
    if (!root) fail_msg("cannot read %s", path);
    return root;
}

static json_object *member(json_object *object, const char *name) {
    json_object *found = json_object_object_get(object, name);
    if (!found) fail_msg("the reference has no %s", name);
    return found;
}

static double number(json_object *object, const char *name) {
    return json_object_get_double(member(object, name));
}

static int length(json_object *list) {
    return (int)json_object_array_length(list);
}

static json_object *item(json_object *list, int i) {
    return json_object_array_get_idx(list, (size_t)i);
}

static double at(json_object *list, int i) {
    return json_object_get_double(item(list, i));
}

// The numbers of a list or of a list of lists, on the heap.
static double *numbers(json_object *list, int *count) {
    int rows = length(list), width = 1;
    bool nested = rows > 0 && json_object_is_type(item(list, 0), json_type_array);
    if (nested) width = length(item(list, 0));
    double *x = malloc(((size_t)(rows * width) + 1) * sizeof *x);
    assert_non_null(x);
    for (int i = 0; i < rows * width; i++) x[i] = nested ? at(item(list, i / width), i % width) : at(list, i);
    *count = rows;
    return x;
}

static void check(const char *what, int which, double got, double expected, double tolerance) {
    if (got == expected) return;
    if (!(fabs(got - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%s, case %d: got %.17g, the reference says %.17g", what, which, got, expected);
}

static dq_distribution distribution(json_object *d) {
    int kind = (int)number(d, "kind");
    if (kind == DQ_CATEGORICAL) {
        static const char *const texts[] = {"0", "1", "2"};
        int choices = (int)number(d, "choices");
        return (dq_distribution){.kind = DQ_CATEGORICAL,
                                 .high = choices - 1,
                                 .step = 1,
                                 .choices = texts,
                                 .choice_count = choices};
    }
    return (dq_distribution){.kind = (dq_distribution_kind)kind,
                             .low = number(d, "low"),
                             .high = number(d, "high"),
                             .step = number(d, "step"),
                             .log = json_object_get_boolean(member(d, "log"))};
}

static void the_cut_normal_equals_scipys(void **state) {
    (void)state;
    json_object *rows = open_reference("normal");
    for (int i = 0; i < length(rows); i++) {
        double v[7];
        for (int k = 0; k < 7; k++) v[k] = at(item(rows, i), k);
        check("log cdf", i, dq_normal_log_cdf(v[0]), v[4], 1e-12);
        check("log density", i, dq_truncnorm_log_density(v[0], v[1], v[2]), v[5], 1e-11);
        check("quantile", i, dq_truncnorm_quantile(v[3], v[1], v[2]), v[6], 1e-9);
    }
    json_object_put(rows);
}

static void transforms_equal_optunas(void **state) {
    (void)state;
    json_object *cases = open_reference("transforms");
    for (int i = 0; i < length(cases); i++) {
        json_object *c = item(cases, i);
        dq_distribution d = distribution(c);
        json_object *values = member(c, "values"), *units = member(c, "units");
        for (int k = 0; k < length(values); k++) {
            double unit = dq_distribution_to_unit(&d, at(values, k));
            check("to unit", i, unit, at(member(c, "to_unit"), k), 1e-12);
            check("there and back", i, dq_distribution_from_unit(&d, unit), at(values, k), 1e-12);
        }
        for (int k = 0; k < length(units); k++)
            check("from unit", i, dq_distribution_from_unit(&d, at(units, k)), at(member(c, "from_unit"), k),
                  1e-12);
    }
    json_object_put(cases);
}

static void parzen_estimators_equal_optunas(void **state) {
    (void)state;
    json_object *cases = open_reference("parzen");
    for (int i = 0; i < length(cases); i++) {
        json_object *c = item(cases, i), *axes = member(c, "axes");
        dq_distribution axis[8];
        const dq_distribution *pointer[8];
        for (int k = 0; k < length(axes); k++) {
            axis[k] = distribution(item(axes, k));
            pointer[k] = &axis[k];
        }
        int count, points_count;
        double *observed = numbers(member(c, "observed"), &count),
               *points = numbers(member(c, "points"), &points_count), density[8];
        dq_parzen_weights weights =
            json_object_get_boolean(member(c, "even")) ? DQ_PARZEN_EVEN : DQ_PARZEN_RECENT;
        dq_error error;
        dq_parzen *parzen;
        test_ok(dq_parzen_create(&parzen, pointer, length(axes), observed, count, weights, &error), &error);
        test_ok(dq_parzen_log_density(parzen, points, points_count, density, &error), &error);
        for (int k = 0; k < points_count; k++)
            check("log density", i, density[k], at(member(c, "log_density"), k), 1e-9);
        dq_parzen_destroy(parzen);
        free(observed);
        free(points);
    }
    json_object_put(cases);
}

// cmaes adds 1e-8 to a squared length of about n where ours adds 1e-20.
static void cma_es_updates_equal_cmaes(void **state) {
    (void)state;
    json_object *cases = open_reference("cmaes");
    for (int i = 0; i < length(cases); i++) {
        json_object *c = item(cases, i), *generations = member(c, "generations");
        int n = (int)number(c, "dimension"), count;
        dq_error error;
        dq_cmaes *optimizer;
        test_ok(dq_cmaes_create(&optimizer, n, 0, (int)number(c, "asked"), &error), &error);
        assert_int_equal(dq_cmaes_population(optimizer), (int)number(c, "population"));
        for (int g = 0; g < length(generations); g++) {
            json_object *generation = item(generations, g);
            double *points = numbers(member(generation, "points"), &count),
                   *values = numbers(member(generation, "values"), &count);
            dq_cmaes_tell(optimizer, points, values);
            assert_int_equal(dq_cmaes_generation(optimizer), g + 1);
            check("sigma", i, dq_cmaes_sigma(optimizer), number(generation, "sigma"), 1e-8);
            for (int k = 0; k < n; k++)
                check("mean", i, dq_cmaes_mean(optimizer)[k], at(member(generation, "mean"), k), 1e-8);
            for (int k = 0; k < n * n; k++)
                check("covariance", i, dq_cmaes_covariance(optimizer)[k],
                      at(member(generation, "covariance"), k), 1e-8);
            free(points);
            free(values);
        }
        dq_cmaes_destroy(optimizer);
    }
    json_object_put(cases);
}

static void fronts_and_volumes_equal_optunas(void **state) {
    (void)state;
    json_object *cases = open_reference("pareto");
    for (int i = 0; i < length(cases); i++) {
        json_object *c = item(cases, i);
        int dimensions = (int)number(c, "dimensions"), count, unused, size = (int)number(c, "size"),
            members = 0;
        size_t d = (size_t)dimensions;
        double *points = numbers(member(c, "points"), &count),
               *reference = numbers(member(c, "reference"), &unused);
        count /= dimensions;
        int *rank = malloc((size_t)count * sizeof *rank), *chosen = malloc((size_t)size * sizeof *chosen);
        double *front = malloc((size_t)count * d * sizeof *front),
               *best = malloc((size_t)size * d * sizeof *best);
        double volume;
        dq_error error;
        test_ok(dq_pareto_rank(points, count, dimensions, rank, &error), &error);
        for (int k = 0; k < count; k++) {
            assert_int_equal(rank[k], json_object_get_int(item(member(c, "rank"), k)));
            if (rank[k] == 0)
                memcpy(front + (size_t)members++ * d, points + (size_t)k * d, d * sizeof *front);
        }
        test_ok(dq_hypervolume(points, count, dimensions, reference, &volume, &error), &error);
        check("volume", i, volume, number(c, "volume"), 1e-12);
        // Where points add the same, another choice is as good: volumes are compared.
        test_ok(dq_hypervolume_subset(front, members, dimensions, reference, size, chosen, &error), &error);
        for (int k = 0; k < size; k++)
            memcpy(best + (size_t)k * d, front + (size_t)chosen[k] * d, d * sizeof *best);
        test_ok(dq_hypervolume(best, size, dimensions, reference, &volume, &error), &error);
        check("volume of the subset", i, volume, number(c, "chosen_volume"), 1e-12);
        free(points);
        free(reference);
        free(rank);
        free(chosen);
        free(front);
        free(best);
    }
    json_object_put(cases);
}

static dq_direction direction(json_object *text) {
    return strcmp(json_object_get_string(text), "maximize") == 0 ? DQ_MAXIMIZE : DQ_MINIMIZE;
}

static void the_best_trials_are_optunas(void **state) {
    (void)state;
    json_object *cases = open_reference("split");
    for (int i = 0; i < length(cases); i++) {
        json_object *c = item(cases, i), *directions = member(c, "directions"), *trials = member(c, "trials"),
                    *below = member(c, "below");
        dq_error error;
        dq_study study;
        dq_direction way[4];
        for (int k = 0; k < length(directions); k++) way[k] = direction(item(directions, k));
        test_ok(dq_study_init(&study, "study", way, length(directions), &error), &error);
        for (int t = 0; t < length(trials); t++) {
            json_object *recorded = item(trials, t), *steps = member(recorded, "steps");
            dq_trial *trial;
            int count;
            test_ok(dq_study_add_trial(&study, &trial, &error), &error);
            trial->state = (dq_trial_state)number(recorded, "state");
            double *values = numbers(member(recorded, "values"), &count);
            if (trial->state == DQ_TRIAL_COMPLETE)
                test_ok(dq_trial_set_values(trial, values, count, &error), &error);
            for (int s = 0; s < length(steps); s++)
                test_ok(dq_trial_set_intermediate(trial, (int64_t)at(item(steps, s), 0),
                                                  at(item(steps, s), 1), &error),
                        &error);
            free(values);
        }
        dq_history history = {&study, (const dq_trial *const *)study.trials, study.trial_count};
        bool *good = malloc((size_t)study.trial_count + 1);
        test_ok(dq_split(&history, good, &error), &error);
        for (int t = 0, k = 0; t < study.trial_count; t++) {
            bool expected = k < length(below) && json_object_get_int(item(below, k)) == t;
            k += expected;
            if (good[t] != expected)
                fail_msg("case %d: trial %d is %s", i, t,
                         expected ? "good for Optuna" : "not good for Optuna");
        }
        free(good);
        dq_study_deinit(&study);
    }
    json_object_put(cases);
}

static void pruners_decide_as_optunas(void **state) {
    (void)state;
    json_object *cases = open_reference("pruners");
    for (int i = 0; i < length(cases); i++) {
        json_object *c = item(cases, i), *events = member(c, "events");
        const dq_pruner_class *pruner = dq_pruner_find(json_object_get_string(member(c, "pruner")));
        assert_non_null(pruner);
        dq_error error;
        _Alignas(8) char options[256];
        assert_true(pruner->about.options_size <= sizeof options);
        test_ok(dq_options_defaults(pruner->about.options, options, &error), &error);
        json_object_object_foreach(member(c, "options"), key, text) {
            test_ok(dq_options_set(pruner->about.options, options, key, json_object_get_string(text), NULL,
                                   &error),
                    &error);
        }
        dq_study study;
        dq_direction way = direction(member(c, "direction"));
        test_ok(dq_study_init(&study, json_object_get_string(member(c, "study")), &way, 1, &error), &error);
        for (int e = 0; e < length(events); e++) {
            json_object *event = item(events, e);
            dq_trial *trial;
            while (study.trial_count <= (int)at(event, 0))
                test_ok(dq_study_add_trial(&study, &trial, &error), &error);
            trial = study.trials[(int)at(event, 0)];
            if (length(event) == 1) {
                trial->state = DQ_TRIAL_COMPLETE;
                test_ok(dq_trial_set_values(trial, &(double){0}, 1, &error), &error);
                continue;
            }
            test_ok(dq_trial_set_intermediate(trial, (int64_t)at(event, 1), at(event, 2), &error), &error);
            dq_notes notes = {.count = 0};
            bool pruned = pruner->prune(options, &study, trial, &notes);
            for (int k = 0; k < notes.count; k++)
                test_ok(dq_attributes_set(&trial->system, notes.at[k].key, notes.at[k].json, &error), &error);
            bool expected = json_object_get_boolean(item(event, 3));
            if (pruned != expected)
                fail_msg("case %d (%s), event %d: Optuna %s trial %d at step %d", i, pruner->about.name, e,
                         expected ? "prunes" : "goes on with", (int)at(event, 0), (int)at(event, 1));
            if (pruned) trial->state = DQ_TRIAL_PRUNED;
        }
        dq_study_deinit(&study);
    }
    json_object_put(cases);
}

// Forests differ by their random numbers: five of Optuna's differ by up to 0.05. Ours must lie within 0.06 of
// their mean, and rank parameters alike wherever Optuna's means are further apart than that.
static void importances_agree_with_optunas(void **state) {
    (void)state;
    const double tolerance = 0.06;
    json_object *cases = open_reference("importance");
    for (int i = 0; i < length(cases); i++) {
        json_object *c = item(cases, i), *axes = member(c, "axes"), *trials = member(c, "trials");
        dq_error error;
        dq_study study;
        test_ok(dq_study_init(&study, "study", &(dq_direction){DQ_MINIMIZE}, 1, &error), &error);
        for (int t = 0; t < length(trials); t++) {
            dq_trial *trial;
            test_ok(dq_study_add_trial(&study, &trial, &error), &error);
            for (int a = 0; a < length(axes); a++) {
                dq_distribution d = distribution(item(axes, a));
                test_ok(dq_trial_set_param(&study, trial,
                                           json_object_get_string(member(item(axes, a), "name")), &d,
                                           at(item(trials, t), a), &error),
                        &error);
            }
            double value = at(item(trials, t), length(axes));
            test_ok(dq_trial_set_values(trial, &value, 1, &error), &error);
            trial->state = DQ_TRIAL_COMPLETE;
        }
        dq_importance shares[8];
        double mean[8], ours[8], total = 0;
        int count;
        test_ok(dq_study_importance(&study, 0, 1, shares, &count, &error), &error);
        assert_int_equal(count, length(axes));
        for (int a = 0; a < count; a++) {
            json_object *runs = item(member(c, "share"), a);
            mean[a] = 0;
            for (int r = 0; r < length(runs); r++) mean[a] += at(runs, r) / length(runs);
            const char *name = json_object_get_string(member(item(axes, a), "name"));
            int k = 0;
            while (strcmp(shares[k].name, name) != 0) k++;
            ours[a] = shares[k].share;
            total += ours[a];
            if (k > 0) assert_true(shares[k - 1].share >= shares[k].share);
            print_message("importance, study %d, %s: %.3f, Optuna %.3f\n", i, name, ours[a], mean[a]);
            check(name, i, ours[a], mean[a], tolerance);
        }
        check("sum of the shares", i, total, 1, 1e-12);
        for (int a = 0; a < count; a++)
            for (int b = 0; b < count; b++)
                if (mean[a] > mean[b] + tolerance) assert_true(ours[a] > ours[b]);
        dq_study_deinit(&study);
    }
    json_object_put(cases);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cut_normal_equals_scipys),     cmocka_unit_test(transforms_equal_optunas),
        cmocka_unit_test(parzen_estimators_equal_optunas),  cmocka_unit_test(cma_es_updates_equal_cmaes),
        cmocka_unit_test(fronts_and_volumes_equal_optunas), cmocka_unit_test(the_best_trials_are_optunas),
        cmocka_unit_test(pruners_decide_as_optunas),        cmocka_unit_test(importances_agree_with_optunas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
