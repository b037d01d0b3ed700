// Kernels that sum lane by lane, once per instruction set: weight gradients of narrow layers, bias
// gradients, and the matrix-vector product of one observation. 16 lane sums run along, and sum_four folds
// those of four results at a time by DQ_SUM_LANES' tree.

// Folded sums of four results -> their four totals.
INLINE __m128 sum_four(__m256 a, __m256 b, __m256 c, __m256 d) {
    __m256 ab = _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    __m256 cd = _mm256_add_ps(_mm256_permute2f128_ps(c, d, 0x20), _mm256_permute2f128_ps(c, d, 0x31));
    __m256 pairs =
        _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee)); // a c | b d
    __m256 sums = _mm256_add_ps(_mm256_shuffle_ps(pairs, pairs, 0x88), _mm256_shuffle_ps(pairs, pairs, 0xdd));
    return _mm_unpacklo_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
}

// R x Q results, R * Q a multiple of 4 up to 8.
INLINE void lanes_tile(const float *y, size_t y_panel, const float *x, size_t x_panel, int panels, float *c,
                       size_t c_row, const int R, const int Q) {
    VEC sum[8][PANEL_VECS];
#pragma GCC unroll 2
    for (int v = 0; v < PANEL_VECS; v++) {
        const float *u = y + v * VEC_LANES, *w = x + v * VEC_LANES;
        VEC running[8];
#pragma GCC unroll 8
        for (int i = 0; i < R * Q; i++) running[i] = VEC_ZERO();
        for (int panel = 0; panel < panels; panel++, u += y_panel, w += x_panel) {
#pragma GCC unroll 8
            for (int i = 0; i < R * Q; i++)
                running[i] = VEC_FMA(VEC_LOAD(u + i / Q * 16), VEC_LOAD(w + i % Q * 16), running[i]);
        }
#pragma GCC unroll 8
        for (int i = 0; i < R * Q; i++) sum[i][v] = running[i];
    }
#pragma GCC unroll 2
    for (int i = 0; i < R * Q; i += 4) {
        float total[4];
        _mm_storeu_ps(total, sum_four(VEC_FOLD(sum[i]), VEC_FOLD(sum[i + 1]), VEC_FOLD(sum[i + 2]),
                                      VEC_FOLD(sum[i + 3])));
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) c[(size_t)((i + j) / Q) * c_row + (size_t)((i + j) % Q)] = total[j];
    }
}

INLINE void lanes_one(const float *y, size_t y_panel, const float *x, size_t x_panel, int panels, float *c) {
    VEC sum[PANEL_VECS];
    for (int v = 0; v < PANEL_VECS; v++) {
        sum[v] = VEC_ZERO();
        for (int panel = 0; panel < panels; panel++)
            sum[v] = VEC_FMA(VEC_LOAD(y + (size_t)panel * y_panel + (size_t)(v * VEC_LANES)),
                             VEC_LOAD(x + (size_t)panel * x_panel + (size_t)(v * VEC_LANES)), sum[v]);
    }
    __m256 folded = VEC_FOLD(sum);
    *c = _mm_cvtss_f32(sum_four(folded, folded, folded, folded));
}

TARGET static void gemm_lanes(const float *y, size_t y_panel, int rows, const float *x, size_t x_panel,
                              int columns, int panels, float *c, size_t c_row) {
    size_t r = 0;
    size_t row_end = (size_t)rows, column_end = (size_t)columns;
    for (; r + 4 <= row_end; r += 4) {
        size_t q = 0;
        const float *u = y + r * 16;
        for (; q + 2 <= column_end; q += 2)
            lanes_tile(u, y_panel, x + q * 16, x_panel, panels, c + r * c_row + q, c_row, 4, 2);
        if (q < column_end)
            lanes_tile(u, y_panel, x + q * 16, x_panel, panels, c + r * c_row + q, c_row, 4, 1);
    }
    for (; r + 2 <= row_end; r += 2) {
        size_t q = 0;
        const float *u = y + r * 16;
        for (; q + 4 <= column_end; q += 4)
            lanes_tile(u, y_panel, x + q * 16, x_panel, panels, c + r * c_row + q, c_row, 2, 4);
        for (; q + 2 <= column_end; q += 2)
            lanes_tile(u, y_panel, x + q * 16, x_panel, panels, c + r * c_row + q, c_row, 2, 2);
        for (size_t k = 0; q < column_end && k < 2; k++)
            lanes_one(u + k * 16, y_panel, x + q * 16, x_panel, panels, c + (r + k) * c_row + q);
    }
    for (; r < row_end; r++) {
        size_t q = 0;
        const float *u = y + r * 16;
        for (; q + 8 <= column_end; q += 8)
            lanes_tile(u, y_panel, x + q * 16, x_panel, panels, c + r * c_row + q, c_row, 1, 8);
        for (; q < column_end; q++) lanes_one(u, y_panel, x + q * 16, x_panel, panels, c + r * c_row + q);
    }
}

