// The one learner: every member of the DQN family is this file with other parts.
//
// Place: environment -> dq_agent_observe (n-step -> store -> sampler) -> dq_agent_learn -> dq_agent_act.
// What the future depends on lies in one block of plain memory (counters, random streams, parameters,
// target parameters, optimizer state), so that a checkpoint is a copy. Batches are panels (deepq/net.h).
// A gradient step allocates nothing; which head, backup, sampler and explorer work is settled at creation.
#include "agent/parts.h"

#include <math.h>
#include <string.h>

enum {
    LOOK_EVERY = 8
}; // gradient steps between looks at the values, which cost a head with distributions some

// --- one gradient step -----------------------------------------------------------------------------------

// Action values of a network output, kept apart from the workspace that made them.
static const float *values(const dq_agent *agent, const float *output, float *q) {
    return agent->qnet.head->head_class->to_q(agent->qnet.head, output, agent->panels, q);
}

// The target network's outputs at the next observations of the drawn slots.
static const float *next_outputs(dq_agent *agent) {
    const int batch = (int)agent->config.batch_size;
    if (agent->cache)
        return dq_target_cache_outputs(agent->cache, agent->replay, agent->target_params, agent->target,
                                       agent->slots, batch);
    dq_replay_gather_next(agent->replay, agent->slots, batch, dq_qnet_place(agent->target));
    return dq_net_forward(agent->qnet.net, agent->target_params, agent->target, batch, DQ_NOISY);
}

// The online network's action values there, for backups that want them.
static const float *next_values_online(dq_agent *agent) {
    const int batch = (int)agent->config.batch_size;
    void *input = dq_qnet_place(agent->online_next);
    dq_replay_gather_next(agent->replay, agent->slots, batch, input);
    return values(agent, dq_net_forward(agent->qnet.net, agent->params, agent->online_next, batch, DQ_NOISY),
                  agent->next_q_online);
}

// The target network's action values at the observations themselves, likewise.
static const float *current_values(dq_agent *agent) {
    const int batch = (int)agent->config.batch_size;
    const dq_qnet *qnet = &agent->qnet;
    const size_t rows = qnet->input.element == DQ_F32 ? (size_t)agent->panels * DQ_LANES : (size_t)batch;
    memcpy(dq_qnet_place(agent->target_current), dq_qnet_place(agent->online),
           rows * dq_space_bytes(&qnet->input));
    return values(
        agent, dq_net_forward(agent->qnet.net, agent->target_params, agent->target_current, batch, DQ_NOISY),
        agent->q);
}

static void learn_once(dq_agent *agent) {
    const dq_agent_config *config = &agent->config;
    const dq_head *head = agent->qnet.head;
    const dq_net *net = agent->qnet.net;
    const dq_sampler_class *sampler = agent->sampler->sampler_class;
    dq_agent_counters *now = agent->now;
    const int batch = (int)config->batch_size;

    sampler->draw(agent->sampler, &now->sample_rng, dq_replay_size(agent->replay), now->updates, batch,
                  agent->slots, agent->weight);
    dq_replay_gather(agent->replay, agent->slots, batch, dq_qnet_place(agent->online), agent->action,
                     agent->reward, agent->discount);

    dq_net_resample(net, agent->target_params, &now->noise_rng);
    dq_net_resample(net, agent->params, &now->noise_rng); // the same array without a target network
    if (head->head_class->resampled) head->head_class->resampled(agent->qnet.head, net, agent->params);
    dq_backup_inputs inputs = {.actions = agent->qnet.actions,
                               .panels = agent->panels,
                               .action = agent->action,
                               .discount = agent->discount};
    if (agent->online_next) inputs.next_q_online = next_values_online(agent);
    if (agent->target_current) inputs.q = current_values(agent);
    const float *next_output = next_outputs(agent);
    inputs.next_q = values(agent, next_output, agent->next_q);
    agent->backup->apply(agent->backup_options, &inputs, agent->policy, agent->reward);
    head->head_class->target(head, next_output, agent->policy, agent->reward, agent->discount, agent->panels,
                             agent->targets);

    const float *output = dq_net_forward(net, agent->params, agent->online, batch, DQ_TRAIN);
    agent->last_output = output;
    if (now->updates % LOOK_EVERY == 0)
        dq_spread_batch(&now->q, &now->target, values(agent, output, agent->q), inputs.next_q, agent->policy,
                        agent->action, agent->reward, agent->discount, agent->qnet.actions, batch);
    double loss = head->head_class->loss(head, output, agent->action, agent->targets, agent->weight, batch,
                                         agent->d_output, agent->priority);
    dq_net_backward(net, agent->params, agent->online, batch, agent->d_output, agent->gradient);

    const size_t trainable = dq_net_trainable(net);
    if (config->clip_value > 0) dq_clip_value(agent->gradient, trainable, config->clip_value);
    if (config->max_grad_norm > 0)
        dq_clip_norm_on(agent->pool, agent->gradient, trainable, config->max_grad_norm);
    double rate = dq_schedule_at(&agent->learning_rate, now->updates);
    now->updates++;
    for (int i = 0; i < agent->span_count; i++) {
        const dq_agent_span *s = &agent->spans[i];
        dq_optimizer_step_on(agent->pool, &agent->optimizer, agent->optimizer_state + s->state, now->updates,
                             rate, agent->params + s->first, agent->gradient + s->first, s->count);
    }
    if (sampler->update) sampler->update(agent->sampler, agent->slots, agent->priority, batch);
    now->loss_sum += loss;
    now->loss_count++;
}

