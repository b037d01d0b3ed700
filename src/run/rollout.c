// Greedy episodes on a panel of environments.
//
// Up to 16 environments step side by side, so that the network sees whole panels; an environment whose
// episode ended takes the next one from the queue. When the queue is empty, the ended ones step on without
// being counted until the last is done. Kernels give a sample the same bits wherever it stands in a batch,
// so that the company an episode keeps does not change it.
#include "run/rollout.h"

#include "agent/explore.h"
#include <deepq/frames.h>

#include <stdlib.h>

struct dq_rollout {
    dq_vecenv *env;
    dq_asker asker;
    dq_frames *frames; // of each environment, or NULL: one observation is enough
    int32_t actions[DQ_LANES];
    int64_t episode[DQ_LANES]; // being played by each environment; -1: none
    double power[DQ_LANES];    // gamma^t
    float *q;                  // [16][A]
};

dq_status dq_rollout_create(dq_rollout **out, const dq_qnet *qnet, const dq_env_class *env_class,
                            const void *options, int step_limit, int most_episodes, dq_error *error) {
    *out = NULL;
    int count = most_episodes < DQ_LANES ? most_episodes : DQ_LANES;
    dq_rollout *rollout = calloc(1, sizeof *rollout);
    if (!rollout) return dq_fail(error, DQ_MEMORY, "evaluation", "there is no memory for the evaluation");
    rollout->q = calloc((size_t)DQ_LANES * (size_t)qnet->actions, sizeof(float));
    dq_status status = DQ_OK;
    if (!rollout->q) status = dq_fail(error, DQ_MEMORY, "evaluation", "there is no memory for action values");
    if (!status) status = dq_vecenv_create(&rollout->env, env_class, options, count, step_limit, 0, error);
    if (!status) status = dq_asker_init(&rollout->asker, qnet, DQ_LANES, NULL, error);
    if (!status && qnet->stack > 1)
        status = dq_frames_create(&rollout->frames, &qnet->frame, qnet->stack, count, error);
    if (status) {
        dq_rollout_destroy(rollout);
        return status;
    }
    *out = rollout;
    return DQ_OK;
}

void dq_rollout_destroy(dq_rollout *rollout) {
    if (!rollout) return;
    dq_vecenv_destroy(rollout->env);
    dq_asker_deinit(&rollout->asker);
    dq_frames_destroy(rollout->frames);
    free(rollout->q);
    free(rollout);
}

// Gives environment `index` the next episode, or none.
static void deal(dq_rollout *rollout, int index, uint64_t seed, int64_t *next, int64_t count) {
    rollout->episode[index] = -1;
    rollout->power[index] = 1;
    if (rollout->frames) dq_frames_clear(rollout->frames, index);
    if (*next == count) return;
    rollout->episode[index] = (*next)++;
    dq_vecenv_reset(rollout->env, index, seed + (uint64_t)rollout->episode[index]);
}

// What the network sees of the environments.
static const void *look(dq_rollout *rollout) {
    const dq_vecenv *env = rollout->env;
    if (!rollout->frames) return env->observation;
    for (int i = 0; i < env->count; i++) dq_frames_push(rollout->frames, i, dq_vecenv_observation(env, i));
    return dq_frames_at(rollout->frames, 0);
}

dq_status dq_rollout_play(dq_rollout *rollout, float *params, double gamma, uint64_t seed, int count,
                          dq_episode *episodes, dq_error *error) {
    dq_vecenv *env = rollout->env;
    const int actions = rollout->asker.qnet->actions;
    int64_t next = 0, left = count;
    for (int i = 0; i < env->count; i++) deal(rollout, i, seed, &next, count);
    for (int i = 0; i < count; i++) episodes[i] = (dq_episode){0};
    while (left > 0) {
        dq_asker_many(&rollout->asker, params, look(rollout), env->count, rollout->q);
        for (int i = 0; i < env->count; i++) {
            const float *q = rollout->q + i * actions;
            rollout->actions[i] = dq_argmax(q, actions);
            if (rollout->episode[i] < 0) continue;
            dq_episode *episode = &episodes[rollout->episode[i]];
            if (episode->length == 0) episode->q_start = (double)q[rollout->actions[i]];
        }
        dq_vecenv_step(env, rollout->actions);
        const dq_status status = dq_vecenv_check(env, error);
        if (status) return status;
        for (int i = 0; i < env->count; i++) {
            if (rollout->episode[i] < 0) continue;
            dq_episode *episode = &episodes[rollout->episode[i]];
            episode->length++;
            episode->episode_return += env->reward[i];
            episode->discounted_return += rollout->power[i] * env->reward[i];
            rollout->power[i] *= gamma;
            if (env->life_lost[i] && rollout->frames) dq_frames_clear(rollout->frames, i);
            if (!env->terminated[i] && !env->truncated[i]) continue;
            left--;
            deal(rollout, i, seed, &next, count);
        }
    }
    return DQ_OK;
}
