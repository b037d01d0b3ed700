// The C reference of the convolution product: what it computes, in the order that fixes its bits.
#include "kernel/nonlinearity.h"
#include "kernel/ref/ref.h"

#include <math.h>

void dq_ref_conv(const dq_conv *g) {
    for (int m = 0; m < g->rows; m++) {
        const float *a = g->a + g->a_row[m];
        float *c = g->c + g->c_row[m];
        for (int n = 0; n < g->columns; n++) {
            const float *b = g->b + (size_t)(n / 16) * g->b_panel + n % 16;
            float sum = g->bias ? g->bias[n] : 0.0f;
            for (int k = 0; k < g->k; k++) sum = fmaf(a[g->a_k[k]], b[(size_t)k * 16], sum);
            c[n] = dq_nonlinearity_apply(g->add ? c[n] + sum : sum, g->activation);
        }
    }
}
