// What must hold of the search's numbers and suggestions whatever the input, and that they are worth their
// time.
#include <search_task.h>
#include <support.h>
#include <tune/cmaes.h>
#include <tune/eigen.h>
#include <tune/forest.h>
#include <tune/history.h>
#include <tune/importance.h>
#include <tune/normal.h>
#include <tune/order.h>
#include <tune/pareto.h>
#include <tune/parzen.h>
#include <tune/prune.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void the_cut_normals_quantile_is_its_inverse(void **state) {
    (void)state;
    dq_rng rng;
    dq_rng_seed(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        double a = dq_rng_uniform(&rng, -60, 60), b = a + exp(dq_rng_uniform(&rng, -6, 4));
        double q = dq_rng_random(&rng), x = dq_truncnorm_quantile(q, a, b);
        assert_true(x >= a && x <= b);
        // the share below x, computed from the tail that keeps its digits
        double whole = dq_normal_log_mass(a, b), below = dq_normal_log_mass(a, x);
        double got = exp(below - whole), density = exp(dq_truncnorm_log_density(x, a, b));
        if (!(fabs(got - q) <= 1e-9 + 1e-13 * density * fmax(fabs(a), fabs(b))))
            fail_msg("[%g, %g]: %.17g has %.17g of the mass below it, not %.17g", a, b, x, got, q);
    }
    assert_true(isinf(dq_normal_log_cdf(-INFINITY)) && dq_normal_log_cdf(INFINITY) == 0);
    assert_true(dq_truncnorm_quantile(0, -1, 2) == -1 && dq_truncnorm_quantile(1, -1, 2) == 2);
}

static void an_order_is_sorted_and_stable(void **state) {
    (void)state;
    enum { MOST = 200 };
    double value[MOST];
    int order[MOST], scratch[MOST];
    dq_rng rng;
    dq_rng_seed(&rng, 2);
    for (int round = 0; round < 500; round++) {
        int count = (int)dq_rng_integers(&rng, 0, MOST);
        for (int i = 0; i < count; i++)
            value[i] = dq_rng_random(&rng) < 0.1 ? (double)NAN : (double)dq_rng_integers(&rng, 0, 20);
        dq_order(value, count, order, scratch);
        for (int i = 0; i + 1 < count; i++) {
            double a = value[order[i]], b = value[order[i + 1]];
            assert_true(a < b || (!isnan(a) && isnan(b)) ||
                        ((a == b || (isnan(a) && isnan(b))) && order[i] < order[i + 1]));
        }
    }
}

static void eigenvectors_rebuild_the_matrix(void **state) {
    (void)state;
    enum { MOST = 12 };
    dq_rng rng;
    dq_rng_seed(&rng, 3);
    for (int n = 1; n <= MOST; n++) {
        double matrix[MOST * MOST], copy[MOST * MOST], value[MOST], v[MOST * MOST];
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = dq_rng_normal(&rng);
        memcpy(copy, matrix, sizeof copy);
        dq_eigen_symmetric(matrix, n, value, v);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                double rebuilt = 0, product = 0;
                for (int k = 0; k < n; k++) {
                    rebuilt += v[i * n + k] * value[k] * v[j * n + k];
                    product += v[k * n + i] * v[k * n + j];
                }
                assert_true(fabs(rebuilt - copy[i * n + j]) < 1e-12);
                assert_true(fabs(product - (i == j)) < 1e-13);
            }
    }
}

static void volumes_equal_counted_cells(void **state) {
    (void)state;
    dq_rng rng;
    dq_rng_seed(&rng, 4);
    for (int round = 0; round < 60; round++) {
        enum { SIDE = 5, POINTS = 12 };
        int dimensions = (int)dq_rng_integers(&rng, 1, 5), count = (int)dq_rng_integers(&rng, 1, POINTS + 1),
            cells = 1;
        double points[POINTS * 4], reference[4], volume;
        for (int i = 0; i < count * dimensions; i++) points[i] = (double)dq_rng_integers(&rng, 0, SIDE + 2);
        for (int k = 0; k < dimensions; k++) reference[k] = SIDE, cells *= SIDE;
        int covered = 0;
        for (int cell = 0; cell < cells; cell++) {
            bool any = false;
            for (int i = 0; i < count && !any; i++) {
                bool inside = true;
                for (int k = 0, rest = cell; k < dimensions; k++, rest /= SIDE)
                    inside = inside && points[i * dimensions + k] <= rest % SIDE;
                any = inside;
            }
            covered += any;
        }
        dq_error error;
        test_ok(dq_hypervolume(points, count, dimensions, reference, &volume, &error), &error);
        assert_true(fabs(volume - covered) < 1e-9);
    }
}

