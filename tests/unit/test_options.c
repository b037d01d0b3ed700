// The options table: defaults, sentences of errors, exact round trips, the lines of config.yml.
#include "support.h"

#include <deepq/options.h>
#include <deepq/rng.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct values {
    bool flag;
    int64_t steps, seed;
    double gamma, rate, stop;
    int optimizer;
    char name[24];
    dq_ints net;
};

#define AT(field) .offset = offsetof(struct values, field)
static const dq_option rows[] = {
    {"double_dqn", "Target", DQ_OPTION_BOOL, AT(flag), .default_text = "yes", .help = "double targets"},
    {"buffer_size", "Replay", DQ_OPTION_INT, AT(steps), .default_text = "1e5", .min = 1, .max = 1e9,
     .unit = "transitions", .help = "room of the replay"},
    {"seed", "Run", DQ_OPTION_INT, AT(seed), .default_text = "0", .min = -0x1p63, .max = 0x1p63,
     .help = "of every random stream"},
    {"gamma", "Target", DQ_OPTION_REAL, AT(gamma), .default_text = "0.99", .min = 0, .max = 1,
     .help = "discount"},
    {"learning_rate", "Optimizer", DQ_OPTION_REAL, AT(rate), .default_text = "5e-4", .min = 0,
     .max = INFINITY, .help = "step size"},
    {"stop_return", "Run", DQ_OPTION_REAL, AT(stop), .default_text = "nan", .min = -INFINITY, .max = INFINITY,
     .help = "mean return that ends the run"},
    {"optimizer", "Optimizer", DQ_OPTION_CHOICE, AT(optimizer), .default_text = "adam",
     .choices = "sgd|rmsprop|adam|adamw", .help = "update rule"},
    {"env", "Run", DQ_OPTION_TEXT, AT(name), .text_size = 24, .default_text = "CartPole-v1",
     .help = "environment"},
    {"net_arch", "Network", DQ_OPTION_INTS, AT(net), .default_text = "[128, 128]", .min = 1, .max = 65536,
     .help = "hidden widths"},
};
static const dq_option_table table = {rows, sizeof rows / sizeof rows[0]};

static struct values defaults(void) {
    struct values values;
    memset(&values, 0, sizeof values);
    dq_error error;
    test_ok(dq_options_defaults(table, &values, &error), &error);
    return values;
}

static void test_defaults(void **state) {
    (void)state;
    struct values values = defaults();
    assert_true(values.flag);
    assert_int_equal(values.steps, 100000);
    assert_true(values.gamma == 0.99 && values.rate == 5e-4 && isnan(values.stop));
    assert_int_equal(values.optimizer, 2);
    assert_string_equal(values.name, "CartPole-v1");
    assert_int_equal(values.net.count, 2);
    assert_int_equal(values.net.value[1], 128);
}

static void accepts(const char *word, const char *reads_back) {
    struct values values = defaults();
    dq_error error;
    test_ok(dq_options_assign(table, &values, word, "command line", &error), &error);
    char name[64], text[256];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    dq_options_format(dq_options_find(table, name), &values, text, sizeof text);
    assert_string_equal(text, reads_back);
}

static void test_accepted(void **state) {
    (void)state;
    accepts("buffer_size=1_000_000", "1000000");
    accepts("buffer_size=2.5e3", "2500");
    accepts("seed=9223372036854775807", "9223372036854775807");
    accepts("seed=-9223372036854775808", "-9223372036854775808");
    accepts("double_dqn=off", "false");
    accepts("double_dqn=1", "true");
    accepts("learning_rate=1e-3", "0.001");
    accepts("learning_rate=1e-7", "1.0e-07");
    accepts("learning_rate=inf", ".inf");
    accepts("stop_return=off", ".nan");
    accepts("stop_return=-200", "-200");
    accepts("gamma= 1 ", "1");
    accepts("optimizer=sgd", "sgd");
    accepts("env=a = b", "a = b");
    accepts("env=", "");
    accepts("net_arch=64", "[64]");
    accepts("net_arch=[64,32 ]", "[64, 32]");
    accepts("net_arch=64 32 16", "[64, 32, 16]");
    accepts("net_arch=[]", "[]");
}

static void refuses(const char *word, const char *sentence) {
    struct values values = defaults(), before = values;
    dq_error error;
    assert_int_equal(dq_options_assign(table, &values, word, "command line", &error), DQ_USAGE);
    assert_string_equal(error.message, sentence);
    assert_string_equal(error.where, "command line");
    assert_memory_equal(&values, &before, sizeof values);
    assert_int_equal(dq_options_assign(table, &values, word, NULL, NULL), DQ_USAGE); // nobody asked why
}

