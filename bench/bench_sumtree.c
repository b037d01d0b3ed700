// Prioritized replay at a million transitions: draws a batch, then writes its priorities back.
//
// bench_sumtree [slots] [batch]: samples with update a second, stratified and plain, through the sampler that
// training uses (weights and powers included), and through the bare tree. Best of seven rounds each.
#include "measure.h"
#include "replay/sampler.h"
#include "replay/sumtree.h"

#include <stdio.h>
#include <stdlib.h>

extern const dq_sampler_class dq_sampler_prioritized;

#define ROUNDS  7
#define SAMPLES 1000000

static int fail(const dq_error *error) {
    fprintf(stderr, "%s (%s)\n", error->message, error->where);
    return 1;
}

int main(int count, char **words) {
    int64_t slots = count > 1 ? atoll(words[1]) : 1000000;
    int batch = count > 2 ? atoi(words[2]) : 128;
    const dq_sampler_class *kind = &dq_sampler_prioritized;
    dq_error error;
    dq_rng rng;
    dq_rng_seed(&rng, 0);
    int64_t *drawn = calloc((size_t)batch, sizeof *drawn);
    float *weights = calloc((size_t)batch, sizeof *weights),
          *priorities = calloc(SAMPLES, sizeof *priorities);
    double *points = calloc(SAMPLES, sizeof *points);
    void *options = calloc(1, kind->about.options_size);
    if (!drawn || !weights || !priorities || !points || !options) return 1;
    for (int i = 0; i < SAMPLES; i++) priorities[i] = (float)dq_rng_random(&rng) + 0.01F;

    for (int stratified = 1; stratified >= 0; stratified--) {
        dq_sampler *sampler;
        if (dq_options_defaults(kind->about.options, options, &error) != DQ_OK ||
            dq_options_set(kind->about.options, options, "priority_stratified", stratified ? "true" : "false",
                           NULL, &error) != DQ_OK ||
            kind->create(&sampler, options, slots, &error) != DQ_OK)
            return fail(&error);
        for (int64_t i = 0; i < slots; i++) kind->insert(sampler, i);
        double best = 1e30;
        for (int round = 0; round < ROUNDS; round++) {
            double start = bench_seconds();
            for (int i = 0; i + batch <= SAMPLES; i += batch) {
                kind->draw(sampler, &rng, slots, i, batch, drawn, weights);
                kind->update(sampler, drawn, priorities + i, batch);
            }
            double spent = bench_seconds() - start;
            if (spent < best) best = spent;
        }
        printf("sampler, %-10s %lld slots, batch %d: %6.1f ns, %5.1f million samples with update/s\n",
               stratified ? "stratified" : "plain", (long long)slots, batch, best / SAMPLES * 1e9,
               SAMPLES / best / 1e6);
        kind->destroy(sampler);
    }

    dq_sumtree tree;
    float *leaves = aligned_alloc(64, dq_sumtree_leaf_room(slots) * sizeof(float));
    double *sums = calloc(dq_sumtree_sum_room(slots), sizeof *sums);
    if (!leaves || !sums) return 1;
    for (size_t i = 0; i < dq_sumtree_leaf_room(slots); i++)
        leaves[i] = i < (size_t)slots ? (float)dq_rng_random(&rng) + 0.01F : 0;
    dq_sumtree_init(&tree, slots, leaves, sums);
    double best = 1e30;
    for (int round = 0; round < ROUNDS; round++) {
        double spent = 0;
        for (int i = 0; i < SAMPLES; i++) points[i] = dq_rng_random(&rng);
        double start = bench_seconds();
        for (int i = 0; i + batch <= SAMPLES; i += batch) {
            double total = dq_sumtree_total(&tree);
            for (int k = 0; k < batch; k++) points[i + k] *= total;
            dq_sumtree_find(&tree, points + i, batch, drawn);
            dq_sumtree_set(&tree, drawn, priorities + i, batch);
        }
        spent = bench_seconds() - start;
        if (spent < best) best = spent;
    }
    printf("bare tree, plain     %lld slots, batch %d: %6.1f ns, %5.1f million samples with update/s\n",
           (long long)slots, batch, best / SAMPLES * 1e9, SAMPLES / best / 1e6);
    free(sums), free(leaves), free(options), free(points), free(priorities), free(weights), free(drawn);
    return 0;
}
