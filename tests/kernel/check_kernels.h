// Every kernel of a table against the C reference, bit for bit, over random shapes.
//
// Outputs are compared with everything around them, so that a store past the end shows. Both test programs
// use it: one on the levels of this processor, one on the AVX-512 templates over an emulation.
#ifndef CHECK_KERNELS_H
#define CHECK_KERNELS_H

#include "kernel/kernel.h"

#include <deepq/rng.h>
#include <stdlib.h>
#include <string.h>
#include <support.h>

enum { ROOM = 1 << 16 }; // floats per buffer

typedef struct check {
    const dq_kernels *table, *reference;
    dq_rng rng;
    float *in[4], *out[2][4]; // out[0]: the table's, out[1]: the reference's
} check;

static int pick(check *c, int low, int high) {
    return (int)dq_rng_integers(&c->rng, low, high + 1);
}

// Fresh inputs, about a tenth of them zero; the same garbage in both outputs.
static void fill(check *c) {
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 4096; i++) {
            size_t at = (size_t)pick(c, 0, ROOM - 1);
            c->in[k][at] = pick(c, 0, 9) ? (float)dq_rng_normal(&c->rng) : 0.0f;
            c->out[0][k][at] = c->out[1][k][at] = (float)dq_rng_normal(&c->rng);
        }
}

static void same(const check *c, const char *what) {
    for (int k = 0; k < 4; k++)
        if (memcmp(c->out[0][k], c->out[1][k], ROOM * sizeof(float)) != 0) {
            int i = 0;
            while (memcmp(&c->out[0][k][i], &c->out[1][k][i], sizeof(float)) == 0) i++;
            fail_msg("%s: output %d differs at %d: %.9g, reference %.9g", what, k, i, (double)c->out[0][k][i],
                     (double)c->out[1][k][i]);
        }
}

static dq_nonlinearity pick_activation(check *c) {
    return (dq_nonlinearity){(dq_nonlinearity_kind)pick(c, 0, 2), 0.125f};
}

static void check_gemm(check *c) {
    for (int round = 0; round < 1500; round++) {
        if (round % 10 == 0) fill(c);
        bool large = round % 50 == 0;
        int rows = pick(c, 1, large ? 40 : 14), panels = pick(c, 1, large ? 12 : 9), k_outer = pick(c, 1, 3);
        int k_inner = pick(c, 1, 20);
        dq_gemm g = {.rows = rows,
                     .panels = panels,
                     .columns = 16 * panels - pick(c, 0, 3) * pick(c, 0, 5),
                     .k_outer = k_outer,
                     .k_inner = k_inner,
                     .a = c->in[0],
                     .p = c->in[1],
                     .bias = pick(c, 0, 1) ? c->in[2] : NULL,
                     .activation = pick_activation(c)};
        if (pick(c, 0, 1)) { // A by rows, P's blocks of k one after another
            g.a_inner = 1;
            g.a_outer = (size_t)k_inner;
            g.a_row = (size_t)(k_outer * k_inner + pick(c, 0, 9));
        } else { // A by columns
            g.a_row = 1;
            g.a_inner = (size_t)(rows + pick(c, 0, 9));
            g.a_outer = g.a_inner * (size_t)k_inner;
        }
        g.p_outer = (size_t)(16 * k_inner);
        g.p_panel = g.p_outer * (size_t)k_outer + (size_t)(16 * pick(c, 0, 2));
        if (pick(c, 0, 1)) { // panels out
            g.c_row = 16;
            g.c_panel = (size_t)(16 * rows);
            g.columns = 16 * panels;
            g.mask = pick(c, 0, 1) ? c->in[3] : NULL;
        } else { // rows out
            g.c_row = (size_t)(g.columns + pick(c, 0, 9));
            g.c_panel = 16;
        }
        g.c = c->out[0][0];
        c->table->gemm(&g);
        g.c = c->out[1][0];
        c->reference->gemm(&g);
        same(c, "gemm");
    }
}

