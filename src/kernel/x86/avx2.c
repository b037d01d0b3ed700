// The kernel templates at the AVX2 level.
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include "kernel/x86/vec_avx2.h"

#include "kernel/distribution_template.h"
#include "kernel/elementwise_template.h"
#include "kernel/image_template.h"
#include "kernel/norm_template.h"
#include "kernel/x86/conv_template.h"
#include "kernel/x86/gemm_template.h"
#include "kernel/x86/lanes_template.h"
#include "kernel/x86/transpose.h"

void dq_kernels_avx2(dq_kernels *table) {
    fill_elementwise(table);
    fill_distribution(table);
    fill_norm(table);
    fill_image(table);
    table->gemm = gemm;
    table->conv = conv;
    table->gemm_lanes = gemm_lanes;
    table->row_sums = row_sums;
    table->matvec = matvec;
    table->transpose = transpose;
}
#endif
