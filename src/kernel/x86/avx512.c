// The kernel templates at the AVX-512F level.
//
// Their bits are tested over an emulation (tests/kernel/test_avx512_emulated.c) and the machine code has been
// read: 512-bit multiply-adds on broadcast scalars, no sums in memory. They have not been timed: the project
// has had no processor with AVX-512.
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include "kernel/x86/vec_avx512.h"

#include "kernel/distribution_template.h"
#include "kernel/elementwise_template.h"
#include "kernel/image_template.h"
#include "kernel/norm_template.h"
#include "kernel/x86/conv_template.h"
#include "kernel/x86/gemm_template.h"
#include "kernel/x86/lanes_template.h"

void dq_kernels_avx512(dq_kernels *table) {
    fill_elementwise(table);
    fill_distribution(table);
    fill_norm(table);
    fill_image(table);
    table->gemm = gemm;
    table->conv = conv;
    table->gemm_lanes = gemm_lanes;
    table->row_sums = row_sums;
    table->matvec = matvec;
}
#endif
