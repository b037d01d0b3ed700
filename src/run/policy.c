// Policies: a finished run's network without its learner.
#include "run/policy.h"

#include "agent/explore.h"
#include "agent/qnet.h"
#include "base/threads.h"
#include "run/config.h"
#include "run/rollout.h"
#include "run/runner.h"
#include "run/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct dq_policy {
    dq_run_config config;
    const dq_env_class *env_class;
    dq_qnet qnet;
    dq_asker asker;
    float *params;
    float *q; // [A]
};

// The network that the policy's configuration describes, with parameters of zero.
static dq_status make_network(dq_policy *policy, const dq_space *space, int actions, const char *where,
                              dq_error *error) {
    dq_status status = dq_qnet_init(&policy->qnet, &policy->config.learner, space, actions, DQ_LANES, error);
    if (!status) status = dq_asker_init(&policy->asker, &policy->qnet, 1, NULL, error);
    if (status) return status;
    policy->params = aligned_alloc(64, (dq_net_size(policy->qnet.net) * sizeof(float) + 63) / 64 * 64);
    policy->q = calloc((size_t)actions, sizeof(float));
    if (!policy->params || !policy->q)
        return dq_fail(error, DQ_MEMORY, where, "there is no memory for the weights of %s", where);
    memset(policy->params, 0, dq_net_size(policy->qnet.net) * sizeof(float));
    return DQ_OK;
}

// The same for the environment that the configuration names.
static dq_status make_for_env(dq_policy *policy, const char *where, dq_error *error) {
    policy->env_class = dq_env_find(policy->config.env, error);
    if (!policy->env_class) return DQ_NOT_FOUND;
    policy->config.learner.features = policy->env_class->features;
    const dq_status status =
        dq_agent_validate(&policy->config.learner, error); // the environment may be another's
    if (status) return status;
    const dq_space space = dq_env_observation(policy->env_class, policy->config.env_options);
    return make_network(policy, &space, policy->env_class->actions, where, error);
}

static dq_status load(dq_policy *policy, const dq_safetensors *weights, const char *path, dq_error *error) {
    const char *text = dq_safetensors_metadata(weights, "config");
    if (!text)
        return dq_fail(
            error, DQ_FORMAT, path,
            "%s does not say which environment and network it belongs to; was it written by deepq?", path);
    dq_status status = dq_run_config_parse(&policy->config, text, path, error);
    if (status) return status;
    status = make_for_env(policy, path, error);
    if (status) return status;
    return dq_weights_fill(weights, policy->qnet.net, policy->params, error);
}

dq_status dq_policy_load(dq_policy **out, const char *path, dq_error *error) {
    *out = NULL;
    struct stat about;
    char file[4096];
    bool folder = !stat(path, &about) && S_ISDIR(about.st_mode);
    if (snprintf(file, sizeof file, "%s%s", path, folder ? "/weights.safetensors" : "") >= (int)sizeof file)
        return dq_fail(error, DQ_USAGE, path, "the path is too long");
    dq_safetensors weights;
    dq_status status = dq_safetensors_read(&weights, file, error);
    if (status) return status;
    dq_policy *policy = calloc(1, sizeof *policy);
    if (!policy) status = dq_fail(error, DQ_MEMORY, path, "there is no memory for the policy");
    if (!status) status = load(policy, &weights, file, error);
    dq_safetensors_deinit(&weights);
    if (status) {
        dq_policy_destroy(policy);
        return status;
    }
    *out = policy;
    return DQ_OK;
}

// --- networks from elsewhere -------------------------------------------------------------------------------

static dq_status describe_layers(dq_run_config *config, const dq_dense_layer *layers, int count,
                                 const char *where, dq_error *error) {
    dq_status status = dq_options_defaults(dq_run_options(), config, error);
    if (status) return status;
    config->env[0] = 0;
    strcpy(config->agent, "imported");
    if (count < 1 || count > DQ_INTS_MAX + 1)
        return dq_fail(error, DQ_UNSUPPORTED, where,
                       "a network of %d fully connected layers; 1 to %d are taken", count, DQ_INTS_MAX + 1);
    config->learner.net_arch.count = count - 1;
    for (int i = 0; i + 1 < count; i++) config->learner.net_arch.value[i] = layers[i].outputs;
    for (int i = 0; i < count; i++) {
        if (layers[i].inputs < 1 || layers[i].outputs < 1 ||
            (i > 0 && layers[i].inputs != layers[i - 1].outputs))
            return dq_fail(
                error, DQ_UNSUPPORTED, where,
                "layer %d of %d takes %d inputs and gives %d outputs, but the one before it gives %d", i + 1,
                count, layers[i].inputs, layers[i].outputs, i > 0 ? layers[i - 1].outputs : layers[i].inputs);
    }
    if (layers[0].inputs > DQ_OBSERVATION_MAX || layers[count - 1].outputs > DQ_ACTIONS_MAX)
        return dq_fail(error, DQ_UNSUPPORTED, where,
                       "%d observations and %d actions; at most %d and %d are taken", layers[0].inputs,
                       layers[count - 1].outputs, DQ_OBSERVATION_MAX, DQ_ACTIONS_MAX);
    return DQ_OK;
}

