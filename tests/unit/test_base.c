// Arenas, threads, errors, logging and text helpers.
#include "support.h"

#include "base/arena.h"
#include "base/text.h"
#include "base/threads.h"

#include <deepq/rng.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- arenas ---

struct pieces {
    size_t counts[6];
    void *at[6];
    int runs;
};

static void lay_out(dq_arena *arena, void *user) {
    struct pieces *pieces = user;
    pieces->runs++;
    for (int i = 0; i < 6; i++) pieces->at[i] = dq_arena_take(arena, pieces->counts[i], 1 + (size_t)i);
}

static void test_arena(void **state) {
    (void)state;
    struct pieces pieces = {.counts = {1, 63, 0, 64, 100000, 3}};
    dq_arena arena;
    dq_error error;
    test_ok(dq_arena_create(&arena, lay_out, &pieces, "test memory", &error), &error);
    assert_int_equal(pieces.runs, 2);
    assert_null(pieces.at[2]);
    char *end = (char *)arena.base;
    for (int i = 0; i < 6; i++) {
        if (!pieces.at[i]) continue;
        char *bytes = pieces.at[i];
        size_t size = pieces.counts[i] * (1 + (size_t)i);
        assert_int_equal((uintptr_t)bytes % DQ_ARENA_ALIGN, 0);
        assert_true(bytes >= end); // pieces come in order and do not overlap
        for (size_t j = 0; j < size; j++) assert_int_equal(bytes[j], 0);
        memset(bytes, 0xff, size);
        end = bytes + size;
    }
    assert_true(end <= (char *)arena.base + arena.size);
    dq_arena_destroy(&arena);
    dq_arena_destroy(&arena);

    struct pieces nothing = {0};
    test_ok(dq_arena_create(&arena, lay_out, &nothing, "nothing", &error), &error);
    dq_arena_destroy(&arena);

    struct pieces huge = {.counts = {SIZE_MAX / 2, SIZE_MAX / 2}};
    assert_int_equal(dq_arena_create(&arena, lay_out, &huge, "the replay", &error), DQ_MEMORY);
    assert_string_equal(error.message, "the replay would need more memory than can exist");
    struct pieces large = {.counts = {(size_t)1 << 60}};
    assert_int_equal(dq_arena_create(&arena, lay_out, &large, "the replay", &error), DQ_MEMORY);
    assert_non_null(strstr(error.message, "which this machine does not give"));
    assert_null(large.at[0]);
    dq_arena_destroy(&arena);
}

// --- threads ---

struct loop {
    int64_t results[1000];
    int calls[1000];
    _Atomic int workers[16];
    int threads;
};

static void square(void *user, int64_t index, int worker) {
    struct loop *loop = user;
    assert_true(worker >= 0 && worker < loop->threads);
    loop->workers[worker]++;
    loop->calls[index]++;
    loop->results[index] = index * index;
}

static void check_loop(const struct loop *loop, int64_t count) {
    int total = 0;
    for (int64_t i = 0; i < 1000; i++) {
        assert_int_equal(loop->calls[i], i < count);
        assert_int_equal(loop->results[i], i < count ? i * i : 0);
    }
    for (int i = 0; i < 16; i++) total += loop->workers[i];
    assert_int_equal(total, count);
}

static void test_threads(void **state) {
    (void)state;
    static const int64_t counts[] = {0, 1, 2, 7, 1000};
    dq_error error;
    for (int threads = 1; threads <= 8; threads++) {
        dq_pool *pool;
        test_ok(dq_pool_create(&pool, threads, &error), &error);
        assert_int_equal(dq_pool_threads(pool), threads);
        for (int round = 0; round < 100; round++)
            for (int i = 0; i < 5; i++) {
                struct loop loop = {.threads = threads};
                dq_pool_run(pool, counts[i], square, &loop);
                check_loop(&loop, counts[i]);
            }
        dq_pool_destroy(pool);
        struct loop loop = {.threads = threads};
        dq_parallel_for(threads, 1000, square, &loop);
        check_loop(&loop, 1000);
    }
    struct loop loop = {.threads = 1};
    dq_pool_run(NULL, 1000, square, &loop);
    check_loop(&loop, 1000);
    dq_pool_destroy(NULL);
    assert_true(dq_cores() >= 1);
}

// --- errors and logging ---

