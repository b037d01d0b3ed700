// The mixture is kept kernel by kernel: log weight, and per axis a mean, a width and what is constant in the
// log of its density. All scratch belongs to one arena made with the estimator.
#include "tune/parzen.h"

#include "base/arena.h"
#include "tune/normal.h"
#include "tune/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRIOR_WEIGHT 1.0  // of the prior beside an observation's 1
#define RECENT       25   // observations of full weight
#define FINEST       100. // no kernel is narrower than this part of the range

static const double log_root_two_pi = 0.91893853320467274178;

typedef struct axis {
    const dq_distribution *range;
    double low, high;  // of the model: on the log scale where log, half a step wider where stepped
    double *mean;      // [kernels]; for choices the observed index, -1 for the prior
    double *deviation; // [kernels]
    double *constant;  // [kernels] what is added to -z^2/2, or to the log mass of a step
} axis;

struct dq_parzen {
    dq_arena arena;
    int axis_count, kernels;
    axis *axes;
    double *cumulative;   // [kernels] weights, summed up; the last is 1
    double *log_weight;   // [kernels]
    int *order, *scratch; // of the constructor
};

static void lay_out(dq_arena *arena, void *user) {
    dq_parzen *p = user;
    size_t kernels = (size_t)p->kernels;
    p->axes = dq_arena_array(arena, axis, (size_t)p->axis_count);
    p->cumulative = dq_arena_array(arena, double, kernels);
    p->log_weight = dq_arena_array(arena, double, kernels);
    p->order = dq_arena_array(arena, int, kernels);
    p->scratch = dq_arena_array(arena, int, kernels);
    for (int a = 0; a < p->axis_count; a++) {
        double *mean = dq_arena_array(arena, double, kernels);
        double *deviation = dq_arena_array(arena, double, kernels);
        double *constant = dq_arena_array(arena, double, kernels);
        if (p->axes) p->axes[a] = (axis){.mean = mean, .deviation = deviation, .constant = constant};
    }
}

static void weigh(dq_parzen *p, dq_parzen_weights kind) {
    int count = p->kernels - 1; // the last kernel is the prior
    int ramp = kind == DQ_PARZEN_RECENT && count >= RECENT ? count - RECENT : 0;
    double total = 0;
    for (int i = 0; i < p->kernels; i++) {
        double weight = 1;
        if (i == count) {
            weight = PRIOR_WEIGHT;
        } else if (i < ramp) {
            double first = 1. / count;
            weight = ramp == 1 ? first : first + (1 - first) * i / (ramp - 1);
        }
        p->log_weight[i] = weight;
        p->cumulative[i] = total += weight;
    }
    for (int i = 0; i < p->kernels; i++) {
        p->log_weight[i] = log(p->log_weight[i] / total);
        p->cumulative[i] /= total;
    }
    p->cumulative[count] = 1;
}

// Means and widths on the model's scale. observation: this axis's column, `stride` apart.
static void place_kernels(dq_parzen *p, axis *a, const double *observation, int stride) {
    int count = p->kernels - 1;
    double low = a->low, high = a->high, range = high - low;
    for (int i = 0; i < count; i++) {
        double value = observation[(size_t)i * (size_t)stride];
        a->mean[i] = a->range->log ? log(value) : value;
    }
    dq_order(a->mean, count, p->order, p->scratch);
    // The ends of the range count as neighbours for a single observation alone.
    double narrowest = range / fmin(FINEST, count + 2);
    for (int i = 0; i < count; i++) {
        double mean = a->mean[p->order[i]];
        double below = i > 0 ? mean - a->mean[p->order[i - 1]] : count > 1 ? 0 : mean - low;
        double above = i < count - 1 ? a->mean[p->order[i + 1]] - mean : count > 1 ? 0 : high - mean;
        a->deviation[p->order[i]] = fmin(fmax(fmax(below, above), narrowest), range);
    }
    a->mean[count] = 0.5 * (low + high);
    a->deviation[count] = range;
    for (int i = 0; i < p->kernels; i++) {
        a->constant[i] =
            -dq_normal_log_mass((low - a->mean[i]) / a->deviation[i], (high - a->mean[i]) / a->deviation[i]);
        if (a->range->step == 0) a->constant[i] -= log(a->deviation[i]) + log_root_two_pi;
    }
}

// A kernel over C choices: the observed one has 1 + w of 1 + C w, every other w, where w = 1 / kernels.
static double choice_probability(const dq_parzen *p, const axis *a, int kernel, int choice) {
    if (a->mean[kernel] < 0) return 1. / a->range->choice_count;
    double prior = PRIOR_WEIGHT / p->kernels;
    return (prior + ((int)a->mean[kernel] == choice)) / (1 + prior * a->range->choice_count);
}

