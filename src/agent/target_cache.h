// What the target network said of replay slots' next observations, kept until the target network changes.
#ifndef AGENT_TARGET_CACHE_H
#define AGENT_TARGET_CACHE_H

#include <deepq/net.h>
#include <deepq/replay.h>

typedef struct dq_target_cache dq_target_cache;

dq_status dq_target_cache_create(dq_target_cache **out, const dq_net *net, int64_t capacity, int batch,
                                 dq_error *error);
void dq_target_cache_destroy(dq_target_cache *cache);

// The target network changed: all is forgotten. O(1).
void dq_target_cache_forget(dq_target_cache *cache);

// A new transition lies in `slot`. NULL: nothing happens.
void dq_target_cache_drop(dq_target_cache *cache, int64_t slot);

// The target network's output panels [P][outputs][16] for the next observations of slots [batch], as
// dq_net_forward gives them, bit for bit. Runs the network, in `workspace`, on those it does not know.
const float *dq_target_cache_outputs(dq_target_cache *cache, const dq_replay *replay, float *params,
                                     dq_workspace *workspace, const int64_t *slots, int batch);

#endif
