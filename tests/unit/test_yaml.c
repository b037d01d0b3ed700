// Options in YAML files: what comes out, in which order, with which line; what is refused.
#include "support.h"

#include "io/yaml.h"

#include <stdio.h>
#include <string.h>

struct found {
    char text[2000];
    size_t used;
};

static dq_status note(void *user, const char *name, const char *text, const char *where, dq_error *error) {
    struct found *found = user;
    if (!strcmp(name, "stop")) return dq_fail(error, DQ_USAGE, where, "stopped");
    found->used += (size_t)snprintf(found->text + found->used, sizeof found->text - found->used, "%s=%s@%s;",
                                    name, text, where);
    return DQ_OK;
}

static void reads(const char *yaml, const char *expected) {
    struct found found = {0};
    dq_error error;
    test_ok(dq_yaml_scan(yaml, strlen(yaml), "f", note, &found, &error), &error);
    assert_string_equal(found.text, expected);
}

static void test_reads(void **state) {
    (void)state;
    reads("", "");
    reads("# nothing\n", "");
    reads("---\n", "");
    reads("{}", "");
    reads("gamma: 0.99\nnet_arch: [128, 64]\n", "gamma=0.99@f:1;net_arch=[128, 64]@f:2;");
    reads("net_arch:\n  - 1\n  - 2\nempty: []\none: [7]\n", "net_arch=[1, 2]@f:1;empty=[]@f:4;one=[7]@f:5;");
    reads("env:\n  wind: true # comment\n  gravity: -10\nseed: 1\n",
          "env.wind=true@f:2;env.gravity=-10@f:3;seed=1@f:4;");
    reads("env: {wind: true}\nenv.power: 3\n", "env.wind=true@f:1;env.power=3@f:2;");
    reads("a: 'it''s'\nb: \"x\\ty\"\nc:\nd: |\n  two\n  lines\n",
          "a=it's@f:1;b=x\ty@f:2;c=@f:3;d=two\nlines\n@f:4;");
    reads("\xef\xbb\xbfgamma: 1", "gamma=1@f:1;");
}

static void refuses(const char *yaml, const char *where, const char *sentence) {
    struct found found = {0};
    dq_error error = {0};
    assert_int_not_equal(dq_yaml_scan(yaml, strlen(yaml), "f", note, &found, &error), DQ_OK);
    if (strcmp(error.where, where) || !strstr(error.message, sentence))
        fail_msg("%s: '%s' (%s) is not '%s' (%s)", yaml, error.message, error.where, sentence, where);
}

static void test_refuses(void **state) {
    (void)state;
    refuses("gamma", "f:1", "expected options, one 'name: value' a line");
    refuses("- a\n- b", "f:1", "expected options");
    refuses("a: 1\n\nstop: 1", "f:3", "stopped");
    refuses("a: 1\na: 2", "f:2", "a is given twice");
    refuses("env: {a: 1}\nenv.a: 2", "f:2", "env.a is given twice");
    refuses("a: {b: {c: 1}}", "f:1", "nested at most once");
    refuses("a: [[1]]", "f:1", "expected a plain value");
    refuses("a: [{b: 1}]", "f:1", "expected a plain value");
    refuses("a: ['1,2']", "f:1", "holds a comma");
    refuses("a: ['']", "f:1", "is empty");
    refuses("? [a]\n: 1", "f:1", "expected a plain value");
    refuses("a: &x 1\nb: *x", "f:1", "anchors and tags");
    refuses("a: 1\nb: !!int 2", "f:2", "anchors and tags");
    refuses("a: 1\n---\nb: 1", "f:2", "a second document");
    refuses("a: 1\nb: [1", "f:3", "this is not YAML");
    refuses("a: 1\n b: 1", "f:2", "this is not YAML");
    refuses("a: \"x\\0y\"", "f:1", "a zero byte");
    refuses("a: \xff", "f:1", "this is not YAML");
}

struct values {
    double gamma;
    dq_ints net;
};
static const dq_option rows[] = {
    {"gamma", "", DQ_OPTION_REAL, .offset = offsetof(struct values, gamma), .default_text = "1", .min = 0,
     .max = 1},
    {"net_arch", "", DQ_OPTION_INTS, .offset = offsetof(struct values, net), .default_text = "[1]", .min = 1,
     .max = 10},
};
static const dq_option_table table = {rows, 2};

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_options(void **state) {
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "/tmp/deepq-yaml-%p.yml", (void *)&path);
    struct values values;
    dq_error error;
    test_ok(dq_options_defaults(table, &values, &error), &error);
    write_file(path, "gamma: 0.5\nnet_arch: [4, 5]\n");
    test_ok(dq_yaml_read_options(table, &values, path, &error), &error);
    assert_true(values.gamma == 0.5 && values.net.count == 2 && values.net.value[1] == 5);

    char where[80];
    write_file(path, "# x\ngama: 0.5\n");
    assert_int_equal(dq_yaml_read_options(table, &values, path, &error), DQ_USAGE);
    assert_string_equal(error.message, "unknown option 'gama'; did you mean 'gamma'?");
    snprintf(where, sizeof where, "%s:2", path);
    assert_string_equal(error.where, where);
    remove(path);
    assert_int_equal(dq_yaml_read_options(table, &values, path, &error), DQ_NOT_FOUND);
}

// What dq_options_write makes is YAML that this reader reads to the same values.
static void test_written_options(void **state) {
    (void)state;
    struct values values = {0.1, {3, {7, 8, 9}}}, read = {0};
    char path[64];
    snprintf(path, sizeof path, "/tmp/deepq-yaml-%p.yml", (void *)&path);
    for (int comments = 0; comments < 2; comments++) {
        FILE *file = fopen(path, "w");
        dq_options_write(table, &values, comments, file);
        fclose(file);
        dq_error error;
        test_ok(dq_yaml_read_options(table, &read, path, &error), &error);
        assert_memory_equal(&read, &values, sizeof values);
    }
    remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_written_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
