// A network's gradient step on a batch already gathered, for bench_step and bench_cnn: target forward, online
// forward, Huber loss, backward, Adam, each timed.
#ifndef BENCH_LEARNER_H
#define BENCH_LEARNER_H

#include <deepq/net.h>

struct dq_pool;

enum { BENCH_TARGET_FORWARD, BENCH_ONLINE_FORWARD, BENCH_LOSS, BENCH_BACKWARD, BENCH_ADAM, BENCH_PHASES };
extern const char *const bench_phase_names[BENCH_PHASES];

typedef struct bench_learner {
    dq_net *net;
    struct dq_pool *pool;
    dq_workspace *online_room, *target_room;
    float *online, *target, *gradient, *state, *reward, *discount, *d_output;
    int *action;
    int batch; // a multiple of 16
    dq_optimizer_config adam;
    int64_t step;
} bench_learner;

// Ends the program with the error's sentence unless the status is DQ_OK.
void bench_stop_unless(dq_status status, const dq_error *error);

// Takes over the network; its weights and the batch are random.
void bench_learner_init(bench_learner *l, dq_net *net, int batch, int threads);
void bench_learner_deinit(bench_learner *l);

// One gradient step; `phase` gets the seconds of each phase. Returns their sum.
double bench_learner_step(bench_learner *l, double phase[BENCH_PHASES]);

#endif
