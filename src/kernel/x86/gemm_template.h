// The matrix product on panels, once per instruction set (vec_*.h sets the vector layer).
//
// A tile of C, `M` rows x `N` panels, lives in registers while k runs: N panel vectors are loaded and M
// scalars broadcast per k. Panels of P that fit in half of the first-level cache are kept there while the
// rows of A stream by.
#include "kernel/x86/tiles.h"

// For each vector of a tile; the vectors of the tile's panel n are j = n * PANEL_VECS ...
#define FOR_TILE(body)                                                                                       \
    _Pragma("GCC unroll 8") for (int m = 0; m < M; m++)                                                      \
        _Pragma("GCC unroll 16") for (int j = 0; j < N * PANEL_VECS; j++) body;
#define C_AT(m, j)                                                                                           \
    ((size_t)(m)*c_row + (size_t)((j) / PANEL_VECS) * c_panel + (size_t)((j) % PANEL_VECS * VEC_LANES))

INLINE void activate_tile(VEC sum[TILE_ROWS][TILE_PANELS_MAX * PANEL_VECS], const dq_gemm *g, const int M,
                          const int N) {
    if (g->activation.kind == DQ_NONLINEARITY_RELU) {
        FOR_TILE(sum[m][j] = VEC_MAX(VEC_ZERO(), sum[m][j]))
    } else if (g->activation.kind == DQ_NONLINEARITY_LEAKY) {
        VEC slope = VEC_BROADCAST(&g->activation.slope);
        FOR_TILE(sum[m][j] = VEC_SELECT_POSITIVE(sum[m][j], sum[m][j], VEC_MUL(slope, sum[m][j])))
    }
}

INLINE void differentiate_tile(VEC sum[TILE_ROWS][TILE_PANELS_MAX * PANEL_VECS], const dq_gemm *g,
                               const float *y, const int M, const int N) {
    const size_t c_row = g->c_row, c_panel = g->c_panel;
    if (g->activation.kind == DQ_NONLINEARITY_RELU) {
        FOR_TILE(sum[m][j] = VEC_KEEP_POSITIVE(VEC_LOAD(y + C_AT(m, j)), sum[m][j]))
    } else if (g->activation.kind == DQ_NONLINEARITY_LEAKY) {
        VEC slope = VEC_BROADCAST(&g->activation.slope);
        FOR_TILE(sum[m][j] =
                     VEC_SELECT_POSITIVE(VEC_LOAD(y + C_AT(m, j)), sum[m][j], VEC_MUL(slope, sum[m][j])))
    }
}

// One k: the panels' vectors times each row's scalar; moves the pointers on.
#define FMA_STEP()                                                                                           \
    {                                                                                                        \
        VEC x[TILE_PANELS_MAX * PANEL_VECS];                                                                 \
        _Pragma("GCC unroll 16") for (int j = 0; j < N * PANEL_VECS; j++) x[j] =                             \
            VEC_LOAD(p + (size_t)(j / PANEL_VECS) * p_panel + (size_t)(j % PANEL_VECS * VEC_LANES));         \
        _Pragma("GCC unroll 8") for (int m = 0; m < M; m++) {                                                \
            VEC scalar = VEC_BROADCAST((m < 3 ? a : a3) + (size_t)(m % 3) * a_row);                          \
            _Pragma("GCC unroll 16") for (int j = 0; j < N * PANEL_VECS; j++)                                \
                VEC_FMA_INTO(sum[m][j], scalar, x[j]);                                                       \
        }                                                                                                    \
        a += a_inner;                                                                                        \
        a3 += a_inner;                                                                                       \
        p += 16;                                                                                             \
    }

