// The loops of distributional heads over one panel, 16 samples side by side: exponentials for softmax, and
// the pairs of the quantile Huber loss. Plain C that the compiler vectorises, the same bits at every width.
//
// Included once per level with TARGET set, like elementwise_template.h.
#include "kernel/exp_log.h"

// logits [n][16] -> powers [n][16] = exp(logit - max), and sum [16] and max [16] of each lane.
TARGET static void exponentials(const float *restrict logits, int n, float *restrict powers,
                                float *restrict sum, float *restrict max) {
    float top[16], total[16] = {0};
    for (int l = 0; l < 16; l++) top[l] = logits[l];
    for (int i = 1; i < n; i++)
        for (int l = 0; l < 16; l++) top[l] = logits[i * 16 + l] > top[l] ? logits[i * 16 + l] : top[l];
    for (int i = 0; i < n; i++)
        for (int l = 0; l < 16; l++) {
            float power = dq_expf(logits[i * 16 + l] - top[l]);
            powers[i * 16 + l] = power;
            total[l] += power;
        }
    for (int l = 0; l < 16; l++) sum[l] = total[l], max[l] = top[l];
}

// With near = u cut to +-kappa: L(u) = near (u - near / 2), dL/du = near; kappa 0: |u|, sign(u).
static inline __attribute__((always_inline)) TARGET void
quantile_loop(const float *restrict theta, const float *restrict tau, int n, const float *restrict target,
              int m, float kappa, const bool huber, float *restrict loss, float *restrict slope) {
    const float scale = (huber ? 1.0f / kappa : 1.0f) / (float)m;
    float total[16] = {0};
    for (int i = 0; i < n; i++) {
        float at[16], above[16], below[16], sum[16] = {0}, pull[16] = {0};
        for (int l = 0; l < 16; l++) {
            at[l] = theta[i * 16 + l];
            above[l] = tau[i * 16 + l];
            below[l] = 1.0f - above[l];
        }
        for (int j = 0; j < m; j++)
            for (int l = 0; l < 16; l++) {
                float u = target[j * 16 + l] - at[l];
                float weight = u < 0.0f ? below[l] : above[l];
                float low = u > -kappa ? u : -kappa;
                float near = huber ? (low < kappa ? low : kappa) : (u < 0.0f ? -1.0f : 1.0f);
                float pulled = weight * near;
                pull[l] += pulled;
                sum[l] += pulled * (huber ? u - 0.5f * near : u);
            }
        for (int l = 0; l < 16; l++) {
            total[l] += sum[l] * scale;
            slope[i * 16 + l] = -pull[l] * scale;
        }
    }
    for (int l = 0; l < 16; l++) loss[l] = total[l];
}

TARGET static void quantile_pairs(const float *theta, const float *tau, int n, const float *target, int m,
                                  float kappa, float *loss, float *slope) {
    if (kappa > 0.0f)
        quantile_loop(theta, tau, n, target, m, kappa, true, loss, slope);
    else
        quantile_loop(theta, tau, n, target, m, kappa, false, loss, slope);
}

static void fill_distribution(dq_kernels *table) {
    table->exponentials = exponentials;
    table->quantile_pairs = quantile_pairs;
}
