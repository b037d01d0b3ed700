// The one learner: every member of the DQN family is this file with other parts.
//
// Place: environment -> dq_agent_observe (n-step -> store -> sampler) -> dq_agent_learn -> dq_agent_act.
// What the future depends on lies in one block of plain memory (counters, random streams, parameters,
// target parameters, optimizer state), so that a checkpoint is a copy. Batches are panels (deepq/net.h).
// A gradient step allocates nothing; which head, backup, sampler and explorer work is settled at creation.
#include "agent/agent.h"

#include "agent/config.h"
#include "agent/spread.h"
#include "agent/target_cache.h"
#include "base/arena.h"
#include "base/threads.h"
#include "replay/frames.h"
#include "replay/lambda.h"
#include "replay/nstep.h"
#include "replay/store.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Keys of the agent's streams below the run's seed.
enum { STREAM_INIT, STREAM_EXPLORE, STREAM_SAMPLE, STREAM_NOISE };

typedef struct counters {
    dq_rng explore_rng, sample_rng, noise_rng;
    int64_t updates; // gradient steps
    int64_t synced_episode;
    double loss_sum;
    int64_t loss_count;
    dq_spread q, target;
} counters;

enum {
    LOOK_EVERY = 8
}; // gradient steps between looks at the values, which cost a head with distributions some

// Floats of the parameter array that the optimizer may touch, and where its state for them starts.
typedef struct span {
    size_t first, count, state;
} span;

struct dq_agent {
    dq_agent_config config;
    dq_schedule epsilon, learning_rate;
    dq_optimizer_config optimizer;
    dq_qnet qnet;
    const dq_backup_class *backup;
    const dq_explorer_class *explorer;
    const void *backup_options, *explorer_options;
    dq_sampler *sampler;
    dq_replay *replay;
    dq_nstep *nstep;
    dq_lambda *rollout;          // NULL: n-step returns and a replay memory
    int finished_rollouts;       // since the last learning
    float *rollout_values;       // [T*N]
    unsigned char *rollout_next; // [N] stacks that a step led to, with a frame memory
    bool frame_memory;           // the replay memory keeps single frames
    dq_frames *frames;           // the newest of each environment, or NULL: one observation is enough
    dq_target_cache *cache;      // of the target network's outputs, or NULL
    int environments;
    int64_t needed; // transitions stored before learning

    dq_arena saved; // what checkpoints hold
    counters *now;
    float *params, *target_params; // [dq_net_size]; the same array without a target network
    float *optimizer_state;
    span *spans; // [span_count] what of the parameters is trained
    int span_count;
    int64_t *newest; // [environments] frame in the replay memory that an episode shows; -1: none yet
    double *moments; // [dq_net_moments] of the observations acted on

    // scratch
    int panels;    // P of a batch
    dq_pool *pool; // of the gradient step; NULL: one thread
    float *gradient;
    const float *last_output;                     // of the online network at the last batch; NULL: none yet
    dq_asker asker;                               // acting
    dq_workspace *online, *target;                // at s, at s'
    dq_workspace *online_next, *target_current;   // for backups that want them, else NULL
    int64_t *slots;                               // [B]
    int32_t *action;                              // [P][16]
    float *reward, *discount, *weight, *priority; // [P][16]
    float *next_q, *next_q_online, *q, *policy;   // [P][A][16]
    float *targets, *d_output;                    // [P][targets][16], [P][A*N][16]
    float *acting_q;                              // [environments][A]
    dq_transition *complete;                      // [n_step]
    unsigned char *next_stack;                    // of frames, what a step led to
    dq_arena scratch;
};

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
    counters *now = agent->now;
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
        const span *s = &agent->spans[i];
        dq_optimizer_step_on(agent->pool, &agent->optimizer, agent->optimizer_state + s->state, now->updates,
                             rate, agent->params + s->first, agent->gradient + s->first, s->count);
    }
    if (sampler->update) sampler->update(agent->sampler, agent->slots, agent->priority, batch);
    now->loss_sum += loss;
    now->loss_count++;
}

// --- the target network ------------------------------------------------------------------------------------

static void copy_target(dq_agent *agent) {
    if (agent->cache) dq_target_cache_forget(agent->cache);
    if (agent->target_params != agent->params)
        memcpy(agent->target_params, agent->params, dq_net_size(agent->qnet.net) * sizeof(float));
}

