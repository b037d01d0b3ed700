// The gradient step against its counted floor: target forward, online forward, Huber loss, backward, Adam,
// on a batch already gathered, one core.
//
//   floor = 2 B (3 sum MAC + sum MAC without layer 1) / the core's FMA peak at the kernels' own vector width
//
// The peak is measured between the steps of the same run, so that frequency and neighbours weigh on both.
// usage: bench_step [--phases] [--seconds S] [--network NAME] [--python PROGRAM]; PyTorch stands beside when
// that Python (default: $PYTHON, then python3) has it.
#include "fma_peak.h"
#include "learner.h"
#include "measure.h"

#include <math.h>
#include <stdio.h>
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

static dq_net *make_net(const bench_case *c) {
    dq_layer_spec specs[16];
    char names[16][8];
    int count = 0;
    dq_error error;
    dq_net *net;
    for (int i = 1; i < c->count; i++) {
        snprintf(names[i], sizeof names[i], "%d", 2 * (i - 1));
        specs[count++] = (dq_layer_spec){.kind = "linear", .name = names[i], .out = c->width[i]};
        if (i + 1 < c->count) specs[count++] = (dq_layer_spec){.kind = "relu"};
    }
    bench_stop_unless(dq_net_create(&net, c->width[0], specs, count, &error), &error);
    return net;
}

static double floor_flops(const bench_case *c) {
    double all = 0, first = (double)c->width[0] * c->width[1];
    for (int i = 1; i < c->count; i++) all += (double)c->width[i - 1] * c->width[i];
    return 2.0 * c->batch * (3 * all + all - first);
}

static void run_case(const bench_case *c, double seconds, bool phases) {
    static double step[MAX_REPEATS], peak[MAX_REPEATS], part[BENCH_PHASES][MAX_REPEATS];
    bench_learner l;
    bench_learner_init(&l, make_net(c), c->batch, 1);
    double phase[BENCH_PHASES], stop = bench_seconds() + seconds;
    int n = 0;
    for (int i = 0; i < 20; i++) bench_learner_step(&l, phase);
    while (n < MAX_REPEATS && (n < 10 || bench_seconds() < stop)) {
        peak[n] = bench_fma_gflops(dq_cpu_level_name());
        step[n] = bench_learner_step(&l, phase);
        for (int p = 0; p < BENCH_PHASES; p++) part[p][n] = phase[p];
        n++;
    }
    const double usual = bench_median(step, n), usual_peak = bench_median(peak, n);
    double flops = floor_flops(c);
    printf("%-14s batch %3d  %6.2f MFLOP  step min %7.1f us, median %7.1f us", c->name, c->batch,
           flops * 1e-6, step[0] * 1e6, usual * 1e6);
    if (peak[n - 1] > 0) {
        double best = flops / peak[n - 1] * 1e-9, middle = flops / usual_peak * 1e-9;
        printf("  floor %6.1f us at %.1f GFLOP/s (median %.1f)  ratio min %.3f, median %.3f", best * 1e6,
               peak[n - 1], usual_peak, step[0] / best, usual / middle);
        if (c->target > 0) printf("  (target %.2f)", c->target);
    }
    printf("\n");
    for (int p = 0; phases && p < BENCH_PHASES; p++) {
        const double middle = bench_median(part[p], n);
        printf("    %-15s min %6.1f us, median %6.1f us\n", bench_phase_names[p], part[p][0] * 1e6,
               middle * 1e6);
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
    bench_learner_deinit(&l);
}

int main(int argc, char **argv) {
    const bench_options o = bench_read_options(argc, argv, 2);
    printf("gradient step, 1 core, CPU level %s\n", dq_cpu_level_name());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!o.network || strcmp(o.network, cases[i].name) == 0) run_case(&cases[i], o.seconds, o.phases);
    bench_run_peer(&o, "peer_step.py");
    return 0;
}
