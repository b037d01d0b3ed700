// Agents that see images through a published trunk: every kind of head and improvement behind it trains, to
// the same bits with one and two threads, and its weights file gives the same values.
#include "agent/agent.h"
#include "run_support.h"

#include <large_catch.h>
#include <math.h>
#include <string.h>

static int set_up(void **unused) {
    (void)unused;
    dq_error error;
    test_ok(scenario_register_large_catch(&error), &error);
    return 0;
}

static const char *const variants[][4] = {
    {"network=dqn2013", "n_step=3"},
    {"network=dqn2015", "dueling=true", "backup=double", "sampler=prioritized"},
    {"network=dqn2013", "head=qr", "noisy=all", "explorer=noisy"},
    {"network=dqn2015", "head=iqn", "dueling=true"},
    {"network=dqn2015", "normalization=layer", "target_update=soft", "n_envs=3"},
    {"network=impala", "head=c51", "dueling=true", "noisy=output"},
};

static uint64_t train(const char *const *variant, const char *threads, const char *folder) {
    const char *words[16] = {"env=LargeCatch",  "frame_stack=4",  "total_steps=130", "learning_starts=50",
                             "buffer_size=100", "batch_size=8",   "train_freq=5",    "learning_rate=0.001",
                             threads,           "max_grad_norm=1"};
    for (int i = 0, n = 10; i < 4 && variant[i]; i++) words[n++] = variant[i];
    dq_error error;
    dq_run *run;
    dq_run_config config = test_run_config(words);
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    test_ok(dq_run_train(run, &error), &error);
    const float *params = dq_agent_params(dq_run_agent(run));
    const dq_net *net = dq_agent_net(dq_run_agent(run));
    for (size_t i = 0; i < dq_net_trainable(net); i++) assert_true(isfinite(params[i]));
    const uint64_t sum = test_run_checksum(run);
    if (folder) {
        dq_policy *policy;
        static unsigned char image[LARGE_CATCH_HEIGHT * LARGE_CATCH_WIDTH * 4];
        float q[3], mine[3];
        for (size_t i = 0; i < sizeof image; i++) image[i] = (unsigned char)(i * 37 % 256);
        test_ok(dq_policy_load(&policy, folder, &error), &error);
        dq_policy_q(policy, image, q);
        dq_agent_q(dq_run_agent(run), image, mine);
        assert_memory_equal(q, mine, sizeof q);
        assert_true(q[0] != q[1]);
        dq_policy_destroy(policy);
    }
    dq_run_destroy(run);
    return sum;
}

static void any_head_behind_any_trunk(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        const char *folder = test_folder();
        const uint64_t one = train(variants[i], "threads=1", folder);
        if (train(variants[i], "threads=2", NULL) != one) fail_msg("%s: two threads differ", variants[i][0]);
        test_remove_folder(folder);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_head_behind_any_trunk)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
