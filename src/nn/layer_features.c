// Features of an observation: y = (kind(x[from]) - shift) / scale. x: [P][D][16], y: [P][F][16].
//
// The first layer of a network whose agent asks for them (deepq/feature.h). shift and scale are untrainable
// tensors, so that a weights file keeps those it was trained with. Sines and logarithms come from libm in
// double precision, one by one, so that every CPU level gives the same bits.
#include "nn/layer.h"
#include "nn/program.h"

#include <math.h>

enum { SHIFT, SCALE };

static dq_status plan_features(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    const dq_feature *list = layer->spec.features;
    if (!list && !layer->spec.scale)
        return dq_fail(error, DQ_USAGE, layer->name, "a layer of features needs a list of them or a scale");
    const int count = list ? layer->spec.out : layer->in;
    for (int f = 0; f < count; f++) {
        const int from = list ? list[f].from : f;
        const float scale = list ? list[f].scale : layer->spec.scale[f];
        if (from < 0 || from >= layer->in || !(scale > 0))
            return dq_fail(
                error, DQ_USAGE, layer->name,
                "feature %d takes dimension %d of %d with scale %g; it needs one that is there and "
                "a positive scale",
                f, from, layer->in, (double)scale);
    }
    layer->out_shape = (dq_shape){1, 1, count};
    dq_status status = dq_plan_tensor(plan, layer, "shift", 1, 1, count, false, error);
    if (!status) status = dq_plan_tensor(plan, layer, "scale", 1, 1, count, false, error);
    return status;
}

static void init_features(const dq_layer *layer, float *params, dq_rng *rng) {
    (void)rng;
    const dq_feature *list = layer->spec.features;
    for (int f = 0; f < layer->out; f++) {
        params[layer->offset[SHIFT] + (size_t)f] = list ? list[f].shift : 0;
        params[layer->offset[SCALE] + (size_t)f] = list ? list[f].scale : layer->spec.scale[f];
    }
}

static float value_of(dq_feature_kind kind, float x) {
    switch (kind) {
    case DQ_FEATURE_LOG:
        return (float)log10((double)(x > DQ_FEATURE_FLOOR ? x : DQ_FEATURE_FLOOR));
    case DQ_FEATURE_SIN:
        return (float)sin((double)x);
    case DQ_FEATURE_COS:
        return (float)cos((double)x);
    case DQ_FEATURE_COPY:
        break;
    }
    return x;
}

// `lanes` samples that lie side by side.
static void run(const dq_layer *layer, const float *params, const float *x, float *y, int lanes) {
    const float *shift = params + layer->offset[SHIFT], *scale = params + layer->offset[SCALE];
    const dq_feature *list = layer->spec.features;
    for (int f = 0; f < layer->out; f++) {
        const dq_feature_kind kind = list ? list[f].kind : DQ_FEATURE_COPY;
        const float *from = x + (list ? list[f].from : f) * lanes;
        for (int l = 0; l < lanes; l++) y[f * lanes + l] = (value_of(kind, from[l]) - shift[f]) / scale[f];
    }
}

static void forward_features(const dq_layer *layer, const dq_pass *pass) {
    for (int p = 0; p < pass->panels; p++)
        run(layer, pass->params, pass->x + (size_t)p * layer->in_panel,
            pass->y + (size_t)p * layer->out_panel, DQ_LANES);
}

static void apply_features(const dq_layer *layer, const dq_pass *pass) {
    run(layer, pass->params, pass->x, pass->y, 1);
}

static bool lower_features(const dq_layer *layer, const float *params, dq_program *program) {
    dq_op *op = dq_program_add(program, DQ_OP_FEATURES, layer->name, layer->out);
    if (!op) return false;
    for (int f = 0; f < layer->out; f++) {
        if (layer->spec.features)
            op->features[f] = layer->spec.features[f];
        else
            op->features[f].from = f;
        op->features[f].shift = params[layer->offset[SHIFT] + (size_t)f];
        op->features[f].scale = params[layer->offset[SCALE] + (size_t)f];
    }
    return true;
}

extern const dq_layer_class dq_layer_features;
const dq_layer_class dq_layer_features = {
    .kind = "features",
    .plan = plan_features,
    .init = init_features,
    .forward = forward_features,
    .apply = apply_features,
    .lower = lower_features,
};
