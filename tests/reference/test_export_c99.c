// The C files of deepq export against the library: compiled as strict C99 with every warning an error,
// loaded, and asked for the actions of random observations. Floats agree in every action (and, on this
// processor, in every bit); weights of 8 bits in at least 99%. $DQ_OBSERVATIONS asks for as many observations
// of each kind; an argument names the kinds (* stands for any letters).
#include "export/export.h"
#include "export_support.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct kind {
    const char *name, *env;
    int observations;
    const char *words[6];
} kind;

static const kind kinds[] = {
    {"plain", "CartPole-v1", 1000000, {"net_arch=[64, 64]"}},
    {"leaky", "CartPole-v1", 20000, {"net_arch=[33]", "activation=leaky_relu"}},
    {"batch_norm", "CartPole-v1", 20000, {"normalization=batch", "normalize_input=true"}},
    {"layer_norm", "CartPole-v1", 20000, {"normalization=layer", "normalize_input=true"}},
    {"dueling", "CartPole-v1", 20000, {"dueling=true"}},
    {"noisy", "CartPole-v1", 20000, {"noisy=all", "explorer=noisy"}},
    {"c51", "LunarLander-v3", 20000, {"head=c51"}},
    {"qr", "CartPole-v1", 20000, {"head=qr", "qr_quantiles=25"}},
    {"iqn", "CartPole-v1", 20000, {"head=iqn", "dueling=true"}},
    {"rainbow", "CartPole-v1", 20000, {"head=c51", "dueling=true", "noisy=all", "explorer=noisy"}},
    {"features", "HIVPatient", 20000, {"observation=features", "normalize_observation=true"}},
    {"sines", "CartPoleSwingUp", 20000, {"observation=features"}},
    {"dqn2013", TEST_NOISE, 300, {"network=dqn2013", "frame_stack=4"}},
    {"dqn2015", TEST_NOISE, 300, {"network=dqn2015", "frame_stack=4", "dueling=true", "head=qr"}},
    {"normed", TEST_NOISE, 300, {"network=dqn2013", "frame_stack=2", "normalization=layer"}},
    {"impala", TEST_NOISE, 100, {"network=impala", "frame_stack=2"}},
    {"flat_image", TEST_NOISE, 2000, {"net_arch=[16]", "normalization=layer"}},
    {"scaled", "MountainCar-v0", 20000, {"observation=scaled", "net_arch=[]"}},
};

typedef int act_fn(const void *);
typedef void q_fn(const void *, float *);

static void compile(int level, const char *flags) {
    char command[512];
    snprintf(command, sizeof command,
             "cc -std=c99 -pedantic -Wall -Wextra -Werror -O%d -fPIC -shared %s policy.c -o policy.so -lm",
             level, flags);
    if (system(command)) fail_msg("%s failed", command);
}

// Shares of equal actions and of equal bits among Q values.
static void compare(const kind *k, dq_policy *policy, double *actions, double *bits) {
    void *library = dlopen("./policy.so", RTLD_NOW | RTLD_LOCAL);
    if (!library) fail_msg("%s", dlerror());
    act_fn *act = NULL;
    q_fn *values = NULL;
    *(void **)&act = dlsym(library, "policy_act");
    *(void **)&values = dlsym(library, "policy_q");
    assert_true(act && values);
    const int count = dq_policy_actions(policy), observations = test_observations(k->observations);
    void *input = malloc(dq_space_bytes(dq_policy_input(policy)));
    float q[DQ_ACTIONS_MAX], wanted[DQ_ACTIONS_MAX];
    dq_rng rng;
    dq_rng_seed(&rng, 6);
    int64_t same_actions = 0, same_bits = 0;
    for (int i = 0; i < observations; i++) {
        test_policy_input(policy, &rng, input);
        dq_policy_q(policy, input, wanted);
        values(input, q);
        same_bits += !memcmp(q, wanted, (size_t)count * sizeof *q);
        same_actions += act(input) == dq_policy_act(policy, input);
    }
    free(input);
    dlclose(library);
    *actions = (double)same_actions / observations;
    *bits = (double)same_bits / observations;
}

static void test_agrees(void **state) {
    const kind *k = *state;
    dq_error error = {0};
    char folder[] = "/tmp/deepq-export-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    dq_policy *policy = test_policy(k->env, k->words);
    for (int int8 = 0; int8 < 2; int8++) {
        dq_program program;
        assert_int_equal(dq_policy_lower(policy, &program, &error), DQ_OK);
        const dq_c99_options options = {.name = "policy", .origin = "a test */", .int8 = int8};
        if (dq_c99_write("policy.c", &program, &options, &error)) fail_msg("%s", error.message);
        dq_program_deinit(&program);
        compile(2 + int8, __builtin_cpu_supports("fma") ? "-mfma" : "");
        double actions, bits;
        compare(k, policy, &actions, &bits);
        print_message("%s%s: %d observations, %.4f%% of actions and %.4f%% of Q values the same\n", k->name,
                      int8 ? ", int8" : "", test_observations(k->observations), 100 * actions, 100 * bits);
        if (int8) {
            assert_true(actions >= 0.99);
            continue;
        }
        assert_true(actions == 1);
        assert_true(bits == 1);
    }
    dq_policy_destroy(policy);
    assert_int_equal(unlink("policy.c") | unlink("policy.so") | chdir("/") | rmdir(folder), 0);
}

// Without fused multiplication in the processor the file makes do with doubles.
static void test_doubles(void **state) {
    (void)state;
    kind k = kinds[0];
    k.observations = 20000;
    dq_error error = {0};
    char folder[] = "/tmp/deepq-export-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    dq_policy *policy = test_policy(k.env, k.words);
    dq_program program;
    assert_int_equal(dq_policy_lower(policy, &program, &error), DQ_OK);
    const dq_c99_options options = {.name = "policy", .origin = "a test"};
    assert_int_equal(dq_c99_write("policy.c", &program, &options, &error), DQ_OK);
    compile(3, "");
    double actions, bits;
    compare(&k, policy, &actions, &bits);
    assert_true(actions == 1);
    // a number that C cannot write is refused, and the old file is untouched
    program.ops[0].weight[0] = NAN;
    assert_int_equal(dq_c99_write("policy.c", &program, &options, &error), DQ_FORMAT);
    assert_non_null(strstr(error.message, "not a number"));
    compile(3, "");
    dq_program_deinit(&program);
    dq_policy_destroy(policy);
    assert_int_equal(unlink("policy.c") | unlink("policy.so") | chdir("/") | rmdir(folder), 0);
}

static void test_names(void **state) {
    (void)state;
    char name[16];
    assert_string_equal(dq_c99_name("runs/a-b.c", name, sizeof name), "a_b");
    assert_string_equal(dq_c99_name("7.c", name, sizeof name), "policy_7");
    assert_string_equal(dq_c99_name("a_very_long_name_indeed.c", name, sizeof name), "a_very_long_nam");
}

int main(int argc, char **argv) {
    enum { KINDS = sizeof kinds / sizeof *kinds };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    if (system("cc --version >/dev/null 2>&1")) {
        puts("skipped: there is no C compiler called cc");
        return 77;
    }
    struct CMUnitTest tests[KINDS + 2];
    for (int i = 0; i < KINDS; i++)
        tests[i] = (struct CMUnitTest){kinds[i].name, test_agrees, NULL, NULL, (void *)&kinds[i]};
    tests[KINDS] = (struct CMUnitTest)cmocka_unit_test(test_doubles);
    tests[KINDS + 1] = (struct CMUnitTest)cmocka_unit_test(test_names);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
