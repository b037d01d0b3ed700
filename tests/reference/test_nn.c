// Networks against PyTorch: outputs, losses and gradients of every recorded MLP, with and without
// normalisation. The network is read off each file's tensors: rank 2 is a linear layer, rank 1 a
// normalisation (with running statistics: of the batch), and an activation follows each block but the last.
#include "io/npz.h"
#include "nn/loss.h"

#include <deepq/net.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support.h>

#define TOLERANCE 1e-5
#define SHARE     0.1 // elements below this share of the largest are held to the absolute difference

typedef struct fixture {
    dq_npz file;
    dq_net *net;
    dq_workspace *workspace;
    float *params, *gradient;
    int batch, actions;
    bool huber;
} fixture;

static const dq_array *array_of(const fixture *f, const char *prefix, const char *name) {
    char full[128];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const dq_array *array = dq_npz_find(&f->file, full);
    if (!array) fail_msg("the file has no array %s", full);
    return array;
}

static const float *floats(const fixture *f, const char *prefix, const char *name) {
    const dq_array *array = array_of(f, prefix, name);
    assert_int_equal(array->type, DQ_ARRAY_F4);
    return array->data;
}

// The layers that the file's "w." tensors describe. Names are kept in `names`.
static int read_layers(const fixture *f, const char *activation, dq_layer_spec *layers, char names[16][64]) {
    int count = 0, named = 0;
    bool linear_before = false;
    for (int i = 0; i < f->file.count; i++) {
        const char *name = f->file.names[i];
        size_t length = strlen(name);
        if (strncmp(name, "w.", 2) != 0 || length < 9 || strcmp(name + length - 7, ".weight") != 0) continue;
        bool linear = f->file.arrays[i].rank == 2;
        if (linear && linear_before) layers[count++] = (dq_layer_spec){.kind = activation};
        snprintf(names[named], sizeof names[named], "%.*s", (int)(length - 9), name + 2);
        layers[count] = (dq_layer_spec){.name = names[named], .out = (int)f->file.arrays[i].shape[0]};
        if (linear) {
            layers[count].kind = "linear";
        } else {
            char running[128];
            snprintf(running, sizeof running, "w.%s.running_var", names[named]);
            layers[count].kind = dq_npz_find(&f->file, running) ? "batch_norm" : "layer_norm";
        }
        linear_before |= linear;
        count++, named++;
    }
    return count;
}

static void load(const fixture *f) {
    for (int t = 0; t < dq_net_tensor_count(f->net); t++) {
        const dq_tensor *tensor = dq_net_tensor(f->net, t);
        const float *from = floats(f, "w.", tensor->name);
        for (int r = 0; r < tensor->rows; r++)
            memcpy(f->params + tensor->offset + (size_t)r * tensor->stride,
                   from + (size_t)(r * tensor->columns), (size_t)tensor->columns * sizeof(float));
    }
}

// Sum of squares of a tensor, or of its difference to `other` (dense).
static double square(const dq_tensor *tensor, const float *values, const float *other) {
    double sum = 0;
    for (int r = 0; r < tensor->rows; r++)
        for (int c = 0; c < tensor->columns; c++) {
            double d = (double)values[tensor->offset + (size_t)r * tensor->stride + (size_t)c] -
                       (other ? (double)other[r * tensor->columns + c] : 0.0);
            sum += d * d;
        }
    return sum;
}

// Every element, and every tensor as a whole. The scale is that of all tensors: a gradient that is zero in
// exact arithmetic (a bias before a batch norm) is rounding noise on both sides.
static void check_tensors(const fixture *f, const char *prefix, const float *values, bool trainable,
                          double tolerance) {
    double scale = 0, norm = 0;
    for (int t = 0; t < dq_net_tensor_count(f->net); t++) {
        const dq_tensor *tensor = dq_net_tensor(f->net, t);
        if (tensor->trainable != trainable) continue;
        const float *expected = floats(f, prefix, tensor->name);
        for (int i = 0; i < tensor->rows * tensor->columns; i++)
            scale = fmax(scale, fabs((double)expected[i]));
        norm += square(tensor, values, NULL);
    }
    for (int t = 0; t < dq_net_tensor_count(f->net); t++) {
        const dq_tensor *tensor = dq_net_tensor(f->net, t);
        if (tensor->trainable != trainable) continue;
        const float *expected = floats(f, prefix, tensor->name);
        for (int r = 0; r < tensor->rows; r++) {
            double difference = test_largest_difference(values + tensor->offset + (size_t)r * tensor->stride,
                                                        expected + (size_t)(r * tensor->columns),
                                                        (size_t)tensor->columns, scale * SHARE);
            if (!(difference <= tolerance))
                fail_msg("%s%s, row %d: relative difference %g", prefix, tensor->name, r, difference);
        }
        double whole = square(tensor, values, NULL);
        double difference = sqrt(square(tensor, values, expected) / whole);
        if (whole > 1e-8 * norm && !(difference <= tolerance))
            fail_msg("%s%s: relative difference %g as a whole", prefix, tensor->name, difference);
    }
}

