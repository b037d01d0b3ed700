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
#include "base/threads.h"
#include "fma_peak.h"
#include "nn/loss.h"
#include "nn/trunk.h"

#ifdef DQ_HAVE_ONEDNN
#include "rival_cnn.h"
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT = 84, WIDTH = 84, STACK = 4, BATCH = 32, ACTIONS = 6, MAX_REPEATS = 4000, TRIAD = 1 << 22 };
enum { TARGET_FORWARD, ONLINE_FORWARD, LOSS, BACKWARD, ADAM, PHASES };
static const char *const phase_names[PHASES] = {"target forward", "online forward", "loss", "backward",
                                                "adam"};

typedef struct learner {
    dq_net *net;
    dq_pool *pool;
    dq_workspace *online_room, *target_room;
    float *online, *target, *gradient, *state, *d_output;
    float reward[BATCH], discount[BATCH];
    int action[BATCH];
    dq_optimizer_config adam;
    int64_t step;
} learner;

static void *room(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory) exit(1);
    memset(memory, 0, bytes);
    return memory;
}

static void stop_unless(dq_status status, const dq_error *error) {
    if (status == DQ_OK) return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static void learner_init(learner *l, const dq_trunk *trunk, int threads) {
    dq_layer_spec layers[DQ_TRUNK_LAYERS + 3];
    int count = trunk->count;
    dq_error error;
    dq_rng rng;
    memcpy(layers, trunk->layers, sizeof trunk->layers);
    layers[count++] = (dq_layer_spec){.kind = "linear", .out = trunk->hidden};
    layers[count++] = (dq_layer_spec){.kind = "relu"};
    layers[count++] = (dq_layer_spec){.kind = "linear", .out = ACTIONS};
    *l = (learner){.adam = dq_optimizer_defaults(DQ_ADAM)};
    if (threads > 1) stop_unless(dq_pool_create(&l->pool, threads, &error), &error);
    stop_unless(dq_net_create_on_images(&l->net, HEIGHT, WIDTH, STACK, layers, count, &error), &error);
    stop_unless(dq_workspace_create_on(&l->online_room, l->net, BATCH, l->pool, &error), &error);
    stop_unless(dq_workspace_create_on(&l->target_room, l->net, BATCH, l->pool, &error), &error);
    const size_t size = dq_net_size(l->net) * sizeof(float);
    l->online = room(size);
    l->target = room(size);
    l->gradient = room(size);
    l->state = room(dq_optimizer_state_size(&l->adam, dq_net_trainable(l->net)) * sizeof(float));
    l->d_output = room((size_t)(BATCH * ACTIONS) * sizeof(float));
    dq_rng_seed(&rng, 1);
    dq_net_init(l->net, l->online, &rng);
    memcpy(l->target, l->online, size);
    unsigned char *images[2] = {dq_workspace_images(l->online_room), dq_workspace_images(l->target_room)};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < BATCH * HEIGHT * WIDTH * STACK; i++)
            images[k][i] = (unsigned char)dq_rng_integers(&rng, 0, 256);
    for (int b = 0; b < BATCH; b++) {
        l->reward[b] = 1.0f;
        l->discount[b] = 0.99f;
        l->action[b] = (int)dq_rng_integers(&rng, 0, ACTIONS);
    }
}

static void learner_deinit(learner *l) {
    dq_workspace_destroy(l->online_room);
    dq_workspace_destroy(l->target_room);
    dq_net_destroy(l->net);
    dq_pool_destroy(l->pool);
    float *blocks[] = {l->online, l->target, l->gradient, l->state, l->d_output};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) free(blocks[i]);
}

// One gradient step; `phase` gets the seconds of each phase.
static void learner_step(learner *l, double *phase) {
    double t[PHASES + 1];
    t[0] = bench_seconds();
    const float *next = dq_net_forward(l->net, l->target, l->target_room, BATCH, DQ_EVAL);
    t[1] = bench_seconds();
    const float *q = dq_net_forward(l->net, l->online, l->online_room, BATCH, DQ_TRAIN);
    t[2] = bench_seconds();
    memset(l->d_output, 0, (size_t)(BATCH * ACTIONS) * sizeof(float));
    for (int b = 0; b < BATCH; b++) {
        const int panel = b / DQ_LANES * ACTIONS * DQ_LANES, lane = b % DQ_LANES;
        float best = next[panel + lane];
        for (int a = 1; a < ACTIONS; a++) best = fmaxf(best, next[panel + a * DQ_LANES + lane]);
        const int at = panel + l->action[b] * DQ_LANES + lane;
        float slope;
        dq_loss_huber(q[at] - (l->reward[b] + l->discount[b] * best), &slope);
        l->d_output[at] = slope / BATCH;
    }
    t[3] = bench_seconds();
    dq_net_backward(l->net, l->online, l->online_room, BATCH, l->d_output, l->gradient);
    t[4] = bench_seconds();
    dq_optimizer_step_on(l->pool, &l->adam, l->state, ++l->step, 1e-4, l->online, l->gradient,
                         dq_net_trainable(l->net));
    t[5] = bench_seconds();
    for (int p = 0; p < PHASES; p++) phase[p] = t[p + 1] - t[p];
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

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, int n) {
    qsort(values, (size_t)n, sizeof *values, ascending);
    return values[n / 2];
}

