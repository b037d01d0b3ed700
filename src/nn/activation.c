// The shared functions of the activation layers. Panels are elementwise alike, so shapes do not matter.
#include "nn/activation.h"

#include <string.h>

void dq_activation_forward(const dq_layer *layer, const dq_pass *pass) {
    size_t n = (size_t)pass->panels * (size_t)layer->out * DQ_LANES;
    pass->kernels->activate(pass->x, pass->y, n, layer->activation);
}

// The derivative is already in d_y: net.c or the next layer has put it there.
void dq_activation_backward(const dq_layer *layer, const dq_pass *pass) {
    if (pass->d_x)
        memcpy(pass->d_x, pass->d_y, (size_t)pass->panels * (size_t)layer->out * DQ_LANES * sizeof(float));
}

void dq_activation_apply(const dq_layer *layer, const dq_pass *pass) {
    pass->kernels->activate(pass->x, pass->y, (size_t)layer->out, layer->activation);
}
