// Work of a gradient step shared out among the threads of a pool. Shares are whole outputs, so that no result
// depends on their number, and small work stays with the caller.
#ifndef DQ_NN_SHARE_H
#define DQ_NN_SHARE_H

#include "nn/layer.h"

// kernels->gemm(g), a share being some of its rows.
void dq_share_gemm(const dq_pass *pass, const dq_gemm *g);

// One share of a loop over [0, count): elements first .. first + n - 1.
typedef void dq_range_fn(void *user, size_t first, size_t n);

// Runs fn over [0, count) in shares of whole cache lines. With fewer than `least` elements, or without a
// pool, it is one call.
void dq_share_range(dq_pool *pool, size_t count, size_t least, dq_range_fn *fn, void *user);

#endif
