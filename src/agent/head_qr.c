// QR head: N quantiles of the return per action, at the fixed fractions tau_i = (i + 1/2) / N.
//
// Dabney, Rowland, Bellemare and Munos 2018a: Q = mean of the quantiles; target_j = r + discount theta_j(s',
// a*) (algorithm 1); loss: quantile Huber with threshold kappa (equation 10; kappa 0 is plain quantile
// regression, QR-DQN-0). A policy that is not one-hot averages each quantile over the actions (Vieillard et
// al. 2020, M-IQN). Priority: the sample's loss.
#include "agent/quantiles.h"

#include <stdlib.h>

typedef struct qr_options {
    int64_t quantiles;
    double kappa;
} qr_options;

static const dq_option rows[] = {
    {"qr_quantiles", "head", DQ_OPTION_INT, offsetof(qr_options, quantiles), 0, "50", 1, DQ_QUANTILES_MAX,
     true, NULL, NULL, "qr head: quantiles per action"},
    {"qr_kappa", "head", DQ_OPTION_REAL, offsetof(qr_options, kappa), 0, "1", 0, 1e6, false, NULL, NULL,
     "qr head: threshold of the Huber function; 0: plain quantile regression"},
};

typedef struct qr_head {
    dq_head head;
    float kappa;
    float tau[DQ_QUANTILES_MAX * DQ_LANES]; // [N][16], the same in every lane
} qr_head;

static dq_status create(dq_head **out, const dq_agent_config *config, const void *options, int actions,
                        int max_panels, dq_error *error) {
    (void)config, (void)max_panels;
    const qr_options *o = options;
    qr_head *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, "qr head", "there is no memory for the head");
    self->head.actions = actions;
    self->head.outputs = (int)o->quantiles;
    self->head.targets = (int)o->quantiles;
    self->kappa = (float)o->kappa;
    for (int i = 0; i < self->head.outputs; i++)
        for (int l = 0; l < DQ_LANES; l++)
            self->tau[i * DQ_LANES + l] = (float)((i + 0.5) / (double)self->head.outputs);
    *out = &self->head;
    return DQ_OK;
}

static void destroy(dq_head *head) {
    free(head);
}

static double loss(const dq_head *head, const float *output, const int32_t *action, const float *target,
                   const float *weight, int batch, float *d_output, float *priority) {
    const qr_head *self = (const qr_head *)head;
    return dq_quantiles_loss(head, self->tau, 0, self->kappa, output, action, target, weight, batch, d_output,
                             priority);
}

const dq_head_class dq_head_qr = {
    .about =
        {.name = "qr",
         .summary = "quantiles of the return at fixed fractions",
         .source =
             "Dabney et al. 2018a, Distributional reinforcement learning with quantile regression, eq. 10",
         .options = {rows, sizeof rows / sizeof *rows},
         .options_size = sizeof(qr_options)},
    .create = create,
    .destroy = destroy,
    .to_q = dq_quantiles_to_q,
    .lower = dq_quantiles_lower,
    .target = dq_quantiles_target,
    .loss = loss,
};
