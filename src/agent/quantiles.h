// What the QR and IQN heads share: outputs that are quantiles of the return, N per action.
#ifndef AGENT_QUANTILES_H
#define AGENT_QUANTILES_H

#include "agent/head.h"

enum { DQ_QUANTILES_MAX = 256 };

// dq_head_class.to_q and .target: the mean of the quantiles; r + discount * quantile, each averaged over the
// policy.
const float *dq_quantiles_to_q(const dq_head *head, const float *output, int panels, float *q);
bool dq_quantiles_lower(const dq_head *head, struct dq_program *program);
void dq_quantiles_target(const dq_head *head, const float *next_output, const float *policy,
                         const float *reward, const float *discount, int panels, float *target);

// dq_head_class.loss: the quantile Huber loss with threshold kappa. The fractions of panel p, [N][16], are at
// tau + p * tau_panel. Priority: the sample's loss.
double dq_quantiles_loss(const dq_head *head, const float *tau, size_t tau_panel, float kappa,
                         const float *output, const int32_t *action, const float *target, const float *weight,
                         int batch, float *d_output, float *priority);

#endif
