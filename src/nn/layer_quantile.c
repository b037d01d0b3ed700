// Quantile: outputs at fractions of the return's distribution. x: [P][F][16] -> y: [P][K*N][16].
//
// Dabney et al. 2018b (IQN), equation 4: phi(tau)_f = ReLU(sum_c w_fc cos(pi c tau) + b_f), y = V (x *
// phi(tau)) + v; output i of row k (K rows: actions, or value and advantages) is feature k*N + i, at the
// sample's fraction tau_i. DQ_TRAIN draws N fractions for each sample from the seed that dq_net_resample sets
// (nn/fraction.h). Otherwise they are the midpoints (i + 1/2)/N, the same for all: less variance than the
// paper's random ones, and repeatable; then the layer is a linear one with weights V diag(phi(tau_i)), and
// runs as such. Tensors: embedding_weight [F][C], embedding_bias, weight [K][F], bias, and, untrainable, the
// seed.
#include "nn/fraction.h"
#include "nn/layer.h"
#include "nn/program.h"

#include <math.h>
#include <stdlib.h>

extern const dq_layer_class dq_layer_linear, dq_layer_quantile;

enum { EMBEDDING_WEIGHT, EMBEDDING_BIAS, WEIGHT, BIAS, SEED };

#define PI 3.14159265358979323846

// Floats between panels of f features: not a multiple of 1 KiB.
static size_t apart(int features) {
    size_t panel = (size_t)features * DQ_LANES;
    return panel % 256 == 0 ? panel + DQ_LANES : panel;
}

static int rows_of(const dq_layer *layer) {
    return layer->spec.out / layer->spec.samples;
}

// The linear layer from cosines to F features, and the one from F features to K outputs, as the linear
// layer's functions want them.
static dq_layer embedding_of(const dq_layer *layer) {
    return (dq_layer){.in = layer->spec.cosines,
                      .out = layer->in,
                      .in_panel = apart(layer->spec.cosines),
                      .out_panel = apart(layer->in),
                      .activation = {DQ_NONLINEARITY_RELU, 0},
                      .offset = {layer->offset[EMBEDDING_WEIGHT], layer->offset[EMBEDDING_BIAS]},
                      .stride = {layer->stride[EMBEDDING_WEIGHT]}};
}

static dq_layer output_of(const dq_layer *layer) {
    return (dq_layer){.in = layer->in,
                      .out = rows_of(layer),
                      .in_panel = apart(layer->in),
                      .out_panel = apart(rows_of(layer)),
                      .offset = {layer->offset[WEIGHT], layer->offset[BIAS]},
                      .stride = {layer->stride[WEIGHT]}};
}

// Floats of the fixed-fraction weights: [K*N][F] and [K*N], then the embedding's panels.
static size_t fixed_panels(const dq_layer *layer) {
    return ((size_t)layer->spec.samples + 15) / 16;
}

static size_t fixed_weights(const dq_layer *layer) {
    return ((size_t)layer->spec.out * (size_t)(layer->in + 1) + 15) / 16 * 16;
}

static dq_status plan_quantile(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    const dq_layer_spec *spec = &layer->spec;
    if (spec->samples < 1 || spec->cosines < 1 || spec->out < 1 || spec->out % spec->samples != 0)
        return dq_fail(
            error, DQ_USAGE, layer->name,
            "a quantile layer needs samples and cosines of at least 1 and outputs that are a multiple of "
            "samples, not %d samples, %d cosines and %d outputs",
            spec->samples, spec->cosines, spec->out);
    layer->out_shape = (dq_shape){1, 1, spec->out};
    const int features = layer->in, rows = rows_of(layer);
    const size_t n = (size_t)spec->samples;
    dq_status status =
        dq_plan_tensor(plan, layer, "embedding_weight", 2, features, spec->cosines, true, error);
    if (!status) status = dq_plan_tensor(plan, layer, "embedding_bias", 1, 1, features, true, error);
    if (!status) status = dq_plan_tensor(plan, layer, "weight", 2, rows, features, true, error);
    if (!status) status = dq_plan_tensor(plan, layer, "bias", 1, 1, rows, true, error);
    if (!status) status = dq_plan_tensor(plan, layer, "seed", 1, 1, 1, false, error);
    if (status) return status;
    // kept per panel: cosines, phi and x * phi of N fractions
    layer->keep_panel = n * (apart(spec->cosines) + 2 * apart(features));
    // passing: outputs or their gradients, gradients of x * phi, and what the linear layer's transpose needs
    int widest = features > spec->cosines ? features : spec->cosines;
    layer->scratch_panel = n * (apart(rows) + apart(features) + ((size_t)widest + 15) / 16 * 256);
    layer->scratch_fixed =
        fixed_weights(layer) + fixed_panels(layer) * (apart(spec->cosines) + apart(features));
    return DQ_OK;
}

