// The functions are in the collection of Surjanovic and Bingham, "Virtual Library of Simulation Experiments".
#include "search_task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N SEARCH_PARAMETERS

const char *const search_task_names[] = {"sphere",   "ellipsoid", "rosenbrock", "rastrigin",
                                         "ackley",   "griewank",  "levy",       "styblinski",
                                         "zakharov", "alpine",    NULL};

static const char *const letters[] = {"\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"e\""};

static const dq_distribution space[N] = {
    {.kind = DQ_FLOAT, .low = -5, .high = 5},
    {.kind = DQ_FLOAT, .low = -5, .high = 5},
    {.kind = DQ_FLOAT, .low = -5, .high = 5},
    {.kind = DQ_FLOAT, .low = -5, .high = 5},
    {.kind = DQ_FLOAT, .low = 1e-5, .high = 1e-1, .log = true},
    {.kind = DQ_FLOAT, .low = 1e-5, .high = 1e-1, .log = true},
    {.kind = DQ_INTEGER, .low = 0, .high = 20, .step = 1},
    {.kind = DQ_INTEGER, .low = 1, .high = 1024, .step = 1, .log = true},
    {.kind = DQ_FLOAT, .low = -5, .high = 5, .step = 0.5},
    {.kind = DQ_CATEGORICAL, .high = 4, .step = 1, .choices = letters, .choice_count = 5},
};

dq_status search_task_study(dq_study *study, dq_trial_param *params, dq_direction direction,
                            dq_error *error) {
    dq_status status = dq_study_init(study, "search", &direction, 1, error);
    for (int i = 0; status == DQ_OK && i < N; i++) {
        char name[8];
        snprintf(name, sizeof name, "x%d", i);
        params[i] = (dq_trial_param){dq_study_name(study, name), dq_study_distribution(study, &space[i]), 0};
        if (!params[i].name || !params[i].distribution)
            status = dq_fail(error, DQ_MEMORY, NULL, "no memory for the search space");
    }
    return status;
}

// Where each function has the minimum of its usual form at 0, it is here at this coordinate.
static const double centre[N] = {1.3, -2.1, 3.7, 0.4, -1.6, 2.2, 1, -2, -1.5, 2.5};

static void coordinates(const double *v, double *z) {
    static const double letter[] = {2.5, -1, 4, -5, 0.5};
    for (int i = 0; i < 4; i++) z[i] = v[i];
    z[4] = 2.5 * (log10(v[4]) + 3);
    z[5] = 2.5 * (log10(v[5]) + 3);
    z[6] = 0.5 * v[6] - 5;
    z[7] = log2(v[7]) - 5;
    z[8] = v[8];
    z[9] = letter[(int)v[9]];
    for (int i = 0; i < N; i++) z[i] -= centre[i];
}

static double sphere(const double *z) {
    double sum = 0;
    for (int i = 0; i < N; i++) sum += z[i] * z[i];
    return sum;
}

static double ellipsoid(const double *z) {
    double sum = 0;
    for (int i = 0; i < N; i++) sum += pow(10, 3. * i / (N - 1)) * z[i] * z[i];
    return sum;
}

static double rosenbrock(const double *z) {
    double sum = 0;
    for (int i = 0; i + 1 < N; i++) {
        double a = z[i] + 1, b = z[i + 1] + 1;
        sum += 100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a);
    }
    return sum;
}

static double rastrigin(const double *z) {
    double sum = 10 * N;
    for (int i = 0; i < N; i++) sum += z[i] * z[i] - 10 * cos(2 * M_PI * z[i]);
    return sum;
}

static double ackley(const double *z) {
    double squares = 0, cosines = 0;
    for (int i = 0; i < N; i++) squares += z[i] * z[i], cosines += cos(2 * M_PI * z[i]);
    return 20 + M_E - 20 * exp(-0.2 * sqrt(squares / N)) - exp(cosines / N);
}

static double griewank(const double *z) {
    double sum = 0, product = 1;
    for (int i = 0; i < N; i++) {
        sum += 100 * z[i] * z[i] / 4000;
        product *= cos(10 * z[i] / sqrt(i + 1));
    }
    return 1 + sum - product;
}

