#include "learner.h"

#include "base/threads.h"
#include "measure.h"
#include "nn/loss.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const bench_phase_names[BENCH_PHASES] = {"target forward", "online forward", "loss", "backward",
                                                     "adam"};

void bench_stop_unless(dq_status status, const dq_error *error) {
    if (status == DQ_OK) return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static void fill(const bench_learner *l, dq_workspace *room, dq_rng *rng) {
    unsigned char *images = dq_workspace_images(room);
    float *numbers = dq_workspace_input(room);
    for (int i = 0; i < l->batch * dq_net_inputs(l->net); i++) {
        if (images)
            images[i] = (unsigned char)dq_rng_integers(rng, 0, 256);
        else
            numbers[i] = (float)dq_rng_uniform(rng, -1, 1);
    }
}

void bench_learner_init(bench_learner *l, dq_net *net, int batch, int threads) {
    const size_t size = dq_net_size(net) * sizeof(float), samples = (size_t)batch;
    const int actions = dq_net_outputs(net);
    dq_error error;
    dq_rng rng;
    *l = (bench_learner){.net = net, .batch = batch, .adam = dq_optimizer_defaults(DQ_ADAM)};
    if (threads > 1) bench_stop_unless(dq_pool_create(&l->pool, threads, &error), &error);
    bench_stop_unless(dq_workspace_create_on(&l->online_room, net, batch, l->pool, &error), &error);
    bench_stop_unless(dq_workspace_create_on(&l->target_room, net, batch, l->pool, &error), &error);
    l->online = bench_room(size);
    l->target = bench_room(size);
    l->gradient = bench_room(size);
    l->state = bench_room(dq_optimizer_state_size(&l->adam, dq_net_trainable(net)) * sizeof(float));
    l->reward = bench_room(samples * sizeof(float));
    l->discount = bench_room(samples * sizeof(float));
    l->action = bench_room(samples * sizeof(int));
    l->d_output = bench_room(samples * (size_t)actions * sizeof(float));
    dq_rng_seed(&rng, 1);
    dq_net_init(net, l->online, &rng);
    memcpy(l->target, l->online, size);
    fill(l, l->online_room, &rng);
    fill(l, l->target_room, &rng);
    for (int b = 0; b < batch; b++) {
        l->reward[b] = 1.0f;
        l->discount[b] = 0.99f;
        l->action[b] = (int)dq_rng_integers(&rng, 0, actions);
    }
}

void bench_learner_deinit(bench_learner *l) {
    dq_workspace_destroy(l->online_room);
    dq_workspace_destroy(l->target_room);
    dq_net_destroy(l->net);
    dq_pool_destroy(l->pool);
    float *blocks[] = {l->online, l->target, l->gradient, l->state, l->reward, l->discount, l->d_output};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) free(blocks[i]);
    free(l->action);
}

// The loss's derivative at the outputs, in panels; one-step targets.
static void find_d_output(const bench_learner *l, const float *q, const float *next) {
    const int actions = dq_net_outputs(l->net);
    memset(l->d_output, 0, (size_t)(l->batch * actions) * sizeof(float));
    for (int b = 0; b < l->batch; b++) {
        const int panel = b / DQ_LANES * actions * DQ_LANES, lane = b % DQ_LANES;
        float best = next[panel + lane], slope;
        for (int a = 1; a < actions; a++) best = fmaxf(best, next[panel + a * DQ_LANES + lane]);
        const int at = panel + l->action[b] * DQ_LANES + lane;
        dq_loss_huber(q[at] - (l->reward[b] + l->discount[b] * best), &slope);
        l->d_output[at] = slope / (float)l->batch;
    }
}

double bench_learner_step(bench_learner *l, double phase[BENCH_PHASES]) {
    double t[BENCH_PHASES + 1];
    t[0] = bench_seconds();
    const float *next = dq_net_forward(l->net, l->target, l->target_room, l->batch, DQ_EVAL);
    t[1] = bench_seconds();
    const float *q = dq_net_forward(l->net, l->online, l->online_room, l->batch, DQ_TRAIN);
    t[2] = bench_seconds();
    find_d_output(l, q, next);
    t[3] = bench_seconds();
    dq_net_backward(l->net, l->online, l->online_room, l->batch, l->d_output, l->gradient);
    t[4] = bench_seconds();
    dq_optimizer_step_on(l->pool, &l->adam, l->state, ++l->step, 1e-4, l->online, l->gradient,
                         dq_net_trainable(l->net));
    t[5] = bench_seconds();
    for (int p = 0; p < BENCH_PHASES; p++) phase[p] = t[p + 1] - t[p];
    return t[BENCH_PHASES] - t[0];
}
