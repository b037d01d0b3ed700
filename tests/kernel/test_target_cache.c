// What the target network's cache says is bit for bit what the network says, wherever a sample stands in a
// batch, through overwritten slots and new parameters.
#include "agent/target_cache.h"
#include "replay/store.h"
#include "support.h"

#include <string.h>

enum { D = 5, OUTPUTS = 3, CAPACITY = 90, BATCH = 37 };

static void add(dq_replay *replay, dq_rng *rng, dq_target_cache *cache) {
    float s[D], t[D];
    for (int f = 0; f < D; f++) s[f] = (float)dq_rng_normal(rng), t[f] = (float)dq_rng_normal(rng);
    dq_target_cache_drop(cache, dq_replay_add(replay, &(dq_transition){s, t, 0, 0, 1}));
}

static void the_cache_is_exact(void **state) {
    (void)state;
    dq_error error;
    dq_net *net;
    dq_workspace *workspace, *plain;
    dq_replay *replay;
    dq_target_cache *cache;
    const dq_layer_spec layers[] = {{.kind = "linear", .name = "a", .out = 33},
                                    {.kind = "relu", .name = "b"},
                                    {.kind = "linear", .name = "c", .out = 20},
                                    {.kind = "relu", .name = "d"},
                                    {.kind = "linear", .name = "e", .out = OUTPUTS}};
    test_ok(dq_net_create(&net, D, layers, 5, &error), &error);
    test_ok(dq_workspace_create(&workspace, net, BATCH, &error), &error);
    test_ok(dq_workspace_create(&plain, net, BATCH, &error), &error);
    test_ok(dq_replay_create(&replay, CAPACITY, &(dq_space)DQ_VECTOR(D), &error), &error);
    test_ok(dq_target_cache_create(&cache, net, CAPACITY, BATCH, &error), &error);
    _Alignas(64) static float params[4096];
    assert_true(dq_net_size(net) <= sizeof params / sizeof *params);
    dq_rng rng;
    dq_rng_seed(&rng, 3);
    dq_net_init(net, params, &rng);
    for (int i = 0; i < CAPACITY / 2; i++) add(replay, &rng, cache);
    for (int round = 0; round < 400; round++) {
        if (round % 3 == 0) add(replay, &rng, cache);
        if (round % 17 == 0) {
            dq_net_init(net, params, &rng);
            dq_target_cache_forget(cache);
        }
        int64_t slots[BATCH];
        for (int b = 0; b < BATCH; b++) slots[b] = dq_rng_integers(&rng, 0, dq_replay_size(replay));
        const float *got = dq_target_cache_outputs(cache, replay, params, workspace, slots, BATCH);
        dq_replay_gather_next(replay, slots, BATCH, dq_workspace_input(plain));
        const float *expected = dq_net_forward(net, params, plain, BATCH, DQ_EVAL);
        for (int b = 0; b < BATCH; b++)
            for (int o = 0; o < OUTPUTS; o++) {
                int at = (b / DQ_LANES * OUTPUTS + o) * DQ_LANES + b % DQ_LANES;
                assert_memory_equal(&got[at], &expected[at], sizeof(float));
            }
    }
    dq_target_cache_destroy(cache);
    dq_replay_destroy(replay);
    dq_workspace_destroy(plain);
    dq_workspace_destroy(workspace);
    dq_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_cache_is_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
