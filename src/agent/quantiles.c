// Quantiles of the return: their mean, their targets, and the quantile Huber loss between N predicted and N
// target quantiles, N * N pairs per sample, 16 samples side by side.
//
// With u_ij = target_j - theta_i, the loss of a sample is sum_i mean_j |tau_i - (u_ij < 0)| L(u_ij) / kappa,
// L the Huber function with threshold kappa; kappa = 0 is the limit, plain quantile regression. Source:
// Dabney et al. 2018a, equations 9 and 10.
#include "agent/quantiles.h"
#include "kernel/kernel.h"
#include "nn/program.h"

const float *dq_quantiles_to_q(const dq_head *head, const float *output, int panels, float *q) {
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

bool dq_quantiles_lower(const dq_head *head, dq_program *program) {
    dq_op *op = dq_program_add(program, DQ_OP_EXPECTATION, "quantiles", head->actions);
    if (op) op->values = head->outputs;
    return op != NULL;
}

void dq_quantiles_target(const dq_head *head, const float *next_output, const float *policy,
                         const float *reward, const float *discount, int panels, float *targets) {
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

double dq_quantiles_loss(const dq_head *head, const float *tau, size_t tau_panel, float kappa,
                         const float *output, const int32_t *action, const float *targets,
                         const float *weight, int batch, float *d_output, float *priority) {
    const int n = head->outputs, actions = head->actions, panels = (batch + DQ_LANES - 1) / DQ_LANES;
    const dq_kernels *kernels = dq_kernels_get();
    const float scale = 1.0F / (float)batch;
    float theta[DQ_QUANTILES_MAX * DQ_LANES], slope[DQ_QUANTILES_MAX * DQ_LANES], lane_loss[DQ_LANES] = {0};
    for (int p = 0; p < panels; p++) {
        size_t at = (size_t)p * DQ_LANES, width = (size_t)(actions * n);
        const float *out = output + at * width;
        const int32_t *chosen = action + at;
        float *d = d_output + at * width, *sample_loss = priority + at;
        for (int i = 0; i < n; i++)
            for (int l = 0; l < DQ_LANES; l++)
                theta[i * DQ_LANES + l] = out[(chosen[l] * n + i) * DQ_LANES + l];
        kernels->quantile_pairs(theta, tau + (size_t)p * tau_panel, n, targets + at * (size_t)n, n, kappa,
                                sample_loss, slope);
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
