// The convolutional network's gradient step against its counted floor: target forward, online forward, Huber
// loss, backward, Adam, on a batch of bytes already gathered; and acting on one frame.
//
//   floor = 2 B (3 sum MAC + sum MAC without layer 1) / the core's FMA peak
//         + Adam's bytes (7 passes over the parameters) / the memory's triad rate
//
// Peak and triad are measured between the steps of the same run, so that frequency and neighbours weigh on
// all. oneDNN stands beside where the build found it, and PyTorch when that Python (default: $PYTHON, then
// python3) has it.
//
// usage: bench_cnn [--phases] [--seconds S] [--network NAME] [--python PROGRAM]
#include "fma_peak.h"
#include "learner.h"
#include "measure.h"
#include "nn/trunk.h"

#ifdef DQ_HAVE_ONEDNN
#include "rival_cnn.h"
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT = 84, WIDTH = 84, STACK = 4, BATCH = 32, ACTIONS = 6, MAX_REPEATS = 4000, TRIAD = 1 << 22 };
static dq_net *make_net(const dq_trunk *trunk) {
    dq_layer_spec layers[DQ_TRUNK_LAYERS + 3];
    int count = trunk->count;
    dq_error error;
    dq_net *net;
    memcpy(layers, trunk->layers, sizeof trunk->layers);
    layers[count++] = (dq_layer_spec){.kind = "linear", .out = trunk->hidden};
    layers[count++] = (dq_layer_spec){.kind = "relu"};
    layers[count++] = (dq_layer_spec){.kind = "linear", .out = ACTIONS};
    bench_stop_unless(dq_net_create_on_images(&net, HEIGHT, WIDTH, STACK, layers, count, &error), &error);
    return net;
}

// Multiply-adds of one sample, all layers and the first, from the shapes of the tensors.
static void count_macs(const dq_trunk *trunk, const dq_net *net, double *all, double *first) {
    int height = HEIGHT, width = HEIGHT, t = 0;
    double total = 0;
    *first = 0;
    for (int i = 0; i < trunk->count; i++) {
        const dq_layer_spec *layer = &trunk->layers[i];
        const int kernel = strcmp(layer->kind, "residual") == 0 ? 0 : layer->kernel;
        if (kernel > 0) {
            const int stride = layer->stride ? layer->stride : 1;
            height = (height + 2 * layer->padding - kernel) / stride + 1;
            width = (width + 2 * layer->padding - kernel) / stride + 1;
        }
        const int filters = strcmp(layer->kind, "conv") == 0       ? 1
                            : strcmp(layer->kind, "residual") == 0 ? 2
                                                                   : 0;
        for (int k = 0; k < filters; k++, t += 2) {
            const dq_tensor *w = dq_net_tensor(net, t);
            const double macs = (double)height * width * w->rows * w->columns;
            if (t == 0) *first = macs;
            total += macs;
        }
    }
    for (; t < dq_net_tensor_count(net); t += 2) {
        const dq_tensor *w = dq_net_tensor(net, t);
        total += (double)w->rows * w->columns;
    }
    *all = total;
}

// Bytes per second of a[i] = b[i] + s c[i], three arrays of 16 MiB.
static double triad_rate(float *arrays) {
    float *a = arrays, *b = a + TRIAD, *c = b + TRIAD;
    double start = bench_seconds();
    for (int i = 0; i < TRIAD; i++) a[i] = b[i] + 0.5f * c[i];
    double seconds = bench_seconds() - start;
    __asm__ volatile("" ::"r"(a) : "memory");
    return 3.0 * TRIAD * sizeof(float) / seconds;
}

