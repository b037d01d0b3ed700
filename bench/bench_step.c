// The gradient step against its counted floor: target forward, online forward, Huber loss, backward, Adam,
// on a batch already gathered, one core.
//
//   floor = 2 B (3 sum MAC + sum MAC without layer 1) / the core's FMA peak at the kernels' own vector width
//
// The peak is measured between the steps of the same run, so that frequency and neighbours weigh on both.
// usage: bench_step [--phases] [--seconds S] [--python PROGRAM]; PyTorch stands beside when that Python
// (default: $PYTHON, then python3) has it.
#include "fma_peak.h"
#include "nn/loss.h"

#include <deepq/net.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_REPEATS 20000

typedef struct bench_case {
    const char *name;
    int width[8], count, batch;
    double target; // times the floor
} bench_case;

static const bench_case cases[] = {
    {"4-128-128-2", {4, 128, 128, 2}, 4, 128, 1.25},
    {"8-64-64-32-4", {8, 64, 64, 32, 4}, 5, 256, 1.3},
    {"4-120-84-2", {4, 120, 84, 2}, 4, 128, 0},
};

enum { TARGET_FORWARD, ONLINE_FORWARD, LOSS, BACKWARD, ADAM, PHASES };
static const char *const phase_names[PHASES] = {"target forward", "online forward", "loss", "backward",
                                                "adam"};

typedef struct learner {
    dq_net *net;
    dq_workspace *online_room, *target_room;
    float *online, *target, *gradient, *state, *reward, *discount, *d_output;
    int *action;
    dq_optimizer_config adam;
    int64_t step;
} learner;

static void *room(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory) exit(1);
    memset(memory, 0, bytes);
    return memory;
}

static void learner_init(learner *l, const bench_case *c) {
    dq_layer_spec specs[16];
    char names[16][8];
    int count = 0;
    for (int i = 1; i < c->count; i++) {
        snprintf(names[i], sizeof names[i], "%d", 2 * (i - 1));
        specs[count++] = (dq_layer_spec){.kind = "linear", .name = names[i], .out = c->width[i]};
        if (i + 1 < c->count) specs[count++] = (dq_layer_spec){.kind = "relu"};
    }
    dq_error error;
    if (dq_net_create(&l->net, c->width[0], specs, count, &error) != DQ_OK ||
        dq_workspace_create(&l->online_room, l->net, c->batch, &error) != DQ_OK ||
        dq_workspace_create(&l->target_room, l->net, c->batch, &error) != DQ_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    size_t size = dq_net_size(l->net) * sizeof(float), batch = (size_t)c->batch;
    size_t outputs = (batch + 15) / 16 * 16 * (size_t)dq_net_outputs(l->net);
    l->adam = dq_optimizer_defaults(DQ_ADAM);
    l->online = room(size);
    l->target = room(size);
    l->gradient = room(size);
    l->state = room(dq_optimizer_state_size(&l->adam, dq_net_trainable(l->net)) * sizeof(float));
    l->reward = room(batch * sizeof(float));
    l->discount = room(batch * sizeof(float));
    l->action = room(batch * sizeof(int));
    l->d_output = room(outputs * sizeof(float));
    l->step = 0;
    dq_rng rng;
    dq_rng_seed(&rng, 1);
    dq_net_init(l->net, l->online, &rng);
    memcpy(l->target, l->online, size);
    float *rows[2] = {dq_workspace_input(l->online_room), dq_workspace_input(l->target_room)};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < batch / 16 * 16 * (size_t)c->width[0]; i++)
            rows[k][i] = (float)dq_rng_uniform(&rng, -1, 1);
    for (size_t b = 0; b < batch; b++) {
        l->reward[b] = 1.0f;
        l->discount[b] = 0.99f;
        l->action[b] = (int)dq_rng_integers(&rng, 0, c->width[c->count - 1]);
    }
}

static void learner_deinit(learner *l) {
    dq_workspace_destroy(l->online_room);
    dq_workspace_destroy(l->target_room);
    dq_net_destroy(l->net);
    float *blocks[] = {l->online, l->target, l->gradient, l->state, l->reward, l->discount, l->d_output};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) free(blocks[i]);
    free(l->action);
}

