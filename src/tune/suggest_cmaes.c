// CMA-ES for the numbers of a search space; choices, and parameters that not every trial has, are random.
//
// Every suggestion builds the optimizer anew from the trials, generation by generation: each trial notes the
// generation it was drawn for under Optuna's key, and the first `population` of a generation to complete are
// what it is told. Like Optuna's CmaEsSampler: parameters are mapped to [0, 1] (logarithms where log, half a
// step more on either side where stepped), the start is the centre with deviation 1/6, and the first trial is
// random.
#include "tune/cmaes.h"
#include "tune/history.h"
#include "tune/order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define GENERATION_KEY "cma:generation"

typedef struct cmaes_options {
    double sigma;
    int64_t population, startup_trials;
    bool pruned;
} cmaes_options;

#define ROW(name, type, field, text, low, high, unit, help)                                                  \
    { name, "cmaes", type, offsetof(cmaes_options, field), 0, text, low, high, false, NULL, unit, help }

static const dq_option rows[] = {
    ROW("cmaes_sigma", DQ_OPTION_REAL, sigma, "0", 0, 10, NULL,
        "standard deviation at the start, where every range is 1 wide; 0 is 1/6"),
    ROW("cmaes_population", DQ_OPTION_INT, population, "0", 0, 1e5, "trials",
        "trials a generation; 0 is 4 + 3 log(parameters)"),
    ROW("cmaes_startup_trials", DQ_OPTION_INT, startup_trials, "1", 1, 1e6, "trials",
        "finished trials before which parameters are random"),
    ROW("cmaes_pruned", DQ_OPTION_BOOL, pruned, "false", 0, 1, NULL,
        "pruned trials count with their last intermediate value"),
};

typedef struct cmaes {
    dq_suggester suggester;
    cmaes_options options;
} cmaes;

static dq_status create(dq_suggester **out, const void *options, dq_error *error) {
    cmaes *self = calloc(1, sizeof *self);
    *out = self ? &self->suggester : NULL;
    if (!self) return dq_fail(error, DQ_MEMORY, "cmaes", "there is no memory for it");
    self->options = *(const cmaes_options *)options;
    if (self->options.population == 1 || self->options.population == 2) {
        free(self);
        *out = NULL;
        return dq_fail(error, DQ_USAGE, "cmaes_population",
                       "a generation needs 3 trials or more; 0 chooses by itself");
    }
    return DQ_OK;
}

static void destroy(dq_suggester *suggester) {
    free(suggester);
}

// --- what was told ----------------------------------------------------------------------------------------

// The trial's generation, or -1.
static int64_t generation_of(const dq_trial *trial) {
    const char *json = dq_attributes_find(&trial->system, GENERATION_KEY);
    char *end;
    if (!json) return -1;
    int64_t generation = strtoll(json, &end, 10);
    return end == json ? -1 : generation;
}

static bool position(const dq_trial *trial, const dq_trial_param *params, int count, double *x) {
    for (int i = 0; i < count; i++) {
        const dq_trial_param *param = dq_trial_sound_param(trial, params[i].name);
        if (!param) return false;
        x[i] = fmin(fmax(dq_distribution_to_unit(params[i].distribution, param->value), 0), 1);
    }
    return true;
}

