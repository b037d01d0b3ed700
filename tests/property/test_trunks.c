// Agents that see images through a published trunk: every kind of head and improvement behind it trains, to
// the same bits with one and two threads, its weights file gives the same values, and the games learned from
// pixels are played well.
#include "agent/agent.h"
#include "run_support.h"

#include <catch.h>
#include <math.h>
#include <string.h>

// The game of scenario/catch.c, five times as large, with a border: the trunks need some pixels, and windows
// that do not reach the lower and right edge would not show the basket.
enum { ZOOM = 5, HEIGHT = CATCH_HEIGHT * ZOOM + 2, WIDTH = CATCH_WIDTH * ZOOM + 4 };

static void enlarge(const unsigned char *small, unsigned char *image) {
    memset(image, 0, HEIGHT * WIDTH);
    for (int y = 0; y < CATCH_HEIGHT * ZOOM; y++)
        for (int x = 0; x < CATCH_WIDTH * ZOOM; x++)
            image[(y + 1) * WIDTH + x + 2] = small[y / ZOOM * CATCH_WIDTH + x / ZOOM];
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    unsigned char small[CATCH_HEIGHT * CATCH_WIDTH];
    scenario_catch.reset(state, options, rng, small);
    enlarge(small, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    unsigned char small[CATCH_HEIGHT * CATCH_WIDTH];
    double nothing = 0;
    bool over = scenario_catch.step(state, options, rng, action, small, reward);
    if (!over && scenario_catch.life_lost(state)) scenario_catch.resume(state, options, rng, small, &nothing);
    enlarge(small, observation);
    return over;
}

static int set_up(void **unused) {
    (void)unused;
    static dq_env_class large;
    dq_error error;
    large = scenario_catch;
    large.id = "LargeCatch";
    large.observation = (dq_space)DQ_IMAGE(HEIGHT, WIDTH, 1);
    large.reset = reset;
    large.step = step;
    large.life_lost = NULL;
    large.resume = NULL;
    test_ok(dq_env_register(&large, &error), &error);
    return 0;
}

static const char *const variants[][4] = {
    {"network=dqn2013", "n_step=3"},
    {"network=dqn2015", "dueling=true", "backup=double", "sampler=prioritized"},
    {"network=dqn2013", "head=qr", "noisy=all", "explorer=noisy"},
    {"network=dqn2015", "head=iqn", "dueling=true"},
    {"network=dqn2015", "normalization=layer"},
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
        static unsigned char image[HEIGHT * WIDTH * 4];
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

// Chance comes to about -2 of 10 fruits, and which way a fruit drifts takes two frames.
static void convolutions_learn_to_catch(void **state) {
    (void)state;
    static const char *const normalizations[] = {"normalization=none", "normalization=layer"};
    for (int i = 0; i < 2; i++) {
        dq_error error;
        dq_run *run;
        dq_policy *policy;
        double returns[50], mean = 0;
        dq_run_config config = test_run_config(
            (const char *[]){"env=LargeCatch", "network=dqn2013", normalizations[i], "frame_stack=2",
                             "total_steps=24000", "buffer_size=12000", "learning_starts=500", "train_freq=4",
                             "batch_size=32", "learning_rate=0.0005", "epsilon_period=10000", "gamma=0.95",
                             "target_update_interval=200", "target_update_unit=updates", "target_update=hard",
                             "backup=double", "checkpoint_seconds=0", NULL});
        test_ok(dq_run_create(&run, &config, NULL, &error), &error);
        test_ok(dq_run_train(run, &error), &error);
        test_ok(dq_policy_from_run(&policy, run, &error), &error);
        test_ok(dq_policy_evaluate(policy, NULL, NULL, 50, 1, 1, returns, NULL, &error), &error);
        for (int k = 0; k < 50; k++) mean += returns[k] / 50;
        print_message("%s: mean of 50 games %g of %d\n", normalizations[i], mean, CATCH_FRUITS);
        assert_true(mean > 8.5);
        dq_policy_destroy(policy);
        dq_run_destroy(run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_head_behind_any_trunk),
                                       cmocka_unit_test(convolutions_learn_to_catch)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
