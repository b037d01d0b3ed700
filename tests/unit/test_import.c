// Reading other programs' weights: what Stable-Baselines3 saved plays as it played there; names are matched
// and renamed; what does not fit is said.
#include "export/import.h"
#include "export_support.h"
#include "io/npz.h"
#include "run/config.h"

#include <stdlib.h>
#include <string.h>

static const char *data_path(const char *below) {
    static char path[512];
    const char *folder = getenv("DQ_TEST_DATA");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "tests/data", below);
    return path;
}

static dq_run_config cartpole(const char *word) {
    dq_run_config config;
    dq_error error = {0};
    test_ok(dq_run_config_parse(&config, "env: CartPole-v1\n", "test", &error), &error);
    if (word) test_ok(dq_run_config_assign(&config, word, "test", &error), &error);
    return config;
}

static void test_stable_baselines3(void **state) {
    (void)state;
    dq_error error = {0};
    dq_tensors tensors;
    dq_foreign foreign;
    dq_run_config config = cartpole(NULL);
    dq_policy *policy;
    test_ok(dq_tensors_read(&tensors, &foreign, data_path("sb3/dqn.zip"), &error), &error);
    assert_string_equal(foreign.format, "Stable-Baselines3");
    assert_int_equal(tensors.count, 6); // without the target network
    test_ok(dq_import_describe(&config, &tensors, &foreign, "test", &error), &error);
    assert_int_equal(config.learner.net_arch.count, 2);
    assert_int_equal(config.learner.net_arch.value[0], 16);
    assert_int_equal(config.learner.net_arch.value[1], 8);
    test_ok(dq_policy_create(&policy, &config, &error), &error);
    int from[6];
    const dq_net *net = dq_policy_net(policy);
    assert_int_equal(dq_net_tensor_count(net), 6);
    test_ok(dq_import_match(&tensors, net, from, &error), &error);
    for (int i = 0; i < 6; i++) assert_int_equal(from[i], i);
    test_ok(dq_import_fill(&tensors, from, net, dq_policy_params(policy), &error), &error);

    dq_npz recorded;
    test_ok(dq_npz_read(&recorded, data_path("sb3/dqn.npz"), &error), &error);
    const float *observations = dq_npz_find(&recorded, "observations")->data;
    const dq_array *wanted = dq_npz_find(&recorded, "q");
    float q[40];
    assert_int_equal(wanted->count, 40);
    for (int i = 0; i < 20; i++) dq_policy_q(policy, observations + 4 * i, q + 2 * i);
    assert_true(test_largest_difference(q, wanted->data, 40, 1) < 1e-6);
    dq_npz_deinit(&recorded);
    dq_policy_destroy(policy);
    dq_tensors_deinit(&tensors);
    dq_foreign_deinit(&foreign);
}

static void test_other_activation(void **state) {
    (void)state;
    dq_error error = {0};
    dq_tensors tensors;
    dq_foreign foreign;
    dq_run_config config = cartpole(NULL);
    test_ok(dq_tensors_read(&tensors, &foreign, data_path("sb3/tanh.zip"), &error), &error);
    assert_string_equal(foreign.activation, "Tanh");
    assert_int_equal(dq_import_describe(&config, &tensors, &foreign, "test", &error), DQ_UNSUPPORTED);
    assert_non_null(strstr(error.message, "Tanh"));
    dq_tensors_deinit(&tensors);
    dq_foreign_deinit(&foreign);
}

// Every tensor of every naming finds its way back, bit for bit.
static void test_names_find_back(void **state) {
    (void)state;
    static const char *const words[] = {"normalization=batch", "normalization=layer", "noisy=all", "head=iqn",
                                        "dueling=true"};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        for (int naming = DQ_NAMES_OWN; naming <= DQ_NAMES_SEQUENTIAL; naming++) {
            dq_error error = {0};
            dq_run_config config = cartpole(words[w]);
            dq_policy *policy, *other;
            dq_tensors tensors;
            int from[32];
            test_ok(dq_policy_create(&policy, &config, &error), &error);
            test_ok(dq_policy_create(&other, &config, &error), &error);
            const dq_net *net = dq_policy_net(policy);
            float *params = dq_policy_params(policy), *into = dq_policy_params(other);
            for (int i = 0; i < dq_net_tensor_count(net); i++) {
                const dq_tensor *t = dq_net_tensor(net, i);
                for (int c = 0; c < t->columns; c++) params[t->offset + (size_t)c] += (float)(i + 1);
            }
            test_ok(dq_tensors_of(&tensors, policy, (dq_naming)naming, &error), &error);
            test_ok(dq_import_match(&tensors, net, from, &error), &error);
            test_ok(dq_import_fill(&tensors, from, net, into, &error), &error);
            for (int i = 0; i < dq_net_tensor_count(net); i++) {
                const dq_tensor *t = dq_net_tensor(net, i);
                if (from[i] < 0) assert_false(dq_import_needed(net, i));
                if (from[i] >= 0)
                    assert_memory_equal(params + t->offset, into + t->offset,
                                        (size_t)t->columns * sizeof(float));
            }
            dq_tensors_deinit(&tensors);
            dq_policy_destroy(policy);
            dq_policy_destroy(other);
        }
}