// --- the target network ------------------------------------------------------------------------------------

void dq_agent_copy_target(dq_agent *agent) {
    if (agent->cache) dq_target_cache_forget(agent->cache);
    if (agent->target_params != agent->params)
        memcpy(agent->target_params, agent->params, dq_net_size(agent->qnet.net) * sizeof(float));
}

// Lillicrap et al. 2016, algorithm 1; running statistics are copied.
static void move_target(dq_agent *agent) {
    const size_t size = dq_net_size(agent->qnet.net), trainable = dq_net_trainable(agent->qnet.net);
    dq_params_blend_on(agent->pool, agent->target_params, agent->params, trainable, agent->config.tau);
    memcpy(agent->target_params + trainable, agent->params + trainable, (size - trainable) * sizeof(float));
}

// How many multiples of `interval` lie in (before, now].
static int64_t multiples(int64_t before, int64_t now, int64_t interval) {
    return now / interval - before / interval;
}

int dq_agent_learn(dq_agent *agent, int steps, int64_t step, int64_t episode) {
    const dq_agent_config *config = &agent->config;
    const bool hard = config->target_update == DQ_TARGET_HARD, soft = config->target_update == DQ_TARGET_SOFT;
    const int64_t interval = config->target_update_interval;
    const dq_clock unit = (dq_clock)config->target_update_unit;
    int made = 0;
    if (dq_replay_size(agent->replay) >= agent->needed) {
        int64_t rounds =
            agent->rollout ? agent->finished_rollouts : multiples(step - steps, step, config->train_freq);
        agent->finished_rollouts = 0;
        // The target network's weights are still the online one's; it takes over the statistics met so far.
        if (agent->now->updates == 0 && config->normalize_observation) dq_agent_copy_target(agent);
        for (int64_t i = 0; i < rounds * config->gradient_steps; i++, made++) {
            learn_once(agent);
            if (soft) move_target(agent);
            if (hard && unit == DQ_CLOCK_UPDATES && agent->now->updates % interval == 0)
                dq_agent_copy_target(agent);
        }
    }
    if (hard && unit == DQ_CLOCK_STEPS && multiples(step - steps, step, interval) > 0)
        dq_agent_copy_target(agent);
    if (hard && unit == DQ_CLOCK_EPISODES && multiples(agent->now->synced_episode, episode, interval) > 0)
        dq_agent_copy_target(agent);
    agent->now->synced_episode = episode;
    return made;
}

// --- acting and observing ----------------------------------------------------------------------------------

static double epsilon_at(const dq_agent *agent, int64_t step, int64_t episode) {
    if (step < agent->config.random_steps) return 1;
    return dq_schedule_at(&agent->epsilon, agent->config.epsilon_clock == DQ_CLOCK_EPISODES ? episode : step);
}

// What the network sees of observations [count] that come in.
static const void *look(dq_agent *agent, const void *observations, int count) {
    const size_t bytes = dq_space_bytes(&agent->qnet.frame);
    if (!agent->frames) return observations;
    for (int i = 0; i < count; i++)
        dq_frames_push(agent->frames, i, (const unsigned char *)observations + (size_t)i * bytes);
    return dq_frames_at(agent->frames, 0);
}