// Lillicrap et al. 2016, algorithm 1; running statistics are copied.
static void move_target(dq_agent *agent) {
    const size_t size = dq_net_size(agent->qnet.net), trainable = dq_net_trainable(agent->qnet.net);
    dq_params_blend(agent->target_params, agent->params, trainable, agent->config.tau);
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
        if (agent->now->updates == 0 && config->normalize_observation) copy_target(agent);
        for (int64_t i = 0; i < rounds * config->gradient_steps; i++, made++) {
            learn_once(agent);
            if (soft) move_target(agent);
            if (hard && unit == DQ_CLOCK_UPDATES && agent->now->updates % interval == 0) copy_target(agent);
        }
    }
    if (hard && unit == DQ_CLOCK_STEPS && multiples(step - steps, step, interval) > 0) copy_target(agent);
    if (hard && unit == DQ_CLOCK_EPISODES && multiples(agent->now->synced_episode, episode, interval) > 0)
        copy_target(agent);
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
    counters *now = agent->now;
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
    copy_target(agent);
}

void dq_agent_restored(dq_agent *agent) {
    if (agent->cache) dq_target_cache_forget(agent->cache);
    if (agent->sampler->sampler_class->restored) agent->sampler->sampler_class->restored(agent->sampler);
}

// --- creation ----------------------------------------------------------------------------------------------

static void lay_out_saved(dq_arena *arena, void *user) {
    dq_agent *agent = user;
    size_t size = dq_net_size(agent->qnet.net), trainable = dq_net_trainable(agent->qnet.net);
    agent->now = dq_arena_array(arena, counters, 1);
    agent->params = dq_arena_floats(arena, size);
    agent->target_params = agent->params;
    if (agent->config.target_update != DQ_TARGET_NONE) agent->target_params = dq_arena_floats(arena, size);
    agent->optimizer_state = dq_arena_floats(arena, dq_optimizer_state_size(&agent->optimizer, trainable));
    agent->newest = dq_arena_array(arena, int64_t, (size_t)agent->environments);
    agent->moments = dq_arena_array(arena, double, dq_net_moments(agent->qnet.net));
}

static void lay_out_scratch(dq_arena *arena, void *user) {
    dq_agent *agent = user;
    size_t padded = (size_t)agent->panels * DQ_LANES, actions = (size_t)agent->qnet.actions;
    size_t outputs = (size_t)dq_net_outputs(agent->qnet.net), targets = (size_t)agent->qnet.head->targets;
    agent->gradient = dq_arena_floats(arena, dq_net_size(agent->qnet.net));
    agent->slots = dq_arena_array(arena, int64_t, padded);
    agent->action = dq_arena_array(arena, int32_t, padded);
    agent->reward = dq_arena_floats(arena, padded);
    agent->discount = dq_arena_floats(arena, padded);
    agent->weight = dq_arena_floats(arena, padded);
    agent->priority = dq_arena_floats(arena, padded);
    agent->next_q = dq_arena_floats(arena, padded * actions);
    agent->next_q_online = dq_arena_floats(arena, padded * actions);
    agent->q = dq_arena_floats(arena, padded * actions);
    agent->policy = dq_arena_floats(arena, padded * actions);
    agent->targets = dq_arena_floats(arena, padded * targets);
    agent->d_output = dq_arena_floats(arena, padded * outputs);
    agent->acting_q = dq_arena_floats(arena, (size_t)agent->environments * actions);
    agent->complete = dq_arena_array(arena, dq_transition, (size_t)agent->config.n_step);
    if (agent->qnet.stack > 1)
        agent->next_stack = dq_arena_array(arena, unsigned char, dq_space_bytes(&agent->qnet.input));
    agent->rollout_values =
        dq_arena_floats(arena, (size_t)agent->config.rollout * (size_t)agent->environments);
    if (agent->frame_memory && agent->config.rollout > 0)
        agent->rollout_next = dq_arena_array(arena, unsigned char,
                                             (size_t)agent->environments *dq_space_bytes(&agent->qnet.input));
}

