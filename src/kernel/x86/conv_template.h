// The product on gathered rows, once per instruction set: a tile of C, `M` rows x `N` panels of 16 columns,
// lives in registers while k runs.
#include "kernel/x86/tiles.h"

#define FOR_CONV(body)                                                                                       \
    _Pragma("GCC unroll 8") for (int m = 0; m < M; m++)                                                      \
        _Pragma("GCC unroll 4") for (int j = 0; j < N * PANEL_VECS; j++) body;

// One k of a tile; moves b on.
#define CONV_STEP(at)                                                                                        \
    {                                                                                                        \
        VEC x[CONV_PANELS * PANEL_VECS];                                                                     \
        _Pragma("GCC unroll 4") for (int j = 0; j < N * PANEL_VECS; j++) x[j] =                              \
            VEC_LOAD(b + (size_t)(j / PANEL_VECS) * b_panel + (size_t)(j % PANEL_VECS * VEC_LANES));         \
        _Pragma("GCC unroll 8") for (int m = 0; m < M; m++) {                                                \
            VEC scalar = VEC_BROADCAST(a[m] + (at));                                                         \
            _Pragma("GCC unroll 4") for (int j = 0; j < N * PANEL_VECS; j++)                                 \
                VEC_FMA_INTO(sum[m][j], scalar, x[j]);                                                       \
        }                                                                                                    \
        b += 16;                                                                                             \
    }

// Where panel j / PANEL_VECS of a tile has `left` columns in all: the mask of vector j.
INLINE VEC_MASK conv_mask(int left, int j) {
    int n = left - j / PANEL_VECS * 16;
    return VEC_FIRST(n < 16 ? n : 16, j % PANEL_VECS);
}

// Every loop is unrolled: an index known only at run time would keep the sums in memory.
INLINE void conv_store(VEC sum[CONV_ROWS][CONV_PANELS * PANEL_VECS], const dq_conv *g, size_t row, size_t n,
                       const int M, const int N) {
    const int left = g->columns - (int)n;
    const bool whole = left >= N * 16;
    float *c[CONV_ROWS];
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) c[m] = g->c + g->c_row[row + (size_t)m] + n;
    if (g->add) {
        if (whole) {
            FOR_CONV(sum[m][j] = VEC_ADD(VEC_LOAD(c[m] + j * VEC_LANES), sum[m][j]))
        } else {
            FOR_CONV(sum[m][j] = VEC_ADD(VEC_LOAD_MASK(conv_mask(left, j), c[m] + j * VEC_LANES), sum[m][j]))
        }
    }
    if (g->activation.kind == DQ_NONLINEARITY_RELU) {
        FOR_CONV(sum[m][j] = VEC_MAX(VEC_ZERO(), sum[m][j]))
    } else if (g->activation.kind == DQ_NONLINEARITY_LEAKY) {
        VEC slope = VEC_BROADCAST(&g->activation.slope);
        FOR_CONV(sum[m][j] = VEC_SELECT_POSITIVE(sum[m][j], sum[m][j], VEC_MUL(slope, sum[m][j])))
    }
    if (whole) {
        FOR_CONV(VEC_STORE(c[m] + j * VEC_LANES, sum[m][j]))
    } else {
        FOR_CONV(VEC_STORE_MASK(conv_mask(left, j), c[m] + j * VEC_LANES, sum[m][j]))
    }
}

// Rows [row, row_end) in steps of M, which go out evenly, on panels panel .. panel + N - 1.
INLINE void conv_block(const dq_conv *g, size_t row, size_t row_end, size_t panel, const int M, const int N) {
    const size_t b_panel = g->b_panel, n = panel * 16;
    const int k_end = g->k;
    const int *const a_k = g->a_k;
    const int left = g->columns - (int)n;
    for (; row < row_end; row += (size_t)M) {
        VEC sum[CONV_ROWS][CONV_PANELS * PANEL_VECS];
        const float *a[CONV_ROWS];
#pragma GCC unroll 8
        for (int m = 0; m < M; m++) a[m] = g->a + g->a_row[row + (size_t)m];
        if (g->add) { // its sums are wanted when k has run
#pragma GCC unroll 8
            for (int m = 0; m < M; m++) __builtin_prefetch(g->c + g->c_row[row + (size_t)m] + n);
        }
        if (g->bias) {
            FOR_CONV(sum[m][j] = left >= N * 16 ? VEC_LOAD(g->bias + n + (size_t)(j * VEC_LANES))
                                                : VEC_LOAD_MASK(conv_mask(left, j),
                                                                g->bias + n + (size_t)(j * VEC_LANES)))
        } else {
            FOR_CONV(sum[m][j] = VEC_ZERO())
        }
        const float *b = g->b + panel * b_panel;
        int k = 0;
        for (; k + 2 <= k_end; k += 2) {
            const long first = a_k[k], second = a_k[k + 1];
            CONV_STEP(first)
            CONV_STEP(second)
        }
        if (k < k_end) {
            const long last = a_k[k];
            CONV_STEP(last)
        }
        conv_store(sum, g, row, n, M, N);
    }
}

typedef void conv_block_fn(const dq_conv *g, size_t row, size_t row_end, size_t panel);

#define BLOCK(M, N)                                                                                          \
    TARGET static void conv_block_##M##_##N(const dq_conv *g, size_t row, size_t row_end, size_t panel) {    \
        conv_block(g, row, row_end, panel, M, N);                                                            \
    }
CONV_TILES(BLOCK)
#undef BLOCK

static conv_block_fn *const conv_blocks[CONV_ROWS + 1][CONV_PANELS + 1] = {
#define BLOCK(M, N) [M][N] = conv_block_##M##_##N,
    CONV_TILES(BLOCK)
#undef BLOCK
};

TARGET static void conv(const dq_conv *g) {
    const int panels = (g->columns + 15) / 16;
    for (int panel = 0; panel < panels; panel += CONV_PANELS) {
        const int wide = panels - panel < CONV_PANELS ? panels - panel : CONV_PANELS;
        for (int row = 0; row < g->rows;) {
            int tiles, rows = tile_rows(CONV_ROWS, g->rows - row, &tiles), row_end = row + rows * tiles;
            conv_blocks[rows][wide](g, (size_t)row, (size_t)row_end, (size_t)panel);
            row = row_end;
        }
    }
}