static void test_errors(void **state) {
    (void)state;
    dq_error error;
    assert_int_equal(dq_fail(&error, DQ_IO, "here", "%d of %s", 3, "four"), DQ_IO);
    assert_int_equal(error.code, DQ_IO);
    assert_string_equal(error.message, "3 of four");
    assert_string_equal(error.where, "here");
    dq_fail(&error, DQ_FORMAT, error.where, "again: %s", error.message); // its own text as argument
    assert_string_equal(error.message, "again: 3 of four");
    assert_string_equal(error.where, "here");
    char longer[2000];
    memset(longer, 'x', sizeof longer);
    longer[1999] = 0;
    dq_fail(&error, DQ_FORMAT, longer, "%s", longer);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    assert_int_equal(strlen(error.where), sizeof error.where - 1);
    assert_int_equal(dq_fail(NULL, DQ_USAGE, NULL, "nobody listens"), DQ_USAGE);
    assert_string_equal(dq_status_text(DQ_OK), "done");
    assert_string_equal(dq_status_text(DQ_MEMORY), "out of memory");
    assert_non_null(dq_status_text((dq_status)99));
}

static void keep_message(void *user, dq_log_level level, const char *message) {
    snprintf(user, 100, "%d %s", (int)level, message);
}

static void test_log(void **state) {
    (void)state;
    char kept[100] = "";
    dq_log(DQ_LOG_WARNING, "nobody listens");
    dq_log_set(keep_message, kept);
    dq_log(DQ_LOG_WARNING, "episode %d", 7);
    assert_string_equal(kept, "2 episode 7");
    dq_log_set(NULL, NULL);
    dq_log(DQ_LOG_INFO, "nobody listens");
    assert_string_equal(kept, "2 episode 7");
}

// --- text ---

static void test_distance(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        int distance;
    } cases[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"gamma", "gamma", 0},
        {"gmama", "gamma", 1},
        {"gama", "gamma", 1},
        {"kitten", "sitting", 3},
        {"learning-rate", "learning_rate", 0},
        {"Adam", "adam", 0},
        {"ca", "abc", 3}, // optimal string alignment: a swapped pair is not edited again
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(dq_text_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(dq_text_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
    char a[200], b[200];
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    a[199] = b[199] = 0;
    assert_int_equal(dq_text_distance(a, b), 63);
}

// Every double, whatever its bits, comes back from its text, and no shorter text has the same value.
static void test_reals(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {0.1, "0.1"},
        {100000, "100000"},
        {5e-4, "0.0005"},
        {1e-5, "0.00001"},
        {1e-6, "1.0e-06"},
        {1e15, "1000000000000000"},
        {1e16, "1.0e+16"},
        {1.5e300, "1.5e+300"},
        {1.0 / 3, "0.3333333333333333"},
        {123456.789, "123456.789"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {5e-324, "4.9e-324"},
    };
    char text[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dq_text_from_real(cases[i].value, text, sizeof text);
        double back;
        assert_true(dq_text_to_real(text, &back));
        assert_memory_equal(&back, &cases[i].value, sizeof back);
        if (cases[i].value != 5e-324) assert_string_equal(text, cases[i].text);
    }
    dq_rng rng;
    dq_rng_seed(&rng, 2);
    for (int i = 0; i < 40000; i++) {
        uint64_t bits = dq_rng_next64(&rng);
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        if (i & 1) value = (double)(float)ldexp(value, -(ilogb(value)) + (int)(bits % 40) - 20);
        dq_text_from_real(value, text, sizeof text);
        assert_true(dq_text_to_real(text, &back));
        if (memcmp(&back, &value, sizeof value)) fail_msg("%s is not %a", text, value);
    }
}

static void test_numbers(void **state) {
    (void)state;
    static const char *const no_numbers[] = {"",    " ",   "-",    "+",    ".",     "e5",      "1e",   "1e+",
                                             "--1", "1-",  "0x10", "1_",   "_1",    "1._5",    "1__0", "1 2",
                                             "1,5", "one", "in",   "nano", "1e400", "infinity"};
    for (size_t i = 0; i < sizeof no_numbers / sizeof no_numbers[0]; i++) {
        double real = 7;
        int64_t whole = 7;
        if (dq_text_to_real(no_numbers[i], &real) || dq_text_to_int(no_numbers[i], &whole))
            fail_msg("'%s' is no number", no_numbers[i]);
        assert_true(real == 7 && whole == 7);
    }
    static const char *const no_integers[] = {
        "1.5", "1e-1", "9223372036854775808", "-9223372036854775809", "1e19",
        "nan", "inf",  "9007199254740993.0e3"};
    for (size_t i = 0; i < sizeof no_integers / sizeof no_integers[0]; i++) {
        int64_t whole = 7;
        if (dq_text_to_int(no_integers[i], &whole)) fail_msg("'%s' is no integer", no_integers[i]);
        assert_int_equal(whole, 7);
    }
    char longest[100];
    memset(longest, '1', sizeof longest);
    longest[99] = 0;
    double real;
    assert_false(dq_text_to_real(longest, &real));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),   cmocka_unit_test(test_threads),  cmocka_unit_test(test_errors),
        cmocka_unit_test(test_log),     cmocka_unit_test(test_distance), cmocka_unit_test(test_reals),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
