// The Q-network's plan, from the configuration: hidden layers, then A*N outputs for the head.
//
//   [features] -> [running normalisation] -> [normalisation] -> (linear -> [normalisation] -> activation) per
//   hidden width -> linear A*N
//
// Images come through a trunk of convolutions, whose paper gives the one hidden width, or are flattened.
// Dueling networks end in linear (1+A)*N -> dueling A*N; noisy ones have noisy layers in linear ones' places.
#include "agent/qnet.h"

#include "agent/config.h"
#include "nn/trunk.h"
#include "replay/frames.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 3 * DQ_INTS_MAX + 5 + 2 * DQ_TRUNK_LAYERS };

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

// What comes before the dense layers, and the widths of those. Layer normalization comes between each
// convolution of a trunk and its ReLU, too.
static dq_ints begin(plan *p, const dq_agent_config *config, const dq_space *input) {
    const dq_trunk *trunk = config->network == DQ_NETWORK_MLP ? NULL : dq_trunks[config->network - 1];
    const bool normalized = config->normalization == DQ_NORM_LAYER;
    for (int i = 0, conv = 0; trunk && i < trunk->count; i++) {
        const dq_layer_spec *layer = &trunk->layers[i];
        if (normalized && strcmp(layer->kind, "relu") == 0 && i > 0 &&
            strcmp(trunk->layers[i - 1].kind, "conv") == 0)
            add_layer(p, "group_norm", "norm_conv", ++conv, 0, 0);
        p->layers[p->count++] = *layer;
    }
    if (trunk) return (dq_ints){1, {trunk->hidden}};
    if (input->element == DQ_U8) add_layer(p, "flatten", "flatten", 0, 0, 0);
    if (config->observation == DQ_OBSERVE_SCALED) {
        add_layer(p, "features", "features", 0, 0, 0);
        p->layers[0].scale = config->features->scale;
    } else if (config->observation == DQ_OBSERVE_FEATURES) {
        add_layer(p, "features", "features", 0, config->features->count, 0);
        p->layers[0].features = config->features->list;
    }
    if (config->normalize_observation) add_layer(p, "running_norm", "norm_observation", 0, 0, 0);
    return config->net_arch;
}

// What a network of these options cannot look at.
static dq_status check_input(const dq_agent_config *config, const dq_space *frame, dq_error *error) {
    const bool image = frame->element == DQ_U8;
    if (!image && config->network != DQ_NETWORK_MLP)
        return dq_fail(
            error, DQ_USAGE, "network",
            "network=%s looks at images, but this environment shows %d numbers; choose network=mlp",
            dq_trunks[config->network - 1]->name, frame->size);
    if (image && config->normalize_observation)
        return dq_fail(error, DQ_USAGE, "normalize_observation",
                       "images are divided by 255 and not normalised otherwise; choose "
                       "normalize_observation=false");
    if (config->normalize_input && (image || config->network != DQ_NETWORK_MLP))
        return dq_fail(
            error, DQ_USAGE, "normalize_input",
            "images are divided by 255 and not normalised otherwise; choose normalize_input=false");
    if (config->frame_stack > 1 && config->observation != DQ_OBSERVE_RAW)
        return dq_fail(error, DQ_USAGE, "frame_stack",
                       "a stack of %lld observations has no scale and no features; choose observation=raw or "
                       "frame_stack=1",
                       (long long)config->frame_stack);
    return DQ_OK;
}

static dq_status make_net(dq_net **out, const dq_agent_config *config, const dq_space *input,
                          const dq_head *head, dq_error *error) {
    static const char *const normalizations[] = {NULL, "batch_norm", "layer_norm"};
    static const char *const activations[] = {"relu", "leaky_relu"};
    const char *normalization = normalizations[config->normalization];
    const char *hidden = config->noisy == DQ_NOISY_ALL ? "noisy" : "linear";
    const char *output = config->noisy != DQ_NOISY_NONE ? "noisy" : "linear";
    const double sigma = config->noisy_sigma;
    const int actions = head->actions, outputs = head->outputs, cosines = head->cosines;
    plan p = {.count = 0};
    const dq_ints widths = begin(&p, config, input);
    if (config->normalize_input && normalization) add_layer(&p, normalization, "norm_input", 0, 0, 0);
    for (int i = 0; i < widths.count; i++) {
        add_layer(&p, hidden, "hidden", i + 1, widths.value[i], sigma);
        if (normalization) add_layer(&p, normalization, "norm", i + 1, 0, 0);
        add_layer(&p, activations[config->activation], "act", i + 1, 0, config->leaky_slope);
    }
    add_layer(&p, cosines ? "quantile" : output, "output", 0, (actions + config->dueling) * outputs, sigma);
    p.layers[p.count - 1].samples = outputs;
    p.layers[p.count - 1].cosines = cosines;
    if (config->dueling) add_layer(&p, "dueling", "dueling", 0, actions * outputs, 0);
    return input->element == DQ_F32 ? dq_net_create(out, input->size, p.layers, p.count, error)
                                    : dq_net_create_on_images(out, input->shape[0], input->shape[1],
                                                              input->shape[2], p.layers, p.count, error);
}

