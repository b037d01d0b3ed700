// Arenas: counting, then handing out. Memory comes straight from the kernel as zero pages, so a large arena
// that is not yet used (a fresh replay) costs nothing until it is written.
#include "base/arena.h"

#include <assert.h>
#include <sys/mman.h>

void *dq_arena_take(dq_arena *arena, size_t count, size_t size) {
    size_t bytes, end;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(bytes, DQ_ARENA_ALIGN - 1, &bytes) ||
        __builtin_add_overflow(arena->used, bytes & ~(size_t)(DQ_ARENA_ALIGN - 1), &end)) {
        arena->overflow = true;
        return NULL;
    }
    unsigned char *piece = arena->base && count && size ? arena->base + arena->used : NULL;
    assert(!arena->base || end <= arena->size); // the layout took more the second time than the first
    arena->used = end;
    return piece;
}

dq_status dq_arena_create(dq_arena *arena, dq_arena_layout *layout, void *user, const char *what,
                          dq_error *error) {
    *arena = (dq_arena){0};
    layout(arena, user);
    size_t size = arena->used;
    bool overflow = arena->overflow;
    *arena = (dq_arena){0};
    if (overflow) return dq_fail(error, DQ_MEMORY, what, "%s would need more memory than can exist", what);
    if (size == 0) return DQ_OK;

    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return dq_fail(error, DQ_MEMORY, what, "%s needs %.1f MB of memory, which this machine does not give",
                       what, (double)size / 1e6);
    *arena = (dq_arena){.base = base, .size = size};
    layout(arena, user);
    assert(arena->used == arena->size);
    return DQ_OK;
}

void dq_arena_destroy(dq_arena *arena) {
    if (arena->base) munmap(arena->base, arena->size);
    *arena = (dq_arena){0};
}
