// The quantile Huber loss of the QR and IQN heads (Dabney et al. 2018a, equations 9 and 10).
#ifndef AGENT_QUANTILE_LOSS_H
#define AGENT_QUANTILE_LOSS_H

#include <deepq/net.h>

// One panel: theta [n][16] predicted at fractions tau [n][16], target [m][16], u_ij = target_j - theta_i:
//   loss [16] = sum_i mean_j |tau_i - (u_ij < 0)| L(u_ij) / kappa, L the Huber function with threshold kappa
//   slope [n][16] = d loss / d theta_i
// kappa = 0 is the limit, plain quantile regression: |tau_i - (u < 0)| |u|.
void dq_quantile_loss(const float *theta, const float *tau, int n, const float *target, int m, float kappa,
                      float *loss, float *slope);

#endif
