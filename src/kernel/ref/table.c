// The reference level of the kernel table: complete, plain C.
#include "kernel/ref/ref.h"

void dq_kernels_ref(dq_kernels *table) {
    *table = (dq_kernels){
        .gemm = dq_ref_gemm,
        .conv = dq_ref_conv,
        .gemm_lanes = dq_ref_gemm_lanes,
        .row_sums = dq_ref_row_sums,
        .transpose = dq_ref_transpose,
        .matvec = dq_ref_matvec,
    };
    dq_ref_elementwise(table);
}
