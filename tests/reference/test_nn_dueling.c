// Dueling networks against PyTorch: outputs, loss and gradients of every recorded one. The file keeps the two
// streams as layers of their own; here one linear layer holds the value's row first, then the advantages'.
#include <deepq/net.h>
#include <io/npz.h>
#include <support.h>

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const dq_array *array(const dq_npz *file, const char *prefix, const char *name) {
    char full[128];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const dq_array *found = dq_npz_find(file, full);
    if (!found) fail_msg("the file has no array %s", full);
    return found;
}

// The file's tensors in the order of the network's: two of the trunk's layers, then the streams, joined.
static void gather(const dq_npz *file, const char *prefix, const dq_net *net, float *params) {
    static const char *const trunk[] = {"trunk.0.weight", "trunk.0.bias", "trunk.2.weight", "trunk.2.bias"};
    for (int t = 0; t < 6; t++) {
        float *to = params + dq_net_tensor(net, t)->offset;
        if (t < 4) {
            dq_array_to_floats(array(file, prefix, trunk[t]), to);
            continue;
        }
        const dq_array *value = array(file, prefix, t == 4 ? "value.weight" : "value.bias");
        dq_array_to_floats(value, to);
        dq_array_to_floats(array(file, prefix, t == 4 ? "advantage.weight" : "advantage.bias"),
                           to + value->count);
    }
}

static void check_file(const char *path) {
    dq_error error;
    dq_npz file;
    test_ok(dq_npz_read(&file, path, &error), &error);
    const int hidden_1 = (int)array(&file, "w.", "trunk.0.weight")->shape[0];
    const int hidden_2 = (int)array(&file, "w.", "trunk.2.weight")->shape[0];
    const int inputs = (int)array(&file, "", "x")->shape[1], batch = (int)array(&file, "", "x")->shape[0];
    const int actions = (int)array(&file, "", "q")->shape[1];
    const dq_layer_spec layers[] = {
        {.kind = "linear", .name = "trunk.0", .out = hidden_1},    {.kind = "relu"},
        {.kind = "linear", .name = "trunk.2", .out = hidden_2},    {.kind = "relu"},
        {.kind = "linear", .name = "streams", .out = 1 + actions}, {.kind = "dueling", .out = actions}};
    dq_net *net;
    dq_workspace *workspace;
    test_ok(dq_net_create(&net, inputs, layers, 6, &error), &error);
    test_ok(dq_workspace_create(&workspace, net, batch, &error), &error);
    size_t size = dq_net_size(net), panels = ((size_t)batch + 15) / 16, count = (size_t)(batch * actions);
    float *params = calloc(size, sizeof(float)), *expected = calloc(size, sizeof(float));
    float *gradient = calloc(size, sizeof(float)), *d = calloc(panels * 16 * (size_t)actions, sizeof(float));
    float *q = calloc(count, sizeof(float)), *q_expected = calloc(count, sizeof(float));
    float *d_rows = calloc(count, sizeof(float)), *x = calloc((size_t)(batch * inputs), sizeof(float));
    gather(&file, "w.", net, params);
    gather(&file, "g.", net, expected);
    dq_array_to_floats(array(&file, "", "x"), x);
    dq_array_to_floats(array(&file, "", "q"), q_expected);

    dq_panels_pack(dq_workspace_input(workspace), x, batch, inputs);
    dq_panels_unpack(q, dq_net_forward(net, params, workspace, batch, DQ_TRAIN), batch, actions);
    if (test_largest_difference(q, q_expected, count, 0.1) > 1e-5) fail_msg("%s: the outputs differ", path);

    bool huber = strstr(path, "huber") != NULL;
    double loss = 0;
    for (int b = 0; b < batch; b++) {
        int a = (int)dq_array_get(array(&file, "", "a"), b);
        float u = q[b * actions + a] - (float)dq_array_get(array(&file, "", "y"), b), size_of_u = fabsf(u);
        bool near = !huber || size_of_u < 1;
        float scale = huber ? 1 : 2;
        loss += (double)(near ? scale * 0.5F * u * u : size_of_u - 0.5F) / batch;
        d_rows[b * actions + a] = (near ? scale * u : copysignf(1, u)) / (float)batch;
    }
    double loss_expected = dq_array_get(array(&file, "", "loss"), 0);
    assert_true(fabs(loss - loss_expected) <= 1e-5 * fabs(loss_expected));
    dq_panels_pack(d, d_rows, batch, actions);
    dq_net_backward(net, params, workspace, batch, d, gradient);
    for (int t = 0; t < dq_net_tensor_count(net); t++) {
        const dq_tensor *tensor = dq_net_tensor(net, t);
        size_t n = (size_t)(tensor->rows * tensor->columns);
        double largest = 0;
        for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)expected[tensor->offset + i]));
        if (test_largest_difference(gradient + tensor->offset, expected + tensor->offset, n, 0.1 * largest) >
            1e-5)
            fail_msg("%s: the gradients of %s differ", path, tensor->name);
    }
    free(x), free(d_rows), free(q_expected), free(q), free(d), free(gradient), free(expected), free(params);
    dq_workspace_destroy(workspace);
    dq_net_destroy(net);
    dq_npz_deinit(&file);
}

static void dueling_networks(void **state) {
    (void)state;
    glob_t found;
    if (glob(test_reference_path("nn/dueling*.npz"), 0, NULL, &found))
        fail_msg("there are no dueling networks");
    for (size_t i = 0; i < found.gl_pathc; i++) check_file(found.gl_pathv[i]);
    globfree(&found);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(dueling_networks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
