// Optimizers and gradient clipping against PyTorch: parameters after each of the recorded steps on the same
// gradients. Each optimizer also runs over arrays that no vector width divides.
#include "io/npz.h"

#include <deepq/net.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <support.h>

// What each array of optimizers.npz was recorded with.
static const struct {
    const char *name;
    double learning_rate;
    dq_optimizer_config config;
} recorded[] = {
    {"sgd", 0.01, {.kind = DQ_SGD}},
    {"sgd_momentum", 0.01, {.kind = DQ_SGD, .momentum = 0.9}},
    {"rmsprop", 0.001, {.kind = DQ_RMSPROP, .alpha = 0.99, .epsilon = 1e-8}},
    {"rmsprop_centered", 0.00025, {.kind = DQ_RMSPROP, .alpha = 0.95, .epsilon = 0.01, .centered = true}},
    {"adam", 0.001, {.kind = DQ_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}},
    {"adam_eps1.5e-4", 6.25e-5, {.kind = DQ_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1.5e-4}},
    {"adamw", 0.001, {.kind = DQ_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01}},
    {"adamw_amsgrad",
     0.004,
     {.kind = DQ_ADAMW,
      .beta1 = 0.9,
      .beta2 = 0.999,
      .epsilon = 1e-8,
      .weight_decay = 0.01,
      .amsgrad = true}},
    {"radam", 0.001, {.kind = DQ_RADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}},
};

static void read_file(dq_npz *file, const char *below) {
    dq_error error;
    test_ok(dq_npz_read(file, test_reference_path(below), &error), &error);
}

static void optimizers(void **state) {
    (void)state;
    dq_npz file;
    read_file(&file, "nn/optimizers.npz");
    const dq_array *start = dq_npz_find(&file, "p0"), *gradients = dq_npz_find(&file, "grads");
    assert_non_null(start);
    assert_non_null(gradients);
    size_t count = (size_t)start->count, steps = (size_t)gradients->shape[0], found = 0;
    float *params = malloc(count * sizeof(float)), *memory = malloc(3 * count * sizeof(float));
    for (size_t k = 0; k < sizeof recorded / sizeof *recorded; k++) {
        const dq_array *expected = dq_npz_find(&file, recorded[k].name);
        if (!expected) continue;
        found++;
        memcpy(params, start->data, count * sizeof(float));
        assert_true(dq_optimizer_state_size(&recorded[k].config, count) <= 3 * count);
        memset(memory, 0, 3 * count * sizeof(float));
        for (size_t step = 0; step < steps; step++) {
            const float *gradient = (const float *)gradients->data + step * count;
            dq_optimizer_step(&recorded[k].config, memory, (int64_t)step + 1, recorded[k].learning_rate,
                              params, gradient, count);
            double difference =
                test_largest_difference(params, (const float *)expected->data + step * count, count, 0.1);
            if (!(difference <= 1e-6))
                fail_msg("%s, step %zu: relative difference %g", recorded[k].name, step + 1, difference);
        }
    }
    assert_int_equal(found + 2, file.count); // every recorded optimizer has been run
    free(params), free(memory);
    dq_npz_deinit(&file);
}