static void densities_add_up_to_one(void **state) {
    (void)state;
    static const char *const texts[] = {"1", "2", "3"};
    const dq_distribution axes[] = {
        {.kind = DQ_FLOAT, .low = -2, .high = 5},
        {.kind = DQ_FLOAT, .low = 1e-4, .high = 10, .log = true},
        {.kind = DQ_INTEGER, .low = 3, .high = 17, .step = 2},
        {.kind = DQ_INTEGER, .low = 1, .high = 40, .step = 1, .log = true},
        {.kind = DQ_CATEGORICAL, .high = 2, .step = 1, .choices = texts, .choice_count = 3},
    };
    dq_rng rng;
    dq_rng_seed(&rng, 5);
    for (size_t a = 0; a < sizeof axes / sizeof *axes; a++) {
        const dq_distribution *d = &axes[a];
        double observed[30], total = 0, drawn_low = 0, density_low = 0;
        dq_error error;
        dq_parzen *parzen;
        for (int i = 0; i < 30; i++) observed[i] = dq_distribution_draw(d, &rng);
        test_ok(dq_parzen_create(&parzen, &d, 1, observed, 30, DQ_PARZEN_RECENT, &error), &error);
        enum { CELLS = 20000, DRAWS = 20000 };
        int cells = d->step > 0 ? (int)((d->high - d->low) / d->step) + 1 : CELLS;
        double low = d->log ? log(d->low) : d->low, width = (d->log ? log(d->high) : d->high) - low;
        for (int i = 0; i < cells; i++) {
            double middle = low + width * (i + 0.5) / cells, log_density;
            double value = d->step > 0 ? d->low + i * d->step : d->log ? exp(middle) : middle;
            test_ok(dq_parzen_log_density(parzen, &value, 1, &log_density, &error), &error);
            double mass = exp(log_density) * (d->step > 0 ? 1 : width / cells);
            total += mass;
            if (value <= observed[0]) density_low += mass;
        }
        for (int i = 0; i < DRAWS; i++) {
            double value;
            dq_parzen_draw(parzen, &rng, &value);
            assert_true(dq_distribution_contains(d, value));
            drawn_low += (value <= observed[0]) / (double)DRAWS;
        }
        if (fabs(total - 1) > 1e-5) fail_msg("axis %d: the density adds up to %.9g", (int)a, total);
        if (fabs(drawn_low - density_low) > 0.016) // 4.5 standard errors
            fail_msg("axis %d: %g of the draws lie where %g of the density is", (int)a, drawn_low,
                     density_low);
        dq_parzen_destroy(parzen);
    }
}

static double rosenbrock(const double *x, int n) {
    double sum = 0;
    for (int i = 0; i + 1 < n; i++) {
        double a = 3 * x[i] - 1, b = 3 * x[i + 1] - 1; // the minimum at 2/3
        sum += 100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a);
    }
    return sum;
}

static double sphere(const double *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (x[i] - 0.2) * (x[i] - 0.2);
    return sum;
}

static void minimise(double (*function)(const double *, int), int n, int evaluations, double goal) {
    for (uint64_t seed = 0; seed < 5; seed++) {
        dq_error error;
        dq_cmaes *optimizer;
        dq_rng rng;
        double points[32 * 8], value[32], best = INFINITY;
        dq_rng_seed(&rng, seed);
        test_ok(dq_cmaes_create(&optimizer, n, 0, 0, &error), &error);
        int lambda = dq_cmaes_population(optimizer);
        for (int used = 0; used < evaluations && best > goal; used += lambda) {
            for (int k = 0; k < lambda; k++) {
                dq_cmaes_ask(optimizer, &rng, points + k * n);
                value[k] = function(points + k * n, n);
                best = fmin(best, value[k]);
            }
            dq_cmaes_tell(optimizer, points, value);
        }
        if (!(best <= goal))
            fail_msg("seed %d: %g after %d evaluations, not %g", (int)seed, best, evaluations, goal);
        dq_cmaes_destroy(optimizer);
    }
}