dq_status dq_qnet_init(dq_qnet *qnet, const dq_agent_config *config, const dq_space *space, int actions,
                       int max_batch, dq_error *error) {
    const dq_head_class *head = dq_head_classes[config->head];
    int panels = (max_batch + DQ_LANES - 1) / DQ_LANES;
    *qnet = (dq_qnet){.frame = *space,
                      .input = dq_frames_space(space, (int)config->frame_stack),
                      .stack = (int)config->frame_stack,
                      .actions = actions};
    dq_status status = check_input(config, space, error);
    if (status) return status;
    status = head->create(&qnet->head, config, dq_agent_strategy_options(config, &head->about), actions,
                          panels, error);
    if (!status) qnet->head->head_class = head;
    if (!status) status = make_net(&qnet->net, config, &qnet->input, qnet->head, error);
    if (status) dq_qnet_deinit(qnet);
    return status;
}

void dq_qnet_deinit(dq_qnet *qnet) {
    if (qnet->head) qnet->head->head_class->destroy(qnet->head);
    if (qnet->net) dq_net_destroy(qnet->net);
    *qnet = (dq_qnet){0};
}

void *dq_qnet_place(dq_workspace *workspace) {
    float *panels = dq_workspace_input(workspace);
    return panels ? (void *)panels : dq_workspace_images(workspace);
}

dq_status dq_asker_init(dq_asker *asker, const dq_qnet *qnet, int max_batch, struct dq_pool *pool,
                        dq_error *error) {
    size_t outputs = (size_t)dq_net_outputs(qnet->net), actions = (size_t)qnet->actions;
    size_t panels = ((size_t)max_batch + DQ_LANES - 1) / DQ_LANES;
    *asker = (dq_asker){.qnet = qnet, .max_batch = max_batch};
    dq_status status = dq_workspace_create_on(&asker->workspace, qnet->net, max_batch, pool, error);
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

void dq_asker_one(dq_asker *asker, float *params, const void *input, float *q) {
    if (asker->mode != DQ_EVAL) {
        dq_asker_many(asker, params, input, 1, q);
        return;
    }
    const dq_head *head = asker->qnet->head;
    int outputs = dq_net_outputs(asker->qnet->net);
    if (asker->qnet->input.element == DQ_F32)
        dq_net_apply(asker->qnet->net, params, asker->workspace, input, asker->row);
    else
        dq_net_apply_image(asker->qnet->net, params, asker->workspace, input, asker->row);
    for (int i = 0; i < outputs; i++) asker->output[i * DQ_LANES] = asker->row[i];
    const float *values = head->head_class->to_q(head, asker->output, 1, asker->q);
    for (int a = 0; a < asker->qnet->actions; a++) q[a] = values[a * DQ_LANES];
}

void dq_asker_many(dq_asker *asker, float *params, const void *inputs, int count, float *q) {
    assert(count <= asker->max_batch);
    const dq_qnet *qnet = asker->qnet;
    int panels = (count + DQ_LANES - 1) / DQ_LANES;
    if (qnet->input.element == DQ_F32)
        dq_panels_pack(dq_workspace_input(asker->workspace), inputs, count, qnet->input.size);
    else
        memcpy(dq_workspace_images(asker->workspace), inputs, (size_t)count * (size_t)qnet->input.size);
    const float *output = dq_net_forward(qnet->net, params, asker->workspace, count, asker->mode);
    const float *values = qnet->head->head_class->to_q(qnet->head, output, panels, asker->q);
    dq_panels_unpack(q, values, count, qnet->actions);
}
