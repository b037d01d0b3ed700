// Planning: from a list of layer specs to layers with shapes, places in the parameter array and fused
// activations. Trainable tensors come first, then running statistics, each aligned to 16 floats.
#include "nn/net.h"

#include "base/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEATURES_MAX (1 << 24)

struct dq_plan {
    dq_net *net;
    int tensor_room;
};

static size_t round_up(size_t n) {
    return (n + 15) / 16 * 16;
}

// Rows of a multiple of 1 KiB are set half a cache line further apart: a walk down a column, as the input
// gradient makes it, would meet the same few sets of the first-level cache otherwise.
static size_t row_stride(int columns) {
    return columns % 256 == 0 ? (size_t)columns + 8 : (size_t)columns;
}

static const dq_layer_class *find_class(const char *kind) {
    for (int i = 0; dq_layer_classes[i]; i++)
        if (strcmp(dq_layer_classes[i]->kind, kind) == 0) return dq_layer_classes[i];
    return NULL;
}

static dq_status unknown_kind(const char *kind, const char *name, dq_error *error) {
    char known[300] = "";
    size_t length = 0;
    for (int i = 0; dq_layer_classes[i]; i++) {
        int written =
            snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", dq_layer_classes[i]->kind);
        if (written < 0 || (size_t)written >= sizeof known - length) break;
        length += (size_t)written;
    }
    return dq_fail(error, DQ_USAGE, name, "there is no layer kind \"%s\"; known: %s", kind, known);
}

// Adds `tensor`, whose name is still missing, to the plan as the layer's next one.
static dq_status add_tensor(struct dq_plan *plan, dq_layer *layer, const char *suffix, dq_tensor tensor,
                            dq_error *error) {
    dq_net *net = plan->net;
    if (layer->tensor_count == DQ_LAYER_TENSORS)
        return dq_fail(error, DQ_USAGE, layer->name, "a layer holds at most %d tensors", DQ_LAYER_TENSORS);
    if (net->tensor_count == plan->tensor_room) {
        int room = plan->tensor_room ? 2 * plan->tensor_room : 16;
        dq_tensor *tensors = realloc(net->tensors, (size_t)room * sizeof *tensors);
        if (!tensors) return dq_fail(error, DQ_MEMORY, layer->name, "no memory for the network's plan");
        net->tensors = tensors;
        plan->tensor_room = room;
    }
    int length = snprintf(tensor.name, sizeof tensor.name, "%s.%s", layer->name, suffix);
    if (length < 0 || (size_t)length >= sizeof tensor.name)
        return dq_fail(error, DQ_USAGE, layer->name, "the tensor name %s.%s is too long", layer->name,
                       suffix);
    layer->stride[layer->tensor_count] = tensor.stride;
    layer->tensor[layer->tensor_count++] = net->tensor_count;
    net->tensors[net->tensor_count++] = tensor;
    return DQ_OK;
}

dq_status dq_plan_tensor(struct dq_plan *plan, dq_layer *layer, const char *suffix, int rank, int rows,
                         int columns, bool trainable, dq_error *error) {
    const size_t stride = rank == 1 ? (size_t)columns : row_stride(columns);
    if (rank == 1) rows = 1;
    dq_tensor tensor = {.rows = rows,
                        .columns = columns,
                        .stride = stride,
                        .rank = rank,
                        .extent = {rows, 1, 1, columns},
                        .step = {stride, 0, 0, 1},
                        .trainable = trainable};
    tensor.shape[0] = rows;
    tensor.shape[rank - 1] = columns;
    const dq_shape in = layer->in_shape;
    const bool flattened = rank == 2 || layer->out_shape.height * layer->out_shape.width > 1;
    if (flattened && in.height * in.width > 1 && columns == layer->in) { // PyTorch has channels first
        const size_t channels = (size_t)in.channels;
        const int extent[3] = {in.channels, in.height, in.width};
        const size_t step[3] = {1, (size_t)in.width * channels, channels};
        memcpy(tensor.extent + 1, extent, sizeof extent);
        memcpy(tensor.step + 1, step, sizeof step);
    }
    return add_tensor(plan, layer, suffix, tensor, error);
}

dq_status dq_plan_filters(struct dq_plan *plan, dq_layer *layer, const char *suffix, int kernel, int in,
                          int out, dq_error *error) {
    const size_t stride = row_stride(out), pixel = stride * (size_t)in;
    return add_tensor(plan, layer, suffix,
                      (dq_tensor){.rows = kernel * kernel * in,
                                  .columns = out,
                                  .stride = stride,
                                  .rank = 4,
                                  .shape = {out, in, kernel, kernel},
                                  .extent = {out, in, kernel, kernel},
                                  .step = {1, stride, pixel * (size_t)kernel, pixel},
                                  .trainable = true},
                      error);
}