static void cma_es_finds_minima(void **state) {
    (void)state;
    minimise(sphere, 8, 3000, 1e-10);
    minimise(rosenbrock, 5, 6000, 1e-8);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(const char *name, const char *const *options, int task) {
    enum { SEARCHES = 7, TRIALS = 100 };
    double best[SEARCHES];
    for (int seed = 0; seed < SEARCHES; seed++) {
        dq_error error;
        dq_study study;
        test_ok(search_task_run(dq_suggester_find(name), options, task, TRIALS, (uint64_t)seed, &study,
                                &best[seed], &error),
                &error);
        dq_study_deinit(&study);
    }
    qsort(best, SEARCHES, sizeof *best, compare);
    return best[SEARCHES / 2];
}

// What is left above the minimum after 100 trials: at most so much of what chance leaves.
static void tpe_and_cma_es_beat_chance(void **state) {
    (void)state;
    const char *const apart[] = {"tpe_multivariate=no", NULL};
    const int tasks[] = {0, 2, 4}; // sphere, rosenbrock, ackley
    const double share[] = {0.5, 0.5, 0.8};
    for (int i = 0; i < 3; i++) {
        double random = median_of("random", NULL, tasks[i]), tpe = median_of("tpe", NULL, tasks[i]);
        double independent = median_of("tpe", apart, tasks[i]), cmaes = median_of("cmaes", NULL, tasks[i]);
        print_message("%s: random %.4g, tpe %.4g, each parameter by itself %.4g, cmaes %.4g\n",
                      search_task_names[tasks[i]], random, tpe, independent, cmaes);
        assert_true(tpe < share[i] * random);
        assert_true(independent < share[i] * random);
        assert_true(cmaes < share[i] * random);
    }
}

static void suggestions_are_legal_and_follow_from_the_seed(void **state) {
    (void)state;
    for (int s = 0; dq_suggester_classes[s]; s++) {
        dq_error error;
        dq_study study[3];
        double best;
        for (int i = 0; i < 3; i++)
            test_ok(search_task_run(dq_suggester_classes[s], NULL, 3, 40, i == 2, &study[i], &best, &error),
                    &error);
        bool differ = false;
        for (int t = 0; t < study[0].trial_count; t++)
            for (int p = 0; p < SEARCH_PARAMETERS; p++) {
                const dq_trial_param *param = &study[0].trials[t]->params[p];
                assert_true(dq_distribution_contains(param->distribution, param->value));
                assert_true(param->value == study[1].trials[t]->params[p].value);
                differ = differ || param->value != study[2].trials[t]->params[p].value;
            }
        assert_true(differ);
        for (int i = 0; i < 3; i++) dq_study_deinit(&study[i]);
    }
}

static void running_trials_push_suggestions_away(void **state) {
    (void)state;
    const dq_suggester_class *kind = dq_suggester_find("tpe");
    dq_error error;
    dq_study study;
    double best;
    int near = 0, near_lying = 0;
    test_ok(search_task_run(kind, NULL, 0, 60, 1, &study, &best, &error), &error);
    const dq_trial *good = dq_study_best(&study);
    const dq_search_space space = {good->params, SEARCH_PARAMETERS};
    _Alignas(8) char options[256];
    dq_suggester *suggester;
    test_ok(dq_options_defaults(kind->about.options, options, &error), &error);
    test_ok(dq_options_set(kind->about.options, options, "tpe_multivariate", "no", NULL, &error), &error);
    test_ok(kind->create(&suggester, options, &error), &error);
    suggester->suggester_class = kind;
    for (int lying = 0; lying < 2; lying++) {
        for (uint64_t seed = 0; seed < 60; seed++) {
            double values[SEARCH_PARAMETERS];
            dq_notes notes = {.count = 0};
            test_ok(search_task_suggest(suggester, &study, &space, seed, values, &notes, &error), &error);
            for (int i = 0; i < 4; i++) // a kernel of these 60 trials is 0.16 wide at least
                *(lying ? &near_lying : &near) += fabs(values[i] - good->params[i].value) < 0.16;
        }
        for (int k = 0; k < 12 && !lying; k++) { // workers at the best point so far
            dq_trial *trial;
            test_ok(dq_study_add_trial(&study, &trial, &error), &error);
            for (int i = 0; i < SEARCH_PARAMETERS; i++)
                test_ok(dq_trial_set_param(&study, trial, good->params[i].name, good->params[i].distribution,
                                           good->params[i].value, &error),
                        &error);
        }
    }
    print_message("of 240 coordinates near the best trial: %d, with workers there %d\n", near, near_lying);
    assert_true(near > 0 && near_lying < near / 2);
    kind->destroy(suggester);
    dq_study_deinit(&study);
}

static void a_grid_is_searched_once(void **state) {
    (void)state;
    static const char *const texts[] = {"true", "false"};
    const dq_distribution axes[] = {
        {.kind = DQ_CATEGORICAL, .high = 1, .step = 1, .choices = texts, .choice_count = 2},
        {.kind = DQ_INTEGER, .low = 1, .high = 4, .step = 1},
        {.kind = DQ_FLOAT, .low = 1e-3, .high = 1, .log = true},
        {.kind = DQ_FLOAT, .low = 7, .high = 7}};
    const dq_suggester_class *kind = dq_suggester_find("grid");
    dq_error error;
    dq_study study;
    dq_trial_param params[4];
    test_ok(dq_study_init(&study, "grid", &(dq_direction){DQ_MINIMIZE}, 1, &error), &error);
    for (int i = 0; i < 4; i++)
        params[i] = (dq_trial_param){dq_study_name(&study, (const char *[]){"a", "b", "c", "d"}[i]),
                                     dq_study_distribution(&study, &axes[i]), 0};
    const dq_search_space space = {params, 4};
    _Alignas(8) char options[64];
    dq_suggester *suggester;
    test_ok(dq_options_defaults(kind->about.options, options, &error), &error);
    test_ok(dq_options_set(kind->about.options, options, "grid_points", "4", NULL, &error), &error);
    test_ok(kind->create(&suggester, options, &error), &error);
    suggester->suggester_class = kind;
    bool seen[2][4][4] = {{{false}}};
    for (int t = 0; t < 33; t++) {
        double values[4];
        dq_notes notes = {.count = 0};
        dq_trial *trial;
        test_ok(search_task_suggest(suggester, &study, &space, 9, values, &notes, &error), &error);
        int step = (int)rint(log10(values[2]) + 3);
        bool *cell = &seen[(int)values[0]][(int)values[1] - 1][step];
        assert_true(fabs(values[2] - pow(10, step - 3)) < 1e-12 && values[3] == 7);
        assert_false(*cell);
        *cell = t > 0; // the first trial fails and comes once more
        test_ok(dq_study_add_trial(&study, &trial, &error), &error);
        for (int i = 0; i < 4; i++)
            test_ok(
                dq_trial_set_param(&study, trial, params[i].name, params[i].distribution, values[i], &error),
                &error);
        trial->state = t == 0 ? DQ_TRIAL_FAILED : t % 2 ? DQ_TRIAL_COMPLETE : DQ_TRIAL_RUNNING;
    }
    double values[4];
    dq_notes notes = {.count = 0};
    assert_int_equal(search_task_suggest(suggester, &study, &space, 9, values, &notes, &error), DQ_NOT_FOUND);
    kind->destroy(suggester);
    dq_study_deinit(&study);
}

static void trees_fit_what_they_saw_and_one_parameter_is_all_important(void **state) {
    (void)state;
    enum { ROWS = 300, AXES = 3 };
    double points[ROWS * AXES], value[ROWS];
    const bool is_choice[AXES] = {false, true, false};
    dq_rng rng;
    dq_rng_seed(&rng, 6);
    for (int i = 0; i < ROWS; i++) {
        points[i * AXES] = dq_rng_random(&rng);
        points[i * AXES + 1] = (double)dq_rng_integers(&rng, 0, 4);
        points[i * AXES + 2] = 1;
        value[i] = sin(9 * points[i * AXES]) + (points[i * AXES + 1] == 2);
    }
    dq_error error;
    dq_forest forest;
    test_ok(dq_forest_grow(&forest, 16, 64, points, ROWS, AXES, is_choice, value, &rng, &error), &error);
    double worst = 0;
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int t = 0; t < forest.tree_count; t++) {
            const dq_tree_node *nodes = forest.trees[t].nodes;
            int node = 0;
            while (nodes[node].axis >= 0) {
                double x = points[i * AXES + nodes[node].axis];
                assert_true(nodes[node].axis < 2); // a constant divides nothing
                bool left =
                    is_choice[nodes[node].axis] ? x == nodes[node].threshold : x <= nodes[node].threshold;
                node = left ? nodes[node].left : nodes[node].right;
            }
            sum += nodes[node].value / forest.tree_count;
        }
        worst = fmax(worst, fabs(sum - value[i]));
    }
    if (worst > 0.5) fail_msg("a point is missed by %g", worst);
    dq_forest_deinit(&forest);

    const dq_distribution d[2] = {{.kind = DQ_FLOAT, .low = 0, .high = 1},
                                  {.kind = DQ_INTEGER, .low = 1, .high = 9, .step = 1}};
    dq_study study;
    test_ok(dq_study_init(&study, "one", &(dq_direction){DQ_MAXIMIZE}, 1, &error), &error);
    dq_importance shares[2];
    int count;
    assert_int_equal(dq_study_importance(&study, 0, 0, shares, &count, &error), DQ_NOT_FOUND);
    for (int i = 0; i < 100; i++) {
        dq_trial *trial;
        double x = dq_distribution_draw(&d[0], &rng), k = dq_distribution_draw(&d[1], &rng), y = k * k;
        test_ok(dq_study_add_trial(&study, &trial, &error), &error);
        test_ok(dq_trial_set_param(&study, trial, "idle", &d[0], x, &error), &error);
        test_ok(dq_trial_set_param(&study, trial, "all", &d[1], k, &error), &error);
        test_ok(dq_trial_set_values(trial, &y, 1, &error), &error);
        trial->state = DQ_TRIAL_COMPLETE;
    }
    test_ok(dq_study_importance(&study, 0, 0, shares, &count, &error), &error);
    assert_int_equal(count, 2);
    assert_string_equal(shares[0].name, "all");
    assert_true(shares[0].share > 0.99);
    dq_study_deinit(&study);
}

