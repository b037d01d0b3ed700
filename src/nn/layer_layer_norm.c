// LayerNorm: y = weight (x - mean) / sqrt(variance + eps) + bias, mean and biased variance over the features
// of each sample. x, y: [P][F][16]. Ba et al. 2016; PyTorch's LayerNorm.
#include "nn/layer.h"
#include "nn/program.h"

#include <math.h>
#include <string.h>

enum { WEIGHT, BIAS };

static dq_status plan_layer_norm(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    if (layer->spec.epsilon == 0.0) layer->spec.epsilon = 1e-5;
    if (!(layer->spec.epsilon > 0.0))
        return dq_fail(error, DQ_USAGE, layer->name, "epsilon must be positive, not %g", layer->spec.epsilon);
    layer->keep_panel = 2 * DQ_LANES; // each sample's mean and inverse deviation
    dq_status status = dq_plan_tensor(plan, layer, "weight", 1, 1, layer->in, true, error);
    if (!status) status = dq_plan_tensor(plan, layer, "bias", 1, 1, layer->in, true, error);
    return status;
}

static void init_layer_norm(const dq_layer *layer, float *params, dq_rng *rng) {
    (void)rng;
    for (int f = 0; f < layer->in; f++) params[layer->offset[WEIGHT] + (size_t)f] = 1.0f;
}

static void forward_layer_norm(const dq_layer *layer, const dq_pass *pass) {
    pass->kernels->sample_norm(pass->x, layer->in_panel, pass->y, layer->out_panel, layer->in, pass->panels,
                               layer->spec.epsilon, pass->params + layer->offset[WEIGHT],
                               pass->params + layer->offset[BIAS], layer->activation,
                               pass->mode == DQ_TRAIN ? pass->keep : NULL);
}

static void backward_layer_norm(const dq_layer *layer, const dq_pass *pass) {
    pass->kernels->sample_norm_backward(pass->d_y, layer->out_panel, pass->x, layer->in_panel, layer->in,
                                        pass->panels, pass->keep, pass->params + layer->offset[WEIGHT],
                                        pass->gradient + layer->offset[WEIGHT],
                                        pass->gradient + layer->offset[BIAS], pass->d_x);
}

static void apply_layer_norm(const dq_layer *layer, const dq_pass *pass) {
    const float *weight = pass->params + layer->offset[WEIGHT], *bias = pass->params + layer->offset[BIAS];
    double sum = 0.0, square = 0.0;
    for (int f = 0; f < layer->in; f++) sum += (double)pass->x[f];
    sum /= layer->in;
    for (int f = 0; f < layer->in; f++) square += ((double)pass->x[f] - sum) * ((double)pass->x[f] - sum);
    float mean = (float)sum, inverse = (float)(1.0 / sqrt(square / layer->in + layer->spec.epsilon));
    for (int f = 0; f < layer->in; f++) pass->y[f] = (pass->x[f] - mean) * inverse * weight[f] + bias[f];
    pass->kernels->activate(pass->y, pass->y, (size_t)layer->in, layer->activation);
}

static bool lower_layer_norm(const dq_layer *layer, const float *params, dq_program *program) {
    dq_op *op = dq_program_add(program, DQ_OP_LAYER_NORM, layer->name, layer->out);
    if (!op) return false;
    op->epsilon = layer->spec.epsilon;
    memcpy(op->scale, params + layer->offset[WEIGHT], (size_t)layer->in * sizeof(float));
    memcpy(op->bias, params + layer->offset[BIAS], (size_t)layer->in * sizeof(float));
    return true;
}

extern const dq_layer_class dq_layer_layer_norm;
const dq_layer_class dq_layer_layer_norm = {
    .kind = "layer_norm",
    .fuses = true,
    .plan = plan_layer_norm,
    .init = init_layer_norm,
    .forward = forward_layer_norm,
    .backward = backward_layer_norm,
    .apply = apply_layer_norm,
    .lower = lower_layer_norm,
    .torch = "LayerNorm",
};
