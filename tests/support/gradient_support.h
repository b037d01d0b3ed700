// A network with a batch and a weight for each output, for tests of backward: the objective is the sum of
// outputs times weights, so that backward, given the weights, gives the objective's gradient.
#ifndef GRADIENT_SUPPORT_H
#define GRADIENT_SUPPORT_H

#include "support.h"

#include <deepq/net.h>

typedef struct test_gradients {
    dq_net *net;
    dq_workspace *workspace;
    float *params, *gradient;
    float *d_output; // the weights, panels; 0 for padding
    int batch, inputs, outputs;
    size_t output_floats;
    dq_rng rng;
} test_gradients;

// Zeros, to be freed.
float *test_zeros(size_t count);

// Takes over the network. The test fills the workspace's input; then test_gradients_weigh draws the weights.
void test_gradients_init(test_gradients *g, dq_net *net, int max_batch, int batch, uint64_t seed);
void test_gradients_weigh(test_gradients *g);
void test_gradients_deinit(test_gradients *g);

double test_gradients_objective(const test_gradients *g, dq_mode mode);

// Every trained tensor's gradient against finite differences along two random directions of it, which a
// float32 forward resolves better than single elements, each of length `step`; and an evaluation between
// forward and backward changes nothing. `gradient` holds the gradient afterwards.
void test_gradients_check(test_gradients *g, double step, const char *what);

// The same gradient again, bit for bit, from this workspace.
void test_gradients_again(const test_gradients *g, dq_workspace *workspace);

#endif
