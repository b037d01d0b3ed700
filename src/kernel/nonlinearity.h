// One value through a nonlinearity, and a derivative back: the definition that every kernel follows.
#ifndef DQ_KERNEL_NONLINEARITY_H
#define DQ_KERNEL_NONLINEARITY_H

#include "kernel/kernel.h"

static inline float dq_nonlinearity_apply(float x, dq_nonlinearity f) {
    switch (f.kind) {
    case DQ_NONLINEARITY_RELU:
        return 0.0f > x ? 0.0f : x; // keeps a NaN, as PyTorch does
    case DQ_NONLINEARITY_LEAKY:
        return x > 0.0f ? x : f.slope * x;
    default:
        return x;
    }
}

// The derivative where the output was y (its sign is the input's), times d.
static inline float dq_nonlinearity_differentiate(float d, float y, dq_nonlinearity f) {
    switch (f.kind) {
    case DQ_NONLINEARITY_RELU:
        return y > 0.0f ? d : 0.0f;
    case DQ_NONLINEARITY_LEAKY:
        return y > 0.0f ? d : f.slope * d;
    default:
        return d;
    }
}

#endif