static double levy(const double *z) {
    double first = sin(M_PI * (1 + z[0] / 4)), last = z[N - 1] / 4, sum = first * first;
    for (int i = 0; i + 1 < N; i++) {
        double w = 1 + z[i] / 4, s = sin(M_PI * w + 1);
        sum += (w - 1) * (w - 1) * (1 + 10 * s * s);
    }
    double s = sin(2 * M_PI * (1 + last));
    return sum + last * last * (1 + s * s);
}

static double styblinski(const double *z) {
    double sum = 0;
    for (int i = 0; i < N; i++) {
        double x = z[i] - 2.903534;
        sum += 0.5 * (x * x * x * x - 16 * x * x + 5 * x) + 39.16617;
    }
    return sum;
}

static double zakharov(const double *z) {
    double sum = 0, weighted = 0;
    for (int i = 0; i < N; i++) sum += z[i] * z[i], weighted += 0.5 * (i + 1) * z[i];
    double square = weighted * weighted;
    return sum + square + square * square;
}

static double alpine(const double *z) {
    double sum = 0;
    for (int i = 0; i < N; i++) sum += fabs(z[i] * sin(z[i]) + 0.1 * z[i]);
    return sum;
}

double search_task_value(int task, const double *values) {
    static double (*const functions[])(const double *) = {sphere,   ellipsoid, rosenbrock, rastrigin, ackley,
                                                          griewank, levy,      styblinski, zakharov,  alpine};
    double z[N];
    coordinates(values, z);
    return functions[task](z);
}

dq_status search_task_suggest(dq_suggester *suggester, const dq_study *study, const dq_search_space *what,
                              uint64_t seed, double *values, dq_notes *notes, dq_error *error) {
    const dq_suggester_class *kind = suggester->suggester_class;
    dq_history history = {study, (const dq_trial *const *)study->trials, study->trial_count};
    dq_trial fresh = {.number = study->trial_count};
    dq_status status = DQ_OK;
    uint32_t number = (uint32_t)study->trial_count;
    dq_rng rng;
    dq_rng_seed_child(&rng, seed, &number, 1);
    for (int i = 0; i < what->count; i++) values[i] = (double)NAN;
    if (kind->together)
        status = kind->together(suggester, &history, &fresh, what, &rng, values, notes, error);
    for (int i = 0; status == DQ_OK && i < what->count; i++)
        if (isnan(values[i]))
            values[i] = kind->alone(suggester, &history, &fresh, what->params[i].name,
                                    what->params[i].distribution, &rng);
    return status;
}

dq_status search_task_run(const dq_suggester_class *kind, const char *const *options, int task, int trials,
                          uint64_t seed, dq_study *study, double *best, dq_error *error) {
    dq_trial_param params[N];
    dq_search_space what = {params, N};
    dq_suggester *suggester = NULL;
    void *set = calloc(1, kind->about.options_size + 1);
    *best = INFINITY;
    *study = (dq_study){0};
    dq_status status = set ? DQ_OK : dq_fail(error, DQ_MEMORY, NULL, "no memory for the options");
    if (status == DQ_OK) status = search_task_study(study, params, DQ_MINIMIZE, error);
    if (status == DQ_OK) status = dq_options_defaults(kind->about.options, set, error);
    for (int i = 0; status == DQ_OK && options && options[i]; i++)
        status = dq_options_assign(kind->about.options, set, options[i], NULL, error);
    if (status == DQ_OK) status = kind->create(&suggester, set, error);
    if (status == DQ_OK) suggester->suggester_class = kind;
    for (int t = 0; status == DQ_OK && t < trials; t++) {
        double values[N], value;
        dq_notes notes = {.count = 0};
        dq_trial *trial;
        status = search_task_suggest(suggester, study, &what, seed, values, &notes, error);
        if (status == DQ_OK) status = dq_study_add_trial(study, &trial, error);
        for (int i = 0; status == DQ_OK && i < N; i++)
            status =
                dq_trial_set_param(study, trial, params[i].name, params[i].distribution, values[i], error);
        for (int i = 0; status == DQ_OK && i < notes.count; i++)
            status = dq_attributes_set(&trial->system, notes.at[i].key, notes.at[i].json, error);
        if (status != DQ_OK) break;
        value = search_task_value(task, values);
        status = dq_trial_set_values(trial, &value, 1, error);
        trial->state = DQ_TRIAL_COMPLETE;
        trial->completed = t;
        *best = fmin(*best, value);
    }
    if (suggester) kind->destroy(suggester);
    free(set);
    return status;
}
