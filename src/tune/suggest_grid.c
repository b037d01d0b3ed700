// Grid search: every combination of values once, in a random order; then the search ends.
//
// Choices and stepped numbers give all their values, others `grid_points` of them, evenly from end to end (on
// a log scale where that says so). What has been tried is read off the trials' parameters, so that studies of
// other suggesters, of other processes and of Optuna count too. Failed trials are tried again.
#include "tune/history.h"

#include <math.h>
#include <stdlib.h>

typedef struct grid_options {
    int64_t points;
} grid_options;

static const dq_option rows[] = {
    {"grid_points", "grid", DQ_OPTION_INT, offsetof(grid_options, points), 0, "5", 1, 1e6, false, NULL,
     "values", "values of each number that has more, from the lowest to the highest"},
};

typedef struct grid {
    dq_suggester suggester;
    grid_options options;
} grid;

static dq_status create(dq_suggester **out, const void *options, dq_error *error) {
    grid *self = calloc(1, sizeof *self);
    *out = self ? &self->suggester : NULL;
    if (!self) return dq_fail(error, DQ_MEMORY, "grid", "there is no memory for it");
    self->options = *(const grid_options *)options;
    return DQ_OK;
}

static void destroy(dq_suggester *suggester) {
    free(suggester);
}

// Integers of up to `points` values, stepped reals and choices have all of them.
static int64_t axis_points(const grid *self, const dq_distribution *d) {
    double all = d->step > 0 ? floor((d->high - d->low) / d->step + 1e-8) + 1 : (double)INFINITY;
    bool whole = d->kind == DQ_CATEGORICAL || (d->kind == DQ_FLOAT && d->step > 0);
    if (d->low == d->high) return 1;
    return whole || all <= (double)self->options.points ? (int64_t)fmin(all, 1e15) : self->options.points;
}

static double axis_value(const grid *self, const dq_distribution *d, int64_t index) {
    int64_t points = axis_points(self, d);
    if (points == 1 || index == 0) return d->low;
    if (index == points - 1) return dq_distribution_snap(d, d->high);
    double share = (double)index / (double)(points - 1);
    if (d->log) return dq_distribution_snap(d, exp(log(d->low) + share * (log(d->high) - log(d->low))));
    return dq_distribution_snap(d, d->low + share * (d->high - d->low));
}

// The place of a value on its axis, or -1: it is none of the grid's.
static int64_t axis_index(const grid *self, const dq_distribution *d, double value) {
    int64_t points = axis_points(self, d);
    if (points == 1) return value == d->low ? 0 : -1;
    double share =
        d->log ? log(value / d->low) / log(d->high / d->low) : (value - d->low) / (d->high - d->low);
    if (!(share > -0.5 && share < 1.5)) return -1;
    int64_t near = llrint(share * (double)(points - 1));
    for (int64_t i = near - 1; i <= near + 1; i++) // rounding to steps may have moved it
        if (i >= 0 && i < points && fabs(axis_value(self, d, i) - value) <= 1e-12 * fabs(value)) return i;
    return -1;
}

static int64_t trial_index(const grid *self, const dq_trial *trial, const dq_search_space *space) {
    int64_t index = 0;
    for (int i = 0; i < space->count; i++) {
        const dq_distribution *d = space->params[i].distribution;
        const dq_trial_param *param = dq_trial_sound_param(trial, space->params[i].name);
        int64_t place = param && dq_distribution_compatible(param->distribution, d)
                            ? axis_index(self, d, param->value)
                            : -1;
        if (place < 0) return -1;
        index = index * axis_points(self, d) + place;
    }
    return index;
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static dq_status together(dq_suggester *suggester, const dq_history *history, const dq_trial *trial,
                          const dq_search_space *space, dq_rng *rng, double *values, dq_notes *notes,
                          dq_error *error) {
    (void)trial, (void)notes;
    const grid *self = (const grid *)suggester;
    int64_t total = 1;
    for (int i = 0; i < space->count; i++) {
        int64_t points = axis_points(self, space->params[i].distribution);
        if (total > (int64_t)1e15 / points)
            return dq_fail(
                error, DQ_USAGE, "grid",
                "the grid has more than 1e15 points; search fewer parameters, or set grid_points lower "
                "(%lld now)",
                (long long)self->options.points);
        total *= points;
    }
    int64_t *tried = malloc(((size_t)history->count + 1) * sizeof *tried);
    if (!tried) return dq_fail(error, DQ_MEMORY, "grid", "there is no memory for it");
    int count = 0, distinct = 0;
    for (int i = 0; i < history->count; i++) {
        dq_trial_state state = history->trials[i]->state;
        if (state == DQ_TRIAL_FAILED) continue;
        int64_t index = trial_index(self, history->trials[i], space);
        if (index >= 0) tried[count++] = index;
    }
    qsort(tried, (size_t)count, sizeof *tried, compare);
    for (int i = 0; i < count; i++)
        if (i == 0 || tried[i] != tried[i - 1]) tried[distinct++] = tried[i];
    if (distinct == total) {
        free(tried);
        return dq_fail(error, DQ_NOT_FOUND, "grid", "all %lld points of the grid have been tried",
                       (long long)total);
    }
    int64_t index = dq_rng_integers(rng, 0, total - distinct); // among those left
    for (int i = 0; i < distinct && tried[i] <= index; i++) index++;
    free(tried);
    for (int i = space->count - 1; i >= 0; i--) {
        const dq_distribution *d = space->params[i].distribution;
        values[i] = axis_value(self, d, index % axis_points(self, d));
        index /= axis_points(self, d);
    }
    return DQ_OK;
}

static double alone(dq_suggester *suggester, const dq_history *history, const dq_trial *trial,
                    const char *name, const dq_distribution *distribution, dq_rng *rng) {
    (void)suggester, (void)history, (void)trial, (void)name;
    return dq_distribution_draw(distribution, rng);
}

const dq_suggester_class dq_suggest_grid = {
    .about = {.name = "grid",
              .summary = "every combination of values once",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(grid_options)},
    .create = create,
    .destroy = destroy,
    .together = together,
    .alone = alone,
};
