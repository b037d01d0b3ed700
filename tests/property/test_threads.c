// The same bits whatever the number of threads: seeds trained side by side, and evaluation.
#include "run_support.h"

#include "base/threads.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = 5, EPISODES = 50 };

typedef struct shared {
    uint64_t sums[SEEDS];
    dq_error errors[SEEDS];
} shared;

static void train_seed(void *user, int64_t index, int worker) {
    (void)worker;
    shared *s = user;
    const char *words[] = {"total_steps=1500", "eval_every_steps=400", NULL};
    dq_run_config config;
    dq_run *run = NULL;
    s->errors[index].code = DQ_OK;
    config = test_run_config(words);
    config.seed = index;
    if (dq_run_create(&run, &config, NULL, &s->errors[index]) || dq_run_train(run, &s->errors[index])) return;
    s->sums[index] = test_run_checksum(run);
    dq_run_destroy(run);
}

static void seeds_side_by_side(void **state) {
    (void)state;
    static shared one, two;
    dq_parallel_for(1, SEEDS, train_seed, &one);
    dq_parallel_for(2, SEEDS, train_seed, &two);
    for (int i = 0; i < SEEDS; i++) {
        test_ok(one.errors[i].code, &one.errors[i]);
        test_ok(two.errors[i].code, &two.errors[i]);
        assert_true(one.sums[i] == two.sums[i]);
        for (int k = 0; k < i; k++) assert_true(one.sums[i] != one.sums[k]); // seeds differ
    }
}

static void evaluation(void **state) {
    (void)state;
    dq_error error;
    dq_run *run;
    dq_policy *policy;
    double one[EPISODES], many[EPISODES];
    int64_t steps[2];
    dq_run_config config = test_run_config(NULL);
    const char *folder = test_folder();
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    test_ok(dq_run_train(run, &error), &error);
    dq_run_destroy(run);
    test_ok(dq_policy_load(&policy, folder, &error), &error);
    test_ok(dq_policy_evaluate(policy, NULL, NULL, EPISODES, 7, 1, one, &steps[0], &error), &error);
    test_ok(dq_policy_evaluate(policy, NULL, NULL, EPISODES, 7, 3, many, &steps[1], &error), &error);
    assert_memory_equal(one, many, sizeof one);
    assert_int_equal(steps[0], steps[1]);

    // Episode i is that of seed + i, whatever runs beside it.
    double single;
    test_ok(dq_policy_evaluate(policy, NULL, NULL, 1, 7 + 20, 1, &single, NULL, &error), &error);
    assert_true(single == one[20]);
    dq_policy_destroy(policy);
    test_remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_side_by_side),
        cmocka_unit_test(evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
