// Max pooling: y = the largest of a window, channel by channel. x: [B][H][W][C] -> y: [B][H'][W'][C].
//
// Padding is left out of the maximum. The gradient goes to the first place, row by row, that holds the
// maximum, as PyTorch's does.
#include "nn/conv.h"
#include "nn/program.h"

#include <string.h>

static dq_status plan_max_pool(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    (void)plan;
    return dq_plan_window(layer, error);
}

static dq_pool_window window_of(const dq_layer *layer) {
    return (dq_pool_window){.height = layer->in_shape.height,
                            .width = layer->in_shape.width,
                            .channels = layer->in_shape.channels,
                            .out_height = layer->out_shape.height,
                            .out_width = layer->out_shape.width,
                            .kernel = layer->spec.kernel,
                            .stride = layer->spec.stride,
                            .padding = layer->spec.padding};
}

typedef struct job {
    const dq_layer *layer;
    const dq_pass *pass;
} job;

static void forward_sample(void *user, int64_t sample, int worker) {
    (void)worker;
    const job *j = user;
    const dq_pool_window window = window_of(j->layer);
    j->pass->kernels->max_pool(&window, j->pass->x + (size_t)sample * (size_t)j->layer->in,
                               j->pass->y + (size_t)sample * (size_t)j->layer->out);
}

static void forward_max_pool(const dq_layer *layer, const dq_pass *pass) {
    dq_pool_run(pass->pool, pass->batch, forward_sample, &(job){layer, pass});
}

static void backward_sample(void *user, int64_t sample, int worker) {
    (void)worker;
    const job *j = user;
    const dq_pool_window window = window_of(j->layer);
    const size_t in = (size_t)sample * (size_t)j->layer->in, out = (size_t)sample * (size_t)j->layer->out;
    j->pass->kernels->max_pool_backward(&window, j->pass->x + in, j->pass->y + out, j->pass->d_y + out,
                                        j->pass->d_x + in);
}

static void backward_max_pool(const dq_layer *layer, const dq_pass *pass) {
    if (pass->d_x) dq_pool_run(pass->pool, pass->batch, backward_sample, &(job){layer, pass});
}

static bool lower_max_pool(const dq_layer *layer, const float *params, dq_program *program) {
    (void)params;
    dq_op *op = dq_program_add(program, DQ_OP_MAX_POOL, layer->name, layer->out);
    if (op) dq_op_window(op, layer);
    return op != NULL;
}

extern const dq_layer_class dq_layer_max_pool;
const dq_layer_class dq_layer_max_pool = {
    .kind = "max_pool",
    .images = true,
    .plan = plan_max_pool,
    .forward = forward_max_pool,
    .backward = backward_max_pool,
    .apply = forward_max_pool,
    .lower = lower_max_pool,
    .torch = "MaxPool2d",
};