// Two objectives: x and y are near one of two points, and everything between them is a compromise.
static double front_of(const char *name, uint64_t seed) {
    const dq_suggester_class *kind = dq_suggester_find(name);
    const dq_distribution d = {.kind = DQ_FLOAT, .low = -10, .high = 10};
    dq_error error;
    dq_study study;
    test_ok(dq_study_init(&study, "two", (dq_direction[]){DQ_MINIMIZE, DQ_MAXIMIZE}, 2, &error), &error);
    dq_trial_param params[3];
    for (int i = 0; i < 3; i++)
        params[i] = (dq_trial_param){dq_study_name(&study, (const char *[]){"a", "b", "c"}[i]),
                                     dq_study_distribution(&study, &d), 0};
    const dq_search_space space = {params, 3};
    _Alignas(8) char options[256];
    dq_suggester *suggester;
    test_ok(dq_options_defaults(kind->about.options, options, &error), &error);
    test_ok(kind->create(&suggester, options, &error), &error);
    suggester->suggester_class = kind;
    double losses[2 * 100], volume;
    for (int t = 0; t < 100; t++) {
        double x[3], value[2] = {0, 0};
        dq_notes notes = {.count = 0};
        dq_trial *trial;
        test_ok(search_task_suggest(suggester, &study, &space, seed, x, &notes, &error), &error);
        test_ok(dq_study_add_trial(&study, &trial, &error), &error);
        for (int i = 0; i < 3; i++) {
            test_ok(dq_trial_set_param(&study, trial, params[i].name, &d, x[i], &error), &error);
            value[0] += (x[i] - 2) * (x[i] - 2);
            value[1] -= (x[i] + 2) * (x[i] + 2);
        }
        test_ok(dq_trial_set_values(trial, value, 2, &error), &error);
        trial->state = DQ_TRIAL_COMPLETE;
        losses[2 * t] = value[0];
        losses[2 * t + 1] = -value[1];
    }
    test_ok(dq_hypervolume(losses, 100, 2, (double[]){100, 100}, &volume, &error), &error);
    kind->destroy(suggester);
    dq_study_deinit(&study);
    return volume;
}