static void test_refused(void **state) {
    (void)state;
    refuses("learning_rat=1", "unknown option 'learning_rat'; did you mean 'learning_rate'?");
    refuses("Learning-Rate=1", "unknown option 'Learning-Rate'; did you mean 'learning_rate'?");
    refuses("gmama=1", "unknown option 'gmama'; did you mean 'gamma'?");
    refuses("zzz=1", "unknown option 'zzz'");
    refuses("=1", "unknown option ''");
    refuses("gamma", "'gamma' is not an option; write it as key=value");
    refuses("gamma=1.5", "gamma is 1.5 but has to be between 0 and 1");
    refuses("gamma=nan", "gamma is nan but has to be between 0 and 1");
    refuses("gamma=0.9x", "gamma is '0.9x' but has to be a number");
    refuses("gamma=0x1", "gamma is '0x1' but has to be a number");
    refuses("gamma=", "gamma is '' but has to be a number");
    refuses("learning_rate=-1", "learning_rate is -1 but has to be at least 0");
    refuses("learning_rate=1e999", "learning_rate is '1e999' but has to be a number");
    refuses("stop_return=never", "stop_return is 'never' but has to be a number or off");
    refuses("buffer_size=0", "buffer_size is 0 but has to be between 1 and 1000000000 transitions");
    refuses("buffer_size=1.5", "buffer_size is '1.5' but has to be a whole number");
    refuses("buffer_size=99999999999999999999",
            "buffer_size is '99999999999999999999' but has to be a whole number");
    refuses("buffer_size=1__0", "buffer_size is '1__0' but has to be a whole number");
    refuses("buffer_size=_1", "buffer_size is '_1' but has to be a whole number");
    refuses("double_dqn=maybe", "double_dqn is 'maybe' but has to be true or false");
    refuses("optimizer=adm",
            "optimizer is 'adm' but has to be one of: sgd, rmsprop, adam, adamw; did you mean 'adam'?");
    refuses("optimizer=lion", "optimizer is 'lion' but has to be one of: sgd, rmsprop, adam, adamw");
    refuses("optimizer=", "optimizer is '' but has to be one of: sgd, rmsprop, adam, adamw");
    refuses("optimizer=sgd|rmsprop",
            "optimizer is 'sgd|rmsprop' but has to be one of: sgd, rmsprop, adam, adamw");
    refuses("env=123456789012345678901234", "env has 24 characters but room for 23");
    refuses("net_arch=[64", "net_arch is '[64' but has to be a list of whole numbers such as [128, 128]");
    refuses("net_arch=64]", "net_arch is '64]' but has to be a list of whole numbers such as [128, 128]");
    refuses("net_arch=[64,]", "net_arch is '[64,]' but has to be a list of whole numbers such as [128, 128]");
    refuses("net_arch=", "net_arch is '' but has to be a list of whole numbers such as [128, 128]");
    refuses("net_arch=[64, 0]", "net_arch is 0 but has to be between 1 and 65536");
    refuses("net_arch=1,2,3,4,5,6,7,8,9", "net_arch has more than 8 numbers");
}

static void test_nearest(void **state) {
    (void)state;
    for (int i = 0; i < table.count; i++) {
        assert_ptr_equal(dq_options_find(table, rows[i].name), &rows[i]);
        assert_string_equal(dq_options_nearest(table, rows[i].name), rows[i].name);
    }
    assert_null(dq_options_find(table, "gam"));
    assert_null(dq_options_nearest(table, "something_else"));
}

// A value drawn over the whole of a row's range, corners included.
static double draw_real(dq_rng *rng, const dq_option *row) {
    switch (dq_rng_integers(rng, 0, 6)) {
    case 0:
        return row->min;
    case 1:
        return row->max;
    case 2:
        return isnan(atof(row->default_text)) ? (double)NAN : 0.0;
    case 3:
        return fmin(fmax(5e-324, row->min), row->max);
    default:
        break;
    }
    for (;;) { // any bit pattern
        double value;
        uint64_t bits = dq_rng_next64(rng);
        memcpy(&value, &bits, sizeof value);
        if (row->max == 1) value = ldexp(dq_rng_random(rng), -(int)dq_rng_integers(rng, 0, 60));
        if (value >= row->min && value <= row->max) return value;
    }
}

static void draw_text(dq_rng *rng, char *text, size_t room) {
    static const char *const odd[] = {"",          " ",          "true",     "0x10", "1e5", "null", "~",
                                      "a: b",      "a #b",       "- x",      "\"",   "'",   "\\",   "it's",
                                      "tab\there", "line\nline", "\x01\x7f", "on",   "é",   "[1]",  "{a: 1}",
                                      "a:",        "2024-01-01", "#",        ".inf", "%",   "@"};
    memset(text, 0, room);
    if (dq_rng_random(rng) < 0.5) {
        snprintf(text, room, "%s", odd[dq_rng_integers(rng, 0, sizeof odd / sizeof odd[0])]);
        return;
    }
    int64_t length = dq_rng_integers(rng, 0, (int64_t)room);
    for (int64_t i = 0; i < length; i++) text[i] = (char)dq_rng_integers(rng, 1, 128);
}

