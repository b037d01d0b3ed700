#include "gradient_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

float *test_zeros(size_t count) {
    float *memory = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    assert_non_null(memory);
    memset(memory, 0, count * sizeof(float));
    return memory;
}

void test_gradients_init(test_gradients *g, dq_net *net, int max_batch, int batch, uint64_t seed) {
    dq_error error;
    *g = (test_gradients){.net = net, .batch = batch};
    dq_rng_seed(&g->rng, seed);
    test_ok(dq_workspace_create(&g->workspace, net, max_batch, &error), &error);
    g->inputs = dq_net_inputs(net);
    g->outputs = dq_net_outputs(net);
    g->output_floats = (size_t)((batch + DQ_LANES - 1) / DQ_LANES * DQ_LANES * g->outputs);
    g->params = test_zeros(dq_net_size(net));
    g->gradient = test_zeros(dq_net_size(net));
    g->d_output = test_zeros(g->output_floats);
    dq_net_init(net, g->params, &g->rng);
}

void test_gradients_weigh(test_gradients *g) {
    for (int b = 0; b < g->batch; b++)
        for (int i = 0; i < g->outputs; i++)
            g->d_output[(b / DQ_LANES * g->outputs + i) * DQ_LANES + b % DQ_LANES] =
                (float)dq_rng_normal(&g->rng);
}

void test_gradients_deinit(test_gradients *g) {
    free(g->params), free(g->gradient), free(g->d_output);
    dq_workspace_destroy(g->workspace);
    dq_net_destroy(g->net);
}

double test_gradients_objective(const test_gradients *g, dq_mode mode) {
    const float *y = dq_net_forward(g->net, g->params, g->workspace, g->batch, mode);
    double sum = 0;
    for (size_t i = 0; i < g->output_floats; i++) sum += (double)y[i] * (double)g->d_output[i];
    return sum;
}

static void check_tensor(test_gradients *g, const dq_tensor *tensor, double step, double scale,
                         const char *what) {
    const size_t count = (size_t)tensor->rows * (size_t)tensor->columns;
    float *start = test_zeros(count), *moved = test_zeros(count), *gradient = test_zeros(count);
    float *direction = test_zeros(count);
    dq_tensor_get(tensor, g->params, start);
    dq_tensor_get(tensor, g->gradient, gradient);
    for (int round = 0; round < 2; round++) {
        double norm = 0, slope = 0, value[2];
        for (size_t i = 0; i < count; i++) {
            direction[i] = (float)dq_rng_normal(&g->rng);
            norm += (double)direction[i] * (double)direction[i];
        }
        norm = sqrt(norm);
        for (int side = 0; side < 2; side++) {
            for (size_t i = 0; i < count; i++)
                moved[i] = start[i] + (float)((side ? -step : step) * (double)direction[i] / norm);
            dq_tensor_set(tensor, g->params, moved);
            value[side] = test_gradients_objective(g, DQ_TRAIN);
        }
        dq_tensor_set(tensor, g->params, start);
        for (size_t i = 0; i < count; i++) slope += (double)gradient[i] * (double)direction[i] / norm;
        const double difference = (value[0] - value[1]) / (2 * step);
        if (!(fabs(difference - slope) <= 0.02 * fabs(slope) + 4e-3 * scale))
            fail_msg("%s: %s along a direction: finite difference %g, gradient %g (scale %g)", what,
                     tensor->name, difference, slope, scale);
    }
    free(start), free(moved), free(gradient), free(direction);
}

void test_gradients_check(test_gradients *g, double step, const char *what) {
    const size_t trainable = dq_net_trainable(g->net);
    double scale = 0;
    test_gradients_objective(g, DQ_TRAIN);
    for (size_t i = 0; i < trainable; i++) g->gradient[i] = NAN; // it overwrites
    dq_net_backward(g->net, g->params, g->workspace, g->batch, g->d_output, g->gradient);
    for (size_t i = 0; i < trainable; i++) {
        assert_true(isfinite(g->gradient[i])); // between the tensors too
        scale += (double)g->gradient[i] * (double)g->gradient[i];
    }
    for (int t = 0; t < dq_net_tensor_count(g->net); t++) {
        const dq_tensor *tensor = dq_net_tensor(g->net, t);
        if (tensor->trainable) check_tensor(g, tensor, step, sqrt(scale), what);
    }
    test_gradients_objective(g, DQ_TRAIN);
    dq_net_forward(g->net, g->params, g->workspace, g->batch, DQ_EVAL);
    test_gradients_again(g, g->workspace);
}

void test_gradients_again(const test_gradients *g, dq_workspace *workspace) {
    const size_t trainable = dq_net_trainable(g->net);
    float *again = test_zeros(trainable);
    dq_net_backward(g->net, g->params, workspace, g->batch, g->d_output, again);
    assert_memory_equal(again, g->gradient, trainable * sizeof(float));
    free(again);
}
