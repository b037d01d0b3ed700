// The target network's outputs per replay slot.
//
// Between two copies of a hard target network, a small replay memory shows the same transitions again and
// again (2,000 transitions, 30 batches of 128: a slot comes up 1.9 times), and a network whose parameters
// rest says the same of them each time. Kernels give a sample the same bits wherever it stands in a batch
// (src/kernel/kernel.h), so that remembering is exact and a run's course does not depend on it.
#include "agent/target_cache.h"

#include "agent/qnet.h"
#include "base/arena.h"
#include "replay/store.h"

#include <stdlib.h>

struct dq_target_cache {
    const dq_net *net;
    int64_t capacity;
    int batch;
    uint64_t generation; // of the target network, from 1
    dq_arena arena;
    uint64_t *known;  // [capacity] the generation a slot's outputs are of; 0: none
    float *outputs;   // [capacity][outputs]
    int64_t *missing; // [batch] slots to ask for
    float *panels;    // [P][outputs][16]
};

static void lay_out(dq_arena *arena, void *user) {
    dq_target_cache *cache = user;
    size_t capacity = (size_t)cache->capacity, outputs = (size_t)dq_net_outputs(cache->net);
    size_t padded = ((size_t)cache->batch + DQ_LANES - 1) / DQ_LANES * DQ_LANES;
    cache->known = dq_arena_array(arena, uint64_t, capacity);
    cache->outputs = dq_arena_floats(arena, capacity * outputs);
    cache->missing = dq_arena_array(arena, int64_t, padded);
    cache->panels = dq_arena_floats(arena, padded * outputs);
}

dq_status dq_target_cache_create(dq_target_cache **out, const dq_net *net, int64_t capacity, int batch,
                                 dq_error *error) {
    *out = NULL;
    dq_target_cache *cache = calloc(1, sizeof *cache);
    if (!cache) return dq_fail(error, DQ_MEMORY, "target network", "there is no memory for its outputs");
    *cache = (dq_target_cache){.net = net, .capacity = capacity, .batch = batch, .generation = 1};
    dq_status status = dq_arena_create(&cache->arena, lay_out, cache, "the target network's outputs", error);
    if (status)
        free(cache);
    else
        *out = cache;
    return status;
}

void dq_target_cache_destroy(dq_target_cache *cache) {
    if (!cache) return;
    dq_arena_destroy(&cache->arena);
    free(cache);
}

void dq_target_cache_forget(dq_target_cache *cache) {
    cache->generation++;
}

void dq_target_cache_drop(dq_target_cache *cache, int64_t slot) {
    if (cache) cache->known[slot] = 0;
}

const float *dq_target_cache_outputs(dq_target_cache *cache, const dq_replay *replay, float *params,
                                     dq_workspace *workspace, const int64_t *slots, int batch) {
    const int outputs = dq_net_outputs(cache->net);
    const size_t width = (size_t)outputs;
    int missing = 0;
    for (int b = 0; b < batch; b++) {
        if (cache->known[slots[b]] == cache->generation) continue;
        cache->known[slots[b]] = cache->generation; // it will be, below; a second draw need not ask again
        cache->missing[missing++] = slots[b];
    }
    if (missing > 0) {
        dq_replay_gather_next(replay, cache->missing, missing, dq_qnet_place(workspace));
        const float *fresh = dq_net_forward(cache->net, params, workspace, missing, DQ_EVAL);
        for (int i = 0; i < missing; i++) {
            const float *from = fresh + (size_t)(i / DQ_LANES) * width * DQ_LANES + i % DQ_LANES;
            float *to = cache->outputs + (size_t)cache->missing[i] * width;
            for (int o = 0; o < outputs; o++) to[o] = from[o * DQ_LANES];
        }
    }
    for (int b = 0; b < batch; b++) {
        const float *from = cache->outputs + (size_t)slots[b] * width;
        float *to = cache->panels + (size_t)(b / DQ_LANES) * width * DQ_LANES + b % DQ_LANES;
        for (int o = 0; o < outputs; o++) to[o * DQ_LANES] = from[o];
    }
    return cache->panels;
}
