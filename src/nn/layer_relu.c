// ReLU: y = max(x, 0). Usually folded into the layer before; alone only where none can take it.
#include "nn/activation.h"

static dq_status plan_relu(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    (void)plan, (void)error;
    layer->activation = (dq_nonlinearity){DQ_NONLINEARITY_RELU, 0.0f};
    return DQ_OK;
}

extern const dq_layer_class dq_layer_relu;
const dq_layer_class dq_layer_relu = {
    .kind = "relu",
    .activation = true,
    .plan = plan_relu,
    .forward = dq_activation_forward,
    .backward = dq_activation_backward,
    .apply = dq_activation_apply,
    .lower = dq_activation_lower,
};