// The options that the recording leaves out, against the defining equations in double precision.
static void options(void **state) {
    (void)state;
    enum { COUNT = 37, STEPS = 8 };
    const dq_optimizer_config rmsprop = {.kind = DQ_RMSPROP,
                                         .alpha = 0.9,
                                         .epsilon = 1e-3,
                                         .momentum = 0.8,
                                         .weight_decay = 0.1,
                                         .centered = true};
    const dq_optimizer_config adam = {
        .kind = DQ_ADAM, .beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-3, .weight_decay = 0.1, .amsgrad = true};
    const double rate = 0.01;
    float params[2][COUNT], memory[2][3 * COUNT] = {{0}}, gradient[COUNT];
    double p[2][COUNT], v[COUNT] = {0}, mean[COUNT] = {0}, buffer[COUNT] = {0};
    double m[COUNT] = {0}, second[COUNT] = {0}, largest[COUNT] = {0};
    dq_rng rng;
    dq_rng_seed(&rng, 5);
    for (int i = 0; i < COUNT; i++)
        params[0][i] = params[1][i] = (float)(p[0][i] = p[1][i] = dq_rng_normal(&rng));
    for (int step = 1; step <= STEPS; step++) {
        for (int i = 0; i < COUNT; i++) gradient[i] = (float)(dq_rng_normal(&rng) / step);
        dq_optimizer_step(&rmsprop, memory[0], step, rate, params[0], gradient, COUNT);
        dq_optimizer_step(&adam, memory[1], step, rate, params[1], gradient, COUNT);
        for (int i = 0; i < COUNT; i++) {
            double g = (double)gradient[i] + 0.1 * p[0][i];
            v[i] = 0.9 * v[i] + 0.1 * g * g;
            mean[i] = 0.9 * mean[i] + 0.1 * g;
            buffer[i] = 0.8 * buffer[i] + g / (sqrt(v[i] - mean[i] * mean[i]) + 1e-3);
            p[0][i] -= rate * buffer[i];
            g = (double)gradient[i] + 0.1 * p[1][i];
            m[i] = 0.8 * m[i] + 0.2 * g;
            second[i] = 0.9 * second[i] + 0.1 * g * g;
            largest[i] = fmax(largest[i], second[i]);
            p[1][i] -=
                rate / (1 - pow(0.8, step)) * m[i] / (sqrt(largest[i]) / sqrt(1 - pow(0.9, step)) + 1e-3);
        }
    }
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < COUNT; i++) assert_true(fabs((double)params[k][i] - p[k][i]) < 1e-5);
}

static void clipping(void **state) {
    (void)state;
    dq_npz file;
    read_file(&file, "nn/clipping.npz");
    const dq_array *g0 = dq_npz_find(&file, "g0"), *g1 = dq_npz_find(&file, "g1");
    size_t n0 = (size_t)g0->count, n1 = (size_t)g1->count;
    float *flat = malloc((n0 + n1) * sizeof(float));
    for (int norm = 0; norm < 2; norm++) {
        memcpy(flat, g0->data, n0 * sizeof(float));
        memcpy(flat + n0, g1->data, n1 * sizeof(float));
        if (norm) {
            double before = dq_clip_norm(flat, n0 + n1, 10.0);
            double expected = dq_array_get(dq_npz_find(&file, "norm_before"), 0);
            assert_true(fabs(before - expected) <= 1e-6 * expected);
        } else {
            dq_clip_value(flat, n0 + n1, 1.0);
        }
        const float *first = dq_npz_find(&file, norm ? "norm10_0" : "value1_0")->data;
        const float *second = dq_npz_find(&file, norm ? "norm10_1" : "value1_1")->data;
        assert_true(test_largest_difference(flat, first, n0, 1e-3) <= 1e-6);
        assert_true(test_largest_difference(flat + n0, second, n1, 1e-3) <= 1e-6);
    }
    // a norm below the limit leaves the gradient as it is
    float small[3] = {1.0f, -2.0f, 0.5f}, same[3] = {1.0f, -2.0f, 0.5f};
    dq_clip_norm(small, 3, 10.0);
    assert_memory_equal(small, same, sizeof same);
    free(flat);
    dq_npz_deinit(&file);
}

static void soft_update(void **state) {
    (void)state;
    float target[20], online[20];
    for (int i = 0; i < 20; i++) target[i] = (float)i, online[i] = (float)(2 * i + 1);
    dq_params_blend(target, online, 20, 0.25);
    for (int i = 0; i < 20; i++) assert_true(fabsf(target[i] - ((float)i + 0.25f * (float)(i + 1))) < 1e-5f);
    dq_params_blend(target, online, 20, 1.0);
    assert_memory_equal(target, online, sizeof target);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimizers),
        cmocka_unit_test(options),
        cmocka_unit_test(clipping),
        cmocka_unit_test(soft_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
