// Prioritized sampler: transitions in proportion to how wrong their values were last time.
//
// Proportional variant of Schaul et al. 2016: P(i) = p_i^alpha / sum_k p_k^alpha (equation 1) with
// p_i = |td error| + offset; new transitions get the largest priority so far (algorithm 1, line 6); weights
// w_i = (N P(i))^-beta / max_j w_j (section 3.4), the maximum taken over the batch as Dopamine does, where N
// and the sum cancel: w_i = (p_min / p_i)^(alpha beta). A stratified draw takes one point from each of B
// equal parts of the sum (appendix B.2.1). beta goes linearly from priority_beta to priority_beta_end. Saved
// whole (4 bytes a slot: priorities change everywhere); the sums are computed anew after restoring.
#include "base/arena.h"
#include "replay/sampler.h"
#include "replay/sumtree.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

typedef struct prioritized_options {
    double alpha, beta, beta_end, offset;
    int64_t beta_period;
    bool stratified;
} prioritized_options;

#define ROW(name, type, field, text, low, high, log, unit, help)                                             \
    {                                                                                                        \
        name, "replay", type, offsetof(prioritized_options, field), 0, text, low, high, log, NULL, unit,     \
            "prioritized sampler: " help                                                                     \
    }

static const dq_option rows[] = {
    ROW("priority_alpha", DQ_OPTION_REAL, alpha, "0.6", 0, 2, false, NULL,
        "power of the priorities; 0 samples uniformly"),
    ROW("priority_beta", DQ_OPTION_REAL, beta, "0.4", 0, 1, false, NULL,
        "power of the importance weights at the start; 1 corrects the bias fully"),
    ROW("priority_beta_end", DQ_OPTION_REAL, beta_end, "1", 0, 1, false, NULL,
        "power of the importance weights at the end"),
    ROW("priority_beta_period", DQ_OPTION_INT, beta_period, "50000", 0, 1e12, true, "updates",
        "gradient steps until the end value holds; 0 keeps the start value"),
    ROW("priority_offset", DQ_OPTION_REAL, offset, "1e-6", 0, 1e3, true, NULL,
        "added to |td error|, so that every transition is seen again"),
    ROW("priority_stratified", DQ_OPTION_BOOL, stratified, "true", 0, 1, false, NULL,
        "whether each sample of a batch comes from its own part of the priority sum"),
};

// Head of the saved memory; the leaves follow at the next cache line.
typedef struct saved_head {
    double largest; // priority given to new transitions, alpha applied
} saved_head;

#define HEAD_SIZE 64

typedef struct prioritized_sampler {
    dq_sampler sampler;
    prioritized_options options;
    dq_arena arena;
    size_t saved_size;
    saved_head *head; // then, HEAD_SIZE behind it, the leaves
    double *sums;
    dq_sumtree tree;
} prioritized_sampler;

// Keeps the tree's sums finite whatever the network says.
#define LARGEST_PRIORITY 1e20F

static void lay_out(dq_arena *arena, void *user) {
    prioritized_sampler *self = user;
    self->head = dq_arena_take(arena, self->saved_size, 1);
    self->sums = dq_arena_array(arena, double, dq_sumtree_sum_room(self->sampler.capacity));
}

static dq_status create(dq_sampler **out, const void *options, int64_t capacity, dq_error *error) {
    prioritized_sampler *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, "prioritized sampler", "there is no memory for the sampler");
    self->sampler.capacity = capacity;
    self->options = *(const prioritized_options *)options;
    self->saved_size = HEAD_SIZE + dq_sumtree_leaf_room(capacity) * sizeof(float);
    dq_status status = dq_arena_create(&self->arena, lay_out, self, "the priorities", error);
    if (status != DQ_OK) {
        free(self);
        return status;
    }
    self->head->largest = 1;
    dq_sumtree_init(&self->tree, capacity, (float *)((char *)self->head + HEAD_SIZE), self->sums);
    *out = &self->sampler;
    return DQ_OK;
}

static void destroy(dq_sampler *sampler) {
    if (!sampler) return;
    dq_arena_destroy(&((prioritized_sampler *)sampler)->arena);
    free(sampler);
}

static void insert(dq_sampler *sampler, int64_t slot) {
    prioritized_sampler *self = (prioritized_sampler *)sampler;
    float priority = (float)self->head->largest;
    dq_sumtree_set(&self->tree, &slot, &priority, 1);
}

static double beta_at(const prioritized_options *options, int64_t updates) {
    if (options->beta_period == 0) return options->beta;
    double done = (double)updates / (double)options->beta_period;
    return options->beta + (options->beta_end - options->beta) * (done < 1 ? done : 1);
}

static void draw(dq_sampler *sampler, dq_rng *rng, int64_t size, int64_t updates, int batch, int64_t *slots,
                 float *weights) {
    enum { CHUNK = 128 };
    prioritized_sampler *self = (prioritized_sampler *)sampler;
    const float *leaves = self->tree.leaves;
    double total = dq_sumtree_total(&self->tree), part = total / batch, points[CHUNK];
    for (int done = 0; done < batch; done += CHUNK) {
        int count = batch - done < CHUNK ? batch - done : CHUNK;
        for (int i = 0; i < count; i++)
            points[i] = self->options.stratified ? part * (done + i + dq_rng_random(rng))
                                                 : total * dq_rng_random(rng);
        dq_sumtree_find(&self->tree, points, count, slots + done);
    }
    float smallest = INFINITY;
    for (int i = 0; i < batch; i++) {
        assert(slots[i] < size);
        weights[i] = leaves[slots[i]];
        smallest = weights[i] < smallest ? weights[i] : smallest;
    }
    (void)size;
    float beta = (float)beta_at(&self->options, updates);
    for (int i = 0; i < batch; i++) weights[i] = powf(smallest / weights[i], beta);
}

static void update(dq_sampler *sampler, const int64_t *slots, const float *priorities, int batch) {
    enum { CHUNK = 128 };
    prioritized_sampler *self = (prioritized_sampler *)sampler;
    float alpha = (float)self->options.alpha, offset = (float)self->options.offset, powers[CHUNK];
    float largest = (float)self->head->largest;
    for (int done = 0; done < batch; done += CHUNK) {
        int count = batch - done < CHUNK ? batch - done : CHUNK;
        for (int i = 0; i < count; i++) {
            float power = powf(priorities[done + i] + offset, alpha);
            power = power < LARGEST_PRIORITY ? power : LARGEST_PRIORITY; // NAN becomes the largest
            power = power > FLT_MIN ? power : FLT_MIN;
            largest = power > largest ? power : largest;
            powers[i] = power;
        }
        dq_sumtree_set(&self->tree, slots + done, powers, count);
    }
    self->head->largest = (double)largest;
}

static void *state(dq_sampler *sampler, size_t *size) {
    prioritized_sampler *self = (prioritized_sampler *)sampler;
    *size = self->saved_size;
    return self->head;
}

static void restored(dq_sampler *sampler) {
    dq_sumtree_rebuild(&((prioritized_sampler *)sampler)->tree);
}

const dq_sampler_class dq_sampler_prioritized = {
    .about = {.name = "prioritized",
              .summary = "in proportion to the last td error, with importance weights",
              .source = "Schaul et al. 2016, Prioritized Experience Replay",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(prioritized_options)},
    .create = create,
    .destroy = destroy,
    .insert = insert,
    .draw = draw,
    .update = update,
    .state = state,
    .restored = restored,
};
