// Shares of products and of elementwise loops: one for each thread, all about equal.
#include "nn/share.h"

#define GEMM_LEAST 2e6 // multiply-adds, some 40 us: waking a thread takes a good part of that

typedef struct gemm_job {
    const dq_kernels *kernels;
    const dq_gemm *g;
    int shares;
} gemm_job;

static void gemm_share(void *user, int64_t index, int worker) {
    (void)worker;
    const gemm_job *job = user;
    const dq_gemm *g = job->g;
    // Groups of 12 rows, a multiple of the tiles, in equal parts.
    const int groups = (g->rows + 11) / 12, first = groups * (int)index / job->shares * 12;
    const int end = groups * ((int)index + 1) / job->shares * 12, last = end < g->rows ? end : g->rows;
    if (first >= last) return;
    dq_gemm part = *g;
    part.rows = last - first;
    part.a += (size_t)first * g->a_row;
    part.c += (size_t)first * g->c_row;
    if (g->bias) part.bias += first;
    if (g->mask) part.mask += (size_t)first * g->c_row;
    job->kernels->gemm(&part);
}

void dq_share_gemm(const dq_pass *pass, const dq_gemm *g) {
    const double work = (double)g->rows * g->columns * g->k_outer * g->k_inner;
    if (!pass->pool || work < GEMM_LEAST) {
        pass->kernels->gemm(g);
        return;
    }
    gemm_job job = {pass->kernels, g, dq_pool_threads(pass->pool)};
    dq_pool_run(pass->pool, job.shares, gemm_share, &job);
}

typedef struct range_job {
    size_t count;
    int shares;
    dq_range_fn *fn;
    void *user;
} range_job;

static void range_share(void *user, int64_t index, int worker) {
    (void)worker;
    const range_job *job = user;
    const size_t lines = (job->count + 15) / 16, shares = (size_t)job->shares;
    const size_t first = lines * (size_t)index / shares * 16, end = lines * ((size_t)index + 1) / shares * 16;
    const size_t last = end < job->count ? end : job->count;
    if (first < last) job->fn(job->user, first, last - first);
}

void dq_share_range(dq_pool *pool, size_t count, size_t least, dq_range_fn *fn, void *user) {
    range_job job = {count, dq_pool_threads(pool), fn, user};
    if (job.shares == 1 || count < least)
        fn(user, 0, count);
    else
        dq_pool_run(pool, job.shares, range_share, &job);
}
