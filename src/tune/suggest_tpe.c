// TPE: the tree-structured Parzen estimator (Bergstra et al. 2011, section 4; several objectives: Ozaki et
// al. 2022).
//
// The trials so far are split into the best few and the rest (split.h), each side becomes a Parzen estimator
// (parzen.h), l and g, and the suggestion is the one of some draws from l that has the largest l/g. Defaults
// are those of Optuna 5: parameters are drawn together where there is one objective, and running trials count
// with the rest.
#include "tune/history.h"
#include "tune/parzen.h"
#include "tune/split.h"

#include <stdlib.h>
#include <string.h>

typedef struct tpe_options {
    int64_t startup_trials, candidates;
    int multivariate;
    bool constant_liar;
} tpe_options;

enum { MULTIVARIATE_AUTO, MULTIVARIATE_YES, MULTIVARIATE_NO };

#define ROW(name, type, field, text, low, high, choices, unit, help)                                         \
    { name, "tpe", type, offsetof(tpe_options, field), 0, text, low, high, false, choices, unit, help }

static const dq_option rows[] = {
    ROW("tpe_startup_trials", DQ_OPTION_INT, startup_trials, "10", 0, 1e6, NULL, "trials",
        "finished trials before which parameters are random"),
    ROW("tpe_candidates", DQ_OPTION_INT, candidates, "24", 1, 1e5, NULL, NULL,
        "draws of which the most promising one is suggested"),
    ROW("tpe_multivariate", DQ_OPTION_CHOICE, multivariate, "auto", 0, 0, "auto|yes|no", NULL,
        "parameters are drawn together; auto: where there is one objective"),
    ROW("tpe_constant_liar", DQ_OPTION_BOOL, constant_liar, "true", 0, 1, NULL, NULL,
        "running trials count as bad ones, so that workers keep clear of each other"),
};

typedef struct tpe {
    dq_suggester suggester;
    tpe_options options;
} tpe;

static dq_status create(dq_suggester **out, const void *options, dq_error *error) {
    tpe *self = calloc(1, sizeof *self);
    *out = self ? &self->suggester : NULL;
    if (!self) return dq_fail(error, DQ_MEMORY, "tpe", "there is no memory for it");
    self->options = *(const tpe_options *)options;
    return DQ_OK;
}

static void destroy(dq_suggester *suggester) {
    free(suggester);
}

// --- the suggestion ---------------------------------------------------------------------------------------

// The internal values of the trials on one side that have every parameter. Returns how many.
static int observe(const tpe *self, const bool *is_good, const dq_history *history,
                   const dq_trial_param *params, int count, bool below, double *observations) {
    int found = 0;
    for (int i = 0; i < history->count; i++) {
        const dq_trial *trial = history->trials[i];
        bool lies = self->options.constant_liar && trial->state == DQ_TRIAL_RUNNING;
        if (is_good[i] != below || !(dq_trial_tells(history->study, trial, true) || lies)) continue;
        double *row = observations + (size_t)found * (size_t)count;
        int have = 0;
        while (have < count) {
            const dq_trial_param *param = dq_trial_sound_param(trial, params[have].name);
            if (!param || !dq_distribution_compatible(param->distribution, params[have].distribution)) break;
            row[have++] = param->value;
        }
        found += have == count;
    }
    return found;
}