static void init_quantile(const dq_layer *layer, float *params, dq_rng *rng) {
    dq_layer embedding = embedding_of(layer), output = output_of(layer);
    dq_layer_linear.init(&embedding, params, rng);
    dq_layer_linear.init(&output, params, rng);
}

static void resample_quantile(const dq_layer *layer, float *params, dq_rng *rng) {
    params[layer->offset[SEED]] = (float)(dq_rng_next32(rng) >> 8); // 24 bits: exact
}

// tau [16] -> cos(pi c tau), [C][16], by cos((c+1)t) = 2 cos(t) cos(ct) - cos((c-1)t) in double.
static void cosines(const float *tau, int count, float *out) {
    double first[DQ_LANES], now[DQ_LANES], before[DQ_LANES];
    for (int l = 0; l < DQ_LANES; l++) {
        first[l] = before[l] = cos(PI * (double)tau[l]);
        now[l] = 1;
    }
    for (int c = 0; c < count; c++)
        for (int l = 0; l < DQ_LANES; l++) {
            out[c * DQ_LANES + l] = (float)now[l];
            double next = 2 * first[l] * now[l] - before[l];
            before[l] = now[l];
            now[l] = next;
        }
}

// --- fixed fractions: a linear layer -----------------------------------------------------------------------

// Its weights, made in scratch: row k*N + i is V_k * phi(tau_i).
static dq_layer fixed_linear(const dq_layer *layer, const dq_pass *pass) {
    const int n = layer->spec.samples, features = layer->in, rows = rows_of(layer);
    float *weight = pass->scratch, *bias = weight + (size_t)layer->spec.out * (size_t)features;
    float *angles = weight + fixed_weights(layer);
    float *phi = angles + fixed_panels(layer) * apart(layer->spec.cosines);
    dq_layer embedding = embedding_of(layer);
    for (int first = 0; first < n; first += DQ_LANES) { // the fractions lie in the lanes
        float tau[DQ_LANES];
        for (int l = 0; l < DQ_LANES; l++) tau[l] = (float)((first + l + 0.5) / n);
        cosines(tau, layer->spec.cosines, angles + (size_t)(first / DQ_LANES) * embedding.in_panel);
    }
    dq_pass inner = {.kernels = pass->kernels,
                     .params = pass->params,
                     .x = angles,
                     .y = phi,
                     .batch = n,
                     .panels = (int)fixed_panels(layer),
                     .mode = DQ_EVAL};
    dq_layer_linear.forward(&embedding, &inner);

    const float *v = pass->params + layer->offset[WEIGHT];
    for (int k = 0; k < rows; k++)
        for (int i = 0; i < n; i++) {
            const float *at = phi + (size_t)(i / DQ_LANES) * embedding.out_panel + (size_t)(i % DQ_LANES);
            float *row = weight + (size_t)(k * n + i) * (size_t)features;
            for (int f = 0; f < features; f++)
                row[f] = v[(size_t)k * layer->stride[WEIGHT] + (size_t)f] * at[f * DQ_LANES];
            bias[k * n + i] = pass->params[layer->offset[BIAS] + (size_t)k];
        }
    dq_layer linear = *layer;
    linear.offset[0] = 0;
    linear.offset[1] = (size_t)(bias - weight);
    linear.stride[0] = (size_t)features;
    return linear;
}

static void apply_quantile(const dq_layer *layer, const dq_pass *pass) {
    dq_layer linear = fixed_linear(layer, pass);
    dq_pass inner = *pass;
    inner.params = pass->scratch;
    dq_layer_linear.apply(&linear, &inner);
}

// --- drawn fractions ---------------------------------------------------------------------------------------

typedef struct parts {
    float *angles, *phi, *product; // kept: [N*P][C][16], [N*P][F][16], [N*P][F][16]
    float *y, *d_product, *rest;   // passing: [N*P][K][16], [N*P][F][16], the linear layer's
} parts;

// Panel p's fraction i is inner panel p*N + i.
static parts split(const dq_layer *layer, const dq_pass *pass) {
    size_t panels = (size_t)pass->panels * (size_t)layer->spec.samples;
    parts p = {.angles = pass->keep, .y = pass->scratch};
    p.phi = p.angles + panels * apart(layer->spec.cosines);
    p.product = p.phi + panels * apart(layer->in);
    p.d_product = p.y + panels * apart(rows_of(layer));
    p.rest = p.d_product + panels * apart(layer->in);
    return p;
}

