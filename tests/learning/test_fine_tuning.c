// The exercise's fine-tuning, end to end: a network's dense layers are drawn anew, its convolutions frozen,
// and a fifth of the steps brings the score back.
#include "run_support.h"

#include <string.h>
#include <stripes.h>

// The exercise's task (labs/fine-tuning.md): a network that can play forgets what lies behind its
// convolutions, and with these frozen plays as well again after a fifth of the steps.
static double score(const char *folder) {
    enum { GAMES = 100 };
    dq_error error = {0};
    dq_policy *policy = NULL;
    double returns[GAMES], sum = 0;
    test_ok(dq_policy_load(&policy, folder, &error), &error);
    test_ok(dq_policy_evaluate(policy, NULL, NULL, GAMES, 1000, 1, returns, NULL, &error), &error);
    dq_policy_destroy(policy);
    for (int i = 0; i < GAMES; i++) sum += returns[i];
    return sum / GAMES;
}

static void test_fine_tunes_dense_layers(void **state) {
    (void)state;
    dq_error error = {0};
    test_ok(dq_env_register(&scenario_stripes, &error), &error);
    const char *start = test_folder(), *folder = test_folder(), *random = test_folder();
    char init[4096];
    snprintf(init, sizeof init, "init=%s", start);
    test_train(start, (const char *const[]){"env=Stripes", "network=dqn2013", "gamma=0", "target_update=none",
                                            "train_freq=2", "batch_size=32", "buffer_size=5000",
                                            "total_steps=5000", "metrics_every_steps=500", NULL});
    const char *const fifth[] = {"env=Stripes",
                                 "network=dqn2013",
                                 "gamma=0",
                                 "target_update=none",
                                 "train_freq=2",
                                 "batch_size=32",
                                 "buffer_size=5000",
                                 "total_steps=1000",
                                 "metrics_every_steps=500",
                                 "epsilon_period=200",
                                 "seed=1",
                                 init,
                                 "reinit=hidden1, output",
                                 "freeze=conv*",
                                 NULL};
    const char *control[16];
    memcpy(control, fifth, sizeof fifth);
    for (int i = 0; control[i]; i++)
        if (control[i] == init || !strncmp(control[i], "reinit", 6))
            control[i] = "n_envs=1"; // filters at random
    test_train(folder, fifth);
    test_train(random, control);
    const double before = score(start), after = score(folder), without = score(random);
    print_message("mean of 100 games: %g of %d; after a fifth of the steps %g, with filters at random %g\n",
                  before, STRIPES_LOOKS, after, without);
    assert_true(before > 9); // chance comes to 3.3
    assert_true(after >= 0.9 * before);
    assert_true(without < 0.9 * before);
    test_frozen_bits(start, folder, "conv*");
    test_remove_folder(start);
    test_remove_folder(folder);
    test_remove_folder(random);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fine_tunes_dense_layers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
