// BatchNorm1d: y = weight (x - mean) / sqrt(variance + eps) + bias per feature. x, y: [P][F][16].
//
// DQ_TRAIN takes the batch's mean and biased variance and moves the running ones towards the batch's mean and
// unbiased variance; the other modes use the running ones. Ioffe and Szegedy 2015; PyTorch's BatchNorm1d.
// The running statistics are untrainable tensors behind the trainable ones.
#include "nn/layer.h"
#include "nn/program.h"

#include <math.h>

enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR };

static dq_status plan_batch_norm(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    if (layer->spec.epsilon == 0.0) layer->spec.epsilon = 1e-5;
    if (layer->spec.momentum == 0.0) layer->spec.momentum = 0.1;
    if (!(layer->spec.epsilon > 0.0))
        return dq_fail(error, DQ_USAGE, layer->name, "epsilon must be positive, not %g", layer->spec.epsilon);
    if (!(layer->spec.momentum > 0.0 && layer->spec.momentum <= 1.0))
        return dq_fail(error, DQ_USAGE, layer->name, "momentum must lie in (0, 1], not %g",
                       layer->spec.momentum);
    size_t width = (size_t)layer->in;
    layer->keep_fixed = 2 * width;    // the batch's mean, 1 / sqrt(variance + eps)
    layer->scratch_fixed = 4 * width; // moments as doubles, or scale and shift
    dq_status status = dq_plan_tensor(plan, layer, "weight", 1, 1, layer->in, true, error);
    if (!status) status = dq_plan_tensor(plan, layer, "bias", 1, 1, layer->in, true, error);
    if (!status) status = dq_plan_tensor(plan, layer, "running_mean", 1, 1, layer->in, false, error);
    if (!status) status = dq_plan_tensor(plan, layer, "running_var", 1, 1, layer->in, false, error);
    return status;
}

static void init_batch_norm(const dq_layer *layer, float *params, dq_rng *rng) {
    (void)rng;
    for (int f = 0; f < layer->in; f++) {
        params[layer->offset[WEIGHT] + (size_t)f] = 1.0f;
        params[layer->offset[RUNNING_VAR] + (size_t)f] = 1.0f;
    }
}

// The batch's statistics into `keep`, and a step of the running ones.
static void take_statistics(const dq_layer *layer, const dq_pass *pass) {
    size_t width = (size_t)layer->in;
    double *mean = (double *)(void *)pass->scratch, *variance = mean + width;
    pass->kernels->feature_moments(pass->x, layer->in_panel, layer->in, pass->batch, mean, variance);
    float *running_mean = pass->params + layer->offset[RUNNING_MEAN];
    float *running_var = pass->params + layer->offset[RUNNING_VAR];
    const double rate = layer->spec.momentum;
    const double unbiased = pass->batch > 1 ? (double)pass->batch / (pass->batch - 1) : 1.0;
    for (size_t f = 0; f < width; f++) {
        pass->keep[f] = (float)mean[f];
        pass->keep[width + f] = (float)(1.0 / sqrt(variance[f] + layer->spec.epsilon));
        if (layer->still) continue;
        running_mean[f] = (float)((1.0 - rate) * (double)running_mean[f] + rate * mean[f]);
        running_var[f] = (float)((1.0 - rate) * (double)running_var[f] + rate * unbiased * variance[f]);
    }
}

// scale and shift [F] such that y = x scale + shift.
static void fold(const dq_layer *layer, const dq_pass *pass, float *scale, float *shift) {
    const float *weight = pass->params + layer->offset[WEIGHT], *bias = pass->params + layer->offset[BIAS];
    const float *running_mean = pass->params + layer->offset[RUNNING_MEAN];
    const float *running_var = pass->params + layer->offset[RUNNING_VAR];
    bool train = pass->mode == DQ_TRAIN;
    for (int f = 0; f < layer->in; f++) {
        float mean = train ? pass->keep[f] : running_mean[f];
        float inverse = train ? pass->keep[layer->in + f]
                              : (float)(1.0 / sqrt((double)running_var[f] + layer->spec.epsilon));
        scale[f] = weight[f] * inverse;
        shift[f] = bias[f] - mean * scale[f];
    }
}

static void forward_batch_norm(const dq_layer *layer, const dq_pass *pass) {
    float *scale = pass->scratch, *shift = scale + layer->in;
    if (pass->mode == DQ_TRAIN) take_statistics(layer, pass);
    fold(layer, pass, scale, shift);
    pass->kernels->feature_affine(pass->x, layer->in_panel, pass->y, layer->out_panel, layer->in,
                                  pass->panels, scale, shift, layer->activation);
}

static void backward_batch_norm(const dq_layer *layer, const dq_pass *pass) {
    pass->kernels->feature_norm_backward(
        pass->d_y, layer->out_panel, pass->x, layer->in_panel, layer->in, pass->batch, pass->keep,
        pass->keep + layer->in, pass->params + layer->offset[WEIGHT], pass->gradient + layer->offset[WEIGHT],
        pass->gradient + layer->offset[BIAS], pass->d_x);
}

static void apply_batch_norm(const dq_layer *layer, const dq_pass *pass) {
    float *scale = pass->scratch, *shift = scale + layer->in;
    fold(layer, pass, scale, shift);
    for (int f = 0; f < layer->in; f++) pass->y[f] = pass->x[f] * scale[f] + shift[f];
    pass->kernels->activate(pass->y, pass->y, (size_t)layer->in, layer->activation);
}

static bool lower_batch_norm(const dq_layer *layer, const float *params, dq_program *program) {
    dq_op *op = dq_program_add(program, DQ_OP_AFFINE, layer->name, layer->out);
    if (!op) return false;
    fold(layer, &(dq_pass){.params = (float *)params, .mode = DQ_EVAL}, op->scale, op->bias);
    return true;
}

extern const dq_layer_class dq_layer_batch_norm;
const dq_layer_class dq_layer_batch_norm = {
    .kind = "batch_norm",
    .fuses = true,
    .plan = plan_batch_norm,
    .init = init_batch_norm,
    .forward = forward_batch_norm,
    .backward = backward_batch_norm,
    .apply = apply_batch_norm,
    .lower = lower_batch_norm,
    .torch = "BatchNorm1d",
};