static void forward_quantile(const dq_layer *layer, const dq_pass *pass) {
    if (pass->mode != DQ_TRAIN) {
        dq_layer linear = fixed_linear(layer, pass);
        dq_pass inner = *pass;
        inner.params = pass->scratch;
        dq_layer_linear.forward(&linear, &inner);
        return;
    }
    const int n = layer->spec.samples, rows = rows_of(layer), features = layer->in;
    const uint32_t seed = (uint32_t)pass->params[layer->offset[SEED]];
    dq_layer embedding = embedding_of(layer), output = output_of(layer);
    parts at = split(layer, pass);
    for (int p = 0; p < pass->panels; p++)
        for (int i = 0; i < n; i++) {
            float tau[DQ_LANES];
            for (int l = 0; l < DQ_LANES; l++)
                tau[l] = dq_fraction(seed, dq_fraction_place(p, n, i) + (uint32_t)l);
            cosines(tau, layer->spec.cosines, at.angles + (size_t)(p * n + i) * embedding.in_panel);
        }
    dq_pass inner = *pass;
    inner.panels = pass->panels * n;
    inner.batch = inner.panels * DQ_LANES;
    inner.x = at.angles, inner.y = at.phi, inner.scratch = at.rest;
    dq_layer_linear.forward(&embedding, &inner);

    for (int p = 0; p < pass->panels; p++)
        for (int i = 0; i < n; i++) {
            const float *x = pass->x + (size_t)p * layer->in_panel;
            size_t offset = (size_t)(p * n + i) * embedding.out_panel;
            for (int f = 0; f < features * DQ_LANES; f++)
                at.product[offset + (size_t)f] = x[f] * at.phi[offset + (size_t)f];
        }
    inner.x = at.product, inner.y = at.y;
    dq_layer_linear.forward(&output, &inner);

    for (int p = 0; p < pass->panels; p++)
        for (int i = 0; i < n; i++)
            for (int k = 0; k < rows; k++) {
                const float *from = at.y + (size_t)(p * n + i) * output.out_panel + (size_t)k * DQ_LANES;
                float *to = pass->y + (size_t)p * layer->out_panel + (size_t)(k * n + i) * DQ_LANES;
                for (int l = 0; l < DQ_LANES; l++) to[l] = from[l];
            }
}

// Of product = x * phi: d_x (+)= d * phi; d becomes d phi = d * x where phi's ReLU let through.
static void split_gradient(int count, const float *restrict x, const float *restrict phi, float *restrict d,
                           float *restrict d_x, bool first) {
    if (d_x && first)
        for (int f = 0; f < count; f++) d_x[f] = d[f] * phi[f];
    else if (d_x)
        for (int f = 0; f < count; f++) d_x[f] += d[f] * phi[f];
    for (int f = 0; f < count; f++) {
        float through = d[f] * x[f];
        d[f] = phi[f] > 0 ? through : 0.0F;
    }
}

static void backward_quantile(const dq_layer *layer, const dq_pass *pass) {
    const int n = layer->spec.samples, rows = rows_of(layer), features = layer->in;
    dq_layer embedding = embedding_of(layer), output = output_of(layer);
    parts at = split(layer, pass);
    for (int p = 0; p < pass->panels; p++)
        for (int i = 0; i < n; i++)
            for (int k = 0; k < rows; k++) {
                const float *from = pass->d_y + (size_t)p * layer->out_panel + (size_t)(k * n + i) * DQ_LANES;
                float *to = at.y + (size_t)(p * n + i) * output.out_panel + (size_t)k * DQ_LANES;
                for (int l = 0; l < DQ_LANES; l++) to[l] = from[l];
            }
    dq_pass inner = *pass;
    inner.panels = pass->panels * n;
    inner.batch = inner.panels * DQ_LANES;
    inner.x = at.product, inner.d_y = at.y, inner.d_x = at.d_product, inner.scratch = at.rest;
    dq_layer_linear.backward(&output, &inner);

    for (int p = 0; p < pass->panels; p++)
        for (int i = 0; i < n; i++)
            split_gradient(features * DQ_LANES, pass->x + (size_t)p * layer->in_panel,
                           at.phi + (size_t)(p * n + i) * embedding.out_panel,
                           at.d_product + (size_t)(p * n + i) * embedding.out_panel,
                           pass->d_x ? pass->d_x + (size_t)p * layer->in_panel : NULL, i == 0);
    inner.x = at.angles, inner.d_y = at.d_product, inner.d_x = NULL;
    dq_layer_linear.backward(&embedding, &inner);
}

static bool lower_quantile(const dq_layer *layer, const float *params, dq_program *program) {
    float *scratch = aligned_alloc(64, (layer->scratch_fixed * sizeof(float) + 63) / 64 * 64);
    if (!scratch) return false;
    const dq_pass pass = {.kernels = dq_kernels_get(), .params = (float *)params, .scratch = scratch};
    dq_layer linear = fixed_linear(layer, &pass);
    const bool done = dq_layer_linear.lower(&linear, scratch, program);
    free(scratch);
    return done;
}

const dq_layer_class dq_layer_quantile = {
    .kind = "quantile",
    .plan = plan_quantile,
    .init = init_quantile,
    .resample = resample_quantile,
    .forward = forward_quantile,
    .backward = backward_quantile,
    .apply = apply_quantile,
    .lower = lower_quantile,
};