// Rows [row, row_end) in steps of M, panels [first, last) in steps of N; both go out evenly.
INLINE void gemm_block(const dq_gemm *g, size_t row, size_t row_end, size_t first, size_t last, const int M,
                       const int N) {
    const size_t a_row = g->a_row, a_inner = g->a_inner, p_panel = g->p_panel, c_row = g->c_row,
                 c_panel = g->c_panel;
    const size_t a_outer = g->a_outer, p_outer = g->p_outer;
    const int k_outer = g->k_outer, k_inner = g->k_inner;
    const bool plain = g->activation.kind == DQ_NONLINEARITY_NONE;
    for (; row < row_end; row += (size_t)M) {
        const float *const bias = g->bias ? g->bias + row : NULL, *const a_start = g->a + row * a_row;
        for (size_t panel = first; panel < last; panel += (size_t)N) {
            VEC sum[TILE_ROWS][TILE_PANELS_MAX * PANEL_VECS];
            if (bias) {
                FOR_TILE(sum[m][j] = VEC_BROADCAST(bias + m))
            } else {
                FOR_TILE(sum[m][j] = VEC_ZERO())
            }
            const float *a_block = a_start, *p_block = g->p + panel * p_panel;
            for (int outer = 0; outer < k_outer; outer++, a_block += a_outer, p_block += p_outer) {
                // Two row pointers keep every address within base + index * {1, 2}.
                const float *a = a_block, *a3 = a + 3 * a_row, *p = p_block;
                for (int inner = 0; inner < (k_inner & ~1); inner += 2) {
                    FMA_STEP()
                    FMA_STEP()
                }
                if (k_inner & 1) FMA_STEP()
            }
            const size_t at = row * c_row + panel * c_panel;
            if (!plain) {
                if (g->mask)
                    differentiate_tile(sum, g, g->mask + at, M, N);
                else
                    activate_tile(sum, g, M, N);
            }
            float *c = g->c + at;
            long columns = (long)g->columns - (long)panel * 16;
            if (columns >= N * 16) {
                FOR_TILE(VEC_STORE(c + C_AT(m, j), sum[m][j]))
            } else { // the last panel is not whole
                FOR_TILE({
                    long left = columns - j / PANEL_VECS * 16;
                    VEC_STORE_MASK(VEC_FIRST(left < 16 ? left : 16, j % PANEL_VECS), c + C_AT(m, j),
                                   sum[m][j]);
                })
            }
        }
    }
}

typedef void block_fn(const dq_gemm *g, size_t row, size_t row_end, size_t first, size_t last);

#define BLOCK(M, N)                                                                                          \
    TARGET static void block_##M##_##N(const dq_gemm *g, size_t row, size_t row_end, size_t first,           \
                                       size_t last) {                                                        \
        gemm_block(g, row, row_end, first, last, M, N);                                                      \
    }
TILES(BLOCK)
#undef BLOCK

static block_fn *const blocks[TILE_ROWS + 1][TILE_PANELS_MAX + 1] = {
#define BLOCK(M, N) [M][N] = block_##M##_##N,
    TILES(BLOCK)
#undef BLOCK
};

TARGET static void gemm(const dq_gemm *g) {
    size_t k = (size_t)g->k_outer * (size_t)g->k_inner;
    size_t resident =
        PANEL_CACHE / (k * 16 * sizeof(float) + 1); // panels of P that stay in the first-level cache
    int group = TILE_PANELS(g->rows < TILE_ROWS ? g->rows : TILE_ROWS);
    if (resident > (size_t)group) group = resident < (size_t)g->panels ? (int)resident : g->panels;
    for (int first = 0; first < g->panels; first += group) {
        int last = first + group < g->panels ? first + group : g->panels;
        for (int row = 0; row < g->rows;) {
            int tiles, rows = tile_rows(TILE_ROWS, g->rows - row, &tiles), row_end = row + rows * tiles;
            int wide = TILE_PANELS(rows), whole = (last - first) / wide * wide, rest = last - first - whole;
            if (whole)
                blocks[rows][wide](g, (size_t)row, (size_t)row_end, (size_t)first, (size_t)(first + whole));
            if (rest)
                blocks[rows][rest](g, (size_t)row, (size_t)row_end, (size_t)(last - rest), (size_t)last);
            row = row_end;
        }
    }
}