void dq_agent_act(dq_agent *agent, const void *observations, int count, int64_t step, int64_t episode,
                  int32_t *actions) {
    const dq_explorer_class *explorer = agent->explorer;
    const int width = agent->qnet.actions;
    double epsilon = epsilon_at(agent, step, episode);
    const void *seen = look(agent, observations, count);
    for (int i = 0; i < count && agent->config.normalize_observation; i++)
        dq_net_observe(agent->qnet.net, agent->params, agent->asker.workspace, agent->moments,
                       (const float *)seen + (size_t)i * (size_t)agent->qnet.input.size);
    dq_rng *rng = &agent->now->explore_rng;
    int asking = explorer->propose(agent->explorer_options, rng, epsilon, width, count, actions);
    if (asking == 0) return;
    agent->asker.mode = explorer->wants_noise ? DQ_NOISY : DQ_EVAL;
    if (explorer->wants_noise) dq_net_resample(agent->qnet.net, agent->params, &agent->now->noise_rng);
    if (count == 1)
        dq_asker_one(&agent->asker, agent->params, seen, agent->acting_q);
    else
        dq_asker_many(&agent->asker, agent->params, seen, count, agent->acting_q);
    agent->asker.mode = DQ_EVAL;
    for (int i = 0; i < count; i++)
        if (actions[i] == DQ_ASK_Q)
            actions[i] =
                explorer->choose(agent->explorer_options, rng, epsilon, agent->acting_q + i * width, width);
}

static void store(dq_agent *agent, const dq_transition *transition) {
    int64_t slot = dq_replay_add(agent->replay, transition);
    dq_target_cache_drop(agent->cache, slot);
    if (agent->sampler->sampler_class->insert) agent->sampler->sampler_class->insert(agent->sampler, slot);
}

// Values the states that a full rollout led to and stores its steps with their returns.
static void finish_rollout(dq_agent *agent) {
    const int width = agent->qnet.actions, count = agent->environments;
    const size_t bytes = dq_space_bytes(&agent->qnet.input);
    for (int row = 0; row < dq_lambda_rows(agent->rollout); row += count) {
        const unsigned char *next = dq_lambda_next(agent->rollout);
        next += (size_t)row * (agent->frame_memory ? sizeof(int64_t) : bytes);
        for (int i = 0; i < count && agent->frame_memory; i++)
            dq_replay_stack(agent->replay, next + (size_t)i * sizeof(int64_t),
                            agent->rollout_next + (size_t)i * bytes);
        dq_asker_many(&agent->asker, agent->params, agent->frame_memory ? agent->rollout_next : next, count,
                      agent->acting_q);
        for (int i = 0; i < count; i++) {
            const float *q = agent->acting_q + i * width;
            agent->rollout_values[row + i] = q[dq_argmax(q, width)];
        }
    }
    dq_lambda_returns(agent->rollout, agent->rollout_values);
    for (int row = 0; row < dq_lambda_rows(agent->rollout); row++) {
        dq_transition transition = dq_lambda_at(agent->rollout, row);
        store(agent, &transition);
    }
    dq_lambda_clear(agent->rollout);
    agent->finished_rollouts++;
}

// One transition between what the network sees.
static void remember(dq_agent *agent, int index, const void *seen, int action, double reward,
                     const void *next_seen, bool terminated, bool truncated) {
    reward *= agent->config.reward_scale;
    const double clip = agent->config.reward_clip;
    if (clip > 0) reward = fmin(fmax(reward, -clip), clip);
    if (agent->rollout) {
        if (dq_lambda_push(agent->rollout, index, seen, action, reward, next_seen, terminated, truncated))
            finish_rollout(agent);
        return;
    }
    int count = dq_nstep_push(agent->nstep, index, seen, action, reward, next_seen, terminated, truncated,
                              agent->complete);
    for (int i = 0; i < count; i++) store(agent, &agent->complete[i]);
}