static void open_fixture(fixture *f, const char *path) {
    dq_error error;
    dq_layer_spec layers[32];
    char names[16][64];
    *f = (fixture){.huber = strstr(path, "huber") != NULL};
    test_ok(dq_npz_read(&f->file, path, &error), &error);
    int count = read_layers(f, strstr(path, "batchnorm") ? "leaky_relu" : "relu", layers, names);
    const dq_array *x = array_of(f, "", "x");
    f->batch = (int)x->shape[0];
    test_ok(dq_net_create(&f->net, (int)x->shape[1], layers, count, &error), &error);
    test_ok(dq_workspace_create(&f->workspace, f->net, f->batch, &error), &error);
    f->actions = dq_net_outputs(f->net);
    f->params = aligned_alloc(64, dq_net_size(f->net) * sizeof(float));
    f->gradient = aligned_alloc(64, dq_net_size(f->net) * sizeof(float));
    memset(f->params, 0, dq_net_size(f->net) * sizeof(float));
    load(f);
    dq_panels_pack(dq_workspace_input(f->workspace), x->data, f->batch, (int)x->shape[1]);
}

static void close_fixture(fixture *f) {
    free(f->params), free(f->gradient);
    dq_workspace_destroy(f->workspace);
    dq_net_destroy(f->net);
    dq_npz_deinit(&f->file);
}

static void check_outputs(const fixture *f, const float *panels, const char *name) {
    size_t n = (size_t)(f->batch * f->actions);
    float *rows = malloc(n * sizeof(float));
    dq_panels_unpack(rows, panels, f->batch, f->actions);
    double difference = test_largest_difference(rows, floats(f, "", name), n, 0.1);
    if (difference > TOLERANCE) fail_msg("%s: relative difference %g", name, difference);
    free(rows);
}

static void check_file(const char *path) {
    fixture f;
    open_fixture(&f, path);
    bool batch_norm = dq_npz_find(&f.file, "q_train") != NULL;
    const float *q = dq_net_forward(f.net, f.params, f.workspace, f.batch, DQ_TRAIN);
    check_outputs(&f, q, batch_norm ? "q_train" : "q");

    // mean loss of q(s, a) - y, and its gradient at the outputs
    int panels = (f.batch + DQ_LANES - 1) / DQ_LANES;
    float *d_output = calloc((size_t)(panels * f.actions * DQ_LANES), sizeof(float));
    const float *y = floats(&f, "", "y");
    double loss = 0;
    for (int b = 0; b < f.batch; b++) {
        int action = (int)dq_array_get(array_of(&f, "", "a"), b);
        size_t at = (size_t)((b / DQ_LANES * f.actions + action) * DQ_LANES + b % DQ_LANES);
        float slope;
        loss += (double)(f.huber ? dq_loss_huber : dq_loss_mse)(q[at] - y[b], &slope);
        d_output[at] = slope / (float)f.batch;
    }
    loss /= f.batch;
    double expected = dq_array_get(array_of(&f, "", "loss"), 0);
    if (fabs(loss - expected) > TOLERANCE * fabs(expected))
        fail_msg("loss %.9g, expected %.9g", loss, expected);

    for (size_t i = 0; i < dq_net_trainable(f.net); i++) f.gradient[i] = NAN; // backward overwrites
    dq_net_backward(f.net, f.params, f.workspace, f.batch, d_output, f.gradient);
    check_tensors(&f, "g.", f.gradient, true, TOLERANCE);
    if (batch_norm) {
        check_tensors(&f, "after.", f.params, false, TOLERANCE);
        check_outputs(&f, dq_net_forward(f.net, f.params, f.workspace, f.batch, DQ_EVAL), "q_eval");
    }

    // one observation, in the mode the file has
    float one[64];
    dq_net_apply(f.net, f.params, f.workspace, floats(&f, "", "x"), one);
    assert_true(test_largest_difference(one, floats(&f, "", batch_norm ? "q_eval" : "q"), (size_t)f.actions,
                                        0.1) < TOLERANCE);
    free(d_output);
    close_fixture(&f);
}

static void check_files(const char *pattern) {
    glob_t found;
    char below[128];
    snprintf(below, sizeof below, "nn/%s", pattern);
    assert_int_equal(glob(test_reference_path(below), 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        print_message("%s\n", found.gl_pathv[i]);
        check_file(found.gl_pathv[i]);
    }
    globfree(&found);
}

static void multilayer(void **state) {
    (void)state;
    check_files("mlp_*.npz");
}

static void layer_norm(void **state) {
    (void)state;
    check_files("layernorm_*.npz");
}

static void batch_norm(void **state) {
    (void)state;
    check_files("batchnorm_mlp_*.npz");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multilayer),
        cmocka_unit_test(layer_norm),
        cmocka_unit_test(batch_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
