// Stop rules: steps, episodes, seconds, or the mean return of the last W episodes. The first that fires ends
// the run.
#include "run/hook.h"

#include <math.h>
#include <stdlib.h>

typedef struct stop_hook {
    dq_hook hook;
    int64_t window;
    double returns[]; // [window] episode e at e % window
} stop_hook;

static dq_status create(dq_hook **out, dq_run *run, dq_error *error) {
    size_t window = isnan(run->config.stop_return) ? 0 : (size_t)run->config.stop_window;
    stop_hook *self = calloc(1, sizeof *self + window * sizeof *self->returns);
    if (!self) return dq_fail(error, DQ_MEMORY, "stop rules", "there is no memory for %zu returns", window);
    self->window = (int64_t)window;
    *out = &self->hook;
    return DQ_OK;
}

static void destroy(dq_hook *hook) {
    free(hook);
}

static dq_status on_episode(dq_hook *hook, dq_run *run, dq_error *error) {
    (void)error;
    stop_hook *self = (stop_hook *)hook;
    if (self->window == 0) return DQ_OK;
    self->returns[(run->now.episode - 1) % self->window] =
        run->now.window[(run->now.episode - 1) % DQ_RUN_WINDOW];
    if (run->now.episode < self->window) return DQ_OK;
    double sum = 0;
    for (int64_t i = 0; i < self->window; i++) sum += self->returns[i];
    if (sum / (double)self->window >= run->config.stop_return) run->stopping = true;
    return DQ_OK;
}

// Limits are checked after every round, so that a resumed run that has reached one stops at once.
static dq_status on_step(dq_hook *hook, dq_run *run, dq_error *error) {
    (void)hook, (void)error;
    const dq_run_config *config = &run->config;
    if ((config->total_steps > 0 && run->now.step >= config->total_steps) ||
        (config->total_episodes > 0 && run->now.episode >= config->total_episodes) ||
        (config->max_seconds > 0 && dq_run_seconds(run) >= config->max_seconds))
        run->stopping = true;
    return DQ_OK;
}

static void *state(dq_hook *hook, size_t *size) {
    stop_hook *self = (stop_hook *)hook;
    *size = (size_t)self->window * sizeof *self->returns;
    return self->returns;
}

const dq_hook_class dq_hook_stop = {
    .name = "stop",
    .create = create,
    .destroy = destroy,
    .on = {[DQ_ON_START] = on_step, [DQ_ON_EPISODE] = on_episode, [DQ_ON_STEP] = on_step},
    .state = state,
};
