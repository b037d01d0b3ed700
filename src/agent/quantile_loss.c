// The quantile Huber loss: n * m pairs per sample, 16 samples side by side.
//
// With size = |u| and near = min(size, kappa): L / kappa = near (size - near / 2) / kappa, whose derivative
// by u is sign(u) near / kappa. Source: Dabney et al. 2018a, equations 9 and 10.
#include "agent/quantile_loss.h"

#include <math.h>

static inline void pairs(const float *theta, const float *tau, int n, const float *target, int m, float kappa,
                         bool huber, float *loss, float *slope) {
    const float inverse = huber ? 1.0F / kappa : 1.0F, share = 1.0F / (float)m;
    for (int l = 0; l < DQ_LANES; l++) loss[l] = 0;
    for (int i = 0; i < n; i++) {
        float sum[DQ_LANES] = {0}, pull[DQ_LANES] = {0}, below[DQ_LANES];
        const float *at = theta + i * DQ_LANES, *above = tau + i * DQ_LANES;
        for (int l = 0; l < DQ_LANES; l++) below[l] = 1.0F - above[l];
        for (int j = 0; j < m; j++)
            for (int l = 0; l < DQ_LANES; l++) {
                float u = target[j * DQ_LANES + l] - at[l], size = fabsf(u);
                float weight = u < 0 ? below[l] : above[l];
                float near = huber ? (size < kappa ? size : kappa) : 1.0F;
                sum[l] += weight * (huber ? near * (size - 0.5F * near) : size);
                pull[l] += weight * copysignf(near, u);
            }
        for (int l = 0; l < DQ_LANES; l++) {
            loss[l] += sum[l] * (inverse * share);
            slope[i * DQ_LANES + l] = -pull[l] * (inverse * share);
        }
    }
}

void dq_quantile_loss(const float *theta, const float *tau, int n, const float *target, int m, float kappa,
                      float *loss, float *slope) {
    if (kappa > 0)
        pairs(theta, tau, n, target, m, kappa, true, loss, slope);
    else
        pairs(theta, tau, n, target, m, kappa, false, loss, slope);
}