static void tpe_beats_chance_with_two_objectives(void **state) {
    (void)state;
    double random = 0, tpe = 0;
    for (uint64_t seed = 0; seed < 10; seed++)
        random += front_of("random", seed) / 10, tpe += front_of("tpe", seed) / 10;
    print_message("volume: random %.0f, tpe %.0f\n", random, tpe);
    assert_true(tpe > random);
}

static void hyperband_deals_trials_out_in_its_proportions(void **state) {
    (void)state;
    const dq_pruner_class *kind = dq_pruner_find("hyperband");
    dq_error error;
    dq_study study;
    _Alignas(8) char options[64];
    test_ok(dq_options_defaults(kind->about.options, options, &error), &error);
    test_ok(dq_options_set(kind->about.options, options, "hyperband_max_resource", "9", NULL, &error),
            &error);
    test_ok(dq_study_init(&study, "brackets", &(dq_direction){DQ_MINIMIZE}, 1, &error), &error);
    enum { TRIALS = 3000 };
    int bracket_size[TRIALS] = {0}, brackets = 0;
    const dq_trial *first[TRIALS];
    for (int t = 0; t < TRIALS; t++) {
        dq_trial *trial;
        test_ok(dq_study_add_trial(&study, &trial, &error), &error);
        int b = 0;
        while (b < brackets && !kind->same_group(options, &study, trial, first[b])) b++;
        if (b == brackets) first[brackets++] = trial;
        bracket_size[b]++;
    }
    assert_int_equal(brackets, 3); // of 9, 5 and 3 trials in 17: ceil(3 x 3^s / (s + 1))
    double largest = 0;
    for (int b = 0; b < 3; b++) largest = fmax(largest, bracket_size[b]);
    assert_true(fabs(largest / TRIALS - 9. / 17) < 0.04);
    dq_study_deinit(&study);
}

