// Losses of one residual: the value, and its derivative in *slope.
//
// The heads average over a batch and weigh samples; what is here is per element.
#ifndef DQ_NN_LOSS_H
#define DQ_NN_LOSS_H

// Squared error r^2 (torch.nn.MSELoss).
static inline float dq_loss_mse(float residual, float *slope) {
    *slope = 2.0f * residual;
    return residual * residual;
}

// Huber's loss with threshold 1 (torch.nn.SmoothL1Loss, beta = 1): r^2/2 within, |r| - 1/2 beyond. Its slope
// is the residual clipped to [-1, 1]: the error clipping of Mnih et al. 2015.
static inline float dq_loss_huber(float residual, float *slope) {
    float size = residual < 0.0f ? -residual : residual;
    *slope = size < 1.0f ? residual : residual < 0.0f ? -1.0f : 1.0f;
    return size < 1.0f ? 0.5f * residual * residual : size - 0.5f;
}

#endif