// Tells all whole generations. index, order, scratch: [history->count]; key as well.
static dq_status tell(const cmaes *self, dq_cmaes *optimizer, const dq_history *history,
                      const dq_trial_param *params, int count, dq_error *error) {
    size_t n = (size_t)history->count + 1, lambda = (size_t)dq_cmaes_population(optimizer);
    int *order = malloc(2 * n * sizeof *order);
    double *key = malloc(n * sizeof *key);
    double *points = malloc(lambda * ((size_t)count + 1) * sizeof *points);
    if (!order || !key || !points) {
        free(order);
        free(key);
        free(points);
        return dq_fail(error, DQ_MEMORY, "cmaes", "there is no memory for the trials");
    }
    double *value = points + lambda * (size_t)count;
    for (int i = 0; i < history->count; i++) key[i] = (double)history->trials[i]->completed;
    dq_order(key, history->count, order, order + n);
    bool maximize = history->study->directions[0] == DQ_MAXIMIZE;
    for (bool whole = true; whole;) {
        size_t told = 0;
        for (int i = 0; i < history->count && told < lambda; i++) {
            const dq_trial *trial = history->trials[order[i]];
            if (!dq_trial_tells(history->study, trial, self->options.pruned) ||
                generation_of(trial) != dq_cmaes_generation(optimizer) ||
                !position(trial, params, count, points + told * (size_t)count))
                continue;
            double result = trial->state == DQ_TRIAL_COMPLETE ? trial->values[0] : dq_trial_last(trial, NULL);
            value[told++] = maximize ? -result : result;
        }
        whole = told == lambda;
        if (whole) dq_cmaes_tell(optimizer, points, value);
    }
    free(order);
    free(key);
    free(points);
    return DQ_OK;
}

static dq_status together(dq_suggester *suggester, const dq_history *history, const dq_trial *trial,
                          const dq_search_space *space, dq_rng *rng, double *values, dq_notes *notes,
                          dq_error *error) {
    (void)trial;
    const cmaes *self = (const cmaes *)suggester;
    if (history->study->direction_count > 1)
        return dq_fail(error, DQ_USAGE, "cmaes",
                       "CMA-ES searches for one objective, this study has %d; tpe and random know several",
                       history->study->direction_count);
    if (dq_history_told(history, self->options.pruned) < self->options.startup_trials) return DQ_OK;

    dq_trial_param *params = malloc(((size_t)space->count + 1) * sizeof *params);
    double *x = malloc(((size_t)space->count + 1) * sizeof *x);
    dq_cmaes *optimizer = NULL;
    dq_status status = params && x ? DQ_OK : dq_fail(error, DQ_MEMORY, "cmaes", "there is no memory for it");
    int count = 0;
    for (int i = 0; status == DQ_OK && i < space->count; i++) {
        const dq_trial_param *param = &space->params[i];
        if (param->distribution->kind != DQ_CATEGORICAL && !dq_distribution_single(param->distribution) &&
            dq_history_shares(history, param, self->options.pruned))
            params[count++] = *param;
    }
    if (status != DQ_OK || count == 0) goto done;
    status = dq_cmaes_create(&optimizer, count, self->options.sigma, (int)self->options.population, error);
    if (status == DQ_OK) status = tell(self, optimizer, history, params, count, error);
    if (status != DQ_OK) goto done;
    dq_cmaes_ask(optimizer, rng, x);
    for (int i = 0, k = 0; i < space->count && k < count; i++)
        if (space->params[i].name == params[k].name)
            values[i] = dq_distribution_from_unit(params[k].distribution, x[k]), k++;
    dq_note *note = &notes->at[notes->count++];
    snprintf(note->key, sizeof note->key, GENERATION_KEY);
    snprintf(note->json, sizeof note->json, "%d", dq_cmaes_generation(optimizer));
done:
    dq_cmaes_destroy(optimizer);
    free(params);
    free(x);
    return status;
}

static double alone(dq_suggester *suggester, const dq_history *history, const dq_trial *trial,
                    const char *name, const dq_distribution *distribution, dq_rng *rng) {
    (void)suggester, (void)history, (void)trial, (void)name;
    return dq_distribution_draw(distribution, rng);
}

const dq_suggester_class dq_suggest_cmaes = {
    .about = {.name = "cmaes",
              .summary = "CMA-ES for numbers, chance for choices",
              .source = "Hansen 2016, The CMA Evolution Strategy: A Tutorial",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(cmaes_options)},
    .create = create,
    .destroy = destroy,
    .together = together,
    .alone = alone,
};
