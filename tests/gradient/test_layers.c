// Backward against finite differences: every layer kind, then random stacks of them; and what holds for any
// network: padding has no influence, a sample's position in the batch neither.
//
// The difference is taken along random directions of one tensor at a time, which a float32 forward resolves
// better than single elements.
#include <deepq/net.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support.h>

enum { BATCH_MAX = 45 };

typedef struct fixture {
    dq_net *net;
    dq_workspace *workspace;
    float *params, *gradient, *d_output;
    int batch, panels, outputs;
    dq_rng rng;
} fixture;

static float *floats(size_t count) {
    float *memory = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    assert_non_null(memory);
    memset(memory, 0, count * sizeof(float));
    return memory;
}

static void make(fixture *f, int inputs, const dq_layer_spec *layers, int count, int batch, uint64_t seed) {
    dq_error error;
    dq_rng_seed(&f->rng, seed);
    f->batch = batch;
    f->panels = (batch + DQ_LANES - 1) / DQ_LANES;
    test_ok(dq_net_create(&f->net, inputs, layers, count, &error), &error);
    test_ok(dq_workspace_create(&f->workspace, f->net, BATCH_MAX, &error), &error);
    f->outputs = dq_net_outputs(f->net);
    f->params = floats(dq_net_size(f->net));
    f->gradient = floats(dq_net_size(f->net));
    f->d_output = floats((size_t)(f->panels * f->outputs * DQ_LANES));
    dq_net_init(f->net, f->params, &f->rng);
    for (int t = 0; t < dq_net_tensor_count(f->net); t++) { // weights of 1 and biases of 0 hide mistakes
        const dq_tensor *tensor = dq_net_tensor(f->net, t);
        for (int c = 0; tensor->trainable && tensor->rank == 1 && c < tensor->columns; c++)
            f->params[tensor->offset + (size_t)c] += (float)(0.3 * dq_rng_normal(&f->rng));
    }
    float *input = dq_workspace_input(f->workspace);
    for (int b = 0; b < f->panels * DQ_LANES; b++)
        for (int i = 0; i < inputs; i++)
            input[(b / DQ_LANES * inputs + i) * DQ_LANES + b % DQ_LANES] =
                b < batch ? (float)dq_rng_normal(&f->rng) : 0.0f;
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

// sum of output * d_output: backward gives its gradient.
static double objective(const fixture *f) {
    const float *y = dq_net_forward(f->net, f->params, f->workspace, f->batch, DQ_TRAIN);
    double sum = 0;
    for (int i = 0; i < f->panels * f->outputs * DQ_LANES; i++) sum += (double)y[i] * (double)f->d_output[i];
    return sum;
}

static void backward(const fixture *f) {
    objective(f);
    for (size_t i = 0; i < dq_net_trainable(f->net); i++) f->gradient[i] = NAN; // it overwrites
    dq_net_backward(f->net, f->params, f->workspace, f->batch, f->d_output, f->gradient);
    for (size_t i = 0; i < dq_net_trainable(f->net); i++)
        assert_true(isfinite(f->gradient[i])); // between the tensors too
}

static void check_tensor(fixture *f, const dq_tensor *tensor, double scale, const char *what) {
    size_t count = (size_t)tensor->rows * tensor->stride;
    float *kept = f->params + tensor->offset, *start = floats(count), *direction = floats(count);
    memcpy(start, kept, count * sizeof(float));
    for (int round = 0; round < 2; round++) {
        double norm = 0, slope = 0;
        for (int r = 0; r < tensor->rows; r++)
            for (int c = 0; c < tensor->columns; c++) {
                size_t i = (size_t)r * tensor->stride + (size_t)c;
                direction[i] = (float)dq_rng_normal(&f->rng);
                norm += (double)direction[i] * (double)direction[i];
            }
        const double step = 5e-4 / sqrt(norm);
        double value[2];
        for (int side = 0; side < 2; side++) {
            for (size_t i = 0; i < count; i++)
                kept[i] = start[i] + (float)((side ? -step : step) * (double)direction[i]);
            value[side] = objective(f);
        }
        for (size_t i = 0; i < count; i++)
            slope += (double)f->gradient[tensor->offset + i] * (double)direction[i] / sqrt(norm);
        double difference = (value[0] - value[1]) / (2 * step * sqrt(norm));
        memcpy(kept, start, count * sizeof(float));
        if (!(fabs(difference - slope) <= 0.02 * fabs(slope) + 4e-3 * scale))
            fail_msg("%s: %s along a direction: finite difference %g, gradient %g (scale %g)", what,
                     tensor->name, difference, slope, scale);
    }
    free(start), free(direction);
}

static void check(int inputs, const dq_layer_spec *layers, int count, int batch, uint64_t seed) {
    fixture f;
    char what[256];
    int length = snprintf(what, sizeof what, "%d inputs", inputs);
    for (int i = 0; i < count && length < 200; i++)
        length +=
            snprintf(what + length, sizeof what - (size_t)length, ", %s %d", layers[i].kind, layers[i].out);
    snprintf(what + length, sizeof what - (size_t)length, "; batch %d", batch);
    make(&f, inputs, layers, count, batch, seed);
    backward(&f);
    double scale = 0;
    for (size_t i = 0; i < dq_net_trainable(f.net); i++)
        scale += (double)f.gradient[i] * (double)f.gradient[i];
    for (int t = 0; t < dq_net_tensor_count(f.net); t++)
        if (dq_net_tensor(f.net, t)->trainable) check_tensor(&f, dq_net_tensor(f.net, t), sqrt(scale), what);

    // An evaluation between forward and backward changes nothing; the same input gives the same bits.
    float *again = floats(dq_net_trainable(f.net));
    objective(&f);
    dq_net_forward(f.net, f.params, f.workspace, f.batch, DQ_EVAL);
    dq_net_backward(f.net, f.params, f.workspace, f.batch, f.d_output, again);
    assert_memory_equal(again, f.gradient, dq_net_trainable(f.net) * sizeof(float));

    // Padding holds anything finite without influence.
    float *input = dq_workspace_input(f.workspace);
    for (int b = batch; b < f.panels * DQ_LANES; b++)
        for (int i = 0; i < inputs; i++)
            input[(b / DQ_LANES * inputs + i) * DQ_LANES + b % DQ_LANES] =
                (float)(100 * dq_rng_normal(&f.rng));
    objective(&f);
    dq_net_backward(f.net, f.params, f.workspace, f.batch, f.d_output, again);
    assert_memory_equal(again, f.gradient, dq_net_trainable(f.net) * sizeof(float));

    // One sample alone, by forward and by apply, gives what it gives in the batch.
    float *rows = floats((size_t)(batch * f.outputs)), *one = floats((size_t)f.outputs),
          *x = floats((size_t)(batch * inputs));
    dq_panels_unpack(x, input, batch, inputs);
    dq_panels_unpack(rows, dq_net_forward(f.net, f.params, f.workspace, batch, DQ_EVAL), batch, f.outputs);
    for (int b = 0; b < batch; b += 7) {
        dq_net_apply(f.net, f.params, f.workspace, x + b * inputs, one);
        if (test_largest_difference(one, rows + b * f.outputs, (size_t)f.outputs, 1.0) > 2e-4)
            fail_msg("%s: apply differs from forward", what);
        dq_panels_pack(input, x + b * inputs, 1, inputs);
        dq_panels_unpack(one, dq_net_forward(f.net, f.params, f.workspace, 1, DQ_EVAL), 1, f.outputs);
        assert_memory_equal(one, rows + b * f.outputs, (size_t)f.outputs * sizeof(float));
    }
    free(again), free(rows), free(one), free(x);
    done(&f);
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
