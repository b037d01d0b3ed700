// A hash table from a state's address to the room kept beside it; see keep.h. The lock covers the table, not
// the rooms: each belongs to whoever owns its state.
#include "env/keep.h"

#include <stdint.h>
#include <stdlib.h>

struct dq_keep_entry {
    struct dq_keep_entry *next;
    const void *state;
    max_align_t room[];
};

static struct dq_keep_entry **bucket_of(dq_keep *keep, const void *state) {
    uint64_t hash = (uint64_t)(uintptr_t)state * UINT64_C(0x9e3779b97f4a7c15); // Fibonacci hashing
    return &keep->bucket[hash >> 54];
}

void *dq_keep_find(dq_keep *keep, const void *state, size_t size) {
    pthread_mutex_lock(&keep->lock);
    struct dq_keep_entry **bucket = bucket_of(keep, state), *entry = *bucket;
    while (entry && entry->state != state) entry = entry->next;
    if (!entry) {
        entry = calloc(1, sizeof *entry + size);
        if (entry) {
            entry->state = state;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    pthread_mutex_unlock(&keep->lock);
    return entry ? entry->room : NULL;
}

void dq_keep_release(dq_keep *keep, const void *state, void (*drop)(void *room)) {
    pthread_mutex_lock(&keep->lock);
    struct dq_keep_entry **at = bucket_of(keep, state);
    while (*at && (*at)->state != state) at = &(*at)->next;
    struct dq_keep_entry *entry = *at;
    if (entry) *at = entry->next;
    pthread_mutex_unlock(&keep->lock);
    if (!entry) return;
    drop(entry->room);
    free(entry);
}