static void cma_es_refuses_two_objectives(void **state) {
    (void)state;
    const dq_suggester_class *kind = dq_suggester_find("cmaes");
    dq_error error;
    dq_study study;
    _Alignas(8) char options[64];
    dq_suggester *suggester;
    test_ok(dq_options_defaults(kind->about.options, options, &error), &error);
    test_ok(kind->create(&suggester, options, &error), &error);
    suggester->suggester_class = kind;
    test_ok(dq_study_init(&study, "two", (dq_direction[]){DQ_MINIMIZE, DQ_MINIMIZE}, 2, &error), &error);
    const dq_search_space space = {NULL, 0};
    dq_notes notes = {.count = 0};
    assert_int_equal(search_task_suggest(suggester, &study, &space, 0, NULL, &notes, &error), DQ_USAGE);
    kind->destroy(suggester);
    test_ok(dq_options_set(kind->about.options, options, "cmaes_population", "2", NULL, &error), &error);
    assert_int_equal(kind->create(&suggester, options, &error), DQ_USAGE);
    dq_study_deinit(&study);
}

// What a study of another program may hold: values outside of ranges and choices, NaN, complete trials
// without values.
static void odd_studies_do_no_harm(void **state) {
    (void)state;
    const double odd[] = {(double)NAN, (double)INFINITY, -1e300, 1e300, -3, 99, 0.5, 0, 3, 12};
    enum { ODD = sizeof odd / sizeof *odd };
    for (int round = 0; round < 40; round++) {
        dq_error error;
        dq_study study;
        dq_trial_param params[SEARCH_PARAMETERS];
        const dq_search_space space = {params, SEARCH_PARAMETERS};
        dq_rng rng;
        dq_rng_seed(&rng, (uint64_t)round);
        test_ok(search_task_study(&study, params, round % 2 ? DQ_MAXIMIZE : DQ_MINIMIZE, &error), &error);
        for (int t = 0; t < 60; t++) {
            dq_trial *trial;
            test_ok(dq_study_add_trial(&study, &trial, &error), &error);
            trial->state = (dq_trial_state)dq_rng_integers(&rng, 0, 5);
            for (int i = 0; i < SEARCH_PARAMETERS; i++) {
                if (dq_rng_random(&rng) < 0.02) continue;
                double value = dq_distribution_draw(params[i].distribution, &rng);
                if (dq_rng_random(&rng) < (round % 3 == 0 ? 0.1 : 0.005))
                    value = odd[dq_rng_integers(&rng, 0, ODD)];
                test_ok(
                    dq_trial_set_param(&study, trial, params[i].name, params[i].distribution, value, &error),
                    &error);
            }
            for (int k = 0; k < 3; k++)
                test_ok(dq_trial_set_intermediate(trial, dq_rng_integers(&rng, 0, 9),
                                                  odd[dq_rng_integers(&rng, 0, ODD)], &error),
                        &error);
            double value = odd[dq_rng_integers(&rng, 0, ODD)];
            if (trial->state == DQ_TRIAL_COMPLETE && dq_rng_random(&rng) < 0.9)
                test_ok(dq_trial_set_values(trial, &value, 1, &error), &error);
            test_ok(dq_attributes_set(&trial->system, "completed_rung_0", t % 2 ? "{}" : "-Infinity", &error),
                    &error);
            test_ok(dq_attributes_set(&trial->system, "cma:generation", t % 3 ? "0" : "1e99", &error),
                    &error);
        }
        _Alignas(8) char options[256];
        for (int s = 0; dq_suggester_classes[s]; s++) {
            const dq_suggester_class *kind = dq_suggester_classes[s];
            dq_suggester *suggester;
            double values[SEARCH_PARAMETERS];
            dq_notes notes = {.count = 0};
            test_ok(dq_options_defaults(kind->about.options, options, &error), &error);
            test_ok(kind->create(&suggester, options, &error), &error);
            suggester->suggester_class = kind;
            test_ok(search_task_suggest(suggester, &study, &space, 1, values, &notes, &error), &error);
            for (int i = 0; i < SEARCH_PARAMETERS; i++)
                if (!dq_distribution_contains(params[i].distribution, values[i]))
                    fail_msg("round %d: %s suggests %g for x%d", round, kind->about.name, values[i], i);
            kind->destroy(suggester);
        }
        for (int p = 0; dq_pruner_classes[p]; p++) {
            test_ok(dq_options_defaults(dq_pruner_classes[p]->about.options, options, &error), &error);
            for (int t = 0; t < study.trial_count; t++) {
                dq_notes notes = {.count = 0};
                dq_pruner_classes[p]->prune(options, &study, study.trials[t], &notes);
                assert_true(notes.count <= DQ_NOTES_MAX);
            }
        }
        dq_importance shares[SEARCH_PARAMETERS];
        int count;
        dq_status status = dq_study_importance(&study, 0, 0, shares, &count, &error);
        assert_true(status == DQ_OK || status == DQ_NOT_FOUND);
        for (int i = 0; i < count; i++) assert_true(shares[i].share >= 0 && shares[i].share <= 1 + 1e-12);
        dq_study_deinit(&study);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cut_normals_quantile_is_its_inverse),
        cmocka_unit_test(an_order_is_sorted_and_stable),
        cmocka_unit_test(eigenvectors_rebuild_the_matrix),
        cmocka_unit_test(volumes_equal_counted_cells),
        cmocka_unit_test(densities_add_up_to_one),
        cmocka_unit_test(cma_es_finds_minima),
        cmocka_unit_test(tpe_and_cma_es_beat_chance),
        cmocka_unit_test(suggestions_are_legal_and_follow_from_the_seed),
        cmocka_unit_test(running_trials_push_suggestions_away),
        cmocka_unit_test(a_grid_is_searched_once),
        cmocka_unit_test(trees_fit_what_they_saw_and_one_parameter_is_all_important),
        cmocka_unit_test(tpe_beats_chance_with_two_objectives),
        cmocka_unit_test(hyperband_deals_trials_out_in_its_proportions),
        cmocka_unit_test(cma_es_refuses_two_objectives),
        cmocka_unit_test(odd_studies_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
