// QR head: N quantiles of the return per action, at the fixed fractions tau_i = (i + 1/2) / N.
//
// Dabney, Rowland, Bellemare and Munos 2018a: Q = mean of the quantiles; target_j = r + discount theta_j(s',
// a*) (algorithm 1); loss: quantile Huber with threshold kappa (equation 10; kappa 0 is plain quantile
// regression, QR-DQN-0). A policy that is not one-hot averages each quantile over the actions (Vieillard et
// al. 2020, M-IQN). Priority: the sample's loss.
#include "agent/head.h"
#include "agent/quantile_loss.h"

#include <stdlib.h>

enum { QUANTILES_MAX = 256 };

typedef struct qr_options {
    int64_t quantiles;
    double kappa;
} qr_options;

static const dq_option rows[] = {
    {"qr_quantiles", "head", DQ_OPTION_INT, offsetof(qr_options, quantiles), 0, "50", 1, QUANTILES_MAX, true,
     NULL, NULL, "qr head: quantiles per action"},
    {"qr_kappa", "head", DQ_OPTION_REAL, offsetof(qr_options, kappa), 0, "1", 0, 1e6, false, NULL, NULL,
     "qr head: threshold of the Huber function; 0: plain quantile regression"},
};

typedef struct qr_head {
    dq_head head;
    float kappa;
    float tau[QUANTILES_MAX * DQ_LANES]; // [N][16], the same in every lane
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

static const float *to_q(const dq_head *head, const float *output, int panels, float *q) {
    const int n = head->outputs;
    const float share = 1.0F / (float)n;
    for (int k = 0; k < panels * head->actions; k++) {
        const float *theta = output + (size_t)k * (size_t)n * DQ_LANES;
        float sum[DQ_LANES] = {0};
        for (int i = 0; i < n; i++)
            for (int l = 0; l < DQ_LANES; l++) sum[l] += theta[i * DQ_LANES + l];
        for (int l = 0; l < DQ_LANES; l++) q[k * DQ_LANES + l] = sum[l] * share;
    }
    return q;
}

static void target(const dq_head *head, const float *next_output, const float *policy, const float *reward,
                   const float *discount, int panels, float *targets) {
    const int n = head->outputs, actions = head->actions;
    for (int p = 0; p < panels; p++) {
        size_t at = (size_t)p * DQ_LANES;
        const float *next = next_output + at * (size_t)(actions * n), *pi = policy + at * (size_t)actions;
        float *t = targets + at * (size_t)n;
        for (int i = 0; i < n; i++) {
            float value[DQ_LANES] = {0};
            for (int a = 0; a < actions; a++)
                for (int l = 0; l < DQ_LANES; l++)
                    value[l] += pi[a * DQ_LANES + l] * next[(a * n + i) * DQ_LANES + l];
            for (int l = 0; l < DQ_LANES; l++)
                t[i * DQ_LANES + l] = reward[at + l] + discount[at + l] * value[l];
        }
    }
}

static double loss(const dq_head *head, const float *output, const int32_t *action, const float *targets,
                   const float *weight, int batch, float *d_output, float *priority) {
    const qr_head *self = (const qr_head *)head;
    const int n = head->outputs, actions = head->actions, panels = (batch + DQ_LANES - 1) / DQ_LANES;
    const float scale = 1.0F / (float)batch;
    float theta[QUANTILES_MAX * DQ_LANES], slope[QUANTILES_MAX * DQ_LANES], lane_loss[DQ_LANES] = {0};
    for (int p = 0; p < panels; p++) {
        size_t at = (size_t)p * DQ_LANES, width = (size_t)(actions * n);
        const float *out = output + at * width;
        const int32_t *chosen = action + at;
        float *d = d_output + at * width, *sample_loss = priority + at;
        for (int i = 0; i < n; i++)
            for (int l = 0; l < DQ_LANES; l++)
                theta[i * DQ_LANES + l] = out[(chosen[l] * n + i) * DQ_LANES + l];
        dq_quantile_loss(theta, self->tau, n, targets + at * (size_t)n, n, self->kappa, sample_loss, slope);
        for (int l = 0; l < DQ_LANES; l++) lane_loss[l] += weight[at + l] * sample_loss[l];
        for (size_t i = 0; i < width * DQ_LANES; i++) d[i] = 0;
        for (int i = 0; i < n; i++)
            for (int l = 0; l < DQ_LANES; l++)
                d[(chosen[l] * n + i) * DQ_LANES + l] = weight[at + l] * scale * slope[i * DQ_LANES + l];
    }
    double total = 0;
    for (int l = 0; l < DQ_LANES; l++) total += (double)lane_loss[l];
    return total / batch;
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
    .to_q = to_q,
    .target = target,
    .loss = loss,
};
