// Random search: every parameter uniformly from its distribution, on a log scale where that says so.
//
// Bergstra and Bengio 2012, "Random Search for Hyper-Parameter Optimization". The parameters of a trial are
// drawn in the order of the search space.
#include "tune/suggest.h"

#include <math.h>
#include <stdlib.h>

static dq_status create(dq_suggester **out, const void *options, dq_error *error) {
    (void)options;
    *out = calloc(1, sizeof **out);
    return *out ? DQ_OK : dq_fail(error, DQ_MEMORY, "random suggester", "there is no memory for it");
}

static void destroy(dq_suggester *suggester) {
    free(suggester);
}

static double alone(dq_suggester *suggester, const dq_history *history, const dq_trial *trial,
                    const char *name, const dq_distribution *d, dq_rng *rng) {
    (void)suggester, (void)history, (void)trial, (void)name;
    // a value on a grid stands for the half step on either side of it
    const double half = d->step > 0 ? d->step / 2 : 0;
    double low = d->low - half, high = d->high + half;
    if (!d->log) return dq_distribution_snap(d, dq_rng_uniform(rng, low, high));
    return dq_distribution_snap(d, exp(dq_rng_uniform(rng, log(low), log(high))));
}

const dq_suggester_class dq_suggest_random = {
    .about = {.name = "random",
              .summary = "uniformly from the search space",
              .source = "Bergstra and Bengio 2012, Random Search for Hyper-Parameter Optimization"},
    .create = create,
    .destroy = destroy,
    .alone = alone,
};
