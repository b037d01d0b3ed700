// Evaluation during training: greedy episodes in environments of their own.
//
// Fills the row's Monte Carlo estimates from the start distribution: mean return, mean discounted return,
// and mean max Q at the start, which tells how much the network overestimates. Evaluation k resets its
// episodes from a seed made of the run's seed and k, so that it disturbs no other stream and needs no state
// but k. Without any evaluation the mean return of training decides which parameters were best.
#include "run/hook.h"
#include "run/rollout.h"

#include <math.h>
#include <stdlib.h>

enum { STREAM_EVALUATION = 100 }; // a key below the run's seed that no other stream uses

typedef struct eval_hook {
    dq_hook hook;
    int64_t number; // of evaluations so far
    int count;
    dq_rollout *rollout; // NULL: off
    dq_episode *episodes;
} eval_hook;

static void destroy(dq_hook *hook) {
    eval_hook *self = (eval_hook *)hook;
    dq_rollout_destroy(self->rollout);
    free(self->episodes);
    free(self);
}

static dq_status create(dq_hook **out, dq_run *run, dq_error *error) {
    const dq_run_config *config = &run->config;
    eval_hook *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, "evaluation", "there is no memory for the evaluation");
    self->count = (int)config->eval_episodes;
    dq_status status = DQ_OK;
    if (config->eval_every_steps > 0 || config->eval_every_episodes > 0) {
        status = dq_rollout_create(&self->rollout, dq_agent_qnet(run->agent), run->env_class,
                                   config->env_options, (int)config->step_limit, self->count, error);
        self->episodes = calloc((size_t)self->count, sizeof *self->episodes);
        if (!status && !self->episodes)
            status =
                dq_fail(error, DQ_MEMORY, "evaluation", "there is no memory for %d episodes", self->count);
    }
    if (status)
        destroy(&self->hook);
    else
        *out = &self->hook;
    return status;
}

static dq_status evaluate(eval_hook *self, dq_run *run, dq_error *error) {
    dq_metrics *row = &run->now.row;
    uint32_t words[2];
    dq_seed_sequence((uint64_t)run->config.seed, (uint32_t[]){STREAM_EVALUATION, (uint32_t)self->number++}, 2,
                     words, 2);
    uint64_t seed = (uint64_t)words[0] << 32 | words[1];
    const dq_status status =
        dq_rollout_play(self->rollout, dq_agent_params(run->agent), run->config.learner.gamma, seed,
                        self->count, self->episodes, error);
    if (status) return status;
    row->eval_return = row->eval_discounted_return = row->eval_q_start = row->eval_length = 0;
    for (int i = 0; i < self->count; i++) {
        row->eval_return += self->episodes[i].episode_return / self->count;
        row->eval_discounted_return += self->episodes[i].discounted_return / self->count;
        row->eval_q_start += self->episodes[i].q_start / self->count / run->config.learner.reward_scale;
        row->eval_length += (double)self->episodes[i].length / self->count;
    }
    run->now.evaluated = true;
    dq_run_measured(run, row->eval_return);
    return DQ_OK;
}

static dq_status on_episode(dq_hook *hook, dq_run *run, dq_error *error) {
    eval_hook *self = (eval_hook *)hook;
    int64_t every = run->config.eval_every_episodes;
    if (!self->rollout)
        dq_run_measured(run, run->now.row.mean_return);
    else if (every > 0 && run->now.episode % every == 0)
        return evaluate(self, run, error);
    return DQ_OK;
}

static dq_status on_step(dq_hook *hook, dq_run *run, dq_error *error) {
    const bool due = dq_run_due(run, run->config.eval_every_steps);
    return due ? evaluate((eval_hook *)hook, run, error) : DQ_OK;
}

static void *state(dq_hook *hook, size_t *size) {
    eval_hook *self = (eval_hook *)hook;
    *size = sizeof self->number;
    return &self->number;
}

const dq_hook_class dq_hook_eval = {
    .name = "evaluation",
    .create = create,
    .destroy = destroy,
    .on = {[DQ_ON_EPISODE] = on_episode, [DQ_ON_STEP] = on_step},
    .state = state,
};
