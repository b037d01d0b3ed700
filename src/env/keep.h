// What an environment keeps beside its state: memory of another library that belongs to one state and cannot
// be copied with it. A state is looked up by its address; whoever looks up must check that what is kept
// still fits the state's content, for a state may have been overwritten, as restoring a snapshot does.
#ifndef DEEPQ_ENV_KEEP_H
#define DEEPQ_ENV_KEEP_H

#include <pthread.h>
#include <stddef.h>

// The table of one kind of environment, static: {.lock = PTHREAD_MUTEX_INITIALIZER}.
enum { DQ_KEEP_BUCKETS = 1024 };
typedef struct dq_keep {
    pthread_mutex_t lock;
    struct dq_keep_entry *bucket[DQ_KEEP_BUCKETS];
} dq_keep;

// The room kept beside `state`: `size` bytes, zero when it is new, at the same place until dq_keep_release.
// Many threads may ask, each for states of its own. NULL when there is no memory.
void *dq_keep_find(dq_keep *keep, const void *state, size_t size);

// Forgets the room beside `state`, after `drop` let go of what it holds. Nothing when there is none.
void dq_keep_release(dq_keep *keep, const void *state, void (*drop)(void *room));

#endif
