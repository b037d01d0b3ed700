// Running normalisation: y = clip((x - mean) / sqrt(variance + eps), -10, 10) per feature, with the mean and
// variance of everything that was acted on so far. x, y: [P][F][16].
//
// Only dq_net_observe moves the statistics, so that evaluations and batches leave them alone. They are
// counted in doubles (`moments`: count, then mean and variance per feature) and rounded into untrainable
// tensors, which all passes use. As Gymnasium's NormalizeObservation and Stable-Baselines3's VecNormalize do
// it: the start is mean 0 and variance 1 with the weight of 1e-4 observations, and observations join one by
// one after Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", equation (2.1).
#include "nn/layer.h"
#include "nn/program.h"

#include <math.h>
#include <string.h>

#define CLIP        10.0f
#define START_COUNT 1e-4

enum { RUNNING_MEAN, RUNNING_VAR };

static dq_status plan_running_norm(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    if (layer->spec.epsilon == 0.0) layer->spec.epsilon = 1e-8;
    if (!(layer->spec.epsilon > 0.0))
        return dq_fail(error, DQ_USAGE, layer->name, "epsilon must be positive, not %g", layer->spec.epsilon);
    layer->scratch_fixed = (size_t)layer->in; // 1 / sqrt(variance + eps)
    layer->moments = 1 + 2 * (size_t)layer->in;
    dq_status status = dq_plan_tensor(plan, layer, "running_mean", 1, 1, layer->in, false, error);
    if (!status) status = dq_plan_tensor(plan, layer, "running_var", 1, 1, layer->in, false, error);
    return status;
}

static void init_running_norm(const dq_layer *layer, float *params, dq_rng *rng) {
    (void)rng;
    for (int f = 0; f < layer->in; f++) params[layer->offset[RUNNING_VAR] + (size_t)f] = 1.0f;
}

static void observe_running_norm(const dq_layer *layer, float *params, double *moments, const float *x) {
    double *mean = moments + 1, *variance = mean + layer->in;
    const bool first = moments[0] == 0;
    const double before = first ? START_COUNT : moments[0], count = before + 1;
    for (int f = 0; f < layer->in; f++) {
        if (first) variance[f] = 1;
        const double delta = (double)x[f] - mean[f];
        mean[f] += delta / count;
        variance[f] = (variance[f] * before + delta * delta * before / count) / count;
        params[layer->offset[RUNNING_MEAN] + (size_t)f] = (float)mean[f];
        params[layer->offset[RUNNING_VAR] + (size_t)f] = (float)variance[f];
    }
    moments[0] = count;
}

// `lanes` samples that lie side by side.
static void run(const dq_layer *layer, const dq_pass *pass, const float *x, float *y, int lanes) {
    const float *mean = pass->params + layer->offset[RUNNING_MEAN], *inverse = pass->scratch;
    for (int f = 0; f < layer->in; f++)
        for (int l = 0; l < lanes; l++) {
            const float value = (x[f * lanes + l] - mean[f]) * inverse[f];
            y[f * lanes + l] = value > CLIP ? CLIP : value < -CLIP ? -CLIP : value;
        }
}

static void invert(const dq_layer *layer, const dq_pass *pass) {
    const float *variance = pass->params + layer->offset[RUNNING_VAR];
    for (int f = 0; f < layer->in; f++)
        pass->scratch[f] = (float)(1.0 / sqrt((double)variance[f] + layer->spec.epsilon));
}

static void forward_running_norm(const dq_layer *layer, const dq_pass *pass) {
    invert(layer, pass);
    for (int p = 0; p < pass->panels; p++)
        run(layer, pass, pass->x + (size_t)p * layer->in_panel, pass->y + (size_t)p * layer->out_panel,
            DQ_LANES);
}

static void apply_running_norm(const dq_layer *layer, const dq_pass *pass) {
    invert(layer, pass);
    run(layer, pass, pass->x, pass->y, 1);
}

static bool lower_running_norm(const dq_layer *layer, const float *params, dq_program *program) {
    dq_op *op = dq_program_add(program, DQ_OP_NORMALIZE, layer->name, layer->out);
    if (!op) return false;
    op->clip = CLIP;
    memcpy(op->center, params + layer->offset[RUNNING_MEAN], (size_t)layer->in * sizeof(float));
    invert(layer, &(dq_pass){.params = (float *)params, .scratch = op->scale});
    return true;
}

extern const dq_layer_class dq_layer_running_norm;
const dq_layer_class dq_layer_running_norm = {
    .kind = "running_norm",
    .plan = plan_running_norm,
    .init = init_running_norm,
    .observe = observe_running_norm,
    .forward = forward_running_norm,
    .apply = apply_running_norm,
    .lower = lower_running_norm,
};
