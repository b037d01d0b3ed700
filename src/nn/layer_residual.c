// A residual block of the IMPALA trunk: y = x + conv1(relu(conv0(relu(x)))), both convolutions 3 x 3 with a
// padding of 1 and as many channels out as in. x, y: [B][H][W][C]. Tensors: NAME.conv0.weight and so on.
//
// Espeholt et al. 2018, figure 3 (the large architecture); He et al. 2016.
#include "nn/conv.h"
#include "nn/program.h"

#include <stdio.h>
#include <string.h>

enum { TENSORS = 2 }; // of each convolution

static const dq_nonlinearity relu = {DQ_NONLINEARITY_RELU, 0.0F};

// Floats of the kept activations, relu(x) and relu(conv0), side by side.
static size_t image_room(const dq_layer *layer, int batch) {
    return ((size_t)layer->in * (size_t)batch + 15) / 16 * 16;
}

static dq_status plan_residual(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    const int channels = layer->in_shape.channels;
    layer->spec.out = channels;
    layer->spec.kernel = 3;
    layer->spec.stride = layer->spec.padding = 1;
    dq_status status = DQ_OK;
    for (int i = 0; i < 2 && !status; i++) {
        status =
            dq_plan_filters(plan, layer, i ? "conv1.weight" : "conv0.weight", 3, channels, channels, error);
        if (!status)
            status =
                dq_plan_tensor(plan, layer, i ? "conv1.bias" : "conv0.bias", 1, 1, channels, true, error);
    }
    if (!status) status = dq_conv_prepare(layer, layer->stride[0], error);
    layer->keep_panel = 2 * (size_t)layer->in * DQ_LANES;
    layer->scratch_panel = 2 * (size_t)layer->in * DQ_LANES;
    return status;
}

// Convolution i of the block as a layer of its own.
static dq_layer part(const dq_layer *layer, int i) {
    dq_layer conv = *layer;
    for (int t = 0; t < TENSORS; t++) {
        conv.offset[t] = layer->offset[i * TENSORS + t];
        conv.stride[t] = layer->stride[i * TENSORS + t];
    }
    conv.activation = i == 0 ? relu : (dq_nonlinearity){0};
    conv.input_activation = relu;
    return conv;
}

static void init_residual(const dq_layer *layer, float *params, dq_rng *rng) {
    for (int i = 0; i < 2; i++) {
        const dq_layer conv = part(layer, i);
        dq_conv_init(&conv, params, rng);
    }
}

static void add(const dq_layer *layer, const dq_pass *pass, const float *x, float *y) {
    const size_t count = (size_t)pass->batch * (size_t)layer->in;
    for (size_t i = 0; i < count; i++) y[i] += x[i];
}

static void forward_residual(const dq_layer *layer, const dq_pass *pass) {
    const size_t room = image_room(layer, pass->batch);
    const dq_layer conv[2] = {part(layer, 0), part(layer, 1)};
    // A DQ_EVAL pass must leave what a DQ_TRAIN pass kept.
    float *rectified = pass->mode == DQ_TRAIN ? pass->keep : pass->scratch + layer->scratch_fixed;
    float *between = rectified + room;
    pass->kernels->activate(pass->x, rectified, (size_t)pass->batch * (size_t)layer->in, relu);
    dq_pass inner = *pass;
    inner.x = rectified, inner.y = between;
    dq_conv_forward(&conv[0], &inner);
    inner.x = between, inner.y = pass->y;
    dq_conv_forward(&conv[1], &inner);
    add(layer, pass, pass->x, pass->y);
}

static void backward_residual(const dq_layer *layer, const dq_pass *pass) {
    const size_t room = image_room(layer, pass->batch);
    const dq_layer conv[2] = {part(layer, 0), part(layer, 1)};
    float *d_between = pass->scratch + layer->scratch_fixed;
    dq_pass inner = *pass;
    inner.x = pass->keep + room, inner.d_x = d_between;
    dq_conv_backward(&conv[1], &inner);
    inner.x = pass->keep, inner.d_y = d_between, inner.d_x = pass->d_x;
    dq_conv_backward(&conv[0], &inner);
    if (pass->d_x) add(layer, pass, pass->d_y, pass->d_x);
}

static bool lower_residual(const dq_layer *layer, const float *params, dq_program *program) {
    const int before = program->count - 1;
    char name[48];
    for (int i = 0; i < 2; i++) {
        dq_layer conv = part(layer, i);
        snprintf(name, sizeof name, "%s.conv%d", layer->name, i);
        snprintf(conv.name, sizeof conv.name, "%s", name);
        if (i == 0) {
            dq_op *op = dq_program_add(program, DQ_OP_ACTIVATION, layer->name, layer->in);
            if (!op) return false;
            op->activation = relu;
        }
        if (!dq_conv_lower(&conv, params, program)) return false;
        program->ops[program->count - 1].activation = conv.activation;
    }
    dq_op *op = dq_program_add(program, DQ_OP_ADD, layer->name, layer->out);
    if (op) op->other = before;
    return op != NULL;
}

extern const dq_layer_class dq_layer_residual;
const dq_layer_class dq_layer_residual = {
    .kind = "residual",
    .images = true,
    .plan = plan_residual,
    .init = init_residual,
    .forward = forward_residual,
    .backward = backward_residual,
    .apply = forward_residual,
    .lower = lower_residual,
};
