// Linear: y = W x + b. x: [P][in][16], y: [P][out][16], W: [out][in], b: [out].
//
// All three products are the one matrix kernel: forward broadcasts W's elements over panels of x; the input
// gradient reads W by columns; the weight gradient sums over samples, so it needs x with samples as rows
// (the transpose kernel). Layers with a narrow end skip that transpose: they sum lane by lane instead.
#include "nn/program.h"
#include "nn/share.h"

#include <math.h>
#include <string.h>

enum { WEIGHT, BIAS };

#define NARROW 8 // features at or below which lane sums are quicker than a transpose

static dq_status plan_linear(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    if (layer->spec.out < 1)
        return dq_fail(error, DQ_USAGE, layer->name, "a linear layer needs at least 1 output, not %d",
                       layer->spec.out);
    layer->out_shape = (dq_shape){1, 1, layer->spec.out};
    layer->scratch_panel = ((size_t)layer->in + 15) / 16 * 256;
    dq_status status = dq_plan_tensor(plan, layer, "weight", 2, layer->spec.out, layer->in, true, error);
    if (status == DQ_OK) status = dq_plan_tensor(plan, layer, "bias", 1, 1, layer->spec.out, true, error);
    return status;
}

// PyTorch's nn.Linear: Kaiming uniform with a = sqrt(5) comes to +-1/sqrt(in) for weights and biases alike.
static void init_linear(const dq_layer *layer, float *params, dq_rng *rng) {
    double bound = 1.0 / sqrt((double)layer->in);
    float *weight = params + layer->offset[WEIGHT], *bias = params + layer->offset[BIAS];
    for (int r = 0; r < layer->out; r++, weight += layer->stride[WEIGHT])
        for (int c = 0; c < layer->in; c++) weight[c] = (float)dq_rng_uniform(rng, -bound, bound);
    for (int i = 0; i < layer->out; i++) bias[i] = (float)dq_rng_uniform(rng, -bound, bound);
}

static void forward_linear(const dq_layer *layer, const dq_pass *pass) {
    dq_share_gemm(pass, &(dq_gemm){
                            .rows = layer->out,
                            .panels = pass->panels,
                            .columns = pass->panels * DQ_LANES,
                            .k_outer = 1,
                            .k_inner = layer->in,
                            .a = pass->params + layer->offset[WEIGHT],
                            .a_row = layer->stride[WEIGHT],
                            .a_inner = 1,
                            .p = pass->x,
                            .p_panel = layer->in_panel,
                            .c = pass->y,
                            .c_row = DQ_LANES,
                            .c_panel = layer->out_panel,
                            .bias = pass->params + layer->offset[BIAS],
                            .activation = layer->activation,
                        });
}

// dW[o][i] = sum_b dy[o][b] x[i][b]
static void weight_gradient(const dq_layer *layer, const dq_pass *pass, float *gradient) {
    if (layer->in <= NARROW || layer->out <= NARROW) {
        pass->kernels->gemm_lanes(pass->d_y, layer->out_panel, layer->out, pass->x, layer->in_panel,
                                  layer->in, pass->panels, gradient, layer->stride[WEIGHT]);
        return;
    }
    pass->kernels->transpose(pass->x, layer->in_panel, layer->in, pass->panels, pass->scratch);
    dq_share_gemm(pass, &(dq_gemm){
                            .rows = layer->out,
                            .panels = (layer->in + 15) / 16,
                            .columns = layer->in,
                            .k_outer = pass->panels,
                            .k_inner = DQ_LANES,
                            .a = pass->d_y,
                            .a_row = DQ_LANES,
                            .a_outer = layer->out_panel,
                            .a_inner = 1,
                            .p = pass->scratch,
                            .p_panel = (size_t)pass->panels * 256,
                            .p_outer = 256,
                            .c = gradient,
                            .c_row = layer->stride[WEIGHT],
                            .c_panel = DQ_LANES,
                        });
}

static void backward_linear(const dq_layer *layer, const dq_pass *pass) {
    pass->kernels->row_sums(pass->d_y, layer->out_panel, layer->out, pass->panels,
                            pass->gradient + layer->offset[BIAS]);
    weight_gradient(layer, pass, pass->gradient + layer->offset[WEIGHT]);
    if (!pass->d_x) return;
    dq_share_gemm(pass, &(dq_gemm){
                            .rows = layer->in,
                            .panels = pass->panels,
                            .columns = pass->panels * DQ_LANES,
                            .k_outer = 1,
                            .k_inner = layer->out,
                            .a = pass->params + layer->offset[WEIGHT],
                            .a_row = 1,
                            .a_inner = layer->stride[WEIGHT],
                            .p = pass->d_y,
                            .p_panel = layer->out_panel,
                            .c = pass->d_x,
                            .c_row = DQ_LANES,
                            .c_panel = layer->in_panel,
                            .activation = layer->input_activation,
                            .mask = layer->input_activation.kind == DQ_NONLINEARITY_NONE ? NULL : pass->x,
                        });
}

static void apply_linear(const dq_layer *layer, const dq_pass *pass) {
    pass->kernels->matvec(pass->params + layer->offset[WEIGHT], layer->stride[WEIGHT],
                          pass->params + layer->offset[BIAS], pass->x, layer->out, layer->in,
                          layer->activation, pass->y);
}

static bool lower_linear(const dq_layer *layer, const float *params, dq_program *program) {
    dq_op *op = dq_program_add(program, DQ_OP_LINEAR, layer->name, layer->out);
    if (!op) return false;
    const size_t columns = (size_t)layer->in, rows = (size_t)layer->out;
    const float *weight = params + layer->offset[WEIGHT];
    for (size_t r = 0; r < rows; r++)
        memcpy(op->weight + r * columns, weight + r * layer->stride[WEIGHT], columns * sizeof(float));
    memcpy(op->bias, params + layer->offset[BIAS], rows * sizeof(float));
    return true;
}

extern const dq_layer_class dq_layer_linear;
const dq_layer_class dq_layer_linear = {
    .kind = "linear",
    .fuses = true,
    .masks = true,
    .plan = plan_linear,
    .init = init_linear,
    .forward = forward_linear,
    .backward = backward_linear,
    .apply = apply_linear,
    .lower = lower_linear,
    .torch = "Linear",
};
