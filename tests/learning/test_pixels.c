// Learning from pixels, end to end: a trunk of convolutions learns to catch.
#include "run_support.h"

#include <large_catch.h>

static int set_up(void **unused) {
    (void)unused;
    dq_error error;
    test_ok(scenario_register_large_catch(&error), &error);
    return 0;
}

// Chance comes to about -2 of 10 fruits, and which way a fruit drifts takes two frames.
static void convolutions_learn_to_catch(void **state) {
    (void)state;
    dq_error error;
    dq_run *run;
    dq_policy *policy;
    double returns[50], mean = 0;
    dq_run_config config = test_run_config((const char *[]){
        "env=LargeCatch", "network=dqn2013", "normalization=layer", "frame_stack=2", "total_steps=24000",
        "buffer_size=12000", "learning_starts=500", "train_freq=4", "batch_size=32", "learning_rate=0.0005",
        "epsilon_period=10000", "gamma=0.95", "target_update_interval=200", "target_update_unit=updates",
        "target_update=hard", "backup=double", "checkpoint_seconds=0", NULL});
    test_ok(dq_run_create(&run, &config, NULL, &error), &error);
    test_ok(dq_run_train(run, &error), &error);
    test_ok(dq_policy_from_run(&policy, run, &error), &error);
    test_ok(dq_policy_evaluate(policy, NULL, NULL, 50, 1, 1, returns, NULL, &error), &error);
    for (int k = 0; k < 50; k++) mean += returns[k] / 50;
    print_message("mean of 50 games %g of %d\n", mean, CATCH_FRUITS);
    assert_true(mean > 8.5);
    dq_policy_destroy(policy);
    dq_run_destroy(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(convolutions_learn_to_catch)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