// Whether a layer can read what the layer before writes.
static dq_status check_layout(const dq_layer *layer, dq_error *error) {
    const dq_layer_class *class = layer->class;
    switch (layer->in_layout) {
    case DQ_LAYOUT_BYTES:
        if (class->bytes) return DQ_OK;
        return dq_fail(error, DQ_USAGE, layer->name,
                       "a %s layer cannot read the bytes of an image; a conv layer can", class->kind);
    case DQ_LAYOUT_IMAGES:
        if (class->images || class->activation) return DQ_OK;
        return dq_fail(error, DQ_USAGE, layer->name,
                       "a %s layer cannot read images; put a flatten layer before it", class->kind);
    case DQ_LAYOUT_PANELS:
        if (!class->images) return DQ_OK;
        return dq_fail(error, DQ_USAGE, layer->name, "a %s layer reads images, not %d numbers", class->kind,
                       layer->in);
    }
    return DQ_OK;
}

// Plans one layer on top of what is there; an activation may melt into the layer before.
static dq_status add_layer(struct dq_plan *plan, dq_shape in, dq_layout layout, const dq_layer_spec *spec,
                           int index, dq_error *error) {
    dq_net *net = plan->net;
    dq_layer *layer = &net->layers[net->layer_count];
    *layer =
        (dq_layer){.spec = *spec, .in_shape = in, .out_shape = in, .in_layout = layout, .out_layout = layout};
    layer->in = in.height * in.width * in.channels;
    if (spec->name) {
        if (strlen(spec->name) >= sizeof layer->name)
            return dq_fail(error, DQ_USAGE, spec->name, "a layer's name has at most %zu characters",
                           sizeof layer->name - 1);
        strcpy(layer->name, spec->name);
    } else {
        snprintf(layer->name, sizeof layer->name, "%d", index);
    }
    layer->class = find_class(spec->kind);
    if (!layer->class) return unknown_kind(spec->kind, layer->name, error);
    dq_status status = check_layout(layer, error);
    if (!status && layer->class->plan) status = layer->class->plan(layer, plan, error);
    if (status) {
        free(layer->plan);
        return status;
    }
    double features = (double)layer->out_shape.height * layer->out_shape.width * layer->out_shape.channels;
    if (features < 1 || features > FEATURES_MAX) {
        free(layer->plan);
        return dq_fail(error, DQ_USAGE, layer->name, "a layer has 1 to %d outputs, not %.0f", FEATURES_MAX,
                       features);
    }
    layer->out = (int)features;

    dq_layer *before = net->layer_count ? layer - 1 : NULL;
    if (layer->class->activation && before && before->class->fuses &&
        before->activation.kind == DQ_NONLINEARITY_NONE) {
        before->activation = layer->activation;
        return DQ_OK;
    }
    net->layer_count++;
    return DQ_OK;
}

static void place_tensors(dq_net *net) {
    size_t at = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < net->tensor_count; i++) {
            dq_tensor *tensor = &net->tensors[i];
            if (tensor->trainable == (pass == 1)) continue;
            tensor->offset = at;
            at += round_up((size_t)tensor->rows * tensor->stride);
        }
        if (pass == 0) net->trainable = at;
    }
    net->size = at;
    for (int i = 0; i < net->layer_count; i++) {
        dq_layer *layer = &net->layers[i];
        for (int k = 0; k < layer->tensor_count; k++)
            layer->offset[k] = net->tensors[layer->tensor[k]].offset;
    }
}

// Between layers, panels (but not images) whose size is a multiple of 1 KiB are set one cache line further
// apart: walking from panel to panel would meet the same few sets of the first-level cache otherwise.
static void place_panels(dq_net *net) {
    for (int i = 0; i < net->layer_count; i++) {
        dq_layer *layer = &net->layers[i];
        size_t panel = (size_t)layer->out * DQ_LANES;
        layer->in_panel = i ? layer[-1].out_panel : (size_t)layer->in * DQ_LANES;
        bool apart = layer->out_layout == DQ_LAYOUT_PANELS && i + 1 < net->layer_count && panel % 256 == 0;
        layer->out_panel = apart ? panel + DQ_LANES : panel;
        if (layer->out_panel > net->widest_panel) net->widest_panel = layer->out_panel;
    }
}

static int first_trained(const dq_net *net) {
    for (int i = 0; i < net->layer_count; i++)
        for (int k = 0; k < net->layers[i].tensor_count; k++) {
            const dq_tensor *tensor = &net->tensors[net->layers[i].tensor[k]];
            if (tensor->trainable && !tensor->frozen) return i;
        }
    return net->layer_count;
}

static void fuse_derivatives(dq_net *net) {
    for (int i = 0; i + 1 < net->layer_count; i++) {
        dq_layer *layer = &net->layers[i], *next = layer + 1;
        if (layer->activation.kind == DQ_NONLINEARITY_NONE || !next->class->masks) continue;
        next->input_activation = layer->activation;
        layer->masked = true;
    }
}

