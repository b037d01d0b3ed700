// ONNX files of networks on images: ONNX Runtime gives the library's Q values on 2,000 stacks of frames of
// each trunk ($DQ_OBSERVATIONS: as many as that), from the same bytes. Python beside reads both from a pipe,
// a batch at a time, and writes what it found; a network that differs by more than 1e-5 of its values' size,
// or in an action whose value leads by more, fails.
// An argument names the kinds (* stands for any letters).
#include "export/export.h"
#include "export_support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

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

// check.py KIND HEIGHT WIDTH CHANNELS ACTIONS < {the observation's bytes, its Q values as floats}...
static const char script[] =
    "import sys, numpy as np, onnx, onnxruntime\n"
    "kind, *numbers = sys.argv[1:]\n"
    "*shape, actions = map(int, numbers)\n"
    "pair = np.dtype([('x', np.uint8, shape), ('q', np.float32, actions)])\n"
    "onnx.checker.check_model(onnx.load('net.onnx'), full_check=True)\n"
    "options = onnxruntime.SessionOptions()\n"
    "options.intra_op_num_threads = 1\n"
    "session = onnxruntime.InferenceSession('net.onnx', options, providers=['CPUExecutionProvider'])\n"
    "count, worst, other, wrong = 0, 0, 0, 0\n"
    "while batch := sys.stdin.buffer.read(250 * pair.itemsize):\n"
    "    batch = np.frombuffer(batch, pair)\n"
    "    x, wanted = np.ascontiguousarray(batch['x']), batch['q']\n"
    "    q, action = session.run(['q', 'action'], {'observation': x})\n"
    "    assert q.shape == wanted.shape and np.isfinite(q).all()\n"
    "    size = np.maximum(np.abs(wanted).max(axis=1, keepdims=True), np.abs(wanted).mean())\n"
    "    two = np.sort(wanted, axis=1)[:, -2:]\n"
    "    clear = two[:, 1] - two[:, 0] > 1e-5 * size[:, 0]\n"
    "    differs = action != wanted.argmax(axis=1)\n"
    "    count += len(x)\n"
    "    worst = max(worst, (np.abs(q - wanted) / size).max())\n"
    "    other, wrong = other + differs.sum(), wrong + differs[clear].sum()\n"
    "print(f'{kind:8} largest difference {worst:.1e}, other actions {other} of {count}')\n"
    "sys.exit(bool(not count or worst > 1e-5 or wrong))\n";

static void test_kind(void **state) {
    const int kind = *(const int *)*state, count = test_observations(2000);
    dq_error error = {0};
    dq_program program;
    dq_policy *policy = test_policy(TEST_NOISE, kinds[kind].words);
    test_ok(dq_policy_lower(policy, &program, &error), &error);
    test_ok(dq_onnx_write("net.onnx", &program, &error), &error);
    dq_program_deinit(&program);
    FILE *file = fopen("check.py", "w");
    assert_non_null(file);
    fputs(script, file);
    assert_int_equal(fclose(file), 0);

    const dq_space *space = dq_policy_input(policy);
    const size_t bytes = dq_space_bytes(space), actions = (size_t)dq_policy_actions(policy);
    char command[1024];
    snprintf(command, sizeof command, "\"%s\" check.py %s %d %d %d %zu", getenv("DQ_TOOLS_PYTHON"),
             kinds[kind].name, space->shape[0], space->shape[1], space->shape[2], actions);
    fflush(NULL);
    FILE *check = popen(command, "w");
    assert_non_null(check);
    unsigned char *input = malloc(bytes);
    float q[DQ_ACTIONS_MAX];
    dq_rng rng;
    dq_rng_seed(&rng, 9);
    for (int i = 0; i < count; i++) {
        test_policy_input(policy, &rng, input);
        dq_policy_q(policy, input, q);
        if (fwrite(input, bytes, 1, check) != 1 || fwrite(q, sizeof *q, actions, check) != actions) break;
    }
    free(input);
    dq_policy_destroy(policy);
    assert_int_equal(pclose(check), 0);
}

int main(int argc, char **argv) {
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    signal(SIGPIPE, SIG_IGN); // a check that ends early says so itself
    enum { KINDS = sizeof kinds / sizeof *kinds };
    static int numbers[KINDS];
    struct CMUnitTest tests[KINDS];
    for (int i = 0; i < KINDS; i++) {
        numbers[i] = i;
        tests[i] = (struct CMUnitTest){kinds[i].name, test_kind, NULL, NULL, &numbers[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
