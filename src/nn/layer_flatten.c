// Flatten: images [B][H][W][C], floats or bytes (x/255), -> panels [P][H*W*C][16], so that dense layers can
// read them. Features keep the order height, width, channel. The planner gives tensors that follow PyTorch's
// order to the world.
#include "nn/layer.h"
#include "nn/program.h"

#include <string.h>

static dq_status plan_flatten(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    (void)plan, (void)error;
    layer->out_layout = DQ_LAYOUT_PANELS;
    return DQ_OK;
}

static int lanes_of(const dq_pass *pass, int panel) {
    const int left = pass->batch - panel * DQ_LANES;
    return left < DQ_LANES ? left : DQ_LANES;
}

static void bytes_to_panel(const unsigned char *rows, int lanes, size_t features, float *panel) {
    for (size_t f = 0; f < features; f++, panel += DQ_LANES) {
        for (int i = 0; i < lanes; i++) panel[i] = (float)rows[(size_t)i * features + f] / 255.0f;
        for (int i = lanes; i < DQ_LANES; i++) panel[i] = 0;
    }
}

static void forward_flatten(const dq_layer *layer, const dq_pass *pass) {
    const size_t features = (size_t)layer->in;
    const bool bytes = layer->in_layout == DQ_LAYOUT_BYTES;
    for (int p = 0; bytes && p < pass->panels; p++)
        bytes_to_panel(pass->bytes + (size_t)p * DQ_LANES * features, lanes_of(pass, p), features,
                       pass->y + (size_t)p * layer->out_panel);
    for (int p = 0; p < pass->panels && !bytes; p++)
        pass->kernels->rows_to_panel(pass->x + (size_t)p * DQ_LANES * features, lanes_of(pass, p), layer->in,
                                     pass->y + (size_t)p * layer->out_panel);
}

static void backward_flatten(const dq_layer *layer, const dq_pass *pass) {
    if (!pass->d_x) return;
    const size_t features = (size_t)layer->in;
    for (int p = 0; p < pass->panels; p++)
        pass->kernels->panel_to_rows(pass->d_y + (size_t)p * layer->out_panel, lanes_of(pass, p), layer->in,
                                     pass->d_x + (size_t)p * DQ_LANES * features);
    if (layer->input_activation.kind != DQ_NONLINEARITY_NONE)
        pass->kernels->activate_backward(pass->d_x, pass->x, pass->d_x, (size_t)pass->batch * features,
                                         layer->input_activation);
}

static void apply_flatten(const dq_layer *layer, const dq_pass *pass) {
    if (layer->in_layout == DQ_LAYOUT_BYTES)
        for (int f = 0; f < layer->in; f++) pass->y[f] = (float)pass->bytes[f] / 255.0f;
    else
        memcpy(pass->y, pass->x, (size_t)layer->in * sizeof(float));
}

// Images lie in the order of their features already.
static bool lower_flatten(const dq_layer *layer, const float *params, dq_program *program) {
    (void)params;
    if (layer->in_layout != DQ_LAYOUT_BYTES) return true;
    dq_op *op = dq_program_add(program, DQ_OP_UNIT, layer->name, layer->out);
    if (op) op->divides = true;
    return op != NULL;
}

extern const dq_layer_class dq_layer_flatten;
const dq_layer_class dq_layer_flatten = {
    .kind = "flatten",
    .masks = true,
    .images = true,
    .bytes = true,
    .plan = plan_flatten,
    .forward = forward_flatten,
    .backward = backward_flatten,
    .apply = apply_flatten,
    .lower = lower_flatten,
    .torch = "Flatten",
};
