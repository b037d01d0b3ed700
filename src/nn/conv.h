// The convolution's functions, for layers made of convolutions, and the rules of sliding windows.
#ifndef DQ_NN_CONV_H
#define DQ_NN_CONV_H

#include "nn/layer.h"
#include "nn/program.h"

// Checks kernel, stride and padding of a window over images, puts 1 for a stride of 0, and sets out_shape
// (but for its channels).
dq_status dq_plan_window(dq_layer *layer, dq_error *error);

// Sets the tables and scratch of a convolution whose shapes are set; its weights' rows will be weight_stride
// apart. The owner frees layer->plan.
dq_status dq_conv_prepare(dq_layer *layer, size_t weight_stride, dq_error *error);

void dq_conv_init(const dq_layer *layer, float *params, dq_rng *rng);
void dq_conv_forward(const dq_layer *layer, const dq_pass *pass);
void dq_conv_backward(const dq_layer *layer, const dq_pass *pass);

// The images and the window of a layer that slides one over them, for its operation.
void dq_op_window(dq_op *op, const dq_layer *layer);

// The convolution with its bias as an operation; bytes become floats first. False: no memory.
bool dq_conv_lower(const dq_layer *layer, const float *params, struct dq_program *program);

#endif
