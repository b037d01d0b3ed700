// GroupNorm of one group: y = weight[c] (x - mean) / sqrt(variance + eps) + bias[c], mean and biased variance
// over all pixels and channels of each image. x, y: [B][H][W][C].
//
// Wu and He 2018, "Group normalization"; PyTorch's GroupNorm(1, C). It is to convolutions what layer_norm is
// to dense layers: a picture's constant ground no longer drives its units, so that ReLUs stay alive at larger
// learning rates.
#include "nn/layer.h"
#include "nn/program.h"

#include <math.h>
#include <string.h>

enum { WEIGHT, BIAS };

static dq_status plan_group_norm(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    const int channels = layer->in_shape.channels;
    if (layer->spec.epsilon == 0.0) layer->spec.epsilon = 1e-5;
    if (!(layer->spec.epsilon > 0.0))
        return dq_fail(error, DQ_USAGE, layer->name, "epsilon must be positive, not %g", layer->spec.epsilon);
    layer->keep_panel = 2 * DQ_LANES; // each sample's mean and inverse deviation
    layer->scratch_panel = 2 * (size_t)channels * DQ_LANES;
    dq_status status = dq_plan_tensor(plan, layer, "weight", 1, 1, channels, true, error);
    if (!status) status = dq_plan_tensor(plan, layer, "bias", 1, 1, channels, true, error);
    return status;
}

static void init_group_norm(const dq_layer *layer, float *params, dq_rng *rng) {
    (void)rng;
    for (int c = 0; c < layer->in_shape.channels; c++) params[layer->offset[WEIGHT] + (size_t)c] = 1.0F;
}

typedef struct job {
    const dq_layer *layer;
    const dq_pass *pass;
} job;

enum { BLOCK = 16 }; // channels whose sums stay in registers

// Sums over the pixels of x, of its squared distance from `mean` or of its product with y: [channels].
#define SUM_OVER_PIXELS(name, term)                                                                          \
    static void name(const float *restrict x, const float *restrict y, float mean, int count, int channels,  \
                     float *restrict sums) {                                                                 \
        (void)y, (void)mean;                                                                                 \
        for (int first = 0; first < channels; first += BLOCK) {                                              \
            const int wide = channels - first < BLOCK ? channels - first : BLOCK;                            \
            float sum[BLOCK] = {0};                                                                          \
            if (wide == BLOCK)                                                                               \
                for (int i = first; i < count; i += channels)                                                \
                    for (int c = 0; c < BLOCK; c++) sum[c] += term;                                          \
            else                                                                                             \
                for (int i = first; i < count; i += channels)                                                \
                    for (int c = 0; c < wide; c++) sum[c] += term;                                           \
            memcpy(sums + first, sum, (size_t)wide * sizeof *sums);                                          \
        }                                                                                                    \
    }
SUM_OVER_PIXELS(plain_sums, x[i + c])
SUM_OVER_PIXELS(square_sums, (x[i + c] - mean) * (x[i + c] - mean))
SUM_OVER_PIXELS(product_sums, (x[i + c] - mean) * y[i + c])

static double total(const float *sums, int channels) {
    double sum = 0.0;
    for (int c = 0; c < channels; c++) sum += (double)sums[c];
    return sum;
}

static void normalize(float *restrict y, const float *restrict x, const dq_layer *layer, const float *params,
                      float mean, float inverse) {
    const float *restrict weight = params + layer->offset[WEIGHT], *restrict bias =
                                                                       params + layer->offset[BIAS];
    const int channels = layer->in_shape.channels;
    for (int i = 0; i < layer->in; i += channels)
        for (int c = 0; c < channels; c++) y[i + c] = (x[i + c] - mean) * inverse * weight[c] + bias[c];
}

static void forward_sample(void *user, int64_t sample, int worker) {
    (void)worker;
    const job *j = user;
    const dq_layer *layer = j->layer;
    const int channels = layer->in_shape.channels, count = layer->in;
    const float *x = j->pass->x + (size_t)sample * (size_t)count;
    float *y = j->pass->y + (size_t)sample * (size_t)count;
    float *sums = j->pass->scratch + (size_t)sample * 2 * (size_t)channels;

    plain_sums(x, NULL, 0, count, channels, sums);
    const float mean = (float)(total(sums, channels) / count);
    square_sums(x, NULL, mean, count, channels, sums);
    const float inverse = (float)(1.0 / sqrt(total(sums, channels) / count + layer->spec.epsilon));
    normalize(y, x, layer, j->pass->params, mean, inverse);
    if (layer->activation.kind != DQ_NONLINEARITY_NONE)
        j->pass->kernels->activate(y, y, (size_t)count, layer->activation);
    if (j->pass->mode == DQ_TRAIN) {
        j->pass->keep[2 * sample] = mean;
        j->pass->keep[2 * sample + 1] = inverse;
    }
}

