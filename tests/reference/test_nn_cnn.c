// The convolutional networks against PyTorch: outputs, loss, and each gradient's norm and first 64 elements.
// The weights follow the formula of tests/data: element i of tensor k is 0.05 sin(0.37 i + k), in PyTorch's
// order of elements; so the test also holds the order in which tensors are handed to the world.
#include "io/npz.h"
#include "nn/loss.h"
#include "nn/trunk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support.h>

static const dq_array *array_of(const dq_npz *file, const char *name) {
    const dq_array *array = dq_npz_find(file, name);
    if (!array) fail_msg("the file has no array %s", name);
    return array;
}

// The trunk and its dense layers under the names they have in the file.
static int read_layers(const char *trunk_name, const char *const *names, int actions, dq_layer_spec *layers) {
    const dq_trunk *trunk = dq_trunk_find(trunk_name);
    assert_non_null(trunk);
    int named = 0, count = trunk->count;
    memcpy(layers, trunk->layers, sizeof trunk->layers);
    layers[count++] = (dq_layer_spec){.kind = "linear", .name = "", .out = trunk->hidden};
    layers[count++] = (dq_layer_spec){.kind = "relu"};
    layers[count++] = (dq_layer_spec){.kind = "linear", .name = "", .out = actions};
    for (int i = 0; i < count; i++)
        if (layers[i].name) layers[i].name = names[named++];
    return count;
}

static void check_file(const char *below, const char *trunk, const char *const *names) {
    dq_error error;
    dq_npz file;
    dq_net *net;
    dq_workspace *workspace;
    dq_layer_spec layers[DQ_TRUNK_LAYERS + 3];
    test_ok(dq_npz_read(&file, test_reference_path(below), &error), &error);
    const dq_array *x = array_of(&file, "x"), *q_array = array_of(&file, "q");
    const int batch = (int)x->shape[0], actions = (int)q_array->shape[1];
    const int channels = (int)x->shape[1], height = (int)x->shape[2], width = (int)x->shape[3];
    int count = read_layers(trunk, names, actions, layers);
    test_ok(dq_net_create_on_images(&net, height, width, channels, layers, count, &error), &error);
    test_ok(dq_workspace_create(&workspace, net, batch, &error), &error);
    const size_t size = dq_net_size(net);
    float *params = calloc(size, sizeof(float)), *gradient = calloc(size, sizeof(float));
    float *values = calloc(size, sizeof(float));
    for (int t = 0; t < dq_net_tensor_count(net); t++) {
        const dq_tensor *tensor = dq_net_tensor(net, t);
        for (int i = 0; i < tensor->rows * tensor->columns; i++)
            values[i] = (float)(0.05 * sin(0.37 * i + t));
        dq_tensor_set(tensor, params, values);
    }
    unsigned char *images = dq_workspace_images(workspace);
    for (int b = 0; b < batch; b++)
        for (int c = 0; c < channels; c++)
            for (int p = 0; p < height * width; p++)
                images[(b * height * width + p) * channels + c] =
                    (unsigned char)dq_array_get(x, (b * channels + c) * height * width + p);

    const float *output = dq_net_forward(net, params, workspace, batch, DQ_TRAIN);
    float q[64], expected[64], *d_output = calloc((size_t)(actions * DQ_LANES), sizeof(float));
    dq_panels_unpack(q, output, batch, actions);
    dq_array_to_floats(q_array, expected);
    if (!(test_largest_difference(q, expected, (size_t)(batch * actions), 0.1) <= 1e-5))
        fail_msg("%s: the outputs differ", below);

    double loss = 0;
    for (int b = 0; b < batch; b++) {
        float slope;
        int a = (int)dq_array_get(array_of(&file, "a"), b);
        loss +=
            (double)dq_loss_huber(q[b * actions + a] - (float)dq_array_get(array_of(&file, "y"), b), &slope);
        d_output[a * DQ_LANES + b] = slope / (float)batch;
    }
    const double loss_expected = dq_array_get(array_of(&file, "loss"), 0);
    if (!(fabs(loss / batch - loss_expected) <= 1e-5 * loss_expected))
        fail_msg("%s: the loss differs", below);

    dq_net_backward(net, params, workspace, batch, d_output, gradient);
    double largest = 0; // of all tensors: the scale of differences, as in test_nn.c
    for (size_t i = 0; i < dq_net_trainable(net); i++) largest = fmax(largest, fabs((double)gradient[i]));
    for (int t = 0; t < dq_net_tensor_count(net); t++) {
        const dq_tensor *tensor = dq_net_tensor(net, t);
        char name[96];
        snprintf(name, sizeof name, "gnorm.%s", tensor->name);
        const double norm_expected = dq_array_get(array_of(&file, name), 0);
        snprintf(name, sizeof name, "ghead.%s", tensor->name);
        const dq_array *head = array_of(&file, name);
        double norm = 0;
        dq_tensor_get(tensor, gradient, values);
        for (int i = 0; i < tensor->rows * tensor->columns; i++)
            norm += (double)values[i] * (double)values[i];
        if (!(fabs(sqrt(norm) - norm_expected) <= 1e-5 * norm_expected))
            fail_msg("%s: the gradient of %s has norm %.9g, expected %.9g", below, tensor->name, sqrt(norm),
                     norm_expected);
        dq_array_to_floats(head, expected);
        double difference = test_largest_difference(values, expected, (size_t)head->count, 0.1 * largest);
        if (!(difference <= 1e-5))
            fail_msg("%s: the gradient of %s differs by %g", below, tensor->name, difference);
    }

    // One image at a time.
    for (int b = 0; b < batch; b++) {
        float one[64];
        dq_net_apply_image(net, params, workspace, images + b * height * width * channels, one);
        assert_true(test_largest_difference(one, q + b * actions, (size_t)actions, 0.1) <= 1e-5);
    }
    free(params), free(gradient), free(values), free(d_output);
    dq_workspace_destroy(workspace);
    dq_net_destroy(net);
    dq_npz_deinit(&file);
}

static void dqn2013(void **state) {
    (void)state;
    check_file("nn/nips_cnn_2_huber.npz", "dqn2013", (const char *const[]){"0", "2", "5", "7"});
}

static void dqn2015(void **state) {
    (void)state;
    check_file("nn/nature_cnn_6_huber.npz", "dqn2015", (const char *const[]){"0", "2", "4", "7", "9"});
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(dqn2013), cmocka_unit_test(dqn2015)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
