// Running a plan: forward, backward and one-sample passes over the layers, in a workspace's memory.
//
// DQ_TRAIN keeps every layer's output for backward; DQ_EVAL passes activations through two buffers.
#include "nn/net.h"

#include <assert.h>
#include <stdlib.h>

static int panels_of(int batch) {
    return (batch + DQ_LANES - 1) / DQ_LANES;
}

static void lay_out(dq_arena *arena, void *user) {
    dq_workspace *w = user;
    const dq_net *net = w->net;
    size_t panels = (size_t)panels_of(w->max_batch), panel = panels * DQ_LANES, scratch = 0;
    w->kept_output = dq_arena_array(arena, float *, (size_t)net->layer_count);
    w->keep = dq_arena_array(arena, float *, (size_t)net->layer_count);
    w->input = dq_arena_floats(arena, (size_t)net->inputs * panel);
    for (int i = 0; i < net->layer_count; i++) {
        const dq_layer *layer = &net->layers[i];
        float *output = dq_arena_floats(arena, layer->out_panel * panels);
        float *keep = dq_arena_floats(arena, layer->keep_fixed + layer->keep_panel * panels);
        if (w->kept_output) w->kept_output[i] = output, w->keep[i] = keep;
        size_t need = layer->scratch_fixed + layer->scratch_panel * panels;
        if (need > scratch) scratch = need;
    }
    for (int i = 0; i < 2; i++) w->passing[i] = dq_arena_floats(arena, net->widest_panel * panels);
    w->eval_output = dq_arena_floats(arena, (size_t)net->outputs * panel);
    w->scratch = dq_arena_floats(arena, scratch);
    for (int i = 0; i < 2; i++) w->row[i] = dq_arena_floats(arena, (size_t)net->widest);
}

dq_status dq_workspace_create(dq_workspace **out, const dq_net *net, int max_batch, dq_error *error) {
    *out = NULL;
    if (max_batch < 1 || max_batch > 1 << 24)
        return dq_fail(error, DQ_USAGE, "workspace", "a batch has 1 to %d samples, not %d", 1 << 24,
                       max_batch);
    dq_workspace *w = calloc(1, sizeof *w);
    if (!w) return dq_fail(error, DQ_MEMORY, "workspace", "no memory for a workspace");
    w->net = net;
    w->max_batch = max_batch;
    dq_status status = dq_arena_create(&w->arena, lay_out, w, "the network's activations", error);
    if (status != DQ_OK) {
        free(w);
        return status;
    }
    *out = w;
    return DQ_OK;
}

void dq_workspace_destroy(dq_workspace *w) {
    if (!w) return;
    dq_arena_destroy(&w->arena);
    free(w);
}

float *dq_workspace_input(dq_workspace *w) {
    return w->input;
}

const float *dq_net_forward(const dq_net *net, float *params, dq_workspace *w, int batch, dq_mode mode) {
    assert(w->net == net && batch >= 1 && batch <= w->max_batch);
    const dq_kernels *kernels = dq_kernels_get();
    const float *x = w->input;
    for (int i = 0; i < net->layer_count; i++) {
        const dq_layer *layer = &net->layers[i];
        float *y = mode == DQ_TRAIN            ? w->kept_output[i]
                   : i + 1 == net->layer_count ? w->eval_output
                                               : w->passing[i & 1];
        dq_pass pass = {.kernels = kernels,
                        .params = params,
                        .x = x,
                        .y = y,
                        .keep = w->keep[i],
                        .scratch = w->scratch,
                        .batch = batch,
                        .panels = panels_of(batch),
                        .mode = mode};
        layer->class->forward(layer, &pass);
        x = y;
    }
    return x;
}

// Zeros between the tensors and behind their rows, so that optimizers and norms may run over all of it.
static void clear_gaps(const dq_net *net, float *gradient) {
    size_t end = 0; // of what is written so far
    for (int i = 0; i < net->tensor_count; i++) {
        const dq_tensor *tensor = &net->tensors[i];
        if (!tensor->trainable) continue;
        for (int r = 0; r < tensor->rows; r++) {
            size_t row = tensor->offset + (size_t)r * tensor->stride;
            for (; end < row; end++) gradient[end] = 0.0f;
            end = row + (size_t)tensor->columns;
        }
    }
    for (; end < net->trainable; end++) gradient[end] = 0.0f;
}

void dq_net_backward(const dq_net *net, const float *params, dq_workspace *w, int batch,
                     const float *d_output, float *gradient) {
    assert(w->net == net && batch >= 1 && batch <= w->max_batch);
    const dq_kernels *kernels = dq_kernels_get();
    int panels = panels_of(batch), next = 0;
    const float *d_y = d_output;
    for (int i = net->layer_count - 1; i >= net->first_trained; i--) {
        const dq_layer *layer = &net->layers[i];
        if (layer->activation.kind != DQ_NONLINEARITY_NONE && !layer->masked) {
            float *masked = d_y == d_output ? w->passing[next] : w->passing[next ^ 1];
            kernels->activate_backward(d_y, w->kept_output[i], masked, (size_t)panels * layer->out_panel,
                                       layer->activation);
            if (d_y == d_output) next ^= 1;
            d_y = masked;
        }
        float *d_x = i > net->first_trained ? w->passing[next] : NULL;
        dq_pass pass = {.kernels = kernels,
                        .params = (float *)params,
                        .x = i ? w->kept_output[i - 1] : w->input,
                        .y = w->kept_output[i],
                        .d_y = d_y,
                        .d_x = d_x,
                        .gradient = gradient,
                        .keep = w->keep[i],
                        .scratch = w->scratch,
                        .batch = batch,
                        .panels = panels,
                        .mode = DQ_TRAIN};
        layer->class->backward(layer, &pass);
        d_y = d_x;
        next ^= 1;
    }
    clear_gaps(net, gradient);
}

void dq_net_apply(const dq_net *net, const float *params, dq_workspace *w, const float *observation,
                  float *output) {
    const dq_kernels *kernels = dq_kernels_get();
    const float *x = observation;
    for (int i = 0; i < net->layer_count; i++) {
        const dq_layer *layer = &net->layers[i];
        float *y = i + 1 == net->layer_count ? output : w->row[i & 1];
        dq_pass pass = {.kernels = kernels,
                        .params = (float *)params,
                        .x = x,
                        .y = y,
                        .scratch = w->scratch,
                        .batch = 1,
                        .panels = 1,
                        .mode = DQ_EVAL};
        layer->class->apply(layer, &pass);
        x = y;
    }
}

void dq_net_observe(const dq_net *net, float *params, dq_workspace *w, double *moments,
                    const float *observation) {
    const dq_kernels *kernels = dq_kernels_get();
    const float *x = observation;
    size_t left = dq_net_moments(net);
    for (int i = 0; left > 0; i++) {
        const dq_layer *layer = &net->layers[i];
        if (layer->class->observe) {
            layer->class->observe(layer, params, moments, x);
            moments += layer->moments;
            left -= layer->moments;
            if (left == 0) return;
        }
        float *y = w->row[i & 1];
        dq_pass pass = {.kernels = kernels,
                        .params = params,
                        .x = x,
                        .y = y,
                        .scratch = w->scratch,
                        .batch = 1,
                        .panels = 1,
                        .mode = DQ_EVAL};
        layer->class->apply(layer, &pass);
        x = y;
    }
}
