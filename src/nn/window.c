// Windows that slide over images: what convolutions and pooling have in common.
#include "nn/conv.h"

dq_status dq_plan_window(dq_layer *layer, dq_error *error) {
    dq_layer_spec *spec = &layer->spec;
    const dq_shape in = layer->in_shape;
    if (spec->stride == 0) spec->stride = 1;
    if (spec->kernel < 1 || spec->stride < 1 || spec->padding < 0 || spec->padding >= spec->kernel)
        return dq_fail(
            error, DQ_USAGE, layer->name,
            "a window needs a kernel and a stride of at least 1 and a padding from 0 to the kernel "
            "less 1, not kernel %d, stride %d, padding %d",
            spec->kernel, spec->stride, spec->padding);
    const int height = in.height + 2 * spec->padding - spec->kernel;
    const int width = in.width + 2 * spec->padding - spec->kernel;
    if (height < 0 || width < 0)
        return dq_fail(error, DQ_USAGE, layer->name,
                       "a window of %d x %d does not fit in images of %d x %d with a padding of %d",
                       spec->kernel, spec->kernel, in.height, in.width, spec->padding);
    layer->out_shape.height = height / spec->stride + 1;
    layer->out_shape.width = width / spec->stride + 1;
    return DQ_OK;
}
