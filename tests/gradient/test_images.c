// Networks on images: backward against finite differences, for every kind of image layer and the published
// trunks; and what holds for any of them: the same bits with one and two threads, alone and in a batch.
#include "base/threads.h"
#include "nn/trunk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <support.h>

typedef struct fixture {
    dq_net *net;
    dq_workspace *workspace;
    float *params, *gradient, *d_output;
    int batch, inputs, outputs;
    size_t output_floats;
    dq_rng rng;
} fixture;

static float *floats(size_t count) {
    float *memory = calloc(count, sizeof(float));
    assert_non_null(memory);
    return memory;
}

static void make(fixture *f, const int shape[3], const dq_layer_spec *layers, int count, int batch,
                 uint64_t seed) {
    dq_error error;
    dq_rng_seed(&f->rng, seed);
    f->batch = batch;
    test_ok(dq_net_create_on_images(&f->net, shape[0], shape[1], shape[2], layers, count, &error), &error);
    test_ok(dq_workspace_create(&f->workspace, f->net, batch, &error), &error);
    assert_null(dq_workspace_input(f->workspace));
    f->inputs = dq_net_inputs(f->net);
    f->outputs = dq_net_outputs(f->net);
    f->output_floats = ((size_t)batch + 15) / 16 * 16 * (size_t)f->outputs;
    f->params = floats(dq_net_size(f->net));
    f->gradient = floats(dq_net_size(f->net));
    f->d_output = floats(f->output_floats);
    dq_net_init(f->net, f->params, &f->rng);
    unsigned char *images = dq_workspace_images(f->workspace);
    for (int i = 0; i < batch * f->inputs; i++) images[i] = (unsigned char)dq_rng_integers(&f->rng, 0, 256);
    for (int b = 0; b < batch; b++)
        for (int i = 0; i < f->outputs; i++)
            f->d_output[(b / DQ_LANES * f->outputs + i) * DQ_LANES + b % DQ_LANES] =
                (float)dq_rng_normal(&f->rng);
}

static void done(fixture *f) {
    free(f->params), free(f->gradient), free(f->d_output);
    dq_workspace_destroy(f->workspace);
    dq_net_destroy(f->net);
}

static double objective(const fixture *f) {
    const float *y = dq_net_forward(f->net, f->params, f->workspace, f->batch, DQ_TRAIN);
    double sum = 0;
    for (size_t i = 0; i < f->output_floats; i++) sum += (double)y[i] * (double)f->d_output[i];
    return sum;
}

// Along two random directions of one tensor, each with a step small against the kinks of ReLU and maximum.
static void check_tensor(fixture *f, const dq_tensor *tensor, double scale) {
    const int count = tensor->rows * tensor->columns;
    float *start = floats((size_t)count), *moved = floats((size_t)count), *g = floats((size_t)count);
    float *direction = floats((size_t)count);
    dq_tensor_get(tensor, f->params, start);
    dq_tensor_get(tensor, f->gradient, g);
    for (int round = 0; round < 2; round++) {
        double norm = 0, slope = 0, value[2];
        for (int i = 0; i < count; i++) {
            direction[i] = (float)dq_rng_normal(&f->rng);
            norm += (double)direction[i] * (double)direction[i];
        }
        norm = sqrt(norm);
        const double step = 2e-4;
        for (int side = 0; side < 2; side++) {
            for (int i = 0; i < count; i++)
                moved[i] = start[i] + (float)((side ? -step : step) * (double)direction[i] / norm);
            dq_tensor_set(tensor, f->params, moved);
            value[side] = objective(f);
        }
        dq_tensor_set(tensor, f->params, start);
        for (int i = 0; i < count; i++) slope += (double)g[i] * (double)direction[i] / norm;
        const double difference = (value[0] - value[1]) / (2 * step);
        if (!(fabs(difference - slope) <= 0.02 * fabs(slope) + 4e-3 * scale))
            fail_msg("%s along a direction: finite difference %g, gradient %g (scale %g)", tensor->name,
                     difference, slope, scale);
    }
    free(start), free(moved), free(g), free(direction);
}