// The plan's tensors are the layers' weights and biases, in their order.
static void fill_layers(const dq_net *net, float *params, const dq_dense_layer *layers) {
    for (int i = 0; i < dq_net_tensor_count(net); i++) {
        const dq_tensor *t = dq_net_tensor(net, i);
        const float *from = t->rank == 2 ? layers[i / 2].weight : layers[i / 2].bias;
        const size_t columns = (size_t)t->columns;
        for (size_t r = 0; from && r < (size_t)t->rows; r++)
            memcpy(params + t->offset + r * t->stride, from + r * columns, columns * sizeof(float));
    }
}

dq_status dq_policy_from_layers(dq_policy **out, const dq_dense_layer *layers, int count, const char *where,
                                dq_error *error) {
    *out = NULL;
    dq_policy *policy = calloc(1, sizeof *policy);
    if (!policy) return dq_fail(error, DQ_MEMORY, where, "there is no memory for the policy");
    dq_status status = describe_layers(&policy->config, layers, count, where, error);
    const dq_space space = DQ_VECTOR(count > 0 ? layers[0].inputs : 0);
    if (!status) status = make_network(policy, &space, layers[count - 1].outputs, where, error);
    if (status) {
        dq_policy_destroy(policy);
        return status;
    }
    fill_layers(policy->qnet.net, policy->params, layers);
    *out = policy;
    return DQ_OK;
}

dq_status dq_policy_from_run(dq_policy **out, const dq_run *run, dq_error *error) {
    *out = NULL;
    const dq_env_class *e = run->env_class;
    dq_policy *policy = calloc(1, sizeof *policy);
    if (!policy) return dq_fail(error, DQ_MEMORY, e->id, "there is no memory for the policy");
    policy->config = run->config;
    policy->env_class = e;
    const dq_status status = make_network(policy, &run->env->space, e->actions, e->id, error);
    if (status) {
        dq_policy_destroy(policy);
        return status;
    }
    memcpy(policy->params, dq_agent_params(run->agent), dq_net_size(policy->qnet.net) * sizeof(float));
    *out = policy;
    return DQ_OK;
}

void dq_policy_destroy(dq_policy *policy) {
    if (!policy) return;
    if (policy->asker.qnet) dq_asker_deinit(&policy->asker);
    dq_qnet_deinit(&policy->qnet);
    free(policy->params);
    free(policy->q);
    free(policy);
}

const dq_run_config *dq_policy_config(const dq_policy *policy) {
    return &policy->config;
}

const dq_space *dq_policy_observation(const dq_policy *policy) {
    return &policy->qnet.frame;
}

const dq_space *dq_policy_input(const dq_policy *policy) {
    return &policy->qnet.input;
}

int dq_policy_frame_stack(const dq_policy *policy) {
    return policy->qnet.stack;
}

int dq_policy_actions(const dq_policy *policy) {
    return policy->qnet.actions;
}

void dq_policy_q(dq_policy *policy, const void *input, float *q) {
    dq_asker_one(&policy->asker, policy->params, input, q);
}

int dq_policy_act(dq_policy *policy, const void *input) {
    dq_policy_q(policy, input, policy->q);
    return dq_argmax(policy->q, policy->qnet.actions);
}

// --- for other formats -------------------------------------------------------------------------------------

dq_status dq_policy_create(dq_policy **out, const dq_run_config *config, dq_error *error) {
    *out = NULL;
    dq_policy *policy = calloc(1, sizeof *policy);
    if (!policy) return dq_fail(error, DQ_MEMORY, config->env, "there is no memory for the policy");
    policy->config = *config;
    const dq_status status = make_for_env(policy, config->env, error);
    if (status) {
        dq_policy_destroy(policy);
        return status;
    }
    dq_rng rng;
    dq_rng_seed(&rng, 0);
    dq_net_init(policy->qnet.net, policy->params, &rng);
    *out = policy;
    return DQ_OK;
}