// Everything trainable is one span, unless tensors are frozen.
static dq_status find_spans(dq_agent *agent, dq_error *error) {
    const dq_net *net = agent->qnet.net;
    const int tensors = dq_net_tensor_count(net);
    size_t first = 0, state = 0;
    agent->spans = calloc((size_t)tensors + 1, sizeof *agent->spans);
    if (!agent->spans) return dq_fail(error, DQ_MEMORY, "agent", "there is no memory for the agent");
    for (int i = 0; i <= tensors; i++) {
        const dq_tensor *t = i < tensors ? dq_net_tensor(net, i) : NULL;
        const bool frozen = t && t->trainable && t->frozen;
        if (t && !frozen) continue;
        const size_t end = t ? t->offset : dq_net_trainable(net);
        if (end > first) {
            agent->spans[agent->span_count++] = (span){first, end - first, state};
            state += dq_optimizer_state_size(&agent->optimizer, end - first);
        }
        if (t) first = t->offset + ((size_t)t->rows * t->stride + 15) / 16 * 16;
    }
    return DQ_OK;
}

static dq_status make_workspaces(dq_agent *agent, dq_error *error) {
    const dq_net *net = agent->qnet.net;
    const int batch = (int)agent->config.batch_size, threads = (int)agent->config.threads;
    dq_status status = threads == 1 ? DQ_OK : dq_pool_create(&agent->pool, threads, error);
    if (!status) status = dq_workspace_create_on(&agent->online, net, batch, agent->pool, error);
    if (!status) status = dq_workspace_create_on(&agent->target, net, batch, agent->pool, error);
    if (!status && agent->backup->wants_online)
        status = dq_workspace_create_on(&agent->online_next, net, batch, agent->pool, error);
    if (!status && agent->backup->wants_current)
        status = dq_workspace_create_on(&agent->target_current, net, batch, agent->pool, error);
    if (!status) status = dq_asker_init(&agent->asker, &agent->qnet, agent->environments, error);
    return status;
}

// A cache of the target network's outputs pays where slots come up again before the network changes, and
// takes no more memory than the replay does.
static bool cache_pays(const dq_agent *agent) {
    const dq_agent_config *config = &agent->config;
    if (config->target_update != DQ_TARGET_HARD || config->noisy != DQ_NOISY_NONE) return false;
    double updates = (double)config->target_update_interval; // between two copies
    if (config->target_update_unit == DQ_CLOCK_STEPS)
        updates *= (double)config->gradient_steps / (double)config->train_freq;
    double draws = updates * (double)config->batch_size / (double)config->buffer_size; // of one slot
    return draws > 0.5 && dq_net_outputs(agent->qnet.net) <= 2 * agent->qnet.input.size;
}

static dq_status make_replay(dq_agent *agent, dq_error *error) {
    const dq_agent_config *config = &agent->config;
    const dq_sampler_class *sampler = dq_sampler_classes[config->sampler];
    const void *options = dq_agent_strategy_options(config, &sampler->about);
    const dq_qnet *qnet = &agent->qnet;
    const size_t bytes = agent->frame_memory ? sizeof(int64_t) : dq_space_bytes(&qnet->input);
    if (config->frame_compression > 1 && (!agent->frame_memory || config->rollout > 0))
        return dq_fail(error, DQ_USAGE, "frame_compression",
                       "there are no frames to compress: only a replay memory of images or of stacked "
                       "observations has them, and a rollout's are few; leave frame_compression at 1");
    const int64_t capacity =
        config->rollout > 0 ? config->rollout * agent->environments : config->buffer_size;
    // A transition comes n steps after its frame, whose stack reaches further back, in rounds of at most two
    // frames of each environment; and a rollout's at its end, when the memory holds nothing else.
    const int64_t margin = config->rollout > 0
                               ? agent->environments * (config->rollout + qnet->stack + 2)
                               : 2 * (int64_t)agent->environments * (config->n_step + qnet->stack + 1);
    for (int i = 0; i < agent->environments; i++) agent->newest[i] = -1;
    dq_status status = agent->frame_memory
                           ? dq_replay_create_frames(&agent->replay, capacity, &qnet->frame, qnet->stack,
                                                     margin, config->frame_compression, error)
                           : dq_replay_create(&agent->replay, capacity, &qnet->input, error);
    if (!status)
        status = dq_nstep_create(&agent->nstep, (int)config->n_step, agent->environments, bytes,
                                 config->gamma, config->bootstrap_truncated, error);
    if (!status && config->rollout > 0)
        status = dq_lambda_create(&agent->rollout, (int)config->rollout, agent->environments, bytes,
                                  config->gamma, config->lambda, config->bootstrap_truncated, error);
    if (!status) status = sampler->create(&agent->sampler, options, capacity, error);
    if (!status) agent->sampler->sampler_class = sampler;
    if (!status && cache_pays(agent))
        status = dq_target_cache_create(&agent->cache, agent->qnet.net, config->buffer_size,
                                        (int)config->batch_size, error);
    agent->needed = config->learning_starts < capacity ? config->learning_starts : capacity;
    if (sampler->needs && agent->needed < sampler->needs(options, (int)config->batch_size))
        agent->needed = sampler->needs(options, (int)config->batch_size);
    if (!status && agent->needed > capacity)
        status =
            dq_fail(error, DQ_USAGE, "batch_size",
                    "a batch of %lld different transitions cannot come out of a rollout of %lld steps in %d "
                    "environments; make rollout or n_envs larger or batch_size smaller",
                    (long long)config->batch_size, (long long)config->rollout, agent->environments);
    return status;
}

