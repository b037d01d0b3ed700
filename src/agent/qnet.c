// The Q-network's plan, from the configuration: hidden layers, then A*N outputs for the head.
//
//   [features] -> [running normalisation] -> [normalisation] -> (linear -> [normalisation] -> activation) per
//   hidden width -> linear A*N
//
// Dueling networks end in linear (1+A)*N -> dueling A*N; noisy ones have noisy layers in linear ones' places.
#include "agent/qnet.h"

#include "agent/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 3 * DQ_INTS_MAX + 5 };

typedef struct plan {
    dq_layer_spec layers[MOST_LAYERS];
    char names[MOST_LAYERS][24];
    int count;
} plan;

// `value`: the slope of an activation, the sigma of a noisy layer.
static void add_layer(plan *p, const char *kind, const char *prefix, int number, int out, double value) {
    assert(p->count < MOST_LAYERS);
    char *name = p->names[p->count];
    if (number)
        snprintf(name, sizeof p->names[0], "%s%d", prefix, number);
    else
        snprintf(name, sizeof p->names[0], "%s", prefix);
    p->layers[p->count++] =
        (dq_layer_spec){.kind = kind, .name = name, .out = out, .slope = value, .sigma = value};
}

static dq_status make_net(dq_net **out, const dq_agent_config *config, int inputs, const dq_head *head,
                          dq_error *error) {
    static const char *const normalizations[] = {NULL, "batch_norm", "layer_norm"};
    static const char *const activations[] = {"relu", "leaky_relu"};
    const char *normalization = normalizations[config->normalization];
    const char *hidden = config->noisy == DQ_NOISY_ALL ? "noisy" : "linear";
    const char *output = config->noisy != DQ_NOISY_NONE ? "noisy" : "linear";
    const double sigma = config->noisy_sigma;
    const int actions = head->actions, outputs = head->outputs, cosines = head->cosines;
    plan p = {.count = 0};
    if (config->observation == DQ_OBSERVE_SCALED) {
        add_layer(&p, "features", "features", 0, 0, 0);
        p.layers[0].scale = config->features->scale;
    } else if (config->observation == DQ_OBSERVE_FEATURES) {
        add_layer(&p, "features", "features", 0, config->features->count, 0);
        p.layers[0].features = config->features->list;
    }
    if (config->normalize_observation) add_layer(&p, "running_norm", "norm_observation", 0, 0, 0);
    if (config->normalize_input && normalization) add_layer(&p, normalization, "norm_input", 0, 0, 0);
    for (int i = 0; i < config->net_arch.count; i++) {
        add_layer(&p, hidden, "hidden", i + 1, config->net_arch.value[i], sigma);
        if (normalization) add_layer(&p, normalization, "norm", i + 1, 0, 0);
        add_layer(&p, activations[config->activation], "act", i + 1, 0, config->leaky_slope);
    }
    add_layer(&p, cosines ? "quantile" : output, "output", 0, (actions + config->dueling) * outputs, sigma);
    p.layers[p.count - 1].samples = outputs;
    p.layers[p.count - 1].cosines = cosines;
    if (config->dueling) add_layer(&p, "dueling", "dueling", 0, actions * outputs, 0);
    return dq_net_create(out, inputs, p.layers, p.count, error);
}

dq_status dq_qnet_init(dq_qnet *qnet, const dq_agent_config *config, int observation_size, int actions,
                       int max_batch, dq_error *error) {
    const dq_head_class *head = dq_head_classes[config->head];
    int panels = (max_batch + DQ_LANES - 1) / DQ_LANES;
    *qnet = (dq_qnet){.observation_size = observation_size, .actions = actions};
    dq_status status = head->create(&qnet->head, config, dq_agent_strategy_options(config, &head->about),
                                    actions, panels, error);
    if (!status) qnet->head->head_class = head;
    if (!status) status = make_net(&qnet->net, config, observation_size, qnet->head, error);
    if (status) dq_qnet_deinit(qnet);
    return status;
}

void dq_qnet_deinit(dq_qnet *qnet) {
    if (qnet->head) qnet->head->head_class->destroy(qnet->head);
    if (qnet->net) dq_net_destroy(qnet->net);
    *qnet = (dq_qnet){0};
}

dq_status dq_asker_init(dq_asker *asker, const dq_qnet *qnet, int max_batch, dq_error *error) {
    size_t outputs = (size_t)dq_net_outputs(qnet->net), actions = (size_t)qnet->actions;
    size_t panels = ((size_t)max_batch + DQ_LANES - 1) / DQ_LANES;
    *asker = (dq_asker){.qnet = qnet, .max_batch = max_batch};
    dq_status status = dq_workspace_create(&asker->workspace, qnet->net, max_batch, error);
    if (status) return status;
    asker->output = calloc(outputs * DQ_LANES, sizeof(float));
    asker->q = calloc(panels * actions * DQ_LANES, sizeof(float));
    asker->row = calloc(outputs, sizeof(float));
    if (asker->output && asker->q && asker->row) return DQ_OK;
    dq_asker_deinit(asker);
    return dq_fail(error, DQ_MEMORY, "network", "there is no memory for the network's outputs");
}

void dq_asker_deinit(dq_asker *asker) {
    dq_workspace_destroy(asker->workspace);
    free(asker->output);
    free(asker->q);
    free(asker->row);
    *asker = (dq_asker){0};
}

void dq_asker_one(dq_asker *asker, float *params, const float *observation, float *q) {
    if (asker->mode != DQ_EVAL) {
        dq_asker_many(asker, params, observation, 1, q);
        return;
    }
    const dq_head *head = asker->qnet->head;
    int outputs = dq_net_outputs(asker->qnet->net);
    dq_net_apply(asker->qnet->net, params, asker->workspace, observation, asker->row);
    for (int i = 0; i < outputs; i++) asker->output[i * DQ_LANES] = asker->row[i];
    const float *values = head->head_class->to_q(head, asker->output, 1, asker->q);
    for (int a = 0; a < asker->qnet->actions; a++) q[a] = values[a * DQ_LANES];
}

void dq_asker_many(dq_asker *asker, float *params, const float *observations, int count, float *q) {
    assert(count <= asker->max_batch);
    const dq_qnet *qnet = asker->qnet;
    int panels = (count + DQ_LANES - 1) / DQ_LANES;
    dq_panels_pack(dq_workspace_input(asker->workspace), observations, count, qnet->observation_size);
    const float *output = dq_net_forward(qnet->net, params, asker->workspace, count, asker->mode);
    const float *values = qnet->head->head_class->to_q(qnet->head, output, panels, asker->q);
    dq_panels_unpack(q, values, count, qnet->actions);
}
