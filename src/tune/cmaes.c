// Names follow the tutorial: m, sigma, C = B D^2 B^T, the paths p_sigma and p_c, mu_eff. Equation numbers are
// its own.
#include "tune/cmaes.h"

#include "base/arena.h"
#include "tune/eigen.h"
#include "tune/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct dq_cmaes {
    dq_arena arena;
    int n, lambda, mu, generation;
    double mu_eff, c_1, c_mu, c_c, c_sigma, d_sigma, expected_norm, weight_sum;
    double sigma;
    double *weight;             // [lambda]
    double *mean;               // [n]
    double *path_sigma;         // [n]
    double *path_c;             // [n]
    double *covariance;         // [n, n]
    double *axes;               // [n, n] B
    double *lengths;            // [n] D
    double *scratch;            // [n, n]
    double *step, *step_white;  // [n] y_w and C^(-1/2) y_w
    double *steps;              // [lambda, n] y of the told points, the best first
    int *order, *order_scratch; // [lambda]
};

static void lay_out(dq_arena *arena, void *user) {
    dq_cmaes *s = user;
    size_t n = (size_t)s->n, lambda = (size_t)s->lambda;
    s->weight = dq_arena_array(arena, double, lambda);
    s->mean = dq_arena_array(arena, double, n);
    s->path_sigma = dq_arena_array(arena, double, n);
    s->path_c = dq_arena_array(arena, double, n);
    s->covariance = dq_arena_array(arena, double, n *n);
    s->axes = dq_arena_array(arena, double, n *n);
    s->lengths = dq_arena_array(arena, double, n);
    s->scratch = dq_arena_array(arena, double, n *n);
    s->step = dq_arena_array(arena, double, n);
    s->step_white = dq_arena_array(arena, double, n);
    s->steps = dq_arena_array(arena, double, lambda *n);
    s->order = dq_arena_array(arena, int, lambda);
    s->order_scratch = dq_arena_array(arena, int, lambda);
}

// Table 1.
static void set_parameters(dq_cmaes *s) {
    double n = s->n, sum = 0, squares = 0, sum_minus = 0, squares_minus = 0;
    s->mu = s->lambda / 2;
    for (int i = 0; i < s->lambda; i++) {
        double w = log((s->lambda + 1) / 2.) - log(i + 1.); // (49)
        s->weight[i] = w;
        *(i < s->mu ? &sum : &sum_minus) += w;
        *(i < s->mu ? &squares : &squares_minus) += w * w;
    }
    s->mu_eff = sum * sum / squares;
    double mu_eff_minus = sum_minus * sum_minus / squares_minus;
    s->c_1 = 2 / ((n + 1.3) * (n + 1.3) + s->mu_eff);                                                  // (57)
    s->c_mu = fmin(1 - s->c_1, 2 * (s->mu_eff - 2 + 1 / s->mu_eff) / ((n + 2) * (n + 2) + s->mu_eff)); // (58)
    double alpha = fmin(1 + s->c_1 / s->c_mu,                                                          // (50)
                        fmin(1 + 2 * mu_eff_minus / (s->mu_eff + 2),                                   // (51)
                             (1 - s->c_1 - s->c_mu) / (n * s->c_mu)));                                 // (52)
    double positive = 0, negative = 0;
    for (int i = 0; i < s->lambda; i++) *(s->weight[i] > 0 ? &positive : &negative) += fabs(s->weight[i]);
    s->weight_sum = 0;
    for (int i = 0; i < s->lambda; i++) { // (53)
        s->weight[i] *= s->weight[i] > 0 ? 1 / positive : alpha / negative;
        s->weight_sum += s->weight[i];
    }
    s->c_sigma = (s->mu_eff + 2) / (n + s->mu_eff + 5); // (55)
    s->d_sigma = 1 + 2 * fmax(0, sqrt((s->mu_eff - 1) / (n + 1)) - 1) + s->c_sigma;
    s->c_c = (4 + s->mu_eff / n) / (n + 4 + 2 * s->mu_eff / n); // (56)
    s->expected_norm = sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
}

static void decompose(dq_cmaes *s) {
    int n = s->n;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            s->scratch[i * n + j] = 0.5 * (s->covariance[i * n + j] + s->covariance[j * n + i]);
    dq_eigen_symmetric(s->scratch, n, s->lengths, s->axes);
    for (int i = 0; i < n; i++)
        s->lengths[i] = sqrt(fmax(s->lengths[i], 1e-20)); // rounding may take it below 0
}

dq_status dq_cmaes_create(dq_cmaes **made, int dimension, double sigma, int population, dq_error *error) {
    *made = NULL;
    dq_cmaes *s = calloc(1, sizeof *s);
    if (!s) return dq_fail(error, DQ_MEMORY, NULL, "no memory for CMA-ES");
    s->n = dimension;
    s->lambda = population > 0 ? population : 4 + (int)(3 * log(dimension)); // (48)
    s->sigma = sigma > 0 ? sigma : 1. / 6;
    dq_status status = dq_arena_create(&s->arena, lay_out, s, "CMA-ES", error);
    if (status != DQ_OK) {
        free(s);
        return status;
    }
    set_parameters(s);
    for (int i = 0; i < dimension; i++) {
        s->mean[i] = 0.5;
        s->covariance[i * dimension + i] = 1;
    }
    decompose(s);
    *made = s;
    return DQ_OK;
}