const dq_net *dq_policy_net(const dq_policy *policy) {
    return policy->qnet.net;
}

float *dq_policy_params(dq_policy *policy) {
    return policy->params;
}

dq_status dq_policy_lower(const dq_policy *policy, dq_program *program, dq_error *error) {
    const dq_head *head = policy->qnet.head;
    *program = (dq_program){0};
    dq_status status = dq_net_lower(policy->qnet.net, policy->params, program, error);
    if (!status && head->head_class->lower && !head->head_class->lower(head, program))
        status = dq_fail(error, DQ_MEMORY, "head", "there is no memory to describe the network's head");
    return status;
}

dq_status dq_policy_save(const dq_policy *policy, const char *path, dq_error *error) {
    char *text = dq_run_config_text(&policy->config);
    if (!text) return dq_fail(error, DQ_MEMORY, path, "there is no memory to write the weights");
    const dq_status status = dq_weights_write(path, policy->qnet.net, policy->params, text, error);
    free(text);
    return status;
}

// --- evaluation --------------------------------------------------------------------------------------------

typedef struct share {
    const dq_policy *policy;
    dq_rollout **rollouts; // one per worker
    dq_episode *episodes;
    uint64_t seed;
    int count;
    dq_status *status; // one per worker: the first that is not DQ_OK
    dq_error *errors;
} share;

static void play_share(void *user, int64_t index, int worker) {
    share *s = user;
    int first = (int)index * DQ_LANES, count = s->count - first < DQ_LANES ? s->count - first : DQ_LANES;
    if (s->status[worker]) return;
    s->status[worker] =
        dq_rollout_play(s->rollouts[worker], s->policy->params, s->policy->config.learner.gamma,
                        s->seed + (uint64_t)first, count, s->episodes + first, &s->errors[worker]);
}

dq_status dq_policy_evaluate(const dq_policy *policy, const dq_env_class *env_class,
                             const dq_run_config *env_config, int episodes, uint64_t seed, int threads,
                             double *returns, int64_t *total_steps, dq_error *error) {
    const dq_run_config *config = env_config ? env_config : &policy->config;
    if (!env_class) env_class = policy->env_class;
    if (!env_class)
        return dq_fail(error, DQ_USAGE, "policy", "this policy names no environment to be evaluated in");
    const bool same_env = !strcmp(config->env, env_class->id);
    const void *options = same_env ? config->env_options : NULL;
    const dq_space space = dq_env_observation(env_class, options);
    if (!dq_space_same(&space, &policy->qnet.frame) || env_class->actions != policy->qnet.actions) {
        char shown[48], wanted[48];
        return dq_fail(error, DQ_USAGE, env_class->id,
                       "%s shows %s and has %d actions, but this policy was trained on %s with %s and %d",
                       env_class->id, dq_space_describe(&space, shown), env_class->actions,
                       policy->config.env, dq_space_describe(&policy->qnet.frame, wanted),
                       policy->qnet.actions);
    }
    int step_limit = same_env ? (int)config->step_limit : -1;
    int shares = (episodes + DQ_LANES - 1) / DQ_LANES;
    if (threads <= 0) threads = dq_cores();
    if (threads > shares) threads = shares > 0 ? shares : 1;

    dq_rollout **rollouts = calloc((size_t)threads, sizeof *rollouts);
    dq_episode *played = calloc((size_t)episodes + 1, sizeof *played);
    dq_status *outcomes = calloc((size_t)threads, sizeof *outcomes), status = DQ_OK;
    dq_error *errors = calloc((size_t)threads, sizeof *errors);
    if (!rollouts || !played || !outcomes || !errors)
        status = dq_fail(error, DQ_MEMORY, env_class->id, "there is no memory for %d episodes", episodes);
    for (int i = 0; !status && i < threads; i++)
        status =
            dq_rollout_create(&rollouts[i], &policy->qnet, env_class, options, step_limit, DQ_LANES, error);
    if (!status) {
        share all = {policy, rollouts, played, seed, episodes, outcomes, errors};
        dq_parallel_for(threads, shares, play_share, &all);
        for (int i = 0; !status && i < threads; i++) {
            status = outcomes[i];
            if (status && error) *error = errors[i];
        }
        if (total_steps) *total_steps = 0;
        for (int i = 0; i < episodes; i++) {
            returns[i] = played[i].episode_return;
            if (total_steps) *total_steps += played[i].length;
        }
    }
    for (int i = 0; rollouts && i < threads; i++) dq_rollout_destroy(rollouts[i]);
    free(rollouts);
    free(played);
    free(outcomes);
    free(errors);
    return status;
}
