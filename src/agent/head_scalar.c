// Scalar head: one output per action, its expected return (N = 1).
//
// target = r + discount * sum_a policy(a) Q(s', a), Mnih et al. 2015, equation 2 (the sum is the chosen
// action's value where the policy is one-hot). Loss: the batch's weighted mean of u^2 (PyTorch's mse_loss) or
// of the Huber function with threshold 1 (smooth_l1_loss; the paper's "error clipping").
#include "agent/head.h"

#include <math.h>
#include <stdlib.h>

typedef struct scalar_head {
    dq_head head;
    bool huber;
} scalar_head;

static dq_status create(dq_head **out, const dq_agent_config *config, const void *options, int actions,
                        int max_panels, dq_error *error) {
    (void)options, (void)max_panels;
    scalar_head *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, "scalar head", "there is no memory for the head");
    self->head.actions = actions;
    self->head.outputs = 1;
    self->head.targets = 1;
    self->huber = config->loss == DQ_LOSS_HUBER;
    *out = &self->head;
    return DQ_OK;
}

static void destroy(dq_head *head) {
    free(head);
}

static const float *to_q(const dq_head *head, const float *output, int panels, float *q) {
    (void)head, (void)panels, (void)q;
    return output;
}

static void target(const dq_head *head, const float *next_output, const float *policy, const float *reward,
                   const float *discount, int panels, float *targets) {
    for (int p = 0; p < panels; p++) {
        size_t at = (size_t)p * DQ_LANES;
        const float *q = next_output + at * (size_t)head->actions, *pi = policy + at * (size_t)head->actions;
        float value[DQ_LANES] = {0};
        for (int a = 0; a < head->actions; a++)
            for (int l = 0; l < DQ_LANES; l++) value[l] += pi[a * DQ_LANES + l] * q[a * DQ_LANES + l];
        for (int l = 0; l < DQ_LANES; l++) targets[at + l] = reward[at + l] + discount[at + l] * value[l];
    }
}

static double loss(const dq_head *head, const float *output, const int32_t *action, const float *targets,
                   const float *weight, int batch, float *d_output, float *priority) {
    bool huber = ((const scalar_head *)head)->huber;
    int panels = (batch + DQ_LANES - 1) / DQ_LANES;
    float scale = 1.0F / (float)batch;
    float lane_loss[DQ_LANES] = {0};
    for (int p = 0; p < panels; p++) {
        size_t at = (size_t)p * DQ_LANES;
        const float *q = output + at * (size_t)head->actions;
        float *dq = d_output + at * (size_t)head->actions;
        float slope[DQ_LANES]; // weight * d loss / d q, over the batch size
        for (int l = 0; l < DQ_LANES; l++) {
            float u = q[action[at + l] * DQ_LANES + l] - targets[at + l], size = fabsf(u);
            float value = u * u, derivative = 2.0F * u;
            if (huber) {
                value = size < 1.0F ? 0.5F * u * u : size - 0.5F;
                derivative = size < 1.0F ? u : copysignf(1.0F, u);
            }
            lane_loss[l] += weight[at + l] * value;
            slope[l] = weight[at + l] * derivative * scale;
            priority[at + l] = size;
        }
        for (int a = 0; a < head->actions; a++)
            for (int l = 0; l < DQ_LANES; l++) dq[a * DQ_LANES + l] = action[at + l] == a ? slope[l] : 0.0F;
    }
    double sum = 0;
    for (int l = 0; l < DQ_LANES; l++) sum += (double)lane_loss[l];
    return sum / batch;
}

const dq_head_class dq_head_scalar = {
    .about = {.name = "scalar",
              .summary = "one expected value per action",
              .source = "Mnih et al. 2015, Human-level control through deep reinforcement learning"},
    .create = create,
    .destroy = destroy,
    .to_q = to_q,
    .target = target,
    .loss = loss,
};