static void test_round_trip(void **state) {
    (void)state;
    dq_rng rng;
    dq_rng_seed(&rng, 1);
    dq_error error;
    for (int round = 0; round < 5000; round++) {
        struct values values = defaults();
        values.flag = dq_rng_integers(&rng, 0, 2);
        values.steps = dq_rng_integers(&rng, 1, 1000000001);
        values.seed = (int64_t)dq_rng_next64(&rng);
        values.gamma = draw_real(&rng, dq_options_find(table, "gamma"));
        values.rate = draw_real(&rng, dq_options_find(table, "learning_rate"));
        values.stop = draw_real(&rng, dq_options_find(table, "stop_return"));
        values.optimizer = (int)dq_rng_integers(&rng, 0, 4);
        draw_text(&rng, values.name, sizeof values.name);
        memset(&values.net, 0, sizeof values.net);
        values.net.count = (int)dq_rng_integers(&rng, 0, 9);
        for (int i = 0; i < values.net.count; i++) values.net.value[i] = (int)dq_rng_integers(&rng, 1, 65537);

        struct values each = defaults(), read = defaults();
        for (int i = 0; i < table.count; i++) {
            char text[256];
            dq_options_format(&rows[i], &values, text, sizeof text);
            test_ok(dq_options_set(table, &each, rows[i].name, text, "round trip", &error), &error);
        }
        if (isnan(values.stop)) each.stop = read.stop = values.stop; // any NAN is "off"
        assert_memory_equal(&each, &values, sizeof values);

        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        dq_options_write(table, &values, round & 1, out);
        fclose(out);
        test_ok(dq_options_read(table, &read, text, "config.yml", &error), &error);
        if (isnan(values.stop)) read.stop = values.stop;
        if (memcmp(&read, &values, sizeof values)) fail_msg("does not read back:\n%s", text);
        free(text);
    }
}

static void read_fails(const char *text, const char *where, const char *sentence) {
    struct values values = defaults();
    dq_error error;
    assert_int_not_equal(dq_options_read(table, &values, text, "run/config.yml", &error), DQ_OK);
    assert_string_equal(error.where, where);
    assert_string_equal(error.message, sentence);
}

static void test_lines(void **state) {
    (void)state;
    struct values values = defaults();
    dq_error error;
    test_ok(dq_options_read(table, &values,
                            "# a comment\r\n\n  gamma: 0.5 # half\nenv: 'it''s' # quoted\r\n"
                            "net_arch: [ 1, 2 ]\ndouble_dqn:   off",
                            "config.yml", &error),
            &error);
    assert_true(values.gamma == 0.5 && !values.flag && values.net.count == 2);
    assert_string_equal(values.name, "it's");

    read_fails("gamma: 0.5\n\ngamma: 2\n", "run/config.yml:3", "gamma is 2 but has to be between 0 and 1");
    read_fails("gama: 1", "run/config.yml:1", "unknown option 'gama'; did you mean 'gamma'?");
    read_fails("gamma 1", "run/config.yml:1", "this line is not of the form 'name: value'");
    read_fails("gamma:1", "run/config.yml:1", "this line is not of the form 'name: value'");
    read_fails(": 1", "run/config.yml:1", "this line is not of the form 'name: value'");
    read_fails("env: \"abc\ngamma: 1", "run/config.yml:1", "the text has no closing quote");
    read_fails("env: 'abc", "run/config.yml:1", "the text has no closing quote");
    read_fails("env: \"a\\q\"", "run/config.yml:1", "unknown escape after a backslash in a quoted text");
    read_fails("env: \"a\\x00\"", "run/config.yml:1", "unknown escape after a backslash in a quoted text");
    read_fails("env: \"a\\", "run/config.yml:1", "unknown escape after a backslash in a quoted text");
    read_fails("env: \"a\" b", "run/config.yml:1", "there is more text behind the closing quote");
}

static void describes(const char *name, const char *expected) {
    char text[128];
    dq_options_describe(dq_options_find(table, name), text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_describe(void **state) {
    (void)state;
    describes("double_dqn", "true or false");
    describes("buffer_size", "1 to 1000000000 transitions");
    describes("seed", "a whole number");
    describes("learning_rate", "at least 0");
    describes("stop_return", "a number");
    describes("optimizer", "sgd, rmsprop, adam, adamw");
    describes("net_arch", "list, each 1 to 65536");
}

// Formatting into a field that is too small cuts, and stays inside.
static void test_small_room(void **state) {
    (void)state;
    struct values values = defaults();
    for (int i = 0; i < table.count; i++)
        for (size_t size = 0; size < 12; size++) {
            char text[16];
            memset(text, '~', sizeof text);
            dq_options_format(&rows[i], &values, text, size);
            assert_true(size == 0 || memchr(text, 0, size));
            for (size_t j = size; j < sizeof text; j++) assert_int_equal(text[j], '~');
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_accepted),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nearest),  cmocka_unit_test(test_round_trip), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_describe), cmocka_unit_test(test_small_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