// Offsets of any order; only the rows of C keep apart.
static void check_conv(check *c) {
    int a_row[40], a_k[60], c_row[40];
    for (int round = 0; round < 1000; round++) {
        if (round % 10 == 0) fill(c);
        int rows = pick(c, 1, 40), columns = pick(c, 1, 70), k = pick(c, 1, 60), gap = pick(c, 0, 9);
        for (int m = 0; m < rows; m++) {
            a_row[m] = pick(c, 0, 5000);
            c_row[m] = m * (columns + gap);
        }
        for (int i = 0; i < k; i++) a_k[i] = pick(c, 0, 5000);
        dq_conv g = {.rows = rows,
                     .columns = columns,
                     .k = k,
                     .a = c->in[0],
                     .a_row = a_row,
                     .a_k = a_k,
                     .b = c->in[1],
                     .b_panel = (size_t)(16 * (k + pick(c, 0, 5))),
                     .c_row = c_row,
                     .bias = pick(c, 0, 1) ? c->in[2] : NULL,
                     .add = pick(c, 0, 1),
                     .activation = pick_activation(c)};
        g.c = c->out[0][0];
        c->table->conv(&g);
        g.c = c->out[1][0];
        c->reference->conv(&g);
        same(c, "conv");
    }
}

static void check_images(check *c) {
    for (int round = 0; round < 200; round++) {
        if (round % 10 == 0) fill(c);
        int rows = pick(c, 1, 50), columns = pick(c, 1, 70), samples = pick(c, 1, 16), kernel = pick(c, 1, 4);
        dq_pool_window w = {.height = pick(c, kernel, 12),
                            .width = pick(c, kernel, 12),
                            .channels = pick(c, 1, 40),
                            .kernel = kernel,
                            .stride = pick(c, 1, 3),
                            .padding = pick(c, 0, kernel - 1)};
        w.out_height = (w.height + 2 * w.padding - kernel) / w.stride + 1;
        w.out_width = (w.width + 2 * w.padding - kernel) / w.stride + 1;
        for (int k = 0; k < 2; k++) {
            const dq_kernels *kernels = k ? c->reference : c->table;
            float **out = c->out[k];
            kernels->unit_floats((const unsigned char *)c->in[0] + columns, out[0], (size_t)(rows * columns));
            kernels->column_sums(c->in[1], (size_t)(columns + 3), rows, columns, out[1]);
            kernels->rows_to_panel(c->in[2], samples, columns, out[1] + 1024);
            kernels->panel_to_rows(c->in[3], samples, columns, out[1] + 8192);
            kernels->max_pool(&w, c->in[1], out[2]);
            kernels->max_pool_backward(&w, c->in[1], out[2], c->in[0], out[3]);
        }
        same(c, "images");
    }
}

static void check_lanes(check *c) {
    for (int round = 0; round < 400; round++) {
        if (round % 10 == 0) fill(c);
        int rows = pick(c, 1, 19), columns = pick(c, 1, 19), panels = pick(c, 1, 6);
        size_t y_panel = (size_t)(16 * (rows + pick(c, 0, 1))),
               x_panel = (size_t)(16 * (columns + pick(c, 0, 1)));
        size_t c_row = (size_t)(columns + pick(c, 0, 3));
        for (int k = 0; k < 2; k++) {
            const dq_kernels *kernels = k ? c->reference : c->table;
            float **out = c->out[k];
            kernels->gemm_lanes(c->in[0], y_panel, rows, c->in[1], x_panel, columns, panels, out[0], c_row);
            kernels->row_sums(c->in[0], y_panel, rows, panels, out[1]);
            kernels->transpose(c->in[1], x_panel, columns, panels, out[2]);
        }
        same(c, "gemm_lanes, row_sums or transpose");
    }
}

static void check_matvec(check *c) {
    for (int round = 0; round < 400; round++) {
        if (round % 10 == 0) fill(c);
        int rows = pick(c, 1, 30), columns = pick(c, 1, 70);
        size_t w_row = (size_t)(columns + pick(c, 0, 8));
        dq_nonlinearity activation = pick_activation(c);
        for (int k = 0; k < 2; k++)
            (k ? c->reference : c->table)
                ->matvec(c->in[0], w_row, c->in[1], c->in[2], rows, columns, activation, c->out[k][0]);
        same(c, "matvec");
    }
}

