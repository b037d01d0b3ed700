// LeakyReLU: y = x where x > 0, slope x elsewhere. Usually folded into the layer before.
#include "nn/activation.h"

static dq_status plan_leaky_relu(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    (void)plan;
    double slope = layer->spec.slope == 0.0 ? 0.01 : layer->spec.slope; // PyTorch's default
    if (!(slope > 0.0 && slope <= 1.0))
        return dq_fail(error, DQ_USAGE, layer->name, "the slope of a leaky_relu must lie in (0, 1], not %g",
                       slope);
    layer->activation = (dq_nonlinearity){DQ_NONLINEARITY_LEAKY, (float)slope};
    return DQ_OK;
}

extern const dq_layer_class dq_layer_leaky_relu;
const dq_layer_class dq_layer_leaky_relu = {
    .kind = "leaky_relu",
    .activation = true,
    .plan = plan_leaky_relu,
    .forward = dq_activation_forward,
    .backward = dq_activation_backward,
    .apply = dq_activation_apply,
    .lower = dq_activation_lower,
};
