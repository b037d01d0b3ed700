// A ring of records of one size: number t lies in slot t % capacity. Pages are touched only when a record
// first lands in them.
#ifndef REPLAY_RING_H
#define REPLAY_RING_H

#include <deepq/base.h>

typedef struct dq_ring {
    int64_t capacity, inserted;
    size_t record;         // bytes
    unsigned char *memory; // [capacity][record]
} dq_ring;

// `what` names the records in the error's sentence ("transitions").
dq_status dq_ring_init(dq_ring *ring, int64_t capacity, size_t record, const char *what, dq_error *error);
void dq_ring_deinit(dq_ring *ring);

static inline int64_t dq_ring_size(const dq_ring *ring) {
    return ring->inserted < ring->capacity ? ring->inserted : ring->capacity;
}

static inline unsigned char *dq_ring_at(const dq_ring *ring, int64_t number) {
    return ring->memory + (size_t)(number % ring->capacity) * ring->record;
}

#endif