void dq_cmaes_destroy(dq_cmaes *cmaes) {
    if (!cmaes) return;
    dq_arena_destroy(&cmaes->arena);
    free(cmaes);
}

int dq_cmaes_population(const dq_cmaes *cmaes) {
    return cmaes->lambda;
}

int dq_cmaes_generation(const dq_cmaes *cmaes) {
    return cmaes->generation;
}

const double *dq_cmaes_mean(const dq_cmaes *cmaes) {
    return cmaes->mean;
}

const double *dq_cmaes_covariance(const dq_cmaes *cmaes) {
    return cmaes->covariance;
}

double dq_cmaes_sigma(const dq_cmaes *cmaes) {
    return cmaes->sigma;
}

void dq_cmaes_ask(dq_cmaes *s, dq_rng *rng, double *x) {
    int n = s->n, draws = 10 * n;
    for (int draw = 0; draw <= draws; draw++) {
        bool inside = true;
        for (int i = 0; i < n; i++) x[i] = s->mean[i];
        for (int k = 0; k < n; k++) { // (38)-(40): m + sigma B D z
            double length = s->sigma * s->lengths[k] * dq_rng_normal(rng);
            for (int i = 0; i < n; i++) x[i] += length * s->axes[i * n + k];
        }
        for (int i = 0; i < n; i++) inside = inside && x[i] >= 0 && x[i] <= 1;
        if (inside) return;
    }
    for (int i = 0; i < n; i++) x[i] = fmin(fmax(x[i], 0), 1);
}

// out = B D^-1 B^T y
static void whiten(const dq_cmaes *s, const double *y, double *out) {
    int n = s->n;
    for (int i = 0; i < n; i++) out[i] = 0;
    for (int k = 0; k < n; k++) {
        double along = 0;
        for (int i = 0; i < n; i++) along += s->axes[i * n + k] * y[i];
        along /= s->lengths[k];
        for (int i = 0; i < n; i++) out[i] += s->axes[i * n + k] * along;
    }
}

static double square_norm(const double *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

void dq_cmaes_tell(dq_cmaes *s, const double *points, const double *value) {
    int n = s->n, lambda = s->lambda;
    s->generation++;
    dq_order(value, lambda, s->order, s->order_scratch);
    for (int k = 0; k < lambda; k++)
        for (int i = 0; i < n; i++)
            s->steps[k * n + i] = (points[s->order[k] * n + i] - s->mean[i]) / s->sigma;

    // Selection and recombination, (41) and (42) with c_m = 1.
    for (int i = 0; i < n; i++) {
        s->step[i] = 0;
        for (int k = 0; k < s->mu; k++) s->step[i] += s->weight[k] * s->steps[k * n + i];
        s->mean[i] += s->sigma * s->step[i];
    }
    // Step-size control, (43) and (44).
    whiten(s, s->step, s->step_white);
    double keep = 1 - s->c_sigma, add = sqrt(s->c_sigma * (2 - s->c_sigma) * s->mu_eff);
    for (int i = 0; i < n; i++) s->path_sigma[i] = keep * s->path_sigma[i] + add * s->step_white[i];
    double norm = sqrt(square_norm(s->path_sigma, n));
    s->sigma *= exp(s->c_sigma / s->d_sigma * (norm / s->expected_norm - 1));
    s->sigma = fmin(s->sigma, 1e32);

    // Covariance matrix adaptation, (45) to (47).
    bool moving =
        norm / sqrt(1 - pow(keep, 2. * (s->generation + 1))) < (1.4 + 2. / (n + 1)) * s->expected_norm;
    add = moving ? sqrt(s->c_c * (2 - s->c_c) * s->mu_eff) : 0;
    for (int i = 0; i < n; i++) s->path_c[i] = (1 - s->c_c) * s->path_c[i] + add * s->step[i];
    double lost = moving ? 0 : s->c_c * (2 - s->c_c);
    double old = 1 + s->c_1 * lost - s->c_1 - s->c_mu * s->weight_sum;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            s->covariance[i * n + j] = old * s->covariance[i * n + j] + s->c_1 * s->path_c[i] * s->path_c[j];
    for (int k = 0; k < lambda; k++) {
        const double *y = s->steps + (size_t)k * (size_t)n;
        double w = s->weight[k];
        if (w < 0) { // (46)
            whiten(s, y, s->step_white);
            w *= n / (square_norm(s->step_white, n) + 1e-20);
        }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) s->covariance[i * n + j] += s->c_mu * w * y[i] * y[j];
    }
    decompose(s);
}
