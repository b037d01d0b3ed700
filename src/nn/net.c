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
    if (net->layout == DQ_LAYOUT_BYTES)
        w->images = dq_arena_array(arena, unsigned char, (size_t)net->inputs *panel);
    else
        w->input = dq_arena_floats(arena, (size_t)net->inputs * panel);
    for (int i = 0; i < net->layer_count; i++) {
        const dq_layer *layer = &net->layers[i];
        float *output = dq_arena_floats(arena, layer->out_panel * panels);
        float *keep = dq_arena_floats(arena, layer->keep_fixed + layer->keep_panel * panels);
        if (w->kept_output) w->kept_output[i] = output, w->keep[i] = keep;
        size_t need = layer->scratch_fixed + layer->scratch_panel * panels;
        if (need > scratch) scratch = need;
        if (layer->scratch_worker > w->worker_room) w->worker_room = layer->scratch_worker;
    }
    w->worker_room = (w->worker_room + 15) / 16 * 16;
    w->worker_scratch = dq_arena_floats(arena, w->worker_room * (size_t)dq_pool_threads(w->pool));
    for (int i = 0; i < 2; i++) w->passing[i] = dq_arena_floats(arena, net->widest_panel * panels);
    w->eval_output = dq_arena_floats(arena, (size_t)net->outputs * panel);
    w->scratch = dq_arena_floats(arena, scratch);
    for (int i = 0; i < 2; i++) w->row[i] = dq_arena_floats(arena, (size_t)net->widest);
}

dq_status dq_workspace_create(dq_workspace **out, const dq_net *net, int max_batch, dq_error *error) {
    return dq_workspace_create_on(out, net, max_batch, NULL, error);
}

dq_status dq_workspace_create_on(dq_workspace **out, const dq_net *net, int max_batch, dq_pool *pool,
                                 dq_error *error) {
    *out = NULL;
    if (max_batch < 1 || max_batch > 1 << 24)
        return dq_fail(error, DQ_USAGE, "workspace", "a batch has 1 to %d samples, not %d", 1 << 24,
                       max_batch);
    dq_workspace *w = calloc(1, sizeof *w);
    if (!w) return dq_fail(error, DQ_MEMORY, "workspace", "no memory for a workspace");
    w->net = net;
    w->max_batch = max_batch;
    w->pool = pool;
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

unsigned char *dq_workspace_images(dq_workspace *w) {
    return w->images;
}

// What every pass has in common.
static dq_pass pass_on(const dq_workspace *w, const float *params, int batch, dq_mode mode) {
    return (dq_pass){.kernels = dq_kernels_get(),
                     .params = (float *)params,
                     .scratch = w->scratch,
                     .worker_scratch = w->worker_scratch,
                     .worker_room = w->worker_room,
                     .pool = w->pool,
                     .batch = batch,
                     .panels = panels_of(batch),
                     .mode = mode};
}

const float *dq_net_forward(const dq_net *net, float *params, dq_workspace *w, int batch, dq_mode mode) {
    assert(w->net == net && batch >= 1 && batch <= w->max_batch);
    dq_pass pass = pass_on(w, params, batch, mode);
    pass.x = w->input;
    pass.bytes = w->images;
    for (int i = 0; i < net->layer_count; i++) {
        const dq_layer *layer = &net->layers[i];
        pass.y = mode == DQ_TRAIN            ? w->kept_output[i]
                 : i + 1 == net->layer_count ? w->eval_output
                                             : w->passing[i & 1];
        pass.keep = w->keep[i];
        layer->class->forward(layer, &pass);
        pass.x = pass.y;
        pass.bytes = NULL;
    }
    return pass.x;
}

// Zeros between the tensors, behind their rows and for the frozen ones, so that optimizers and norms may run
// over all of it.
static void clear_gaps(const dq_net *net, float *gradient) {
    size_t end = 0; // of what is written so far
    for (int i = 0; i < net->tensor_count; i++) {
        const dq_tensor *tensor = &net->tensors[i];
        if (!tensor->trainable || tensor->frozen) continue;
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
    dq_pass pass = pass_on(w, params, batch, DQ_TRAIN);
    pass.gradient = gradient;
    int next = 0;
    const float *d_y = d_output;
    for (int i = net->layer_count - 1; i >= net->first_trained; i--) {
        const dq_layer *layer = &net->layers[i];
        if (layer->activation.kind != DQ_NONLINEARITY_NONE && !layer->masked) {
            float *masked = d_y == d_output ? w->passing[next] : w->passing[next ^ 1];
            size_t count = layer->out_layout == DQ_LAYOUT_PANELS ? (size_t)pass.panels * layer->out_panel
                                                                 : (size_t)batch * (size_t)layer->out;
            pass.kernels->activate_backward(d_y, w->kept_output[i], masked, count, layer->activation);
            if (d_y == d_output) next ^= 1;
            d_y = masked;
        }
        pass.x = i ? w->kept_output[i - 1] : w->input;
        pass.bytes = i ? NULL : w->images;
        pass.y = w->kept_output[i];
        pass.d_y = d_y;
        pass.d_x = i > net->first_trained ? w->passing[next] : NULL;
        pass.keep = w->keep[i];
        layer->class->backward(layer, &pass);
        d_y = pass.d_x;
        next ^= 1;
    }
    clear_gaps(net, gradient);
}

static void apply(const dq_net *net, dq_workspace *w, dq_pass *pass, float *output) {
    for (int i = 0; i < net->layer_count; i++) {
        const dq_layer *layer = &net->layers[i];
        pass->y = i + 1 == net->layer_count ? output : w->row[i & 1];
        layer->class->apply(layer, pass);
        pass->x = pass->y;
        pass->bytes = NULL;
    }
}

void dq_net_apply(const dq_net *net, const float *params, dq_workspace *w, const float *observation,
                  float *output) {
    assert(net->layout == DQ_LAYOUT_PANELS);
    dq_pass pass = pass_on(w, params, 1, DQ_EVAL);
    pass.x = observation;
    apply(net, w, &pass, output);
}

void dq_net_apply_image(const dq_net *net, const float *params, dq_workspace *w,
                        const unsigned char *observation, float *output) {
    assert(net->layout == DQ_LAYOUT_BYTES);
    dq_pass pass = pass_on(w, params, 1, DQ_EVAL);
    pass.bytes = observation;
    apply(net, w, &pass, output);
}

void dq_net_observe(const dq_net *net, float *params, dq_workspace *w, double *moments,
                    const float *observation) {
    dq_pass pass = pass_on(w, params, 1, DQ_EVAL);
    pass.x = observation;
    size_t left = dq_net_moments(net);
    for (int i = 0; left > 0; i++) {
        const dq_layer *layer = &net->layers[i];
        if (layer->class->observe) {
            if (!layer->still) layer->class->observe(layer, params, moments, pass.x);
            moments += layer->moments;
            left -= layer->moments;
            if (left == 0) return;
        }
        pass.y = w->row[i & 1];
        layer->class->apply(layer, &pass);
        pass.x = pass.y;
    }
}
