// Networks on images: backward against finite differences, for every kind of image layer and the published
// trunks; and what holds for any of them: the same bits with one and two threads, alone and in a batch.
#include "base/threads.h"
#include "gradient_support.h"
#include "nn/trunk.h"

#include <stdlib.h>
#include <string.h>

// `what` tells the case in a failure's words.
static void check(const char *what, const int shape[3], const dq_layer_spec *layers, int count, int batch,
                  uint64_t seed) {
    test_gradients g;
    dq_error error;
    dq_net *net;
    test_ok(dq_net_create_on_images(&net, shape[0], shape[1], shape[2], layers, count, &error), &error);
    test_gradients_init(&g, net, batch, batch, seed);
    assert_null(dq_workspace_input(g.workspace));
    const size_t bytes = (size_t)(batch * g.inputs);
    unsigned char *images = dq_workspace_images(g.workspace);
    for (size_t i = 0; i < bytes; i++) images[i] = (unsigned char)dq_rng_integers(&g.rng, 0, 256);
    test_gradients_weigh(&g);
    test_gradients_check(&g, 2e-4, what); // small against the kinks of ReLU and maximum

    for (int threads = 2; threads <= 3; threads++) {
        dq_pool *pool;
        dq_workspace *shared;
        test_ok(dq_pool_create(&pool, threads, &error), &error);
        test_ok(dq_workspace_create_on(&shared, net, batch, pool, &error), &error);
        memcpy(dq_workspace_images(shared), images, bytes);
        const float *y = dq_net_forward(net, g.params, shared, batch, DQ_TRAIN);
        assert_memory_equal(y, dq_net_forward(net, g.params, g.workspace, batch, DQ_TRAIN),
                            g.output_floats * sizeof(float));
        test_gradients_again(&g, shared);
        dq_workspace_destroy(shared);
        dq_pool_destroy(pool);
    }

    // One sample alone, by forward and by apply, gives what it gives in the batch.
    float *rows = test_zeros(g.output_floats), *one = test_zeros((size_t)g.outputs);
    unsigned char *kept = malloc(bytes);
    assert_non_null(kept);
    memcpy(kept, images, bytes);
    dq_panels_unpack(rows, dq_net_forward(net, g.params, g.workspace, batch, DQ_EVAL), batch, g.outputs);
    for (int b = 0; b < batch; b += 3) {
        dq_net_apply_image(net, g.params, g.workspace, kept + b * g.inputs, one);
        assert_true(test_largest_difference(one, rows + b * g.outputs, (size_t)g.outputs, 1.0) < 1e-4);
        memcpy(images, kept + b * g.inputs, (size_t)g.inputs);
        dq_panels_unpack(one, dq_net_forward(net, g.params, g.workspace, 1, DQ_EVAL), 1, g.outputs);
        assert_memory_equal(one, rows + b * g.outputs, (size_t)g.outputs * sizeof(float));
    }
    free(kept), free(rows), free(one);
    test_gradients_deinit(&g);
}

static void convolutions(void **state) {
    (void)state;
    const int channels[] = {1, 3, 16, 20, 32};
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++) {
            const int kernel = 1 + (i + k) % 4, shape[3] = {6 + i, 7 + k, 1 + (i * 3 + k) % 5};
            const dq_layer_spec layers[] = {
                {.kind = "conv", .out = channels[i], .kernel = kernel, .padding = (i + k) % 2 * (kernel > 1)},
                {.kind = k % 2 ? "relu" : "leaky_relu", .slope = 0.3},
                {.kind = "conv", .out = channels[k], .kernel = 3, .stride = 1 + i % 3, .padding = k % 3},
                {.kind = i % 2 ? "relu" : "flatten"},
                {.kind = i % 2 ? "flatten" : "relu"},
                {.kind = "linear", .out = 3}};
            check("convolutions", shape, layers, 6, 1 + (5 * i + 7 * k) % 20, (uint64_t)(i * 5 + k));
        }
}

