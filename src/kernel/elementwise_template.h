// Optimizer steps, clipping and blending: loops whose iterations do not meet, so the same C gives the same
// bits at every vector width. No fused multiply-add; square roots and divisions round once everywhere.
//
// Included once per level with TARGET set to the function attribute of that instruction set; the compiler
// vectorises. Options are switched outside the loops.
#include "kernel/nonlinearity.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline)) TARGET

// Adam and AdamW as PyTorch computes them: denominator = sqrt(v) / sqrt(1 - beta2^t) + epsilon.
INLINE void adam_loop(float *restrict p, const float *restrict g, float *restrict m, float *restrict v,
                      float *restrict v_max, size_t n, const dq_adam *constants, const bool amsgrad,
                      const bool l2) {
    const dq_adam c = *constants;
    for (size_t i = 0; i < n; i++) {
        float d = l2 ? g[i] + c.l2 * p[i] : g[i];
        float m_new = c.beta1 * m[i] + c.rest1 * d;
        float v_new = c.beta2 * v[i] + c.rest2 * d * d;
        float second = v_new;
        if (amsgrad) {
            second = v_max[i] > v_new ? v_max[i] : v_new;
            v_max[i] = second;
        }
        float denominator = sqrtf(second) * c.root_scale + c.epsilon;
        m[i] = m_new;
        v[i] = v_new;
        p[i] = p[i] * c.decay - c.step_size * m_new / denominator;
    }
}

TARGET static void adam(float *p, const float *g, float *m, float *v, float *v_max, size_t n,
                        const dq_adam *c) {
    bool l2 = c->l2 != 0.0f;
    if (v_max && l2)
        adam_loop(p, g, m, v, v_max, n, c, true, true);
    else if (v_max)
        adam_loop(p, g, m, v, v_max, n, c, true, false);
    else if (l2)
        adam_loop(p, g, m, v, NULL, n, c, false, true);
    else
        adam_loop(p, g, m, v, NULL, n, c, false, false);
}

// RMSprop in PyTorch's form: epsilon outside the root; centered subtracts the squared mean gradient.
INLINE void rmsprop_loop(float *restrict p, const float *restrict g, float *restrict v,
                         float *restrict average, float *restrict buffer, size_t n,
                         const dq_rmsprop *constants, const bool centered, const bool momentum) {
    const dq_rmsprop c = *constants;
    for (size_t i = 0; i < n; i++) {
        float d = g[i] + c.l2 * p[i];
        float v_new = c.alpha * v[i] + c.rest * d * d;
        float second = v_new;
        if (centered) {
            float mean = c.alpha * average[i] + c.rest * d;
            average[i] = mean;
            second = v_new - mean * mean;
        }
        float step = d / (sqrtf(second) + c.epsilon);
        if (momentum) {
            step = c.momentum * buffer[i] + step;
            buffer[i] = step;
        }
        v[i] = v_new;
        p[i] = p[i] - c.learning_rate * step;
    }
}

TARGET static void rmsprop(float *p, const float *g, float *v, float *average, float *buffer, size_t n,
                           const dq_rmsprop *c) {
    if (average && buffer)
        rmsprop_loop(p, g, v, average, buffer, n, c, true, true);
    else if (average)
        rmsprop_loop(p, g, v, average, NULL, n, c, true, false);
    else if (buffer)
        rmsprop_loop(p, g, v, NULL, buffer, n, c, false, true);
    else
        rmsprop_loop(p, g, v, NULL, NULL, n, c, false, false);
}

TARGET static void sgd(float *restrict p, const float *restrict g, float *restrict buffer, size_t n,
                       float learning_rate, float momentum, float l2) {
    if (buffer) {
        for (size_t i = 0; i < n; i++) {
            float step = momentum * buffer[i] + (g[i] + l2 * p[i]);
            buffer[i] = step;
            p[i] = p[i] - learning_rate * step;
        }
    } else {
        for (size_t i = 0; i < n; i++) p[i] = p[i] - learning_rate * (g[i] + l2 * p[i]);
    }
}

TARGET static void clip(float *g, size_t n, float limit) {
    for (size_t i = 0; i < n; i++) {
        float low = g[i] < -limit ? -limit : g[i];
        g[i] = low > limit ? limit : low;
    }
}

TARGET static void scale(float *g, size_t n, float factor) {
    for (size_t i = 0; i < n; i++) g[i] *= factor;
}

TARGET static double square_sum(const float *g, size_t n) {
    double sum[16] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (size_t lane = 0; lane < 16; lane++) {
            double value = (double)g[i + lane];
            sum[lane] += value * value;
        }
    for (; i < n; i++) sum[i % 16] += (double)g[i] * (double)g[i];
    return DQ_SUM_LANES(sum);
}

TARGET static void blend(float *restrict target, const float *restrict source, size_t n, float rate) {
    const float rest = 1.0f - rate;
    for (size_t i = 0; i < n; i++) target[i] = rest * target[i] + rate * source[i];
}

INLINE void activate_loop(const float *x, float *y, size_t n, dq_nonlinearity f) {
    for (size_t i = 0; i < n; i++) y[i] = dq_nonlinearity_apply(x[i], f);
}

// Runs `call` with `fixed` for f, its kind a constant, so that loops have no branches.
#define FOR_ACTIVATION(f, call)                                                                              \
    switch ((f).kind) {                                                                                      \
    case DQ_NONLINEARITY_RELU: {                                                                             \
        const dq_nonlinearity fixed = {DQ_NONLINEARITY_RELU, 0.0f};                                          \
        call;                                                                                                \
        break;                                                                                               \
    }                                                                                                        \
    case DQ_NONLINEARITY_LEAKY: {                                                                            \
        const dq_nonlinearity fixed = {DQ_NONLINEARITY_LEAKY, (f).slope};                                    \
        call;                                                                                                \
        break;                                                                                               \
    }                                                                                                        \
    default: {                                                                                               \
        const dq_nonlinearity fixed = {DQ_NONLINEARITY_NONE, 0.0f};                                          \
        call;                                                                                                \
    }                                                                                                        \
    }

TARGET static void activate(const float *x, float *y, size_t n,
                            dq_nonlinearity f){FOR_ACTIVATION(f, activate_loop(x, y, n, fixed))}

INLINE void differentiate_loop(const float *d_y, const float *y, float *d, size_t n, dq_nonlinearity f) {
    for (size_t i = 0; i < n; i++) d[i] = dq_nonlinearity_differentiate(d_y[i], y[i], f);
}

TARGET static void activate_backward(const float *d_y, const float *y, float *d, size_t n,
                                     dq_nonlinearity f) {
    FOR_ACTIVATION(f, differentiate_loop(d_y, y, d, n, fixed))
}

static void fill_elementwise(dq_kernels *table) {
    table->adam = adam;
    table->rmsprop = rmsprop;
    table->sgd = sgd;
    table->clip = clip;
    table->scale = scale;
    table->square_sum = square_sum;
    table->blend = blend;
    table->activate = activate;
    table->activate_backward = activate_backward;
}
