// ONNX files of networks on images: ONNX Runtime gives the library's Q values on 2,000 stacks of frames of
// each trunk, from the same bytes. The Python beside writes what it found; a network that differs by more
// than 1e-5 of its values' size fails.
#include "export/export.h"
#include "export_support.h"
#include "io/npy.h"

#include <stdlib.h>
#include <string.h>

enum { COUNT = 2000 };

static const struct {
    const char *name;
    const char *words[8];
} kinds[] = {
    {"dqn2013", {"network=dqn2013", "frame_stack=4", "env.side=84"}},
    {"dqn2015", {"network=dqn2015", "frame_stack=4", "env.side=84", "dueling=true"}},
    {"normed", {"network=dqn2013", "frame_stack=4", "env.side=84", "normalization=layer"}},
    {"c51",
     {"network=dqn2015", "frame_stack=4", "env.side=84", "head=c51", "noisy=all", "explorer=noisy",
      "c51_v_min=0"}},
    {"impala", {"network=impala", "frame_stack=2", "env.side=84"}},
    {"flat", {"net_arch=[16]"}},
};

static const char script[] =
    "import sys, numpy as np, onnx, onnxruntime\n"
    "onnx.checker.check_model(onnx.load('net.onnx'), full_check=True)\n"
    "options = onnxruntime.SessionOptions()\n"
    "options.intra_op_num_threads = 1\n"
    "session = onnxruntime.InferenceSession('net.onnx', options, providers=['CPUExecutionProvider'])\n"
    "x, wanted = np.load('x.npy'), np.load('q.npy')\n"
    "parts = [session.run(['q', 'action'], {'observation': x[i:i + 250]}) for i in range(0, len(x), 250)]\n"
    "q, action = (np.concatenate(a) for a in zip(*parts))\n"
    "size = np.maximum(np.abs(wanted).max(axis=1, keepdims=True), np.abs(wanted).mean())\n"
    "worst, other = (np.abs(q - wanted) / size).max(), (action != wanted.argmax(axis=1)).sum()\n"
    "two = np.sort(wanted, axis=1)[:, -2:]\n"
    "clear = two[:, 1] - two[:, 0] > 1e-5 * size[:, 0]\n"
    "print(f'{sys.argv[1]:8} largest difference {worst:.1e}, other actions {other} of {len(x)}')\n"
    "sys.exit(bool(q.shape != wanted.shape or worst > 1e-5 or (action != "
    "wanted.argmax(axis=1))[clear].any()))\n";

static void test_kind(void **state) {
    const int kind = *(const int *)*state;
    dq_error error = {0};
    dq_program program;
    dq_policy *policy = test_policy(TEST_NOISE, kinds[kind].words);
    test_ok(dq_policy_lower(policy, &program, &error), &error);
    test_ok(dq_onnx_write("net.onnx", &program, &error), &error);
    dq_program_deinit(&program);

    const dq_space *space = dq_policy_input(policy);
    const size_t bytes = dq_space_bytes(space);
    dq_array x = {.type = DQ_ARRAY_U1,
                  .rank = 4,
                  .shape = {COUNT, space->shape[0], space->shape[1], space->shape[2]},
                  .data = malloc(COUNT * bytes)};
    dq_array q = {
        .type = DQ_ARRAY_F4, .rank = 2, .shape = {COUNT, 6}, .data = malloc(COUNT * 6 * sizeof(float))};
    dq_rng rng;
    dq_rng_seed(&rng, 9);
    for (size_t i = 0; i < COUNT; i++) {
        unsigned char *input = (unsigned char *)x.data + i * bytes;
        test_policy_input(policy, &rng, input);
        dq_policy_q(policy, input, (float *)q.data + 6 * i);
    }
    test_ok(dq_npy_write("x.npy", &x, &error), &error);
    test_ok(dq_npy_write("q.npy", &q, &error), &error);
    free(x.data);
    free(q.data);
    dq_policy_destroy(policy);

    FILE *file = fopen("check.py", "w");
    assert_non_null(file);
    fputs(script, file);
    assert_int_equal(fclose(file), 0);
    char command[1024];
    snprintf(command, sizeof command, "\"%s\" check.py %s", getenv("DQ_TOOLS_PYTHON"), kinds[kind].name);
    assert_int_equal(system(command), 0);
}

int main(void) {
    enum { KINDS = sizeof kinds / sizeof *kinds };
    static const int numbers[] = {0, 1, 2, 3, 4};
    struct CMUnitTest tests[KINDS];
    for (int i = 0; i < KINDS; i++)
        tests[i] = (struct CMUnitTest){kinds[i].name, test_kind, NULL, NULL, (void *)&numbers[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
