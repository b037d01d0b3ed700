// Checkpoints while training, and the weights at its end.
//
// By time: at most one every checkpoint_seconds, and so seldom that checkpoints take at most 1% of the time.
// Besides, every checkpoint_steps steps. A run without a folder writes nothing.
#include "run/checkpoint.h"
#include "run/hook.h"

#include <stdlib.h>

static const double most_share = 0.01; // of the training time

typedef struct checkpoint_hook {
    dq_hook hook;
    double next; // seconds
} checkpoint_hook;

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
    ((checkpoint_hook *)hook)->next = dq_run_seconds(run) + run->config.checkpoint_seconds;
    return DQ_OK;
}

static dq_status save(checkpoint_hook *self, dq_run *run, dq_error *error) {
    double before = dq_run_seconds(run);
    dq_status status = dq_checkpoint_save(run->checkpoint, run, error);
    if (!status) status = dq_run_write_weights(run, error);
    double after = dq_run_seconds(run), pause = (after - before) / most_share;
    dq_log(DQ_LOG_DEBUG, "checkpoint at step %lld took %.1f ms", (long long)run->now.step,
           1e3 * (after - before));
    self->next = after + (pause > run->config.checkpoint_seconds ? pause : run->config.checkpoint_seconds);
    return status;
}

static dq_status on_step(dq_hook *hook, dq_run *run, dq_error *error) {
    checkpoint_hook *self = (checkpoint_hook *)hook;
    if (!run->checkpoint || run->stopping) return DQ_OK;
    bool timely = run->config.checkpoint_seconds > 0 && dq_run_seconds(run) >= self->next;
    return timely || dq_run_due(run, run->config.checkpoint_steps) ? save(self, run, error) : DQ_OK;
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
