// The C references of the matrix kernels: what they compute, in the order that fixes their bits.
#include "kernel/nonlinearity.h"
#include "kernel/ref/ref.h"

#include <math.h>

void dq_ref_gemm(const dq_gemm *g) {
    for (int m = 0; m < g->rows; m++) {
        for (int column = 0; column < g->columns; column++) {
            size_t panel = (size_t)column / 16, lane = (size_t)column % 16;
            float sum = g->bias ? g->bias[m] : 0.0f;
            for (int outer = 0; outer < g->k_outer; outer++) {
                const float *a = g->a + (size_t)m * g->a_row + (size_t)outer * g->a_outer;
                const float *p = g->p + panel * g->p_panel + (size_t)outer * g->p_outer + lane;
                for (int inner = 0; inner < g->k_inner; inner++)
                    sum = fmaf(a[(size_t)inner * g->a_inner], p[(size_t)inner * 16], sum);
            }
            size_t at = (size_t)m * g->c_row + panel * g->c_panel + lane;
            g->c[at] = g->mask ? dq_nonlinearity_differentiate(sum, g->mask[at], g->activation)
                               : dq_nonlinearity_apply(sum, g->activation);
        }
    }
}

void dq_ref_gemm_lanes(const float *y, size_t y_panel, int rows, const float *x, size_t x_panel, int columns,
                       int panels, float *c, size_t c_row) {
    for (int r = 0; r < rows; r++) {
        for (int q = 0; q < columns; q++) {
            float sum[16] = {0};
            for (int panel = 0; panel < panels; panel++) {
                const float *u = y + (size_t)panel * y_panel + (size_t)r * 16;
                const float *v = x + (size_t)panel * x_panel + (size_t)q * 16;
                for (int lane = 0; lane < 16; lane++) sum[lane] = fmaf(u[lane], v[lane], sum[lane]);
            }
            c[(size_t)r * c_row + (size_t)q] = DQ_SUM_LANES(sum);
        }
    }
}

void dq_ref_row_sums(const float *y, size_t y_panel, int rows, int panels, float *sums) {
    for (int r = 0; r < rows; r++) {
        float sum[16] = {0};
        for (int panel = 0; panel < panels; panel++) {
            const float *u = y + (size_t)panel * y_panel + (size_t)r * 16;
            for (int lane = 0; lane < 16; lane++) sum[lane] += u[lane];
        }
        sums[r] = DQ_SUM_LANES(sum);
    }
}

void dq_ref_transpose(const float *x, size_t x_panel, int features, int panels, float *out) {
    for (int panel = 0; panel < panels; panel++) {
        for (int f = 0; f < (features + 15) / 16 * 16; f++) {
            const float *from = x + (size_t)panel * x_panel + (size_t)f * 16;
            float *to = out + (((size_t)f / 16 * (size_t)panels + (size_t)panel) * 16) * 16 + (size_t)f % 16;
            for (int lane = 0; lane < 16; lane++) to[(size_t)lane * 16] = f < features ? from[lane] : 0.0f;
        }
    }
}

void dq_ref_matvec(const float *w, size_t w_row, const float *bias, const float *x, int rows, int columns,
                   dq_nonlinearity activation, float *y) {
    for (int r = 0; r < rows; r++) {
        const float *row = w + (size_t)r * w_row;
        float sum[16] = {0};
        for (int q = 0; q < columns; q++) sum[q % 16] = fmaf(row[q], x[q], sum[q % 16]);
        y[r] = dq_nonlinearity_apply(DQ_SUM_LANES(sum) + bias[r], activation);
    }
}