// The same with a frame memory: transitions tell of frames by their numbers.
static void remember_frames(dq_agent *agent, int index, const void *observation, int action, double reward,
                            const void *next_observation, bool terminated, bool truncated) {
    while (!agent->rollout && dq_replay_crowded(agent->replay)) {
        const int64_t newest = (dq_replay_inserted(agent->replay) - 1) % dq_replay_capacity(agent->replay);
        const dq_transition again = dq_replay_at(agent->replay, newest);
        store(agent, &again);
    }
    int64_t *now = &agent->newest[index];
    if (*now < 0) *now = dq_replay_push_frame(agent->replay, observation, -1);
    const bool follows = !terminated && (!truncated || agent->config.bootstrap_truncated);
    const int64_t next = follows ? dq_replay_push_frame(agent->replay, next_observation, *now) : *now;
    remember(agent, index, now, action, reward, &next, terminated, truncated);
    *now = terminated || truncated ? -1 : next;
    if (agent->frames && *now < 0) dq_frames_clear(agent->frames, index);
}

void dq_agent_observe(dq_agent *agent, int index, const void *observation, int action, double reward,
                      const void *next_observation, bool terminated, bool truncated) {
    if (agent->frame_memory) {
        remember_frames(agent, index, observation, action, reward, next_observation, terminated, truncated);
        return;
    }
    if (!agent->frames) {
        remember(agent, index, observation, action, reward, next_observation, terminated, truncated);
        return;
    }
    dq_frames_peek(agent->frames, index, next_observation, agent->next_stack);
    remember(agent, index, dq_frames_at(agent->frames, index), action, reward, agent->next_stack, terminated,
             truncated);
    if (terminated || truncated) dq_frames_clear(agent->frames, index);
}

void dq_agent_q(dq_agent *agent, const void *observation, float *q) {
    dq_asker_one(&agent->asker, agent->params, observation, q);
}

int dq_agent_greedy(dq_agent *agent, const void *observation) {
    dq_agent_q(agent, observation, agent->acting_q);
    return dq_argmax(agent->acting_q, agent->qnet.actions);
}

dq_agent_report dq_agent_take_report(dq_agent *agent, int64_t step, int64_t episode) {
    dq_agent_counters *now = agent->now;
    dq_agent_report report = {.updates = now->updates,
                              .loss_sum = now->loss_sum,
                              .loss_count = now->loss_count,
                              .q = now->q,
                              .target = now->target,
                              .epsilon = epsilon_at(agent, step, episode),
                              .learning_rate = dq_schedule_at(&agent->learning_rate, now->updates)};
    now->loss_sum = 0;
    now->loss_count = 0;
    now->q = now->target = (dq_spread){0};
    return report;
}

int dq_agent_last_step(dq_agent *agent, const float **gradient, float *q) {
    const int batch = (int)agent->config.batch_size;
    if (!agent->last_output) return 0;
    *gradient = agent->gradient;
    if (q) dq_panels_unpack(q, values(agent, agent->last_output, agent->q), batch, agent->qnet.actions);
    return batch;
}

const dq_net *dq_agent_net(const dq_agent *agent) {
    return agent->qnet.net;
}

float *dq_agent_params(dq_agent *agent) {
    return agent->params;
}

const dq_qnet *dq_agent_qnet(const dq_agent *agent) {
    return &agent->qnet;
}

dq_replay *dq_agent_replay(dq_agent *agent) {
    return agent->replay;
}

// --- checkpoints -------------------------------------------------------------------------------------------

void dq_agent_state(dq_agent *agent, dq_block blocks[DQ_AGENT_BLOCKS]) {
    blocks[0] = (dq_block){"agent", agent->saved.base, agent->saved.used};
    blocks[1] = (dq_block){.name = "n-step"};
    blocks[1].data = dq_nstep_state(agent->nstep, &blocks[1].size);
    blocks[3] = (dq_block){.name = "rollout"};
    if (agent->rollout) blocks[3].data = dq_lambda_state(agent->rollout, &blocks[3].size);
    blocks[4] = (dq_block){.name = "frames"};
    if (agent->frames) blocks[4].data = dq_frames_state(agent->frames, &blocks[4].size);
    blocks[2] = (dq_block){.name = "sampler"};
    if (agent->sampler->sampler_class->state)
        blocks[2].data = agent->sampler->sampler_class->state(agent->sampler, &blocks[2].size);
}

void dq_agent_started(dq_agent *agent) {
    dq_agent_copy_target(agent);
}

void dq_agent_restored(dq_agent *agent) {
    if (agent->cache) dq_target_cache_forget(agent->cache);
    if (agent->sampler->sampler_class->restored) agent->sampler->sampler_class->restored(agent->sampler);
}
