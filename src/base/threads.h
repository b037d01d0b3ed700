// A small fixed pool of threads that share out the indices of a loop.
//
// Which thread takes which index is left open; the caller gives every index its own place for results (and,
// where it draws, its own stream), so that a result never depends on the number of threads.
#ifndef DQ_BASE_THREADS_H
#define DQ_BASE_THREADS_H

#include <deepq/base.h>

// One index of the loop. worker: 0..threads-1, never twice at one moment, for scratch memory per thread.
typedef void dq_index_fn(void *user, int64_t index, int worker);

typedef struct dq_pool dq_pool;

// Starts threads-1 threads that sleep between loops; the caller of dq_pool_run is the remaining one.
// threads <= 0: one per core.
dq_status dq_pool_create(dq_pool **out, int threads, dq_error *error);
void dq_pool_destroy(dq_pool *pool); // NULL is fine
int dq_pool_threads(const dq_pool *pool);

// Calls fn(user, i, worker) for every i in [0, count) and returns when all are done. Allocates nothing. One
// loop at a time per pool; a NULL pool runs the loop in the caller.
void dq_pool_run(dq_pool *pool, int64_t count, dq_index_fn *fn, void *user);

// dq_pool_run on a pool of its own, for loops whose single index lasts milliseconds or more (a seed, an
// episode). Where threads cannot be started, fewer do the same work. threads <= 0: one per core.
void dq_parallel_for(int threads, int64_t count, dq_index_fn *fn, void *user);

// The cores this process may use, at least 1.
int dq_cores(void);

#endif
