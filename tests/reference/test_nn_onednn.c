// Convolutions against oneDNN: outputs and all three gradients of random layers. Skipped where the build
// found no oneDNN.
#include <support.h>

#ifdef DQ_HAVE_ONEDNN
#include "kernel/kernel.h"
#include "nn/conv.h"
#include "onednn.h"

#include <deepq/rng.h>
#include <math.h>

extern const dq_layer_class dq_layer_conv;

static void draw(dq_rng *rng, float *values, size_t n) {
    for (size_t i = 0; i < n; i++) values[i] = (float)dq_rng_normal(rng);
}

static void compare(const float *ours, dnnl_memory_t theirs, size_t n, const char *what, int round) {
    const float *expected = onednn_data(theirs);
    double scale = 0;
    for (size_t i = 0; i < n; i++) scale = fmax(scale, fabs((double)expected[i]));
    double difference = test_largest_difference(ours, expected, n, 0.1 * scale);
    if (!(difference <= 2e-5)) fail_msg("round %d: the %s differ by %g", round, what, difference);
}

// One conv layer by itself, its tensors at the beginning of params: weights [kernel*kernel*in][out], bias.
static void check_layer(const onednn_layer *l, int round) {
    dq_error error;
    dq_layer layer = {
        .class = &dq_layer_conv,
        .in_shape = {l->height, l->width, l->in},
        .in_layout = DQ_LAYOUT_IMAGES,
        .out_layout = DQ_LAYOUT_IMAGES,
        .spec = {.out = l->out, .kernel = l->kernel, .stride = l->stride, .padding = l->padding},
        .in = l->height * l->width * l->in,
        .activation = {.kind = l->relu ? DQ_NONLINEARITY_RELU : DQ_NONLINEARITY_NONE}};
    test_ok(dq_plan_window(&layer, &error), &error);
    layer.out_shape.channels = l->out;
    layer.out = layer.out_shape.height * layer.out_shape.width * l->out;
    assert_int_equal(layer.out_shape.height, l->out_height);
    assert_int_equal(layer.out_shape.width, l->out_width);
    test_ok(dq_conv_prepare(&layer, (size_t)l->out, &error), &error);
    const size_t weights = (size_t)(l->kernel * l->kernel * l->in * l->out),
                 params = weights + (size_t)l->out;
    const size_t in = (size_t)(l->batch * layer.in), out = (size_t)(l->batch * layer.out);
    layer.offset[1] = weights;
    float *p = calloc(params, sizeof(float)), *g = calloc(params, sizeof(float));
    float *y = calloc(out, sizeof(float)), *d_x = calloc(in, sizeof(float));
    float *scratch = calloc(layer.scratch_fixed, sizeof(float));
    float *worker = calloc(layer.scratch_worker, sizeof(float));
    memcpy(p, onednn_data(l->weight), weights * sizeof(float));
    memcpy(p + weights, onednn_data(l->bias), (size_t)l->out * sizeof(float));
    const dq_pass pass = {.kernels = dq_kernels_get(),
                          .params = p,
                          .x = onednn_data(l->x),
                          .y = y,
                          .d_y = onednn_data(l->d_y),
                          .d_x = d_x,
                          .gradient = g,
                          .scratch = scratch,
                          .worker_scratch = worker,
                          .worker_room = layer.scratch_worker,
                          .batch = l->batch,
                          .panels = (l->batch + DQ_LANES - 1) / DQ_LANES,
                          .mode = DQ_TRAIN};
    dq_conv_forward(&layer, &pass);
    dq_conv_backward(&layer, &pass);
    compare(y, l->y, out, "outputs", round);
    compare(d_x, l->d_x, in, "input gradients", round);
    compare(g, l->d_weight, weights, "weight gradients", round);
    compare(g + weights, l->d_bias, (size_t)l->out, "bias gradients", round);
    free(p), free(g), free(y), free(d_x), free(scratch), free(worker), free(layer.plan);
}

static void random_layers(void **state) {
    (void)state;
    dq_rng rng;
    dq_rng_seed(&rng, 5);
    onednn_start();
    for (int round = 0; round < 40; round++) {
        const int kernel = (int)dq_rng_integers(&rng, 1, 9);
        onednn_layer l = {.batch = (int)dq_rng_integers(&rng, 1, 20),
                          .height = (int)dq_rng_integers(&rng, kernel, 24),
                          .width = (int)dq_rng_integers(&rng, kernel, 24),
                          .in = (int)dq_rng_integers(&rng, 1, 40),
                          .out = (int)dq_rng_integers(&rng, 1, 70),
                          .kernel = kernel,
                          .stride = (int)dq_rng_integers(&rng, 1, 5),
                          .padding = (int)dq_rng_integers(&rng, 0, kernel),
                          .relu = round % 2};
        onednn_layer_init(&l, true);
        const size_t in = (size_t)(l.batch * l.height * l.width * l.in);
        const size_t out = (size_t)(l.batch * l.out_height * l.out_width * l.out);
        draw(&rng, onednn_data(l.x), in);
        draw(&rng, onednn_data(l.d_y), out);
        draw(&rng, onednn_data(l.weight), (size_t)(kernel * kernel * l.in * l.out));
        draw(&rng, onednn_data(l.bias), (size_t)l.out);
        onednn_forward(&l);
        onednn_input_gradient(&l);
        onednn_weight_gradient(&l);
        check_layer(&l, round);
        onednn_layer_deinit(&l);
    }
    onednn_stop();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_layers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) {
    return TEST_SKIPPED;
}
#endif