static void pools_and_residuals(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        const int shape[3] = {8 + i, 9, 2};
        const dq_layer_spec layers[] = {
            {.kind = "conv", .out = 5 + 9 * i, .kernel = 3, .padding = 1},
            {.kind = "leaky_relu"},
            {.kind = "max_pool", .kernel = 2 + i % 2, .stride = 2, .padding = i % 2},
            {.kind = "residual"},
            {.kind = "residual"},
            {.kind = "relu"},
            {.kind = "flatten"},
            {.kind = "linear", .out = 4}};
        check("pools and residuals", shape, layers, 8, 3 + 6 * i, 100 + (uint64_t)i);
    }
}

static void norms(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        const int shape[3] = {9 + i, 8, 1 + i};
        const dq_layer_spec layers[] = {
            {.kind = "conv", .out = 3 + 7 * i, .kernel = 3, .padding = 1, .stride = 2},
            {.kind = "group_norm"},
            {.kind = i % 2 ? "relu" : "leaky_relu"},
            {.kind = "conv", .out = 8, .kernel = 3},
            {.kind = "group_norm", .epsilon = 1e-3},
            {.kind = "flatten"},
            {.kind = "linear", .out = 4}};
        check("norms", shape, layers, 7, 1 + 8 * i, 300 + (uint64_t)i);
    }
}

// The published trunks with what may follow them.
static void trunks(void **state) {
    (void)state;
    for (int i = 0; dq_trunks[i]; i++) {
        const dq_trunk *trunk = dq_trunks[i];
        const int shape[3] = {36 + 2 * i, 40, 4};
        dq_layer_spec layers[DQ_TRUNK_LAYERS + 4];
        int count = trunk->count;
        memcpy(layers, trunk->layers, sizeof trunk->layers);
        if (i == 2) layers[count++] = (dq_layer_spec){.kind = "layer_norm"};
        layers[count++] = (dq_layer_spec){.kind = i == 1 ? "noisy" : "linear", .out = 20};
        layers[count++] = (dq_layer_spec){.kind = "relu"};
        layers[count++] = (dq_layer_spec){.kind = "linear", .out = 4 * 5};
        layers[count++] = (dq_layer_spec){.kind = "dueling", .out = 3 * 5};
        check(trunk->name, shape, layers, count, 5, 200 + (uint64_t)i);
    }
}

static void refuse(const dq_layer_spec *layers, int count, const char *words) {
    dq_net *net;
    dq_error error;
    assert_int_equal(dq_net_create_on_images(&net, 8, 8, 2, layers, count, &error), DQ_USAGE);
    if (!strstr(error.message, words)) fail_msg("\"%s\" does not say \"%s\"", error.message, words);
}

static void mistakes_have_sentences(void **state) {
    (void)state;
    const dq_layer_spec conv = {.kind = "conv", .out = 4, .kernel = 3}, flatten = {.kind = "flatten"};
    const dq_layer_spec linear = {.kind = "linear", .out = 2};
    refuse(&linear, 1, "cannot read the bytes");
    refuse((const dq_layer_spec[]){conv, linear}, 2, "put a flatten layer before it");
    refuse(&conv, 1, "needs a flatten layer");
    refuse((const dq_layer_spec[]){conv, flatten, conv}, 3, "reads images");
    refuse((const dq_layer_spec[]){{.kind = "conv", .out = 0, .kernel = 3}}, 1, "output channel");
    refuse((const dq_layer_spec[]){{.kind = "conv", .out = 4, .kernel = 9}}, 1, "does not fit");
    refuse((const dq_layer_spec[]){{.kind = "conv", .out = 4, .kernel = 3, .padding = 3}}, 1, "padding");
    refuse((const dq_layer_spec[]){{.kind = "conv", .out = 4, .kernel = 3, .stride = -1}}, 1, "stride");
    dq_net *net;
    dq_error error;
    assert_int_equal(dq_net_create(&net, 8, &conv, 1, &error), DQ_USAGE);
    assert_int_equal(dq_net_create_on_images(&net, 8, 0, 2, &conv, 1, &error), DQ_USAGE);
    assert_int_equal(dq_net_create_on_images(&net, 1 << 13, 1 << 13, 4, &conv, 1, &error), DQ_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions), cmocka_unit_test(pools_and_residuals),     cmocka_unit_test(norms),
        cmocka_unit_test(trunks),       cmocka_unit_test(mistakes_have_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
