// One aligned block of memory per lifetime (parameters, activations, replay, scratch).
//
// The owner writes one layout function that takes every piece in a fixed order. It runs twice: a first
// time counting, when each take returns NULL, and a second time handing out pointers. So sizes are written
// down once, a failed allocation fails before anything is built, and one call frees it all.
#ifndef DQ_BASE_ARENA_H
#define DQ_BASE_ARENA_H

#include <deepq/base.h>

// Every piece starts on a cache line, which is also the widest vector.
#define DQ_ARENA_ALIGN 64

typedef struct dq_arena {
    unsigned char *base; // NULL while counting
    size_t used, size;   // bytes
    bool overflow;       // a requested size did not fit in size_t
} dq_arena;

typedef void dq_arena_layout(dq_arena *arena, void *user);

// Runs `layout` twice and leaves the arena full; all memory starts as zeros. On failure (DQ_MEMORY) the arena
// is empty, the pointers the layout wrote are NULL, and nothing needs to be freed. `what` names the memory in
// the error's sentence ("the replay").
dq_status dq_arena_create(dq_arena *arena, dq_arena_layout *layout, void *user, const char *what,
                          dq_error *error);

// Frees the memory; an empty or zeroed arena is fine. Every pointer taken from it dies.
void dq_arena_destroy(dq_arena *arena);

// `count` items of `size` bytes, 64-byte aligned. NULL while counting, and also for a count of 0.
void *dq_arena_take(dq_arena *arena, size_t count, size_t size);

#define dq_arena_floats(arena, count)      ((float *)dq_arena_take(arena, count, sizeof(float)))
#define dq_arena_array(arena, type, count) ((type *)dq_arena_take(arena, count, sizeof(type)))

#endif
