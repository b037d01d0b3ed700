// IQN head: quantiles of the return at fractions drawn anew for every sample and update.
//
// Dabney, Ostrovski, Silver and Munos 2018b: the network takes the fraction as an input
// (nn/layer_quantile.c), so that it learns the whole quantile function. Loss: quantile Huber between N
// predictions at drawn fractions and N target quantiles (equation 3). Target and acting take the fractions'
// midpoints where the paper draws them: the same mean with less variance (its N, N' and K are one number
// here). Priority: the sample's loss.
#include "agent/quantiles.h"
#include "nn/fraction.h"

#include <stdlib.h>
#include <string.h>

typedef struct iqn_options {
    int64_t samples, cosines;
    double kappa;
} iqn_options;

static const dq_option rows[] = {
    {"iqn_samples", "head", DQ_OPTION_INT, offsetof(iqn_options, samples), 0, "8", 1, DQ_QUANTILES_MAX, true,
     NULL, NULL, "iqn head: fractions per sample"},
    {"iqn_cosines", "head", DQ_OPTION_INT, offsetof(iqn_options, cosines), 0, "64", 1, 1024, true, NULL, NULL,
     "iqn head: cosine features that a fraction becomes"},
    {"iqn_kappa", "head", DQ_OPTION_REAL, offsetof(iqn_options, kappa), 0, "1", 0, 1e6, false, NULL, NULL,
     "iqn head: threshold of the Huber function; 0: plain quantile regression"},
};

typedef struct iqn_head {
    dq_head head;
    float kappa;
    int max_panels;
    float tau[]; // [P][N][16] of the next loss
} iqn_head;

static dq_status validate(const dq_agent_config *config, const void *options, dq_error *error) {
    (void)options;
    if (config->noisy != DQ_NOISY_OUTPUT) return DQ_OK;
    return dq_fail(
        error, DQ_USAGE, "noisy",
        "the iqn head's output layer carries no noise, so noisy=output would add none; choose noisy=all "
        "(the hidden layers) or noisy=none");
}

static dq_status create(dq_head **out, const dq_agent_config *config, const void *options, int actions,
                        int max_panels, dq_error *error) {
    (void)config;
    const iqn_options *o = options;
    size_t fractions = (size_t)max_panels * (size_t)o->samples * DQ_LANES;
    iqn_head *self = calloc(1, sizeof *self + fractions * sizeof(float));
    if (!self) return dq_fail(error, DQ_MEMORY, "iqn head", "there is no memory for the head");
    self->head.actions = actions;
    self->head.outputs = (int)o->samples;
    self->head.targets = (int)o->samples;
    self->head.cosines = (int)o->cosines;
    self->kappa = (float)o->kappa;
    self->max_panels = max_panels;
    for (size_t i = 0; i < fractions; i++) self->tau[i] = 0.5F;
    *out = &self->head;
    return DQ_OK;
}

static void destroy(dq_head *head) {
    free(head);
}

static void resampled(dq_head *head, const dq_net *net, const float *params) {
    iqn_head *self = (iqn_head *)head;
    uint32_t seed = 0;
    for (int t = dq_net_tensor_count(net) - 1; t >= 0; t--)
        if (!strcmp(dq_net_tensor(net, t)->name, "output.seed"))
            seed = (uint32_t)params[dq_net_tensor(net, t)->offset];
    uint32_t count = (uint32_t)self->max_panels * (uint32_t)head->outputs * DQ_LANES;
    for (uint32_t place = 0; place < count; place++) self->tau[place] = dq_fraction(seed, place);
}

static double loss(const dq_head *head, const float *output, const int32_t *action, const float *target,
                   const float *weight, int batch, float *d_output, float *priority) {
    const iqn_head *self = (const iqn_head *)head;
    return dq_quantiles_loss(head, self->tau, (size_t)head->outputs * DQ_LANES, self->kappa, output, action,
                             target, weight, batch, d_output, priority);
}

const dq_head_class dq_head_iqn = {
    .about = {.name = "iqn",
              .summary = "quantiles of the return at drawn fractions",
              .source =
                  "Dabney et al. 2018b, Implicit quantile networks for distributional reinforcement learning",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(iqn_options),
              .validate = validate},
    .create = create,
    .destroy = destroy,
    .to_q = dq_quantiles_to_q,
    .lower = dq_quantiles_lower,
    .target = dq_quantiles_target,
    .resampled = resampled,
    .loss = loss,
};
