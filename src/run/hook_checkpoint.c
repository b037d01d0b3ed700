// Checkpoints while training, and the weights at its end.
//
// By time: at most one every checkpoint_seconds, and so seldom that checkpoints take at most 1% of the time,
// as far as the last one's cost and the size of what is new can tell. Besides, every checkpoint_steps steps.
// A run without a folder writes nothing.
#include "replay/store.h"
#include "run/checkpoint.h"
#include "run/hook.h"

#include <stdlib.h>

static const double most_share = 0.01;  // of the training time
static const double disk_speed = 100e6; // bytes a second: a guess on the slow side

typedef struct checkpoint_hook {
    dq_hook hook;
    double last, cost;                 // seconds: when the last one was done, and how long it took
    int64_t inserted[DQ_REPLAY_RINGS]; // transitions, and frames, that it knows of
} checkpoint_hook;

static void count_inserted(checkpoint_hook *self, dq_run *run) {
    dq_ring *rings[DQ_REPLAY_RINGS];
    const int count = dq_replay_rings(dq_agent_replay(run->agent), rings);
    for (int i = 0; i < count; i++) self->inserted[i] = rings[i]->inserted;
}

static dq_status create(dq_hook **out, dq_run *run, dq_error *error) {
    (void)run;
    checkpoint_hook *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, "checkpoint", "there is no memory for checkpoints");
    *out = &self->hook;
    return DQ_OK;
}

static void destroy(dq_hook *hook) {
    free(hook);
}

static dq_status on_start(dq_hook *hook, dq_run *run, dq_error *error) {
    (void)error;
    checkpoint_hook *self = (checkpoint_hook *)hook;
    self->last = dq_run_seconds(run);
    count_inserted(self, run);
    return DQ_OK;
}

static dq_status save(checkpoint_hook *self, dq_run *run, dq_error *error) {
    double before = dq_run_seconds(run);
    dq_status status = dq_checkpoint_save(run->checkpoint, run, error);
    if (!status) status = dq_run_write_weights(run, error);
    self->last = dq_run_seconds(run);
    self->cost = self->last - before;
    count_inserted(self, run);
    dq_log(DQ_LOG_DEBUG, "checkpoint at step %lld took %.1f ms", (long long)run->now.step, 1e3 * self->cost);
    return status;
}

static bool timely(const checkpoint_hook *self, const dq_run *run) {
    dq_replay *replay = dq_agent_replay(run->agent);
    double waited = dq_run_seconds(run) - self->last, every = run->config.checkpoint_seconds;
    if (every <= 0 || waited < every) return false;
    double writing = 0;
    dq_ring *rings[DQ_REPLAY_RINGS];
    const int count = dq_replay_rings(replay, rings);
    for (int i = 0; i < count; i++) {
        const int64_t fresh = rings[i]->inserted - self->inserted[i], size = dq_ring_size(rings[i]);
        writing += (double)(fresh < size ? fresh : size) * (double)rings[i]->record / disk_speed;
    }
    double cost = writing > self->cost ? writing : self->cost;
    return cost <= most_share * waited;
}

static dq_status on_step(dq_hook *hook, dq_run *run, dq_error *error) {
    checkpoint_hook *self = (checkpoint_hook *)hook;
    if (!run->checkpoint || run->stopping) return DQ_OK;
    bool due = timely(self, run) || dq_run_due(run, run->config.checkpoint_steps);
    return due ? save(self, run, error) : DQ_OK;
}

static dq_status on_finish(dq_hook *hook, dq_run *run, dq_error *error) {
    return run->checkpoint ? save((checkpoint_hook *)hook, run, error) : DQ_OK;
}

const dq_hook_class dq_hook_checkpoint = {
    .name = "checkpoint",
    .create = create,
    .destroy = destroy,
    .on = {[DQ_ON_START] = on_start, [DQ_ON_STEP] = on_step, [DQ_ON_FINISH] = on_finish},
};