static void check_elementwise(check *c) {
    for (int round = 0; round < 200; round++) {
        if (round % 10 == 0) fill(c);
        size_t n = (size_t)pick(c, 1, 150);
        dq_nonlinearity activation = pick_activation(c);
        const dq_adam adam = {.beta1 = 0.9f,
                              .rest1 = 0.1f,
                              .beta2 = 0.999f,
                              .rest2 = 0.001f,
                              .l2 = pick(c, 0, 1) ? 0.01f : 0.0f,
                              .decay = 0.99f,
                              .root_scale = 3.0f,
                              .epsilon = 1e-6f,
                              .step_size = 0.01f};
        const dq_rmsprop rmsprop = {.alpha = 0.9f,
                                    .rest = 0.1f,
                                    .l2 = 0.1f,
                                    .epsilon = 1e-3f,
                                    .momentum = 0.9f,
                                    .learning_rate = 0.1f};
        bool third = pick(c, 0, 1), fourth = pick(c, 0, 1);
        double sums[2];
        for (int k = 0; k < 2; k++) {
            const dq_kernels *kernels = k ? c->reference : c->table;
            float **out = c->out[k];
            for (size_t i = 0; i < n;
                 i++) { // second moments are not negative, and not below the squared mean
                out[2][i] = out[2][i] * out[2][i] + 4.0f * out[1][i] * out[1][i];
                out[3][i] = out[3][i] * out[3][i];
            }
            kernels->adam(out[0], c->in[0], out[1], out[2], third ? out[3] : NULL, n, &adam);
            kernels->rmsprop(out[0] + 1024, c->in[0], out[2], third ? out[1] : NULL, fourth ? out[3] : NULL,
                             n, &rmsprop);
            kernels->sgd(out[0] + 2048, c->in[1], third ? out[1] : NULL, n, 0.1f, 0.9f, 0.01f);
            kernels->activate(c->in[2], out[0] + 4096, n, activation);
            kernels->activate_backward(c->in[1], out[0] + 4096, out[0] + 8192, n, activation);
            kernels->clip(out[0] + 8192, n, 0.5f);
            kernels->scale(out[0] + 4096, n, 0.7f);
            kernels->blend(out[0] + 3072, c->in[3], n, 0.3f);
            sums[k] = kernels->square_sum(c->in[0], n);
        }
        same(c, "an optimizer or an elementwise kernel");
        assert_memory_equal(&sums[0], &sums[1], sizeof(double));
    }
}

static void check_norms(check *c) {
    for (int round = 0; round < 200; round++) {
        if (round % 10 == 0) fill(c);
        int features = pick(c, 1, 40), batch = pick(c, 1, 60), panels = (batch + 15) / 16;
        size_t panel = (size_t)(16 * (features + pick(c, 0, 1)));
        dq_nonlinearity activation = pick_activation(c);
        const float *x = c->in[0], *d_y = c->in[1], *weight = c->in[2], *bias = c->in[3];
        for (int k = 0; k < 2; k++) {
            const dq_kernels *kernels = k ? c->reference : c->table;
            float **out = c->out[k];
            double *moments = (double *)(void *)(out[1] + 8192);
            kernels->feature_moments(x, panel, features, batch, moments, moments + features);
            kernels->feature_affine(x, panel, out[0], panel, features, panels, weight, bias, activation);
            kernels->feature_norm_backward(d_y, panel, x, panel, features, batch, bias, weight, weight,
                                           out[1], out[1] + 1024, out[2]);
            kernels->sample_norm(x, panel, out[3], panel, features, panels, 1e-5, weight, bias, activation,
                                 out[1] + 2048);
            kernels->sample_norm_backward(d_y, panel, x, panel, features, panels, out[1] + 2048, weight,
                                          out[1] + 4096, out[1] + 5120, out[0]);
        }
        same(c, "normalisation");
    }
}

static void check_table(const dq_kernels *table, const dq_kernels *reference) {
    check c = {.table = table, .reference = reference};
    dq_rng_seed(&c.rng, 11);
    for (int k = 0; k < 4; k++) {
        c.in[k] = calloc(ROOM, sizeof(float));
        c.out[0][k] = calloc(ROOM, sizeof(float));
        c.out[1][k] = calloc(ROOM, sizeof(float));
    }
    for (int i = 0; i < 40; i++) fill(&c);
    check_gemm(&c);
    check_conv(&c);
    check_images(&c);
    check_lanes(&c);
    check_matvec(&c);
    check_elementwise(&c);
    check_norms(&c);
    for (int k = 0; k < 4; k++) free(c.in[k]), free(c.out[0][k]), free(c.out[1][k]);
}

#endif
