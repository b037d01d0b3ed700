// Uniform sampler: every stored transition with the same probability, weights of 1.
//
// With replacement: one bounded integer per sample. Without: Floyd's algorithm (Bentley and Floyd 1987,
// CACM 30(9), "A sample of brilliance") over one mark bit per slot: O(B), nothing allocated.
#include "replay/sampler.h"

#include <assert.h>
#include <stdlib.h>

typedef struct uniform_options {
    bool replacement;
} uniform_options;

typedef struct uniform_sampler {
    dq_sampler sampler;
    bool replacement;
    uint64_t marks[]; // one bit per slot, all zero between draws
} uniform_sampler;

static const dq_option rows[] = {
    {"replacement", "replay", DQ_OPTION_BOOL, offsetof(uniform_options, replacement), 0, "true", 0, 1, false,
     NULL, NULL, "uniform sampler: whether one batch may hold a transition twice"},
};

static dq_status create(dq_sampler **out, const void *options, int64_t capacity, dq_error *error) {
    uniform_sampler *self = calloc(1, sizeof *self + ((size_t)capacity + 63) / 64 * 8);
    if (!self) return dq_fail(error, DQ_MEMORY, "uniform sampler", "there is no memory for the sampler");
    self->sampler.capacity = capacity;
    self->replacement = ((const uniform_options *)options)->replacement;
    *out = &self->sampler;
    return DQ_OK;
}

static void destroy(dq_sampler *sampler) {
    free(sampler);
}

static void draw_without(uniform_sampler *self, dq_rng *rng, int64_t size, int batch, int64_t *slots) {
    assert(batch <= size);
    uint64_t *marks = self->marks;
    for (int i = 0; i < batch; i++) {
        int64_t newest = size - batch + i, slot = dq_rng_integers(rng, 0, newest + 1);
        if (marks[slot / 64] >> (slot % 64) & 1) slot = newest;
        marks[slot / 64] |= 1ULL << (slot % 64);
        slots[i] = slot;
    }
    for (int i = 0; i < batch; i++) marks[slots[i] / 64] = 0;
}

static void draw(dq_sampler *sampler, dq_rng *rng, int64_t size, int64_t updates, int batch, int64_t *slots,
                 float *weights) {
    (void)updates;
    uniform_sampler *self = (uniform_sampler *)sampler;
    if (!self->replacement)
        draw_without(self, rng, size, batch, slots);
    else
        for (int i = 0; i < batch; i++) slots[i] = dq_rng_integers(rng, 0, size);
    for (int i = 0; i < batch; i++) weights[i] = 1.0F;
}

static int64_t needs(const void *options, int batch) {
    return ((const uniform_options *)options)->replacement ? 1 : batch;
}

const dq_sampler_class dq_sampler_uniform = {
    .about = {.name = "uniform",
              .summary = "every stored transition with the same probability",
              .source = "Lin 1992, Self-improving reactive agents; Mnih et al. 2013",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(uniform_options)},
    .create = create,
    .destroy = destroy,
    .draw = draw,
    .needs = needs,
};
