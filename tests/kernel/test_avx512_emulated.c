// The AVX-512 templates against the C references on processors without AVX-512: SIMDe carries out each
// AVX-512 instruction with AVX2 and FMA. This shows that the templates compute the right bits; it says
// nothing about their speed.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("avx2,fma")
#if __has_include(<simde/x86/avx512.h>)
#define EMULATED
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#endif
#endif

#include "check_kernels.h"

#ifdef EMULATED
// Masked loads and stores, which SIMDe 0.7 lacks.
#undef _mm512_mask_storeu_ps
#define _mm512_mask_storeu_ps store_masked
static void store_masked(float *to, unsigned mask, __m512 value) {
    float all[16];
    _mm512_storeu_ps(all, value);
    for (int i = 0; i < 16; i++)
        if (mask >> i & 1) to[i] = all[i];
}

#undef _mm512_maskz_loadu_ps
#define _mm512_maskz_loadu_ps load_masked
static __m512 load_masked(unsigned mask, const float *from) {
    float all[16];
    for (int i = 0; i < 16; i++) all[i] = mask >> i & 1 ? from[i] : 0.0f;
    return _mm512_loadu_ps(all);
}

#define DQ_EMULATE_AVX512
#include "kernel/x86/vec_avx512.h"

#include "kernel/elementwise_template.h"
#include "kernel/image_template.h"
#include "kernel/norm_template.h"
#include "kernel/x86/conv_template.h"
#include "kernel/x86/gemm_template.h"
#include "kernel/x86/lanes_template.h"

static void same_bits_as_reference(void **state) {
    (void)state;
    dq_kernels table = *dq_kernels_at(DQ_CPU_REF);
    fill_elementwise(&table);
    fill_norm(&table);
    fill_image(&table);
    table.gemm = gemm;
    table.conv = conv;
    table.gemm_lanes = gemm_lanes;
    table.row_sums = row_sums;
    table.matvec = matvec;
    check_table(&table, dq_kernels_at(DQ_CPU_REF));
}

int main(void) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return TEST_SKIPPED;
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits_as_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) {
    (void)check_table;
    return TEST_SKIPPED;
}
#endif