dq_status dq_agent_create(dq_agent **out, const dq_agent_config *config, const dq_space *space, int actions,
                          int environments, uint64_t seed, dq_error *error) {
    *out = NULL;
    dq_status status = dq_agent_validate(config, error);
    if (status) return status;
    dq_agent *agent = calloc(1, sizeof *agent);
    if (!agent) return dq_fail(error, DQ_MEMORY, "agent", "there is no memory for the agent");
    agent->config = *config;
    agent->environments = environments;
    agent->panels = ((int)config->batch_size + DQ_LANES - 1) / DQ_LANES;
    agent->epsilon = dq_agent_epsilon_schedule(config);
    agent->learning_rate = dq_agent_learning_rate_schedule(config);
    agent->optimizer = dq_agent_optimizer(config);
    agent->backup = dq_backup_classes[config->backup];
    agent->explorer = dq_explorer_classes[config->explorer];
    agent->backup_options = dq_agent_strategy_options(&agent->config, &agent->backup->about);
    agent->explorer_options = dq_agent_strategy_options(&agent->config, &agent->explorer->about);

    int most = config->batch_size > environments ? (int)config->batch_size : environments;
    status = dq_qnet_init(&agent->qnet, config, space, actions, most, error);
    agent->frame_memory = agent->qnet.input.element == DQ_U8 || agent->qnet.stack > 1;
    if (!status) status = dq_net_freeze(agent->qnet.net, config->freeze, error);
    if (!status) status = find_spans(agent, error);
    if (!status)
        status = dq_arena_create(&agent->saved, lay_out_saved, agent, "the agent's parameters", error);
    if (!status)
        status = dq_arena_create(&agent->scratch, lay_out_scratch, agent, "the agent's batches", error);
    if (!status) status = make_workspaces(agent, error);
    if (!status && agent->qnet.stack > 1)
        status = dq_frames_create(&agent->frames, space, agent->qnet.stack, environments, error);
    if (!status) status = make_replay(agent, error);
    if (status) goto fail;

    dq_rng rng;
    dq_rng_seed_child(&rng, seed, &(uint32_t){STREAM_INIT}, 1);
    dq_rng_seed_child(&agent->now->explore_rng, seed, &(uint32_t){STREAM_EXPLORE}, 1);
    dq_rng_seed_child(&agent->now->sample_rng, seed, &(uint32_t){STREAM_SAMPLE}, 1);
    dq_rng_seed_child(&agent->now->noise_rng, seed, &(uint32_t){STREAM_NOISE}, 1);
    dq_net_init(agent->qnet.net, agent->params, &rng);
    copy_target(agent);
    *out = agent;
    return DQ_OK;
fail:
    dq_agent_destroy(agent);
    return status;
}

void dq_agent_destroy(dq_agent *agent) {
    if (!agent) return;
    if (agent->sampler) agent->sampler->sampler_class->destroy(agent->sampler);
    dq_target_cache_destroy(agent->cache);
    dq_frames_destroy(agent->frames);
    dq_nstep_destroy(agent->nstep);
    dq_lambda_destroy(agent->rollout);
    dq_replay_destroy(agent->replay);
    dq_asker_deinit(&agent->asker);
    free(agent->spans);
    dq_workspace_destroy(agent->online);
    dq_workspace_destroy(agent->target);
    dq_workspace_destroy(agent->online_next);
    dq_workspace_destroy(agent->target_current);
    dq_pool_destroy(agent->pool);
    dq_qnet_deinit(&agent->qnet);
    dq_arena_destroy(&agent->saved);
    dq_arena_destroy(&agent->scratch);
    free(agent);
}
