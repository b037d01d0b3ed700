// The vector layer of the kernel templates for AVX2 with FMA: 8 floats a vector, 2 vectors a panel.
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))

#define VEC              __m256
#define VEC_LANES        8
#define VEC_LOAD(p)      _mm256_loadu_ps(p)
#define VEC_STORE(p, v)  _mm256_storeu_ps(p, v)
#define VEC_BROADCAST(p) _mm256_broadcast_ss(p)
#define VEC_ZERO()       _mm256_setzero_ps()
#define VEC_ADD(a, b)    _mm256_add_ps(a, b)
#define VEC_MUL(a, b)    _mm256_mul_ps(a, b)
#define VEC_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define VEC_MAX(a, b)    _mm256_max_ps(a, b)
// where > 0 ? a : b, and where > 0 ? a : 0
#define VEC_SELECT_POSITIVE(where, a, b)                                                                     \
    _mm256_blendv_ps(b, a, _mm256_cmp_ps(where, _mm256_setzero_ps(), _CMP_GT_OQ))
#define VEC_KEEP_POSITIVE(where, a) _mm256_and_ps(a, _mm256_cmp_ps(where, _mm256_setzero_ps(), _CMP_GT_OQ))

// sum += a * b, in the form that keeps the sum in its register: left to itself, gcc moves and spills sums.
#define VEC_FMA_INTO(sum, a, b) __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b))

// Lane masks for the first n of 16 floats, vector by vector, and loads that touch no others.
static const int mask_bits[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
#define VEC_MASK                __m256i
#define VEC_FIRST(n, v)         _mm256_loadu_si256((const __m256i *)(const void *)(mask_bits + 16 - (n) + (v)*8))
#define VEC_LOAD_MASK(m, p)     _mm256_maskload_ps(p, m)
#define VEC_STORE_MASK(m, p, v) _mm256_maskstore_ps(p, m, v)

// 16 lane sums, held in the vectors of a panel, folded to 8: lane i + lane i + 8.
#define VEC_FOLD(s) _mm256_add_ps((s)[0], (s)[1])

// Tiles of the matrix product: ROWS_MAX rows x the panels that fill the 16 registers.
#define TILE_ROWS         6
#define TILE_PANELS(rows) ((rows) == 1 ? 6 : (rows) == 2 ? 3 : (rows) == 3 ? 2 : 1)
#define TILE_PANELS_MAX   6
#define TILES(X)                                                                                             \
    X(1, 1)                                                                                                  \
    X(1, 2) X(1, 3) X(1, 4) X(1, 5) X(1, 6) X(2, 1) X(2, 2) X(2, 3) X(3, 1) X(3, 2) X(4, 1) X(5, 1) X(6, 1)

// Tiles of the convolution product: rows x panels.
#define CONV_ROWS     6
#define CONV_PANELS   1
#define CONV_TILES(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1)

#define PANEL_CACHE 16384 // bytes of first-level cache for panels of P
