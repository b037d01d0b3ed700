// Panels to rows of samples, AVX2: each 16 x 16 block is four 8 x 8 transposes. Blocks are contiguous on
// both sides. The AVX-512 level uses it too: the loop is bound by its stores.
#include <string.h>

INLINE void transpose_8x8(const float *from, float *to) {
    __m256 r[8], t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) r[i] = _mm256_loadu_ps(from + i * 16);
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + i * 16, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * 16, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}

TARGET static void transpose(const float *x, size_t x_panel, int features, int panels, float *out) {
    for (int block = 0; block < (features + 15) / 16; block++) {
        int rows = features - block * 16 < 16 ? features - block * 16 : 16;
        for (int panel = 0; panel < panels; panel++, out += 256) {
            const float *from = x + (size_t)panel * x_panel + (size_t)block * 256;
            float whole[256];
            if (rows < 16) {
                memcpy(whole, from, (size_t)rows * 16 * sizeof(float));
                memset(whole + rows * 16, 0, (size_t)(16 - rows) * 16 * sizeof(float));
                from = whole;
            }
            transpose_8x8(from, out);
            transpose_8x8(from + 8, out + 8 * 16);
            transpose_8x8(from + 8 * 16, out + 8);
            transpose_8x8(from + 8 * 16 + 8, out + 8 * 16 + 8);
        }
    }
}
