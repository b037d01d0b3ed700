// The core's own peak of fused multiply-adds, measured at the width that the kernels use: twelve (AVX2)
// or twenty-four (AVX-512) independent chains in registers, nothing loaded, nothing stored.
#ifndef BENCH_FMA_PEAK_H
#define BENCH_FMA_PEAK_H

#include "measure.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define CHAINS_12(V, set, first)                                                                             \
    V s##first##0 = set(0), s##first##1 = set(1), s##first##2 = set(2), s##first##3 = set(3),                \
      s##first##4 = set(4), s##first##5 = set(5), s##first##6 = set(6), s##first##7 = set(7),                \
      s##first##8 = set(8), s##first##9 = set(9), s##first##10 = set(10), s##first##11 = set(11)
// clang-format off
#define FOR_12(X, first) \
    X(s##first##0) X(s##first##1) X(s##first##2) X(s##first##3) X(s##first##4) X(s##first##5) \
    X(s##first##6) X(s##first##7) X(s##first##8) X(s##first##9) X(s##first##10) X(s##first##11)
// clang-format on

__attribute__((target("avx2,fma"), noinline)) static void fma_chains_avx2(long rounds) {
    __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
    CHAINS_12(__m256, _mm256_set1_ps, a);
    for (long r = 0; r < rounds; r++) {
#define STEP(s) __asm__ volatile("vfmadd213ps %2, %1, %0" : "+x"(s) : "x"(a), "x"(b));
        FOR_12(STEP, a)
#undef STEP
    }
}

__attribute__((target("avx512f"), noinline)) static void fma_chains_avx512(long rounds) {
    __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
    CHAINS_12(__m512, _mm512_set1_ps, a);
    CHAINS_12(__m512, _mm512_set1_ps, b);
    for (long r = 0; r < rounds; r++) {
#define STEP(s) __asm__ volatile("vfmadd213ps %2, %1, %0" : "+v"(s) : "v"(a), "v"(b));
        FOR_12(STEP, a) FOR_12(STEP, b)
#undef STEP
    }
}

// GFLOP/s of one burst of about 40 us on the named CPU level; 0 where the level has no vectors.
static double bench_fma_gflops(const char *level) {
    const long rounds = 12000;
    double start = bench_seconds(), flops;
    if (strcmp(level, "avx2") == 0) {
        fma_chains_avx2(rounds);
        flops = 2.0 * 8 * 12 * (double)rounds;
    } else if (strcmp(level, "avx512") == 0) {
        fma_chains_avx512(rounds);
        flops = 2.0 * 16 * 24 * (double)rounds;
    } else {
        return 0;
    }
    return flops / (bench_seconds() - start) * 1e-9;
}
#else
static double bench_fma_gflops(const char *level) {
    (void)level;
    return 0;
}
#endif

#endif