// Decides `count` parameters together; their distributions hold more than one value each.
static dq_status suggest(const tpe *self, const dq_history *history, const dq_trial_param *params, int count,
                         dq_rng *rng, double *values, dq_error *error) {
    size_t d = (size_t)count;
    int candidates = (int)self->options.candidates;
    dq_parzen *good = NULL, *rest = NULL;
    const dq_distribution **axes = malloc(d * sizeof *axes);
    double *observations = malloc(((size_t)history->count + 1) * d * sizeof *observations);
    bool *is_good = malloc((size_t)history->count + 1);
    double *drawn = malloc((size_t)candidates * (d + 2) * sizeof *drawn);
    dq_status status = axes && observations && is_good && drawn
                           ? DQ_OK
                           : dq_fail(error, DQ_MEMORY, "tpe", "there is no memory for the trials");
    if (status == DQ_OK) status = dq_split(history, is_good, error);
    if (status != DQ_OK) goto done;

    bool single = history->study->direction_count == 1;
    for (int i = 0; i < count; i++) axes[i] = params[i].distribution;
    int found = observe(self, is_good, history, params, count, true, observations);
    status = dq_parzen_create(&good, axes, count, observations, found,
                              single ? DQ_PARZEN_RECENT : DQ_PARZEN_EVEN, error);
    if (status != DQ_OK) goto done;
    found = observe(self, is_good, history, params, count, false, observations);
    status = dq_parzen_create(&rest, axes, count, observations, found, DQ_PARZEN_RECENT, error);
    if (status != DQ_OK) goto done;

    double *log_good = drawn + (size_t)candidates * d, *log_rest = log_good + candidates;
    for (int i = 0; i < candidates; i++) dq_parzen_draw(good, rng, drawn + (size_t)i * d);
    status = dq_parzen_log_density(good, drawn, candidates, log_good, error);
    if (status == DQ_OK) status = dq_parzen_log_density(rest, drawn, candidates, log_rest, error);
    if (status != DQ_OK) goto done;
    int best = 0;
    for (int i = 1; i < candidates; i++)
        if (log_good[i] - log_rest[i] > log_good[best] - log_rest[best]) best = i;
    memcpy(values, drawn + (size_t)best * d, d * sizeof *values);
done:
    dq_parzen_destroy(good);
    dq_parzen_destroy(rest);
    free(is_good);
    free(axes);
    free(observations);
    free(drawn);
    return status;
}

static bool ready(const tpe *self, const dq_history *history) {
    return dq_history_told(history, true) >= self->options.startup_trials;
}

static dq_status together(dq_suggester *suggester, const dq_history *history, const dq_trial *trial,
                          const dq_search_space *space, dq_rng *rng, double *values, dq_notes *notes,
                          dq_error *error) {
    (void)trial, (void)notes;
    const tpe *self = (const tpe *)suggester;
    bool joint = self->options.multivariate == MULTIVARIATE_YES ||
                 (self->options.multivariate == MULTIVARIATE_AUTO && history->study->direction_count == 1);
    if (!joint || !ready(self, history)) return DQ_OK;
    dq_trial_param *params = malloc(((size_t)space->count + 1) * sizeof *params);
    double *decided = malloc(((size_t)space->count + 1) * sizeof *decided);
    dq_status status =
        params && decided ? DQ_OK : dq_fail(error, DQ_MEMORY, "tpe", "there is no memory for it");
    int count = 0;
    for (int i = 0; status == DQ_OK && i < space->count; i++)
        if (!dq_distribution_single(space->params[i].distribution) &&
            dq_history_shares(history, &space->params[i], true))
            params[count++] = space->params[i];
    if (status == DQ_OK && count > 0) {
        status = suggest(self, history, params, count, rng, decided, error);
        for (int i = 0, k = 0; status == DQ_OK && i < space->count && k < count; i++)
            if (space->params[i].name == params[k].name) values[i] = decided[k++];
    }
    free(params);
    free(decided);
    return status;
}

static double alone(dq_suggester *suggester, const dq_history *history, const dq_trial *trial,
                    const char *name, const dq_distribution *distribution, dq_rng *rng) {
    (void)trial;
    const tpe *self = (const tpe *)suggester;
    dq_trial_param param = {name, distribution, 0};
    double value;
    if (dq_distribution_single(distribution) || !ready(self, history) ||
        suggest(self, history, &param, 1, rng, &value, NULL) != DQ_OK) // without memory there is still chance
        return dq_distribution_draw(distribution, rng);
    return value;
}

const dq_suggester_class dq_suggest_tpe = {
    .about = {.name = "tpe",
              .summary = "tree-structured Parzen estimator",
              .source = "Bergstra et al. 2011, Algorithms for Hyper-Parameter Optimization",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(tpe_options)},
    .create = create,
    .destroy = destroy,
    .together = together,
    .alone = alone,
};