static double run(const dq_trunk *trunk, int threads, double seconds, bool phases) {
    static double step[MAX_REPEATS], peak[MAX_REPEATS], triad[MAX_REPEATS], part[PHASES][MAX_REPEATS];
    static double act[MAX_REPEATS];
    learner l;
    learner_init(&l, trunk, threads);
    float *arrays = room(3 * (size_t)TRIAD * sizeof(float));
    double phase[PHASES], stop = bench_seconds() + seconds;
    int n = 0;
    for (int i = 0; i < 3; i++) learner_step(&l, phase);
    while (n < MAX_REPEATS && (n < 10 || bench_seconds() < stop)) {
        peak[n] = bench_fma_gflops(dq_cpu_level_name());
        if (n % 8 == 0) {
            triad[n / 8] = triad_rate(arrays);
            learner_step(&l, phase); // triad has emptied the caches
        }
        learner_step(&l, phase);
        step[n] = 0;
        for (int p = 0; p < PHASES; p++) part[p][n] = phase[p], step[n] += phase[p];
        n++;
    }
    double all, first;
    count_macs(trunk, l.net, &all, &first);
    const double flops = 2.0 * BATCH * (3 * all + all - first);
    const double bytes = 7.0 * sizeof(float) * (double)dq_net_trainable(l.net);
    const double rate = median(triad, (n + 7) / 8), gflops = median(peak, n), middle = median(step, n);
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
        for (int p = 0; p < PHASES; p++)
            printf("    %-15s median %7.3f ms\n", phase_names[p], median(part[p], n) * 1e3);
    for (n = 0; n < 500; n++) {
        float q[ACTIONS];
        double start = bench_seconds();
        dq_net_apply_image(l.net, l.online, l.online_room, dq_workspace_images(l.online_room), q);
        act[n] = bench_seconds() - start;
    }
    printf("    one frame median %.1f us", median(act, n) * 1e6);
    if (gflops > 0 && threads == 1)
        printf(", %.2f times the floor of %.1f us", act[n / 2] * gflops * 1e9 / (2 * all),
               2 * all / gflops * 1e-3);
    printf("\n");
    free(arrays);
    learner_deinit(&l);
    return middle;
}

#ifdef DQ_HAVE_ONEDNN
static void run_rival(double seconds) {
    learner l;
    learner_init(&l, dq_trunk_find("dqn2015"), 1);
    rival_run(dq_workspace_images(l.online_room), BATCH, dq_net_trainable(l.net), seconds);
    learner_deinit(&l);
}
#endif

// PyTorch's own figure, from the script beside this file; silent where it is not to be had.
static void run_peer(const char *python, const char *folder) {
    char command[2048];
    fflush(stdout);
    snprintf(command, sizeof command, "'%s' '%s/peer_cnn.py' 2>/dev/null", python, folder);
    if (system(command) != 0) printf("PyTorch: not installed for %s\n", python);
}

int main(int argc, char **argv) {
    bool phases = false;
    double seconds = 3;
    const char *python = getenv("PYTHON"), *name = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--phases") == 0)
            phases = true;
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = atof(argv[++i]);
        else if (strcmp(argv[i], "--network") == 0 && i + 1 < argc)
            name = argv[++i];
        else if (strcmp(argv[i], "--python") == 0 && i + 1 < argc)
            python = argv[++i];
        else
            return fprintf(stderr, "usage: bench_cnn [--phases] [--seconds S] [--network NAME] "
                                   "[--python PROGRAM]\n"),
                   2;
    }
    printf("gradient step on images, CPU level %s\n", dq_cpu_level_name());
    for (int i = 0; dq_trunks[i]; i++) {
        if (name && strcmp(name, dq_trunks[i]->name) != 0) continue;
        const double one = run(dq_trunks[i], 1, seconds, phases), two = run(dq_trunks[i], 2, seconds, phases);
        printf("    two threads take %.2f of one's time\n", two / one);
    }
#ifdef DQ_HAVE_ONEDNN
    run_rival(seconds);
#endif
    char folder[1024];
    snprintf(folder, sizeof folder, "%s", __FILE__);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    run_peer(python && *python ? python : "python3", slash ? folder : ".");
    return 0;
}
