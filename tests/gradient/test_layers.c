// Backward against finite differences: every layer kind, then random stacks of them; and what holds for any
// network: padding has no influence, a sample's position in the batch neither.
#include "gradient_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 45 };

static void fill(test_gradients *g) {
    for (int t = 0; t < dq_net_tensor_count(g->net); t++) { // weights of 1 and biases of 0 hide mistakes
        const dq_tensor *tensor = dq_net_tensor(g->net, t);
        for (int c = 0; tensor->trainable && tensor->rank == 1 && c < tensor->columns; c++)
            g->params[tensor->offset + (size_t)c] += (float)(0.3 * dq_rng_normal(&g->rng));
    }
    float *input = dq_workspace_input(g->workspace);
    for (int b = 0; b < g->batch; b++)
        for (int i = 0; i < g->inputs; i++)
            input[(b / DQ_LANES * g->inputs + i) * DQ_LANES + b % DQ_LANES] = (float)dq_rng_normal(&g->rng);
    test_gradients_weigh(g);
}

static void check(int inputs, const dq_layer_spec *layers, int count, int batch, uint64_t seed) {
    test_gradients g;
    dq_error error;
    dq_net *net;
    char what[256];
    int length = snprintf(what, sizeof what, "%d inputs", inputs);
    for (int i = 0; i < count && length < 200; i++)
        length +=
            snprintf(what + length, sizeof what - (size_t)length, ", %s %d", layers[i].kind, layers[i].out);
    snprintf(what + length, sizeof what - (size_t)length, "; batch %d", batch);
    test_ok(dq_net_create(&net, inputs, layers, count, &error), &error);
    test_gradients_init(&g, net, BATCH_MAX, batch, seed);
    fill(&g);
    test_gradients_check(&g, 5e-4, what);

    // Padding holds anything finite without influence.
    float *input = dq_workspace_input(g.workspace);
    for (int b = batch; b % DQ_LANES; b++)
        for (int i = 0; i < inputs; i++)
            input[(b / DQ_LANES * inputs + i) * DQ_LANES + b % DQ_LANES] =
                (float)(100 * dq_rng_normal(&g.rng));
    test_gradients_objective(&g, DQ_TRAIN);
    test_gradients_again(&g, g.workspace);

    // One sample alone, by forward and by apply, gives what it gives in the batch.
    float *rows = test_zeros((size_t)(batch * g.outputs)), *one = test_zeros((size_t)g.outputs),
          *x = test_zeros((size_t)(batch * inputs));
    dq_panels_unpack(x, input, batch, inputs);
    dq_panels_unpack(rows, dq_net_forward(net, g.params, g.workspace, batch, DQ_EVAL), batch, g.outputs);
    for (int b = 0; b < batch; b += 7) {
        dq_net_apply(net, g.params, g.workspace, x + b * inputs, one);
        if (test_largest_difference(one, rows + b * g.outputs, (size_t)g.outputs, 1.0) > 2e-4)
            fail_msg("%s: apply differs from forward", what);
        dq_panels_pack(input, x + b * inputs, 1, inputs);
        dq_panels_unpack(one, dq_net_forward(net, g.params, g.workspace, 1, DQ_EVAL), 1, g.outputs);
        assert_memory_equal(one, rows + b * g.outputs, (size_t)g.outputs * sizeof(float));
    }
    free(rows), free(one), free(x);
    test_gradients_deinit(&g);
}

static void each_kind(void **state) {
    (void)state;
    const int widths[] = {1, 2, 4, 5, 8, 9, 16, 17, 32, 33, 256};
    const int n = sizeof widths / sizeof *widths;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k += 1 + (i & 1)) {
            const dq_layer_spec linear[] = {{.kind = "linear", .out = widths[i]},
                                            {.kind = "linear", .out = widths[k]}};
            check(3 + i, linear, 2, 1 + (7 * i + 3 * k) % BATCH_MAX, (uint64_t)(i * n + k));
        }
    for (int i = 2; i < n; i++) {
        const dq_layer_spec relu[] = {{.kind = "relu"},
                                      {.kind = "linear", .out = widths[i]},
                                      {.kind = "relu"},
                                      {.kind = "linear", .out = 3},
                                      {.kind = "leaky_relu", .slope = 0.2}};
        const dq_layer_spec leaky[] = {{.kind = "linear", .out = widths[i]},
                                       {.kind = "leaky_relu"},
                                       {.kind = "leaky_relu", .slope = 0.5},
                                       {.kind = "linear", .out = 2}};
        const dq_layer_spec batch_norm[] = {{.kind = "batch_norm"},
                                            {.kind = "linear", .out = widths[i]},
                                            {.kind = "batch_norm"},
                                            {.kind = "leaky_relu", .slope = 0.3},
                                            {.kind = "linear", .out = 2}};
        const dq_layer_spec layer_norm[] = {{.kind = "layer_norm"},
                                            {.kind = "linear", .out = widths[i]},
                                            {.kind = "layer_norm"},
                                            {.kind = "relu"},
                                            {.kind = "linear", .out = 5}};
        check(4, relu, 5, 30, 100 + (uint64_t)i);
        check(5, leaky, 4, 17, 200 + (uint64_t)i);
        check(6, batch_norm, 5, 20 + 3 * (i % 4), 300 + (uint64_t)i);
        check(7, layer_norm, 5, 9 + i, 400 + (uint64_t)i);
    }
}

static void random_stacks(void **state) {
    (void)state;
    dq_rng rng;
    dq_rng_seed(&rng, 77);
    static const char *const kinds[] = {"linear", "relu", "leaky_relu", "batch_norm", "layer_norm"};
    for (int round = 0; round < 60; round++) {
        dq_layer_spec layers[8];
        int count = (int)dq_rng_integers(&rng, 1, 8);
        for (int i = 0; i < count; i++) {
            int kind = i + 1 == count ? 0 : (int)dq_rng_integers(&rng, 0, 5);
            layers[i] = (dq_layer_spec){.kind = kinds[kind], .slope = kind == 2 ? 0.25 : 0};
            layers[i].out = kind ? 0 : (int)dq_rng_integers(&rng, 6, 40);
        }
        check((int)dq_rng_integers(&rng, 6, 20), layers, count, (int)dq_rng_integers(&rng, 12, BATCH_MAX + 1),
              500 + (uint64_t)round);
    }
}

static void mistakes_have_sentences(void **state) {
    (void)state;
    dq_net *net;
    dq_error error;
    const dq_layer_spec unknown = {.kind = "liner", .out = 2}, narrow = {.kind = "linear", .out = 0};
    const dq_layer_spec steep = {.kind = "leaky_relu", .slope = -1};
    assert_int_equal(dq_net_create(&net, 4, &unknown, 1, &error), DQ_USAGE);
    assert_non_null(strstr(error.message, "linear"));
    assert_null(net);
    assert_int_equal(dq_net_create(&net, 4, &narrow, 1, &error), DQ_USAGE);
    assert_int_equal(dq_net_create(&net, 4, &steep, 1, &error), DQ_USAGE);
    assert_int_equal(dq_net_create(&net, 0, &narrow, 1, &error), DQ_USAGE);
    assert_int_equal(dq_net_create(&net, 4, NULL, 0, &error), DQ_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind),
        cmocka_unit_test(random_stacks),
        cmocka_unit_test(mistakes_have_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
