// Building programs; program.h tells what they are.
#include "nn/program.h"

#include "nn/conv.h"
#include "nn/net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dq_program_deinit(dq_program *program) {
    for (int i = 0; i < program->count; i++) {
        dq_op *op = &program->ops[i];
        free(op->weight);
        free(op->bias);
        free(op->scale);
        free(op->center);
        free(op->features);
    }
    *program = (dq_program){0};
}

// What the kinds need besides their few numbers.
static const struct {
    bool weight, bias, scale, center, features;
} wants[] = {
    [DQ_OP_FEATURES] = {.features = true},
    [DQ_OP_NORMALIZE] = {.scale = true, .center = true},
    [DQ_OP_AFFINE] = {.scale = true, .bias = true},
    [DQ_OP_LINEAR] = {.weight = true, .bias = true},
    [DQ_OP_LAYER_NORM] = {.scale = true, .bias = true},
    [DQ_OP_DUELING] = {0},
    [DQ_OP_EXPECTATION] = {0},
    [DQ_OP_ACTIVATION] = {0},
    [DQ_OP_UNIT] = {0},
    [DQ_OP_CONV] = {0}, // whoever adds it knows the sizes
    [DQ_OP_MAX_POOL] = {0},
    [DQ_OP_ADD] = {0},
};

dq_op *dq_program_add(dq_program *program, dq_op_kind kind, const char *name, int out) {
    if (program->count == DQ_PROGRAM_OPS) return NULL;
    dq_op *op = &program->ops[program->count];
    const size_t in = (size_t)program->outputs, width = (size_t)out;
    *op = (dq_op){.kind = kind, .in = program->outputs, .out = out};
    snprintf(op->name, sizeof op->name, "%s", name);
    program->count++; // deinit frees what there is of it
    program->outputs = out;
    if (wants[kind].weight && !(op->weight = calloc(in * width, sizeof(float)))) return NULL;
    if (wants[kind].bias && !(op->bias = calloc(width, sizeof(float)))) return NULL;
    if (wants[kind].scale && !(op->scale = calloc(width, sizeof(float)))) return NULL;
    if (wants[kind].center && !(op->center = calloc(width, sizeof(float)))) return NULL;
    if (wants[kind].features && !(op->features = calloc(width, sizeof *op->features))) return NULL;
    return op;
}

void dq_op_window(dq_op *op, const dq_layer *layer) {
    const dq_shape in = layer->in_shape, out = layer->out_shape;
    memcpy(op->in_image, (int[]){in.height, in.width, in.channels}, sizeof op->in_image);
    memcpy(op->out_image, (int[]){out.height, out.width, out.channels}, sizeof op->out_image);
    op->kernel = layer->spec.kernel;
    op->stride = layer->spec.stride;
    op->padding = layer->spec.padding;
}

dq_status dq_net_lower(const dq_net *net, const float *params, dq_program *program, dq_error *error) {
    if (program->count == 0) {
        const dq_layer *first = &net->layers[0];
        program->inputs = program->outputs = net->inputs;
        program->bytes = first->in_layout == DQ_LAYOUT_BYTES;
        memcpy(program->image,
               (int[]){first->in_shape.height, first->in_shape.width, first->in_shape.channels},
               sizeof program->image);
    }
    for (int i = 0; i < net->layer_count; i++) {
        const dq_layer *layer = &net->layers[i];
        assert(program->outputs == layer->in);
        if (!layer->class->lower)
            return dq_fail(error, DQ_UNSUPPORTED, layer->name,
                           "the layer %s is of a kind (%s) that cannot be exported", layer->name,
                           layer->class->kind);
        const int before = program->count;
        if (!layer->class->lower(layer, params, program))
            return dq_fail(error, DQ_MEMORY, layer->name, "there is no memory to describe the layer %s",
                           layer->name);
        if (program->count > before) program->ops[program->count - 1].activation = layer->activation;
        assert(program->outputs == layer->out);
    }
    return DQ_OK;
}

static void fold(dq_op *linear, const dq_op *affine) {
    for (int r = 0; r < linear->out; r++) {
        const double scale = (double)affine->scale[r];
        float *row = linear->weight + (size_t)r * (size_t)linear->in;
        for (int c = 0; c < linear->in; c++) row[c] = (float)(scale * (double)row[c]);
        linear->bias[r] = (float)(scale * (double)linear->bias[r] + (double)affine->bias[r]);
    }
    linear->activation = affine->activation;
}

void dq_program_fold(dq_program *program) {
    int kept = 0;
    for (int i = 0; i < program->count; i++) {
        dq_op *op = &program->ops[i], *before = kept ? &program->ops[kept - 1] : NULL;
        if (op->kind == DQ_OP_AFFINE && before && before->kind == DQ_OP_LINEAR &&
            before->activation.kind == DQ_NONLINEARITY_NONE) {
            fold(before, op);
            free(op->scale);
            free(op->bias);
        } else {
            program->ops[kept++] = *op;
        }
    }
    program->count = kept;
}

static bool is_mean(const dq_op *op) {
    return op->activation.kind == DQ_NONLINEARITY_NONE &&
           (op->kind == DQ_OP_DUELING || (op->kind == DQ_OP_EXPECTATION && !op->softmax));
}

// What a dueling operation or a mean gives for x; program.h has the equations.
static void apply_mean(const dq_op *op, const float *x, size_t stride, float *y, size_t y_stride) {
    const size_t n = (size_t)op->values, out = (size_t)op->out;
    if (op->kind == DQ_OP_EXPECTATION) {
        for (size_t a = 0; a < out; a++) {
            double sum = 0;
            for (size_t i = 0; i < n; i++) sum += (double)x[(a * n + i) * stride];
            y[a * y_stride] = (float)(sum / (double)n);
        }
        return;
    }
    const size_t actions = out / n;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t a = 0; a < actions; a++) sum += (double)x[(n + a * n + i) * stride];
        for (size_t a = 0; a < actions; a++)
            y[(a * n + i) * y_stride] =
                (float)((double)x[i * stride] + (double)x[(n + a * n + i) * stride] - sum / (double)actions);
    }
}

bool dq_program_fold_values(dq_program *program) {
    int first = program->count; // of the means at the end
    while (first > 0 && is_mean(&program->ops[first - 1])) first--;
    if (first == 0 || first == program->count) return true;
    dq_op *linear = &program->ops[first - 1];
    if (linear->kind != DQ_OP_LINEAR || linear->activation.kind != DQ_NONLINEARITY_NONE) return true;
    while (program->count > first) {
        const dq_op *mean = &program->ops[first];
        const size_t in = (size_t)linear->in, out = (size_t)mean->out;
        float *weight = malloc(in * out * sizeof *weight), *bias = malloc(out * sizeof *bias);
        if (!weight || !bias) {
            free(weight);
            free(bias);
            return false;
        }
        // a mean is linear itself: it applies to each column of the weights, and to the bias
        for (size_t c = 0; c < in; c++) apply_mean(mean, linear->weight + c, in, weight + c, in);
        apply_mean(mean, linear->bias, 1, bias, 1);
        free(linear->weight);
        free(linear->bias);
        linear->weight = weight;
        linear->bias = bias;
        linear->out = mean->out;
        program->count--;
        memmove(&program->ops[first], &program->ops[first + 1],
                (size_t)(program->count - first) * sizeof *program->ops);
    }
    return true;
}
