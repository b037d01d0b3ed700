// Samplers: which replay slots a gradient step learns from, and how much each counts.
//
// Place: store -> sampler -> learner. A sampler knows slots only, never transitions. Slots fill 0, 1, 2, ...
// up to the capacity and are then overwritten in the same order, so that `insert` is told each slot once
// per transition. Everything a sampler needs to go on is in the plain memory that `state` returns: it is
// written to checkpoints and read back before `restored` is called.
#ifndef REPLAY_SAMPLER_H
#define REPLAY_SAMPLER_H

#include "base/strategy.h"
#include <deepq/rng.h>

typedef struct dq_sampler_class dq_sampler_class;

// The first member of every sampler's struct.
typedef struct dq_sampler {
    const dq_sampler_class *sampler_class;
    int64_t capacity; // slots of the replay memory
} dq_sampler;

struct dq_sampler_class {
    dq_strategy about;

    // `options` is the class's options struct. All memory is allocated here.
    dq_status (*create)(dq_sampler **out, const void *options, int64_t capacity, dq_error *error);
    void (*destroy)(dq_sampler *sampler);

    // A new transition lies in `slot`. May be NULL.
    void (*insert)(dq_sampler *sampler, int64_t slot);

    // Draws slots [batch] out of [0, size) and the importance weight of each, weights [batch] f32.
    // `updates` counts gradient steps so far (annealing).
    void (*draw)(dq_sampler *sampler, dq_rng *rng, int64_t size, int64_t updates, int batch, int64_t *slots,
                 float *weights);

    // The batch just learned from and its priorities (head: |td error| or cross entropy). May be NULL.
    void (*update)(dq_sampler *sampler, const int64_t *slots, const float *priorities, int batch);

    // How many stored transitions a draw of `batch` needs, with these options. NULL: one.
    int64_t (*needs)(const void *options, int batch);

    // The memory to save (its size in *size), and what to do after it was read back. Both may be NULL.
    void *(*state)(dq_sampler *sampler, size_t *size);
    void (*restored)(dq_sampler *sampler);
};

// Made from the names of src/replay/sampler_*.c: dq_sampler_NAME; ends with NULL.
extern const dq_sampler_class *const dq_sampler_classes[];

#endif
