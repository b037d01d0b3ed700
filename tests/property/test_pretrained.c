// Trainings that start from weights: init, reinit and freeze. Frozen tensors keep every bit whatever the
// optimizer does to the others, those of reinit are drawn anew, and all of it holds across a resume.
#include "base/pattern.h"
#include "run_support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void test_frozen_keeps_bits(void **state) {
    (void)state;
    static const char *const optimizers[][3] = {
        {"optimizer=sgd", "momentum=0.9", "learning_rate=0.01"},
        {"optimizer=rmsprop", "centered=true", "momentum=0.5"},
        {"optimizer=adam", "weight_decay=0.1", "amsgrad=true"},
        {"optimizer=adamw", "weight_decay=0.1", "target_update=soft"},
        {"optimizer=radam", "max_grad_norm=1", "n_step=2"},
    };
    const char *start = test_folder();
    test_train(start, (const char *const[]){"normalization=batch", NULL});
    char init[4096];
    snprintf(init, sizeof init, "init=%s", start);
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
        const char *folder = test_folder();
        test_train(folder, (const char *const[]){"normalization=batch", init, "freeze=hidden1, norm2, *.bias",
                                                 optimizers[i][0], optimizers[i][1], optimizers[i][2],
                                                 "seed=2", NULL});
        test_frozen_bits(start, folder, "hidden1, norm2, *.bias");
        test_remove_folder(folder);
    }
    test_remove_folder(start);
}

static void test_reinit_draws_anew(void **state) {
    (void)state;
    const char *start = test_folder(), *folder = test_folder(), *resumed = test_folder();
    char init[4096];
    test_train(start, (const char *const[]){NULL});
    snprintf(init, sizeof init, "init=%s", start);
    // nothing is learned, so that the start shows
    const char *const words[] = {
        init, "reinit=hidden2, output", "learning_starts=5000", "buffer_size=5000", "seed=3", NULL};
    test_train(folder, words);
    test_frozen_bits(start, folder, "hidden1");

    // another head has other outputs: reinit lets it start
    dq_error error = {0};
    dq_run *run = NULL;
    dq_run_config config = test_run_config((const char *const[]){init, "reinit=output", "head=qr", NULL});
    test_ok(dq_run_create(&run, &config, NULL, &error), &error);
    dq_run_destroy(run);
    config = test_run_config((const char *const[]){init, "head=qr", NULL});
    assert_int_equal(dq_run_create(&run, &config, NULL, &error), DQ_FORMAT);
    assert_non_null(strstr(error.message, "reinit=output.weight"));
    test_remove_folder(start);
    test_remove_folder(folder);
    test_remove_folder(resumed);
}

// Stopped and resumed, after the file that it started from is gone, a run ends in the same bits.
static void test_resumes_without_init(void **state) {
    (void)state;
    const char *start = test_folder(), *whole = test_folder(), *part = test_folder();
    char init[4096];
    test_train(start, (const char *const[]){NULL});
    snprintf(init, sizeof init, "init=%s", start);
    const char *const words[] = {init, "freeze=hidden1", "optimizer=adamw", "checkpoint_steps=100", NULL};
    test_train(whole, words);

    dq_error error = {0};
    dq_run *run = NULL;
    dq_run_config config = test_run_config(words);
    const int64_t steps = config.total_steps;
    config.total_steps = steps / 2;
    test_ok(dq_run_create(&run, &config, part, &error), &error);
    test_ok(dq_run_train(run, &error), &error);
    dq_run_destroy(run);
    char path[4096];
    snprintf(path, sizeof path, "%s/config.yml", part);
    config.total_steps = steps;
    test_ok(dq_run_config_write(&config, path, &error), &error);
    test_remove_folder(start);
    test_ok(dq_run_resume(&run, part, &error), &error);
    test_ok(dq_run_train(run, &error), &error);
    dq_run_destroy(run);
    test_frozen_bits(whole, part, "*");
    test_remove_folder(whole);
    test_remove_folder(part);
}

static void refuse(const char *word, const char *other, const char *sentence) {
    dq_error error = {0};
    dq_run *run = NULL;
    const dq_run_config config = test_run_config((const char *const[]){word, other, NULL});
    assert_int_not_equal(dq_run_create(&run, &config, NULL, &error), DQ_OK);
    if (!strstr(error.message, sentence)) fail_msg("%s", error.message);
}

static void test_refusals(void **state) {
    (void)state;
    refuse("freeze=hiden1", NULL, "no tensor of the network is called 'hiden1'");
    refuse("reinit=output", NULL, "there is no init");
    refuse("init=/nowhere/x.safetensors", NULL, "there is no such file");
}

static void test_patterns(void **state) {
    (void)state;
    assert_true(dq_patterns_fit("hidden1", "hidden1.weight"));
    assert_true(dq_patterns_fit(" a , hidden1.weight ", "hidden1.weight"));
    assert_false(dq_patterns_fit("hidden1", "hidden10.weight"));
    assert_false(dq_patterns_fit("hidden1.w", "hidden1.weight"));
    assert_true(dq_patterns_fit("*.bias", "hidden1.bias"));
    assert_true(dq_patterns_fit("conv*", "conv3.bias"));
    assert_true(dq_patterns_fit("h*t", "hidden1.weight"));
    assert_false(dq_patterns_fit("weigh*ght", "weight"));
    assert_false(dq_patterns_fit("", "x"));
    assert_false(dq_patterns_fit(" , ,", "x"));
    assert_true(dq_patterns_fit("*", ""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frozen_keeps_bits),
        cmocka_unit_test(test_reinit_draws_anew),
        cmocka_unit_test(test_resumes_without_init),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
