// The matrix product on panels, once per instruction set (vec_*.h sets the vector layer).
//
// A tile of C, `M` rows x `N` panels, lives in registers while k runs: N panel vectors are loaded and M
// scalars broadcast per k. Panels of P that fit in half of the first-level cache are kept there while the
// rows of A stream by.
#define PANEL_VECS (16 / VEC_LANES)

INLINE VEC apply_activation(VEC x, const dq_nonlinearity *activation) {
    if (activation->kind == DQ_NONLINEARITY_RELU) return VEC_MAX(VEC_ZERO(), x);
    if (activation->kind == DQ_NONLINEARITY_LEAKY)
        return VEC_SELECT_POSITIVE(x, x, VEC_MUL(VEC_BROADCAST(&activation->slope), x));
    return x;
}

INLINE VEC differentiate_activation(VEC d, VEC y, const dq_nonlinearity *activation) {
    if (activation->kind == DQ_NONLINEARITY_RELU) return VEC_KEEP_POSITIVE(y, d);
    if (activation->kind == DQ_NONLINEARITY_LEAKY)
        return VEC_SELECT_POSITIVE(y, d, VEC_MUL(VEC_BROADCAST(&activation->slope), d));
    return d;
}

INLINE void gemm_tile(const dq_gemm *g, size_t row, size_t panel, const int M, const int N) {
    VEC sum[TILE_ROWS][TILE_PANELS_MAX * PANEL_VECS];
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
        VEC start = g->bias ? VEC_BROADCAST(g->bias + row + (size_t)m) : VEC_ZERO();
#pragma GCC unroll 16
        for (int j = 0; j < N * PANEL_VECS; j++) sum[m][j] = start;
    }
    const size_t a_row = g->a_row, a_inner = g->a_inner, p_panel = g->p_panel;
    for (int outer = 0; outer < g->k_outer; outer++) {
        const float *a = g->a + row * a_row + (size_t)outer * g->a_outer;
        const float *p = g->p + panel * p_panel + (size_t)outer * g->p_outer;
        for (int inner = 0; inner < g->k_inner; inner++, a += a_inner, p += 16) {
            VEC x[TILE_PANELS_MAX * PANEL_VECS];
#pragma GCC unroll 16
            for (int j = 0; j < N * PANEL_VECS; j++)
                x[j] =
                    VEC_LOAD(p + (size_t)(j / PANEL_VECS) * p_panel + (size_t)(j % PANEL_VECS * VEC_LANES));
#pragma GCC unroll 8
            for (int m = 0; m < M; m++) {
                VEC scalar = VEC_BROADCAST(a + (size_t)m * a_row);
#pragma GCC unroll 16
                for (int j = 0; j < N * PANEL_VECS; j++) sum[m][j] = VEC_FMA(scalar, x[j], sum[m][j]);
            }
        }
    }
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) {
        size_t at = row * g->c_row + (panel + (size_t)n) * g->c_panel;
        long left = (long)g->columns - (long)(panel + (size_t)n) * 16;
#pragma GCC unroll 8
        for (int m = 0; m < M; m++, at += g->c_row) {
            float partial[16];
            float *to = left < 16 ? partial : g->c + at;
#pragma GCC unroll 2
            for (int j = 0; j < PANEL_VECS; j++) {
                VEC value = sum[m][n * PANEL_VECS + j];
                value = g->mask ? differentiate_activation(
                                      value, VEC_LOAD(g->mask + at + (size_t)(j * VEC_LANES)), &g->activation)
                                : apply_activation(value, &g->activation);
                VEC_STORE(to + j * VEC_LANES, value);
            }
            if (left < 16)
                for (long lane = 0; lane < left; lane++) g->c[at + (size_t)lane] = partial[lane];
        }
    }
}

typedef void tile_fn(const dq_gemm *g, size_t row, size_t panel);

#define TILE(M, N)                                                                                           \
    TARGET static void tile_##M##_##N(const dq_gemm *g, size_t row, size_t panel) {                          \
        gemm_tile(g, row, panel, M, N);                                                                      \
    }
TILES(TILE)
#undef TILE

static tile_fn *const tiles[TILE_ROWS + 1][TILE_PANELS_MAX + 1] = {
#define TILE(M, N) [M][N] = tile_##M##_##N,
    TILES(TILE)
#undef TILE
};

// Rows of the next tile: sixes as long as what remains is not left with a tile too low to fill the pipes.
static int tile_rows(int left) {
    if (left <= TILE_ROWS) return left;
    if (left % TILE_ROWS == 0 || left > 3 * TILE_ROWS) return TILE_ROWS;
    int tiles_left = (left + TILE_ROWS - 1) / TILE_ROWS;
    return (left + tiles_left - 1) / tiles_left;
}

TARGET static void gemm(const dq_gemm *g) {
    size_t k = (size_t)g->k_outer * (size_t)g->k_inner;
    size_t resident =
        PANEL_CACHE / (k * 16 * sizeof(float) + 1); // panels of P that stay in the first-level cache
    int group = TILE_PANELS(g->rows < TILE_ROWS ? g->rows : TILE_ROWS);
    if (resident > (size_t)group) group = (int)resident;
    for (int first = 0; first < g->panels; first += group) {
        int last = first + group < g->panels ? first + group : g->panels;
        for (int row = 0; row < g->rows;) {
            int rows = tile_rows(g->rows - row);
            int wide = TILE_PANELS(rows);
            for (int panel = first; panel < last;) {
                int n = last - panel < wide ? last - panel : wide;
                tiles[rows][n](g, (size_t)row, (size_t)panel);
                panel += n;
            }
            row += rows;
        }
    }
}
