// The C references; kernel.h says what each computes.
#ifndef DQ_KERNEL_REF_REF_H
#define DQ_KERNEL_REF_REF_H

#include "kernel/kernel.h"

void dq_ref_gemm(const dq_gemm *g);
void dq_ref_conv(const dq_conv *g);
void dq_ref_gemm_lanes(const float *y, size_t y_panel, int rows, const float *x, size_t x_panel, int columns,
                       int panels, float *c, size_t c_row);
void dq_ref_row_sums(const float *y, size_t y_panel, int rows, int panels, float *sums);
void dq_ref_transpose(const float *x, size_t x_panel, int features, int panels, float *out);
void dq_ref_matvec(const float *w, size_t w_row, const float *bias, const float *x, int rows, int columns,
                   dq_nonlinearity activation, float *y);

// Fills the entries of elementwise_template.h.
void dq_ref_elementwise(dq_kernels *table);

#endif
