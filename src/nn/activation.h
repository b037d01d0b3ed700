// An activation as a layer of its own: where no layer before it can apply it in its store.
#ifndef DQ_NN_ACTIVATION_H
#define DQ_NN_ACTIVATION_H

#include "nn/layer.h"

void dq_activation_forward(const dq_layer *layer, const dq_pass *pass);
void dq_activation_backward(const dq_layer *layer, const dq_pass *pass);
void dq_activation_apply(const dq_layer *layer, const dq_pass *pass);
bool dq_activation_lower(const dq_layer *layer, const float *params, struct dq_program *program);

#endif