static double run(const dq_trunk *trunk, int threads, double seconds, bool phases) {
    static double step[MAX_REPEATS], peak[MAX_REPEATS], triad[MAX_REPEATS], act[MAX_REPEATS];
    static double part[BENCH_PHASES][MAX_REPEATS];
    bench_learner l;
    bench_learner_init(&l, make_net(trunk), BATCH, threads);
    float *arrays = bench_room(3 * (size_t)TRIAD * sizeof(float));
    double phase[BENCH_PHASES], stop = bench_seconds() + seconds;
    int n = 0;
    for (int i = 0; i < 3; i++) bench_learner_step(&l, phase);
    while (n < MAX_REPEATS && (n < 10 || bench_seconds() < stop)) {
        peak[n] = bench_fma_gflops(dq_cpu_level_name());
        if (n % 8 == 0) {
            triad[n / 8] = triad_rate(arrays);
            bench_learner_step(&l, phase); // triad has emptied the caches
        }
        step[n] = bench_learner_step(&l, phase);
        for (int p = 0; p < BENCH_PHASES; p++) part[p][n] = phase[p];
        n++;
    }
    double all, first;
    count_macs(trunk, l.net, &all, &first);
    const double flops = 2.0 * BATCH * (3 * all + all - first);
    const double bytes = 7.0 * sizeof(float) * (double)dq_net_trainable(l.net);
    const double rate = bench_median(triad, (n + 7) / 8), gflops = bench_median(peak, n),
                 middle = bench_median(step, n);
    printf("%-8s %d thread%s batch %d  %.0f MFLOP, Adam %.1f MB  step min %.2f ms, median %.2f ms\n",
           trunk->name, threads, threads == 1 ? ", " : "s,", BATCH, flops * 1e-6, bytes * 1e-6, step[0] * 1e3,
           middle * 1e3);
    if (gflops > 0 && threads == 1) {
        const double products = flops / gflops * 1e-9, adam = bytes / rate;
        printf("    floor %.2f ms = %.2f at %.1f GFLOP/s + %.2f at %.1f GB/s: median %.3f times the floor\n",
               (products + adam) * 1e3, products * 1e3, gflops, adam * 1e3, rate * 1e-9,
               middle / (products + adam));
    }
    if (phases)
        for (int p = 0; p < BENCH_PHASES; p++)
            printf("    %-15s median %7.3f ms\n", bench_phase_names[p], bench_median(part[p], n) * 1e3);
    for (n = 0; n < 500; n++) {
        float q[ACTIONS];
        double start = bench_seconds();
        dq_net_apply_image(l.net, l.online, l.online_room, dq_workspace_images(l.online_room), q);
        act[n] = bench_seconds() - start;
    }
    printf("    one frame median %.1f us", bench_median(act, n) * 1e6);
    if (gflops > 0 && threads == 1)
        printf(", %.2f times the floor of %.1f us", act[n / 2] * gflops * 1e9 / (2 * all),
               2 * all / gflops * 1e-3);
    printf("\n");
    free(arrays);
    bench_learner_deinit(&l);
    return middle;
}

#ifdef DQ_HAVE_ONEDNN
static void run_rival(double seconds) {
    bench_learner l;
    bench_learner_init(&l, make_net(dq_trunk_find("dqn2015")), BATCH, 1);
    rival_run(dq_workspace_images(l.online_room), BATCH, dq_net_trainable(l.net), seconds);
    bench_learner_deinit(&l);
}
#endif

int main(int argc, char **argv) {
    const bench_options o = bench_read_options(argc, argv, 3);
    printf("gradient step on images, CPU level %s\n", dq_cpu_level_name());
    for (int i = 0; dq_trunks[i]; i++) {
        if (o.network && strcmp(o.network, dq_trunks[i]->name) != 0) continue;
        const double one = run(dq_trunks[i], 1, o.seconds, o.phases);
        const double two = run(dq_trunks[i], 2, o.seconds, o.phases);
        printf("    two threads take %.2f of one's time\n", two / one);
    }
#ifdef DQ_HAVE_ONEDNN
    run_rival(o.seconds);
#endif
    bench_run_peer(&o, "peer_cnn.py");
    return 0;
}
