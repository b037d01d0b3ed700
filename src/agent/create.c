// Puts an agent together: its parts chosen by the configuration, its memory laid out, its parameters drawn.
#include "agent/parts.h"

#include <stdlib.h>

// Keys of the agent's streams below the run's seed.
enum { STREAM_INIT, STREAM_EXPLORE, STREAM_SAMPLE, STREAM_NOISE };

static void lay_out_saved(dq_arena *arena, void *user) {
    dq_agent *agent = user;
    size_t size = dq_net_size(agent->qnet.net), trainable = dq_net_trainable(agent->qnet.net);
    agent->now = dq_arena_array(arena, dq_agent_counters, 1);
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
            agent->spans[agent->span_count++] = (dq_agent_span){first, end - first, state};
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
    if (!status) status = dq_asker_init(&agent->asker, &agent->qnet, agent->environments, agent->pool, error);
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
    dq_agent_copy_target(agent);
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