static dq_status create(dq_net **out, dq_shape shape, dq_layout layout, const dq_layer_spec *layers,
                        int count, dq_error *error) {
    *out = NULL;
    if (count < 1) return dq_fail(error, DQ_USAGE, "network", "a network needs at least one layer");
    dq_status status = DQ_OK;
    struct dq_plan plan = {.net = calloc(1, sizeof(dq_net))};
    dq_net *net = plan.net;
    if (net) net->layers = calloc((size_t)count, sizeof *net->layers);
    if (!net || !net->layers) {
        status = dq_fail(error, DQ_MEMORY, "network", "no memory for a plan of %d layers", count);
        goto fail;
    }
    net->inputs = net->widest = shape.height * shape.width * shape.channels;
    net->layout = layout;
    for (int i = 0; i < count; i++) {
        status = add_layer(&plan, shape, layout, &layers[i], i, error);
        if (status != DQ_OK) goto fail;
        const dq_layer *last = &net->layers[net->layer_count - 1];
        shape = last->out_shape;
        layout = last->out_layout;
        net->outputs = last->out;
        if (last->out > net->widest) net->widest = last->out;
    }
    if (layout != DQ_LAYOUT_PANELS) {
        status = dq_fail(error, DQ_USAGE, "network", "a network on images needs a flatten layer");
        goto fail;
    }
    place_tensors(net);
    place_panels(net);
    net->first_trained = first_trained(net);
    fuse_derivatives(net);
    *out = net;
    return DQ_OK;
fail:
    dq_net_destroy(net);
    return status;
}

dq_status dq_net_create(dq_net **out, int inputs, const dq_layer_spec *layers, int count, dq_error *error) {
    *out = NULL;
    if (inputs < 1 || inputs > FEATURES_MAX)
        return dq_fail(error, DQ_USAGE, "network", "a network has 1 to %d inputs, not %d", FEATURES_MAX,
                       inputs);
    return create(out, (dq_shape){1, 1, inputs}, DQ_LAYOUT_PANELS, layers, count, error);
}

dq_status dq_net_create_on_images(dq_net **out, int height, int width, int channels,
                                  const dq_layer_spec *layers, int count, dq_error *error) {
    *out = NULL;
    if (height < 1 || width < 1 || channels < 1 || (double)height * width * channels > FEATURES_MAX)
        return dq_fail(error, DQ_USAGE, "network", "images of %d x %d x %d are empty or above %d bytes",
                       height, width, channels, FEATURES_MAX);
    return create(out, (dq_shape){height, width, channels}, DQ_LAYOUT_BYTES, layers, count, error);
}

dq_status dq_net_freeze(dq_net *net, const char *patterns, dq_error *error) {
    size_t length, rest, rest_length;
    for (const char *pattern; (pattern = dq_patterns_next(&patterns, &length));) {
        int fitted = 0;
        for (int i = 0; i < net->tensor_count; i++) {
            if (!dq_pattern_fits(pattern, length, net->tensors[i].name, &rest, &rest_length)) continue;
            net->tensors[i].frozen = true;
            fitted++;
        }
        if (fitted == 0)
            return dq_fail(error, DQ_NOT_FOUND, "freeze",
                           "no tensor of the network is called '%.*s'; its first is %s and its last %s",
                           (int)length, pattern, net->tensors[0].name,
                           net->tensors[net->tensor_count - 1].name);
    }
    for (int i = 0; i < net->layer_count; i++)
        for (int k = 0; k < net->layers[i].tensor_count; k++) {
            const dq_tensor *tensor = &net->tensors[net->layers[i].tensor[k]];
            net->layers[i].still |= tensor->frozen && !tensor->trainable;
        }
    net->first_trained = first_trained(net);
    return DQ_OK;
}

void dq_net_destroy(dq_net *net) {
    if (!net) return;
    for (int i = 0; i < net->layer_count; i++) free(net->layers[i].plan);
    free(net->layers);
    free(net->tensors);
    free(net);
}

int dq_net_inputs(const dq_net *net) {
    return net->inputs;
}

int dq_net_outputs(const dq_net *net) {
    return net->outputs;
}

size_t dq_net_size(const dq_net *net) {
    return net->size;
}

size_t dq_net_trainable(const dq_net *net) {
    return net->trainable;
}

int dq_net_tensor_count(const dq_net *net) {
    return net->tensor_count;
}

const dq_tensor *dq_net_tensor(const dq_net *net, int index) {
    return index >= 0 && index < net->tensor_count ? &net->tensors[index] : NULL;
}

size_t dq_net_moments(const dq_net *net) {
    size_t count = 0;
    for (int i = 0; i < net->layer_count; i++) count += net->layers[i].moments;
    return count;
}

void dq_net_resample(const dq_net *net, float *params, dq_rng *rng) {
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].class->resample) net->layers[i].class->resample(&net->layers[i], params, rng);
}

void dq_net_init(const dq_net *net, float *params, dq_rng *rng) {
    memset(params, 0, net->size * sizeof *params);
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].class->init) net->layers[i].class->init(&net->layers[i], params, rng);
}
