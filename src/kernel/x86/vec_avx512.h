// The vector layer of the kernel templates for AVX-512F: 16 floats a vector, 1 vector a panel.
#ifndef DQ_EMULATE_AVX512 // the kernel tests run these templates over an emulation of the instructions
#include <immintrin.h>
#if defined(__clang__) // knows no such preference
#define TARGET __attribute__((target("avx512f")))
#else
#define TARGET __attribute__((target("avx512f,prefer-vector-width=512")))
#endif
// sum += a * b, in the form that keeps the sum in its register: left to itself, gcc moves and spills sums.
#define VEC_FMA_INTO(sum, a, b) __asm__("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))
#else
#define TARGET
#define VEC_FMA_INTO(sum, a, b) sum = _mm512_fmadd_ps(a, b, sum)
#endif

#define VEC              __m512
#define VEC_LANES        16
#define VEC_LOAD(p)      _mm512_loadu_ps(p)
#define VEC_STORE(p, v)  _mm512_storeu_ps(p, v)
#define VEC_BROADCAST(p) _mm512_set1_ps(*(p))
#define VEC_ZERO()       _mm512_setzero_ps()
#define VEC_ADD(a, b)    _mm512_add_ps(a, b)
#define VEC_MUL(a, b)    _mm512_mul_ps(a, b)
#define VEC_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define VEC_MAX(a, b)    _mm512_max_ps(a, b)
#define VEC_SELECT_POSITIVE(where, a, b)                                                                     \
    _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask(where, _mm512_setzero_ps(), _CMP_GT_OQ), a)
#define VEC_KEEP_POSITIVE(where, a)                                                                          \
    _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(where, _mm512_setzero_ps(), _CMP_GT_OQ), a)

#define VEC_MASK                __mmask16
#define VEC_FIRST(n, v)         (__mmask16)((1u << (n)) - 1u)
#define VEC_LOAD_MASK(m, p)     _mm512_maskz_loadu_ps(m, p)
#define VEC_STORE_MASK(m, p, v) _mm512_mask_storeu_ps(p, m, v)

#define VEC_FOLD(s)                                                                                          \
    _mm256_add_ps(_mm512_castps512_ps256((s)[0]),                                                            \
                  _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd((s)[0]), 1)))

#define TILE_ROWS         6
#define TILE_PANELS(rows) ((rows) <= 2 ? 8 : 4)
#define TILE_PANELS_MAX   8
// clang-format off
#define TILES(X) \
    X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(1, 5) X(1, 6) X(1, 7) X(1, 8) \
    X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(2, 5) X(2, 6) X(2, 7) X(2, 8) \
    X(3, 1) X(3, 2) X(3, 3) X(3, 4) \
    X(4, 1) X(4, 2) X(4, 3) X(4, 4) \
    X(5, 1) X(5, 2) X(5, 3) X(5, 4) \
    X(6, 1) X(6, 2) X(6, 3) X(6, 4)

#define CONV_ROWS   8
#define CONV_PANELS 2
#define CONV_TILES(X) \
    X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) \
    X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2)
// clang-format on

#define PANEL_CACHE 32768 // bytes of first-level cache for panels of P
