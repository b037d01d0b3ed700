// Noisy linear: y = (W + S * (f(e_out) f(e_in)^T)) x + b + s * f(e_out), with factorised Gaussian noise e and
// f(e) = sign(e) sqrt(|e|). x: [P][in][16], y: [P][out][16].
//
// Fortunato et al. 2018, equations 9 to 11. Tensors: weight, bias (the means: in DQ_EVAL it is a linear
// layer), weight_sigma, bias_sigma, and, untrainable, f of the noise (noise_in, noise_out), which
// dq_net_resample draws. Weights with noise are made once per forward and then used by the linear layer's own
// functions. Initialisation as in the paper, section 3.2: means +-1/sqrt(in), sigmas sigma_0/sqrt(in).
#include "nn/layer.h"
#include "nn/program.h"

#include <math.h>

extern const dq_layer_class dq_layer_linear, dq_layer_noisy;

enum { WEIGHT, BIAS, WEIGHT_SIGMA, BIAS_SIGMA, NOISE_IN, NOISE_OUT };

// Floats of the weights, padded rows included.
static size_t weights(const dq_layer *layer) {
    return (size_t)layer->spec.out * layer->stride[WEIGHT];
}

// Room for weights and biases, rounded up to a cache line.
static size_t room(const dq_layer *layer) {
    return (weights(layer) + (size_t)layer->spec.out + 15) / 16 * 16;
}

static dq_status plan_noisy(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    dq_status status = dq_layer_linear.plan(layer, plan, error);
    int in = layer->in, out = layer->spec.out;
    if (!status) status = dq_plan_tensor(plan, layer, "weight_sigma", 2, out, in, true, error);
    if (!status) status = dq_plan_tensor(plan, layer, "bias_sigma", 1, 1, out, true, error);
    if (!status) status = dq_plan_tensor(plan, layer, "noise_in", 1, 1, in, false, error);
    if (!status) status = dq_plan_tensor(plan, layer, "noise_out", 1, 1, out, false, error);
    if (status) return status;
    layer->keep_fixed += room(layer);
    layer->scratch_fixed += room(layer);
    return DQ_OK;
}

static void init_noisy(const dq_layer *layer, float *params, dq_rng *rng) {
    double sigma_0 = layer->spec.sigma > 0 ? layer->spec.sigma : 0.5;
    float sigma = (float)(sigma_0 / sqrt((double)layer->in));
    dq_layer_linear.init(layer, params, rng);
    for (size_t r = 0; r < (size_t)layer->out; r++)
        for (size_t c = 0; c < (size_t)layer->in; c++)
            params[layer->offset[WEIGHT_SIGMA] + r * layer->stride[WEIGHT_SIGMA] + c] = sigma;
    for (int i = 0; i < layer->out; i++) params[layer->offset[BIAS_SIGMA] + (size_t)i] = sigma;
}

static void draw(float *noise, int count, dq_rng *rng) {
    for (int i = 0; i < count; i++) {
        float e = (float)dq_rng_normal(rng);
        noise[i] = copysignf(sqrtf(fabsf(e)), e);
    }
}

static void resample_noisy(const dq_layer *layer, float *params, dq_rng *rng) {
    draw(params + layer->offset[NOISE_IN], layer->in, rng);
    draw(params + layer->offset[NOISE_OUT], layer->out, rng);
}

// The layer as a linear one whose tensors start at offset 0 of an array of its own.
static dq_layer as_linear(const dq_layer *layer) {
    dq_layer linear = *layer;
    linear.offset[WEIGHT] = 0;
    linear.offset[BIAS] = weights(layer);
    return linear;
}

// Weights and biases with this moment's noise, [out*in + out].
static void add_noise(const dq_layer *layer, const float *params, float *noisy) {
    const float *in = params + layer->offset[NOISE_IN], *out = params + layer->offset[NOISE_OUT];
    const float *mean = params + layer->offset[WEIGHT], *sigma = params + layer->offset[WEIGHT_SIGMA];
    const size_t columns = (size_t)layer->in;
    for (size_t r = 0; r < (size_t)layer->out; r++)
        for (size_t c = 0; c < columns; c++) {
            size_t i = r * layer->stride[WEIGHT] + c;
            noisy[i] = mean[i] + sigma[i] * (out[r] * in[c]);
        }
    noisy += weights(layer), mean = params + layer->offset[BIAS], sigma = params + layer->offset[BIAS_SIGMA];
    for (int r = 0; r < layer->out; r++) noisy[r] = mean[r] + sigma[r] * out[r];
}

static void forward_noisy(const dq_layer *layer, const dq_pass *pass) {
    if (pass->mode == DQ_EVAL) {
        dq_layer_linear.forward(layer, pass);
        return;
    }
    dq_layer linear = as_linear(layer);
    dq_pass inner = *pass;
    inner.params = pass->mode == DQ_TRAIN ? pass->keep : pass->scratch;
    inner.scratch = pass->scratch + room(layer);
    add_noise(layer, pass->params, inner.params);
    dq_layer_linear.forward(&linear, &inner);
}

// d sigma = d weight * noise; the linear layer's gradient goes to scratch first.
static void backward_noisy(const dq_layer *layer, const dq_pass *pass) {
    dq_layer linear = as_linear(layer);
    dq_pass inner = *pass;
    inner.params = pass->keep;
    inner.gradient = pass->scratch;
    inner.scratch = pass->scratch + room(layer);
    dq_layer_linear.backward(&linear, &inner);

    const float *in = pass->params + layer->offset[NOISE_IN], *out = pass->params + layer->offset[NOISE_OUT];
    const float *d = inner.gradient;
    float *mean = pass->gradient + layer->offset[WEIGHT],
          *sigma = pass->gradient + layer->offset[WEIGHT_SIGMA];
    const size_t columns = (size_t)layer->in;
    for (size_t r = 0; r < (size_t)layer->out; r++)
        for (size_t c = 0; c < columns; c++) {
            size_t i = r * layer->stride[WEIGHT] + c;
            mean[i] = d[i];
            sigma[i] = d[i] * (out[r] * in[c]);
        }
    d += weights(layer), mean = pass->gradient + layer->offset[BIAS];
    sigma = pass->gradient + layer->offset[BIAS_SIGMA];
    for (int r = 0; r < layer->out; r++) mean[r] = d[r], sigma[r] = d[r] * out[r];
}

static void apply_noisy(const dq_layer *layer, const dq_pass *pass) {
    dq_layer_linear.apply(layer, pass);
}

static bool lower_noisy(const dq_layer *layer, const float *params, dq_program *program) {
    return dq_layer_linear.lower(layer, params, program);
}

const dq_layer_class dq_layer_noisy = {
    .kind = "noisy",
    .fuses = true,
    .masks = true,
    .plan = plan_noisy,
    .init = init_noisy,
    .resample = resample_noisy,
    .forward = forward_noisy,
    .backward = backward_noisy,
    .apply = apply_noisy,
    .lower = lower_noisy,
    .torch = "Linear",
};
