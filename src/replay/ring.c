// Memory of rings; ring.h tells of them.
#include "replay/ring.h"

#include <stdlib.h>

dq_status dq_ring_init(dq_ring *ring, int64_t capacity, size_t record, const char *what, dq_error *error) {
    *ring = (dq_ring){.capacity = capacity, .record = record};
    if ((size_t)capacity <= PTRDIFF_MAX / record) ring->memory = calloc((size_t)capacity, record);
    if (ring->memory) return DQ_OK;
    return dq_fail(error, DQ_MEMORY, "replay memory",
                   "there is no memory for %lld %s of %zu bytes; a smaller buffer_size would fit",
                   (long long)capacity, what, record);
}

void dq_ring_deinit(dq_ring *ring) {
    free(ring->memory);
    *ring = (dq_ring){0};
}