static void check(const int shape[3], const dq_layer_spec *layers, int count, int batch, uint64_t seed) {
    fixture f;
    make(&f, shape, layers, count, batch, seed);
    objective(&f);
    const size_t trainable = dq_net_trainable(f.net);
    for (size_t i = 0; i < trainable; i++) f.gradient[i] = NAN; // it overwrites
    dq_net_backward(f.net, f.params, f.workspace, batch, f.d_output, f.gradient);
    double scale = 0;
    for (size_t i = 0; i < trainable; i++) {
        assert_true(isfinite(f.gradient[i])); // between the tensors too
        scale += (double)f.gradient[i] * (double)f.gradient[i];
    }
    assert_true(scale > 0);
    for (int t = 0; t < dq_net_tensor_count(f.net); t++)
        if (dq_net_tensor(f.net, t)->trainable) check_tensor(&f, dq_net_tensor(f.net, t), sqrt(scale));

    // An evaluation between forward and backward changes nothing; nor do threads.
    dq_error error;
    dq_pool *pool;
    dq_workspace *shared;
    float *again = floats(trainable), *rows = floats(f.output_floats), *one = floats((size_t)f.outputs);
    objective(&f);
    dq_net_forward(f.net, f.params, f.workspace, batch, DQ_EVAL);
    dq_net_backward(f.net, f.params, f.workspace, batch, f.d_output, again);
    assert_memory_equal(again, f.gradient, trainable * sizeof(float));
    for (int threads = 2; threads <= 3; threads++) {
        test_ok(dq_pool_create(&pool, threads, &error), &error);
        test_ok(dq_workspace_create_on(&shared, f.net, batch, pool, &error), &error);
        memcpy(dq_workspace_images(shared), dq_workspace_images(f.workspace), (size_t)(batch * f.inputs));
        const float *y = dq_net_forward(f.net, f.params, shared, batch, DQ_TRAIN);
        assert_memory_equal(y, dq_net_forward(f.net, f.params, f.workspace, batch, DQ_TRAIN),
                            f.output_floats * sizeof(float));
        dq_net_backward(f.net, f.params, shared, batch, f.d_output, again);
        assert_memory_equal(again, f.gradient, trainable * sizeof(float));
        dq_workspace_destroy(shared);
        dq_pool_destroy(pool);
    }

    // One sample alone, by forward and by apply, gives what it gives in the batch.
    unsigned char *images = dq_workspace_images(f.workspace), *kept = malloc((size_t)(batch * f.inputs));
    memcpy(kept, images, (size_t)(batch * f.inputs));
    dq_panels_unpack(rows, dq_net_forward(f.net, f.params, f.workspace, batch, DQ_EVAL), batch, f.outputs);
    for (int b = 0; b < batch; b += 3) {
        dq_net_apply_image(f.net, f.params, f.workspace, kept + b * f.inputs, one);
        assert_true(test_largest_difference(one, rows + b * f.outputs, (size_t)f.outputs, 1.0) < 1e-4);
        memcpy(images, kept + b * f.inputs, (size_t)f.inputs);
        dq_panels_unpack(one, dq_net_forward(f.net, f.params, f.workspace, 1, DQ_EVAL), 1, f.outputs);
        assert_memory_equal(one, rows + b * f.outputs, (size_t)f.outputs * sizeof(float));
    }
    free(kept), free(again), free(rows), free(one);
    done(&f);
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
            check(shape, layers, 6, 1 + (5 * i + 7 * k) % 20, (uint64_t)(i * 5 + k));
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
        check(shape, layers, 8, 3 + 6 * i, 100 + (uint64_t)i);
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
        check(shape, layers, 7, 1 + 8 * i, 300 + (uint64_t)i);
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
        check(shape, layers, count, 5, 200 + (uint64_t)i);
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
        cmocka_unit_test(convolutions),
        cmocka_unit_test(pools_and_residuals),
        cmocka_unit_test(norms),
        cmocka_unit_test(trunks),
        cmocka_unit_test(mistakes_have_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
