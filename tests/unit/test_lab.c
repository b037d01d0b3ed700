// Labs: what is read is what was written, and mistakes are told with file, line and the nearest name.
#include "support.h"

#include "io/lab.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static dq_status read_text(dq_lab *lab, const char *text, dq_error *error) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return dq_lab_read(lab, path, error);
}

static void test_reads_a_lab(void **state) {
    (void)state;
    dq_lab lab;
    dq_error error;
    test_ok(read_text(&lab,
                      "title: 'Two: agents'\n"
                      "env: CartPole-v1\n"
                      "seeds: 5\n"
                      "axis: episodes\n"
                      "common:\n"
                      "  net_arch: [16, 24]\n"
                      "  gamma: 0.95\n"
                      "agents:\n"
                      "  naive:\n"
                      "  mine:\n"
                      "    preset: dqn2015\n"
                      "    learning_rate: 1e-3\n",
                      &error),
            &error);
    assert_string_equal(lab.title, "Two: agents");
    assert_int_equal(lab.seeds, 5);
    assert_int_equal(lab.axis, DQ_LAB_EPISODES);
    assert_true(isnan(lab.threshold));
    assert_int_equal(lab.common.count, 2);
    assert_string_equal(lab.common.at[0].value, "[16, 24]");
    assert_int_equal(lab.agent_count, 2);
    assert_string_equal(lab.agents[0].preset, "naive");
    assert_string_equal(lab.agents[1].preset, "dqn2015");
    assert_string_equal(lab.agents[1].options.at[0].key, "learning_rate");
    assert_non_null(strstr(lab.agents[1].options.at[0].where, ":12"));
    dq_lab_deinit(&lab);
}

static void test_written_labs_read_back(void **state) {
    (void)state;
    dq_lab lab, again;
    dq_error error;
    test_ok(read_text(&lab,
                      "title: \"it's #1: yes\"\nenv: CartPole-v1\nthreshold: 195.5\ncommon: {net_arch: [8], "
                      "env.note: 'a # b'}\nagents: {a: {preset: naive, gamma: 0.5}, b-2: {}}\n",
                      &error),
            &error);
    test_ok(dq_lab_add(&lab.agents[0].options, "gamma", "0.25", "command line", &error), &error);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    dq_lab_write(&lab, file);
    fclose(file);
    test_ok(dq_lab_read(&again, path, &error), &error);
    assert_string_equal(again.name, lab.name);
    assert_string_equal(again.title, lab.title);
    assert_true(again.threshold == lab.threshold);
    assert_int_equal(again.common.count, 2);
    assert_string_equal(again.common.at[0].value, "[8]");
    assert_string_equal(again.common.at[1].value, "a # b");
    assert_int_equal(again.agent_count, 2);
    assert_int_equal(again.agents[0].options.count, 1);
    assert_string_equal(again.agents[0].options.at[0].value, "0.25");
    assert_string_equal(again.agents[1].name, "b-2");
    dq_lab_deinit(&lab);
    dq_lab_deinit(&again);
}

static void expect(const char *text, const char *where_end, const char *says) {
    dq_lab lab;
    dq_error error;
    assert_int_not_equal(read_text(&lab, text, &error), DQ_OK);
    dq_lab_deinit(&lab);
    size_t n = strlen(error.where), m = strlen(where_end);
    if (n < m || strcmp(error.where + n - m, where_end) != 0)
        fail_msg("where is '%s', should end in '%s'; %s", error.where, where_end, error.message);
    if (!strstr(error.message, says)) fail_msg("'%s' does not say '%s'", error.message, says);
}

static void test_mistakes_are_told(void **state) {
    (void)state;
    expect("env: X\nsead: 3\nagents: {a: }\n", ":2", "did you mean 'seed'");
    expect("env: X\nagent: {a: }\n", ":2", "did you mean 'agents'");
    expect("env: X\nseeds: 0\nagents: {a: }\n", ":2", "seeds");
    expect("env: X\nseeds: [1]\nagents: {a: }\n", ":2", "a list");
    expect("env: X\nagents:\n  a:\n  a:\n", ":4", "twice");
    expect("env: X\nenv: Y\n", ":2", "twice");
    expect("env: X\nagents:\n  a:\n    gamma: 1\n    gamma: 2\n", ":5", "twice");
    expect("env: X\nagents:\n  ../a:\n", ":3", "folder");
    expect("env: X\nagents:\n  a: 3\n", ":3", "option: value");
    expect("env: X\nagents:\n  a:\n    net_arch: {b: 1}\n", ":4", "a mapping");
    expect("env: X\nagents: []\n", ":2", "a list");
    expect("env: X\n  seeds: [1\n", ":2", "YAML");
    expect("env: X\n", path, "agents");
    expect("agents: {a: }\n", path, "env");
    expect("- env\n", ":1", "a list");
    expect("", path, "empty");
}

static void test_a_missing_file_is_told(void **state) {
    (void)state;
    dq_lab lab;
    dq_error error;
    assert_int_equal(dq_lab_read(&lab, "/nowhere/lab.yml", &error), DQ_NOT_FOUND);
    dq_lab_deinit(&lab);
}

int main(void) {
    snprintf(path, sizeof path, "/tmp/test_lab_%d.yml", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_lab),
        cmocka_unit_test(test_written_labs_read_back),
        cmocka_unit_test(test_mistakes_are_told),
        cmocka_unit_test(test_a_missing_file_is_told),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
