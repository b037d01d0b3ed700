// The gradient step of bench_cnn.c with oneDNN's products, for the network of 2015: the same phases, with
// this library's kernels for what oneDNN would only pass over (bytes to floats, ReLU's derivative, Adam).
#ifndef BENCH_RIVAL_CNN_H
#define BENCH_RIVAL_CNN_H

#include "kernel/kernel.h"
#include "measure.h"
#include "onednn.h"

#include <deepq/net.h>

enum { RIVAL_LAYERS = 5, RIVAL_INPUTS = 84 * 84 * 4, RIVAL_ACTIONS = 6 };

typedef struct rival_net {
    onednn_layer layer[RIVAL_LAYERS];
} rival_net;

static void rival_init(rival_net *net, int batch) {
    static const onednn_layer shapes[RIVAL_LAYERS] = {
        {.height = 84, .width = 84, .in = 4, .out = 32, .kernel = 8, .stride = 4, .relu = true},
        {.height = 20, .width = 20, .in = 32, .out = 64, .kernel = 4, .stride = 2, .relu = true},
        {.height = 9, .width = 9, .in = 64, .out = 64, .kernel = 3, .stride = 1, .relu = true},
        {.height = 1, .width = 1, .in = 3136, .out = 512, .relu = true},
        {.height = 1, .width = 1, .in = 512, .out = RIVAL_ACTIONS},
    };
    for (int i = 0; i < RIVAL_LAYERS; i++) {
        net->layer[i] = shapes[i];
        net->layer[i].batch = batch;
        onednn_layer_init(&net->layer[i], false);
        if (i == 0) continue; // what one layer writes the next one reads
        dnnl_memory_set_data_handle(net->layer[i].x, onednn_data(net->layer[i - 1].y));
        dnnl_memory_set_data_handle(net->layer[i].d_x, onednn_data(net->layer[i - 1].d_y));
    }
}

static void rival_deinit(rival_net *net) {
    for (int i = 0; i < RIVAL_LAYERS; i++) onednn_layer_deinit(&net->layer[i]);
}

static void rival_forward(const rival_net *net, const unsigned char *images) {
    dq_kernels_get()->unit_floats(images, onednn_data(net->layer[0].x),
                                  (size_t)(net->layer[0].batch * RIVAL_INPUTS));
    for (int i = 0; i < RIVAL_LAYERS; i++) onednn_forward(&net->layer[i]);
}

static void rival_backward(const rival_net *net) {
    const dq_nonlinearity relu = {DQ_NONLINEARITY_RELU, 0.0F};
    for (int i = RIVAL_LAYERS - 1; i >= 0; i--) {
        const onednn_layer *l = &net->layer[i];
        onednn_weight_gradient(l);
        if (i == 0) continue;
        onednn_input_gradient(l);
        float *d_x = onednn_data(l->d_x);
        dq_kernels_get()->activate_backward(d_x, onednn_data(l->x), d_x,
                                            (size_t)(l->batch * l->in * l->height * l->width), relu);
    }
}

// Prints the time of a step on `batch` images and of one frame. parameters: how many Adam moves.
static void rival_run(const unsigned char *images, int batch, size_t parameters, double seconds) {
    enum { MOST = 1000 };
    static double step[MOST], act[200];
    rival_net online, target, one;
    onednn_start();
    rival_init(&online, batch), rival_init(&target, batch), rival_init(&one, 1);
    dq_optimizer_config adam = dq_optimizer_defaults(DQ_ADAM);
    float *p = calloc(parameters, sizeof(float)), *g = calloc(parameters, sizeof(float));
    float *state = calloc(dq_optimizer_state_size(&adam, parameters), sizeof(float));
    if (!p || !g || !state) exit(1);
    int n = 0;
    const double stop = bench_seconds() + seconds;
    for (int i = 0; n < MOST && (n < 10 || bench_seconds() < stop); i++) {
        const double start = bench_seconds();
        rival_forward(&target, images);
        rival_forward(&online, images);
        rival_backward(&online);
        dq_optimizer_step(&adam, state, i + 1, 1e-4, p, g, parameters);
        if (i >= 3) step[n++] = bench_seconds() - start;
    }
    for (int i = 0; i < 200; i++) {
        const double start = bench_seconds();
        rival_forward(&one, images);
        act[i] = bench_seconds() - start;
    }
    const double usual = bench_median(step, n), frame = bench_median(act, 200);
    printf("oneDNN %d.%d, 1 thread: dqn2015  step min %.2f ms, median %.2f ms; one frame %.0f us\n",
           DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, step[0] * 1e3, usual * 1e3, frame * 1e6);
    free(p), free(g), free(state);
    rival_deinit(&online), rival_deinit(&target), rival_deinit(&one);
    onednn_stop();
}

#endif