static void forward_group_norm(const dq_layer *layer, const dq_pass *pass) {
    dq_pool_run(pass->pool, pass->batch, forward_sample, &(job){layer, pass});
}

// With g = weight d_y and z the normalised x: d_x = inverse (g - mean(g) - z mean(g z)). The sums over pixels
// that this needs are each sample's share of the gradients of weight and bias.
static void backward_sample(void *user, int64_t sample, int worker) {
    (void)worker;
    const job *j = user;
    const dq_layer *layer = j->layer;
    const int channels = layer->in_shape.channels, count = layer->in;
    const size_t at = (size_t)sample * (size_t)count;
    const float *x = j->pass->x + at, *d_y = j->pass->d_y + at;
    const float *weight = j->pass->params + layer->offset[WEIGHT];
    const float mean = j->pass->keep[2 * sample], inverse = j->pass->keep[2 * sample + 1];
    float *d_weight = j->pass->scratch + (size_t)sample * 2 * (size_t)channels, *d_bias = d_weight + channels;

    plain_sums(d_y, NULL, 0, count, channels, d_bias);
    product_sums(x, d_y, mean, count, channels, d_weight);
    for (int c = 0; c < channels; c++) d_weight[c] *= inverse;
    if (!j->pass->d_x) return;
    double sum = 0.0, product = 0.0;
    for (int c = 0; c < channels; c++) {
        sum += (double)weight[c] * (double)d_bias[c];
        product += (double)weight[c] * (double)d_weight[c];
    }
    const float shift = (float)(sum / count) * inverse, slope = (float)(product / count) * inverse * inverse;
    float *restrict d_x = j->pass->d_x + at;
    for (int i = 0; i < count; i += channels)
        for (int c = 0; c < channels; c++)
            d_x[i + c] = inverse * weight[c] * d_y[i + c] - shift - (x[i + c] - mean) * slope;
}

static void backward_group_norm(const dq_layer *layer, const dq_pass *pass) {
    const int channels = layer->in_shape.channels;
    float *d_weight = pass->gradient + layer->offset[WEIGHT], *d_bias = pass->gradient + layer->offset[BIAS];
    dq_pool_run(pass->pool, pass->batch, backward_sample, &(job){layer, pass});
    memset(d_weight, 0, (size_t)channels * sizeof *d_weight);
    memset(d_bias, 0, (size_t)channels * sizeof *d_bias);
    for (int sample = 0; sample < pass->batch; sample++) { // in order, whatever the threads did
        const float *share = pass->scratch + (size_t)sample * 2 * (size_t)channels;
        for (int c = 0; c < channels; c++) d_weight[c] += share[c], d_bias[c] += share[channels + c];
    }
}

// One sample, its sums feature by feature, as files written by an exporter do.
static void apply_group_norm(const dq_layer *layer, const dq_pass *pass) {
    double sum = 0.0, square = 0.0;
    for (int i = 0; i < layer->in; i++) sum += (double)pass->x[i];
    sum /= layer->in;
    for (int i = 0; i < layer->in; i++) square += ((double)pass->x[i] - sum) * ((double)pass->x[i] - sum);
    const float inverse = (float)(1.0 / sqrt(square / layer->in + layer->spec.epsilon));
    normalize(pass->y, pass->x, layer, pass->params, (float)sum, inverse);
    pass->kernels->activate(pass->y, pass->y, (size_t)layer->in, layer->activation);
}

// Over the features, a channel's weight and bias at each of its pixels.
static bool lower_group_norm(const dq_layer *layer, const float *params, dq_program *program) {
    dq_op *op = dq_program_add(program, DQ_OP_LAYER_NORM, layer->name, layer->out);
    if (!op) return false;
    op->epsilon = layer->spec.epsilon;
    for (int i = 0; i < layer->in; i++) {
        op->scale[i] = params[layer->offset[WEIGHT] + (size_t)(i % layer->in_shape.channels)];
        op->bias[i] = params[layer->offset[BIAS] + (size_t)(i % layer->in_shape.channels)];
    }
    return true;
}

extern const dq_layer_class dq_layer_group_norm;
const dq_layer_class dq_layer_group_norm = {
    .kind = "group_norm",
    .fuses = true,
    .images = true,
    .plan = plan_group_norm,
    .init = init_group_norm,
    .forward = forward_group_norm,
    .backward = backward_group_norm,
    .apply = apply_group_norm,
    .lower = lower_group_norm,
    .torch = "GroupNorm",
};