dq_status dq_parzen_create(dq_parzen **made, const dq_distribution *const *axes, int axis_count,
                           const double *observations, int count, dq_parzen_weights weights,
                           dq_error *error) {
    dq_parzen *p = calloc(1, sizeof *p);
    *made = NULL;
    if (!p) return dq_fail(error, DQ_MEMORY, NULL, "no memory for a Parzen estimator");
    p->axis_count = axis_count;
    p->kernels = count + 1;
    dq_status status = dq_arena_create(&p->arena, lay_out, p, "a Parzen estimator", error);
    if (status != DQ_OK) {
        free(p);
        return status;
    }
    weigh(p, weights);
    for (int i = 0; i < axis_count; i++) {
        axis *a = &p->axes[i];
        a->range = axes[i];
        if (a->range->kind == DQ_CATEGORICAL) {
            for (int k = 0; k < count; k++)
                a->mean[k] = observations[(size_t)k * (size_t)axis_count + (size_t)i];
            a->mean[count] = -1;
            continue;
        }
        a->low = axes[i]->low - 0.5 * axes[i]->step;
        a->high = axes[i]->high + 0.5 * axes[i]->step;
        if (axes[i]->log) a->low = log(a->low), a->high = log(a->high);
        place_kernels(p, a, observations + i, axis_count);
    }
    *made = p;
    return DQ_OK;
}

void dq_parzen_destroy(dq_parzen *parzen) {
    if (!parzen) return;
    dq_arena_destroy(&parzen->arena);
    free(parzen);
}

static double draw_on(const dq_parzen *p, const axis *a, int kernel, dq_rng *rng) {
    double q = dq_rng_random(rng);
    const dq_distribution *range = a->range;
    if (range->kind == DQ_CATEGORICAL) {
        int choice = 0;
        while (choice < range->choice_count - 1 && q >= choice_probability(p, a, kernel, choice))
            q -= choice_probability(p, a, kernel, choice++);
        return choice;
    }
    double mean = a->mean[kernel], deviation = a->deviation[kernel];
    double value = mean + deviation * dq_truncnorm_quantile(q, (a->low - mean) / deviation,
                                                            (a->high - mean) / deviation);
    return dq_distribution_snap(range, range->log ? exp(value) : value);
}

void dq_parzen_draw(const dq_parzen *parzen, dq_rng *rng, double *value) {
    double q = dq_rng_random(rng);
    int kernel = 0, last = parzen->kernels - 1;
    while (kernel < last && q >= parzen->cumulative[kernel]) kernel++;
    for (int i = 0; i < parzen->axis_count; i++) value[i] = draw_on(parzen, &parzen->axes[i], kernel, rng);
}

// The log density of one value on one axis, per kernel.
static void axis_density(const dq_parzen *p, const axis *a, double value, double *log_density) {
    const dq_distribution *range = a->range;
    if (range->kind == DQ_CATEGORICAL) {
        double prior = PRIOR_WEIGHT / p->kernels, whole = 1 + prior * range->choice_count;
        double hit = log((1 + prior) / whole), miss = log(prior / whole);
        int last = p->kernels - 1;
        for (int k = 0; k < last; k++) log_density[k] = a->mean[k] == value ? hit : miss;
        log_density[last] = -log((double)range->choice_count);
    } else if (range->step > 0) {
        double left = value - 0.5 * range->step, right = value + 0.5 * range->step;
        if (range->log) left = log(left), right = log(right);
        for (int k = 0; k < p->kernels; k++)
            log_density[k] = dq_normal_log_mass((left - a->mean[k]) / a->deviation[k],
                                                (right - a->mean[k]) / a->deviation[k]) +
                             a->constant[k];
    } else {
        if (range->log) value = log(value);
        for (int k = 0; k < p->kernels; k++) {
            double z = (value - a->mean[k]) / a->deviation[k];
            log_density[k] = -0.5 * z * z + a->constant[k];
        }
    }
}

dq_status dq_parzen_log_density(const dq_parzen *parzen, const double *points, int count, double *log_density,
                                dq_error *error) {
    size_t kernels = (size_t)parzen->kernels, n = (size_t)count, axes = (size_t)parzen->axis_count;
    double *sum =
        malloc(((n + 1) * kernels + n) * sizeof *sum); // [count, kernels], then one row and one column
    int *order = malloc((2 * n + 1) * sizeof *order);
    if (!sum || !order) {
        free(sum);
        free(order);
        return dq_fail(error, DQ_MEMORY, NULL, "no memory for a Parzen estimator");
    }
    double *row = sum + n * kernels, *column = row + kernels;
    for (size_t c = 0; c < n; c++) memcpy(sum + c * kernels, parzen->log_weight, kernels * sizeof *sum);
    for (size_t i = 0; i < axes; i++) {
        // On axes of few values many points share one: each value is worked out once.
        for (size_t c = 0; c < n; c++) column[c] = points[c * axes + i];
        dq_order(column, count, order, order + n);
        for (size_t c = 0; c < n; c++) {
            double *total = sum + (size_t)order[c] * kernels;
            if (c == 0 || column[order[c]] != column[order[c - 1]])
                axis_density(parzen, &parzen->axes[i], column[order[c]], row);
            for (size_t k = 0; k < kernels; k++) total[k] += row[k];
        }
    }
    for (size_t c = 0; c < n; c++) {
        const double *of = sum + c * kernels;
        double highest = -INFINITY, total = 0;
        for (size_t k = 0; k < kernels; k++) highest = fmax(highest, of[k]);
        for (size_t k = 0; k < kernels; k++) total += exp(of[k] - highest);
        log_density[c] = highest == -(double)INFINITY ? highest : highest + log(total);
    }
    free(sum);
    free(order);
    return DQ_OK;
}