// Convolutions keep PyTorch's shapes and order outside, and name the network.
static void test_images(void **state) {
    (void)state;
    static const char *const networks[] = {"network=dqn2013", "network=dqn2015"};
    for (int n = 0; n < 2; n++) {
        dq_error error = {0};
        dq_policy *policy =
            test_policy(TEST_NOISE, (const char *const[]){networks[n], "frame_stack=4", NULL});
        dq_policy *other = test_policy(TEST_NOISE, (const char *const[]){networks[n], "frame_stack=4", NULL});
        const dq_net *net = dq_policy_net(policy);
        dq_tensors tensors;
        int from[32];
        memset(dq_policy_params(other), 0, dq_net_size(net) * sizeof(float));
        test_ok(dq_tensors_of(&tensors, policy, DQ_NAMES_SEQUENTIAL, &error), &error);
        // conv relu conv relu [conv relu] flatten linear relu linear
        assert_string_equal(tensors.names[2], "2.weight");
        assert_string_equal(tensors.names[tensors.count - 4], n ? "7.weight" : "5.weight");
        assert_string_equal(tensors.names[tensors.count - 1], n ? "9.bias" : "7.bias");
        assert_int_equal(tensors.arrays[0].rank, 4);
        dq_run_config config = *dq_policy_config(policy);
        config.learner.network = 0;
        test_ok(dq_import_describe(&config, &tensors, &(dq_foreign){0}, "test", &error), &error);
        assert_int_equal(config.learner.network, n + 1);
        for (int i = 0; i < tensors.count; i++) { // names that say nothing: by order
            const char *part = strrchr(tensors.names[i], '.');
            char name[64];
            snprintf(name, sizeof name, "q_net.layer%d%s", i / 2, part);
            free(tensors.names[i]);
            tensors.names[i] = strdup(name);
        }
        test_ok(dq_import_match(&tensors, net, from, &error), &error);
        test_ok(dq_import_fill(&tensors, from, net, dq_policy_params(other), &error), &error);
        void *input = malloc(dq_space_bytes(dq_policy_input(policy)));
        float a[6], b[6];
        dq_rng rng;
        dq_rng_seed(&rng, 1);
        test_policy_input(policy, &rng, input);
        dq_policy_q(policy, input, a);
        dq_policy_q(other, input, b);
        assert_memory_equal(a, b, sizeof a);
        free(input);
        dq_tensors_deinit(&tensors);
        dq_policy_destroy(policy);
        dq_policy_destroy(other);
    }
}

static void test_renaming(void **state) {
    (void)state;
    dq_error error = {0};
    const dq_run_config config = cartpole("net_arch=[3]");
    dq_policy *policy;
    dq_tensors t;
    test_ok(dq_policy_create(&policy, &config, &error), &error);
    test_ok(dq_tensors_of(&t, policy, DQ_NAMES_OWN, &error), &error);
    test_ok(dq_tensors_rename(&t, "hidden1=q.0, *.bias=b_*", &error), &error);
    assert_string_equal(t.names[0], "q.0.weight");
    assert_string_equal(t.names[1], "q.0.bias");
    assert_string_equal(t.names[2], "output.weight");
    assert_string_equal(t.names[3], "b_output");
    assert_int_equal(dq_tensors_rename(&t, "nothing=x", &error), DQ_NOT_FOUND);
    assert_int_equal(dq_tensors_rename(&t, "q.0", &error), DQ_USAGE);
    assert_int_equal(dq_tensors_rename(&t, "=x", &error), DQ_USAGE);
    dq_tensors_deinit(&t);
    dq_policy_destroy(policy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stable_baselines3), cmocka_unit_test(test_other_activation),
        cmocka_unit_test(test_names_find_back),   cmocka_unit_test(test_images),
        cmocka_unit_test(test_renaming),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