// One gradient step; adds the seconds of each phase to `phase`.
static void learner_step(learner *l, int batch, double *phase) {
    int actions = dq_net_outputs(l->net);
    double t0 = bench_seconds();
    const float *next = dq_net_forward(l->net, l->target, l->target_room, batch, DQ_EVAL);
    double t1 = bench_seconds();
    const float *q = dq_net_forward(l->net, l->online, l->online_room, batch, DQ_TRAIN);
    double t2 = bench_seconds();
    memset(l->d_output, 0, (size_t)((batch + 15) / 16 * 16) * (size_t)actions * sizeof(float));
    for (int b = 0; b < batch; b++) {
        size_t panel = (size_t)(b / 16) * (size_t)actions * 16, lane = (size_t)b % 16;
        float best = next[panel + lane];
        for (int a = 1; a < actions; a++) best = fmaxf(best, next[panel + (size_t)a * 16 + lane]);
        float target = l->reward[b] + l->discount[b] * best, slope;
        size_t at = panel + (size_t)l->action[b] * 16 + lane;
        dq_loss_huber(q[at] - target, &slope);
        l->d_output[at] = slope / (float)batch;
    }
    double t3 = bench_seconds();
    dq_net_backward(l->net, l->online, l->online_room, batch, l->d_output, l->gradient);
    double t4 = bench_seconds();
    dq_optimizer_step(&l->adam, l->state, ++l->step, 1e-3, l->online, l->gradient, dq_net_trainable(l->net));
    double t5 = bench_seconds();
    phase[TARGET_FORWARD] = t1 - t0;
    phase[ONLINE_FORWARD] = t2 - t1;
    phase[LOSS] = t3 - t2;
    phase[BACKWARD] = t4 - t3;
    phase[ADAM] = t5 - t4;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double floor_flops(const bench_case *c) {
    double all = 0, first = (double)c->width[0] * c->width[1];
    for (int i = 1; i < c->count; i++) all += (double)c->width[i - 1] * c->width[i];
    return 2.0 * c->batch * (3 * all + all - first);
}

static void run_case(const bench_case *c, double seconds, bool phases) {
    static double step[MAX_REPEATS], peak[MAX_REPEATS], part[PHASES][MAX_REPEATS];
    learner l;
    learner_init(&l, c);
    double phase[PHASES], stop = bench_seconds() + seconds;
    int n = 0;
    for (int i = 0; i < 20; i++) learner_step(&l, c->batch, phase);
    while (n < MAX_REPEATS && (n < 10 || bench_seconds() < stop)) {
        peak[n] = bench_fma_gflops(dq_cpu_level_name());
        learner_step(&l, c->batch, phase);
        step[n] = 0;
        for (int p = 0; p < PHASES; p++) {
            part[p][n] = phase[p];
            step[n] += phase[p];
        }
        n++;
    }
    qsort(step, (size_t)n, sizeof *step, ascending);
    qsort(peak, (size_t)n, sizeof *peak, ascending);
    double flops = floor_flops(c);
    printf("%-14s batch %3d  %6.2f MFLOP  step min %7.1f us, median %7.1f us", c->name, c->batch,
           flops * 1e-6, step[0] * 1e6, step[n / 2] * 1e6);
    if (peak[n - 1] > 0) {
        double best = flops / peak[n - 1] * 1e-9, middle = flops / peak[n / 2] * 1e-9;
        printf("  floor %6.1f us at %.1f GFLOP/s (median %.1f)  ratio min %.3f, median %.3f", best * 1e6,
               peak[n - 1], peak[n / 2], step[0] / best, step[n / 2] / middle);
        if (c->target > 0) printf("  (target %.2f)", c->target);
    }
    printf("\n");
    if (phases) {
        for (int p = 0; p < PHASES; p++) {
            qsort(part[p], (size_t)n, sizeof *part[p], ascending);
            printf("    %-15s min %6.1f us, median %6.1f us\n", phase_names[p], part[p][0] * 1e6,
                   part[p][n / 2] * 1e6);
        }
    }
    // Acting: one observation.
    float observation[64] = {0.1f, -0.2f, 0.3f, 0.4f}, q[64];
    double apply = INFINITY;
    for (int repeat = 0; repeat < 200; repeat++) {
        double start = bench_seconds();
        for (int i = 0; i < 50; i++) dq_net_apply(l.net, l.online, l.online_room, observation, q);
        double each = (bench_seconds() - start) / 50;
        if (each < apply) apply = each;
    }
    printf("    one observation %.2f us\n", apply * 1e6);
    learner_deinit(&l);
}

// PyTorch's own figure, from the script beside this file; silent where it is not to be had.
static void run_peer(const char *python, const char *folder) {
    char command[2048];
    fflush(stdout);
    snprintf(command, sizeof command, "'%s' '%s/peer_step.py' 2>/dev/null", python, folder);
    if (system(command) != 0) printf("PyTorch: not installed for %s\n", python);
}

int main(int argc, char **argv) {
    bool phases = false;
    double seconds = 2;
    const char *python = getenv("PYTHON");
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--phases") == 0)
            phases = true;
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = atof(argv[++i]);
        else if (strcmp(argv[i], "--python") == 0 && i + 1 < argc)
            python = argv[++i];
        else
            return fprintf(stderr, "usage: bench_step [--phases] [--seconds S] [--python PROGRAM]\n"), 2;
    }
    printf("gradient step, 1 core, CPU level %s\n", dq_cpu_level_name());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) run_case(&cases[i], seconds, phases);
    char folder[1024];
    snprintf(folder, sizeof folder, "%s", __FILE__);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    run_peer(python && *python ? python : "python3", slash ? folder : ".");
    return 0;
}
