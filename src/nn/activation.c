// The shared functions of the activation layers.
#include "nn/activation.h"

#include "nn/program.h"

#include <string.h>

void dq_activation_forward(const dq_layer *layer, const dq_pass *pass) {
    const float *x = pass->x;
    float *y = pass->y;
    if (layer->in_layout == DQ_LAYOUT_IMAGES) {
        pass->kernels->activate(x, y, (size_t)pass->batch * (size_t)layer->out, layer->activation);
        return;
    }
    for (int p = 0; p < pass->panels; p++, x += layer->in_panel, y += layer->out_panel)
        pass->kernels->activate(x, y, (size_t)layer->out * DQ_LANES, layer->activation);
}

// The derivative is already in d_y: net.c or the next layer has put it there.
void dq_activation_backward(const dq_layer *layer, const dq_pass *pass) {
    const float *d_y = pass->d_y;
    float *d_x = pass->d_x;
    if (!d_x) return;
    if (layer->in_layout == DQ_LAYOUT_IMAGES) {
        memcpy(d_x, d_y, (size_t)pass->batch * (size_t)layer->out * sizeof(float));
        return;
    }
    for (int p = 0; p < pass->panels; p++, d_x += layer->in_panel, d_y += layer->out_panel)
        memcpy(d_x, d_y, (size_t)layer->out * DQ_LANES * sizeof(float));
}

void dq_activation_apply(const dq_layer *layer, const dq_pass *pass) {
    pass->kernels->activate(pass->x, pass->y, (size_t)layer->out, layer->activation);
}

bool dq_activation_lower(const dq_layer *layer, const float *params, struct dq_program *program) {
    (void)params;
    return dq_program_add(program, DQ_OP_ACTIVATION, layer->name, layer->out) != NULL;
}