INLINE void sum_rows(const float *y, size_t y_panel, int panels, float *total, const int R) {
    VEC sum[4][PANEL_VECS];
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++)
#pragma GCC unroll 2
        for (int v = 0; v < PANEL_VECS; v++) sum[r][v] = VEC_ZERO();
    for (int panel = 0; panel < panels; panel++, y += y_panel)
#pragma GCC unroll 4
        for (int r = 0; r < R; r++)
#pragma GCC unroll 2
            for (int v = 0; v < PANEL_VECS; v++)
                sum[r][v] = VEC_ADD(sum[r][v], VEC_LOAD(y + r * 16 + v * VEC_LANES));
    float four[4];
    _mm_storeu_ps(four, sum_four(VEC_FOLD(sum[0]), VEC_FOLD(sum[1]), VEC_FOLD(sum[2]), VEC_FOLD(sum[3])));
    for (int r = 0; r < R; r++) total[r] = four[r];
}

TARGET static void row_sums(const float *y, size_t y_panel, int rows, int panels, float *sums) {
    int r = 0;
    for (; r + 4 <= rows; r += 4) sum_rows(y + (size_t)r * 16, y_panel, panels, sums + r, 4);
    for (; r < rows; r++) sum_rows(y + (size_t)r * 16, y_panel, panels, sums + r, 1);
}

// R results of a matrix-vector product, before bias and activation.
INLINE __m128 matvec_rows(const float *w, size_t w_row, const float *x, int columns, const int R) {
    VEC sum[4][PANEL_VECS];
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++)
#pragma GCC unroll 2
        for (int v = 0; v < PANEL_VECS; v++) sum[r][v] = VEC_ZERO();
    int q = 0;
    for (; q + 16 <= columns; q += 16)
#pragma GCC unroll 2
        for (int v = 0; v < PANEL_VECS; v++) {
            VEC u = VEC_LOAD(x + q + v * VEC_LANES);
#pragma GCC unroll 4
            for (int r = 0; r < R; r++)
                sum[r][v] = VEC_FMA(VEC_LOAD(w + (size_t)r * w_row + q + v * VEC_LANES), u, sum[r][v]);
        }
    if (q < columns)
#pragma GCC unroll 2
        for (int v = 0; v < PANEL_VECS; v++) {
            VEC_MASK mask = VEC_FIRST(columns - q, v);
            VEC u = VEC_LOAD_MASK(mask, x + q + v * VEC_LANES);
#pragma GCC unroll 4
            for (int r = 0; r < R; r++)
                sum[r][v] =
                    VEC_FMA(VEC_LOAD_MASK(mask, w + (size_t)r * w_row + q + v * VEC_LANES), u, sum[r][v]);
        }
    return sum_four(VEC_FOLD(sum[0]), VEC_FOLD(sum[1]), VEC_FOLD(sum[2]), VEC_FOLD(sum[3]));
}

TARGET static void matvec(const float *w, size_t w_row, const float *bias, const float *x, int rows,
                          int columns, dq_nonlinearity activation, float *y) {
    int r = 0;
    for (; r + 4 <= rows; r += 4)
        _mm_storeu_ps(y + r, _mm_add_ps(matvec_rows(w + (size_t)r * w_row, w_row, x, columns, 4),
                                        _mm_loadu_ps(bias + r)));
    for (; r < rows; r++)
        y[r] = _mm_cvtss_f32(matvec_rows(w + (size_t)r * w_row, w_row, x, columns, 1)) + bias[r];
    if (activation.kind != DQ_NONLINEARITY_NONE) activate(y, y, (size_t)rows, activation);
}
