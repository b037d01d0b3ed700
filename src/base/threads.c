// The pool: workers wait for a new loop number, then all take indices from one atomic counter.
//
// A gradient step is some tens of short loops, one right after another, and to wake a thread takes about as
// long as such a loop. So a worker looks out for the next loop for a moment before it sleeps, and who calls
// waits only for the workers that have joined.
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

struct worker {
    dq_pool *pool;
    pthread_t thread;
    int index;
};

struct dq_pool {
    pthread_mutex_t lock;
    pthread_cond_t begin, end;
    int threads;          // workers started + the caller
    bool open;            // the current loop may still be joined
    _Atomic int running;  // workers inside it
    _Atomic int64_t loop; // grows by one with every dq_pool_run
    _Atomic bool stop;

    dq_index_fn *fn;
    void *user;
    int64_t count;
    _Atomic int64_t next;

    struct worker workers[];
};

static void take_indices(dq_pool *pool, int worker) {
    for (;;) {
        int64_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= pool->count) return;
        pool->fn(pool->user, index, worker);
    }
}

enum { SPINS = 8000 }; // 0.2 to 0.4 ms: longer than what a gradient step does on one thread in between

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void spin_until_new(const dq_pool *pool, int64_t seen) {
    for (int i = 0; i < SPINS && pool->loop == seen && !pool->stop; i++) pause_briefly();
}

static void spin_until_left(const dq_pool *pool) {
    for (int i = 0; i < SPINS && pool->running > 0; i++) pause_briefly();
}

static void *work(void *argument) {
    const struct worker *worker = argument;
    dq_pool *pool = worker->pool;
    int64_t seen = 0;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        if (pool->loop == seen) {
            pthread_mutex_unlock(&pool->lock);
            spin_until_new(pool, seen);
            pthread_mutex_lock(&pool->lock);
            while (!pool->stop && pool->loop == seen) pthread_cond_wait(&pool->begin, &pool->lock);
        }
        seen = pool->loop;
        if (!pool->open) continue;
        pool->running++;
        pthread_mutex_unlock(&pool->lock);
        take_indices(pool, worker->index);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0) pthread_cond_signal(&pool->end);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

int dq_cores(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int cores = CPU_COUNT(&set);
    return cores > 0 ? cores : 1;
}

// Starts up to `threads` - 1 workers; fewer when the system refuses. NULL when there is no memory.
static dq_pool *start_pool(int threads) {
    dq_pool *pool = calloc(1, sizeof *pool + (size_t)(threads - 1) * sizeof pool->workers[0]);
    if (!pool) return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->begin, NULL);
    pthread_cond_init(&pool->end, NULL);
    pool->threads = 1;
    for (int i = 0; i < threads - 1; i++) {
        pool->workers[i] = (struct worker){.pool = pool, .index = i + 1};
        if (pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]) != 0) break;
        pool->threads++;
    }
    return pool;
}

dq_status dq_pool_create(dq_pool **out, int threads, dq_error *error) {
    *out = NULL;
    if (threads <= 0) threads = dq_cores();
    dq_pool *pool = start_pool(threads);
    if (!pool) return dq_fail(error, DQ_MEMORY, NULL, "no memory for %d threads", threads);
    if (pool->threads != threads) {
        dq_pool_destroy(pool);
        return dq_fail(error, DQ_MEMORY, NULL, "the system does not let this process start %d threads",
                       threads);
    }
    *out = pool;
    return DQ_OK;
}

void dq_pool_destroy(dq_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->threads - 1; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->end);
    pthread_cond_destroy(&pool->begin);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

int dq_pool_threads(const dq_pool *pool) {
    return pool ? pool->threads : 1;
}

void dq_pool_run(dq_pool *pool, int64_t count, dq_index_fn *fn, void *user) {
    if (!pool || pool->threads == 1 || count <= 1) {
        for (int64_t i = 0; i < count; i++) fn(user, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->fn = fn;
    pool->user = user;
    pool->count = count;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->open = true;
    pool->loop++;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);

    take_indices(pool, 0);

    pthread_mutex_lock(&pool->lock);
    pool->open = false;
    pthread_mutex_unlock(&pool->lock);
    spin_until_left(pool);
    pthread_mutex_lock(&pool->lock);
    while (pool->running > 0) pthread_cond_wait(&pool->end, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void dq_parallel_for(int threads, int64_t count, dq_index_fn *fn, void *user) {
    if (threads <= 0) threads = dq_cores();
    if (threads > count) threads = (int)count;
    dq_pool *pool = threads > 1 ? start_pool(threads) : NULL;
    dq_pool_run(pool, count, fn, user);
    dq_pool_destroy(pool);
}
