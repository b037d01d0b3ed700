// Tables of numbers: columns by name, empty cells, comments, a torn last line, refusals with their line.
#include "support.h"

#include "io/csv.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static dq_status parse(dq_csv *table, const char *text, dq_error *error) {
    return dq_csv_parse(table, text, strlen(text), "f", error);
}

static void test_reads(void **state) {
    (void)state;
    dq_csv table;
    dq_error error;
    test_ok(parse(&table, "# said\nstep,return,loss\r\n1,-2.5,\n# said\n3,1e-3,nan\n4,5", &error), &error);
    assert_int_equal(table.columns, 3);
    assert_int_equal(table.rows, 2);
    assert_int_equal(dq_csv_column(&table, "loss"), 2);
    assert_int_equal(dq_csv_column(&table, "los"), -1);
    double column[2];
    dq_csv_copy(&table, 1, column);
    assert_true(column[0] == -2.5 && column[1] == 1e-3);
    dq_csv_copy(&table, 2, column);
    assert_true(isnan(column[0]) && isnan(column[1]));
    dq_csv_deinit(&table);
    dq_csv_deinit(&table);

    test_ok(parse(&table, "only\n", &error), &error);
    assert_int_equal(table.rows, 0);
    dq_csv_deinit(&table);
    test_ok(parse(&table, "a\n\n1\n", &error), &error); // one column: an empty line is an empty cell
    assert_int_equal(table.rows, 2);
    dq_csv_deinit(&table);
}

static void refuses(const char *text, const char *where, const char *sentence) {
    dq_csv table;
    dq_error error = {0};
    assert_int_equal(parse(&table, text, &error), DQ_FORMAT);
    assert_string_equal(error.where, where);
    assert_non_null(strstr(error.message, sentence));
    dq_csv_deinit(&table);
}

static void test_refuses(void **state) {
    (void)state;
    refuses("", "f", "the file is empty");
    refuses("a,b", "f", "the file is empty");
    refuses("\n1,2\n", "f:1", "column names");
    refuses("a,b\n1\n", "f:2", "the line should hold 2 numbers");
    refuses("a,b\n1,2\n1,2,3\n", "f:3", "the line should hold 2 numbers");
    refuses("a,b\n1,x\n", "f:2", "the line should hold 2 numbers");
    refuses("a,b\n1,0x2\n", "f:2", "the line should hold 2 numbers");
    refuses("a,b\n1,2 3\n", "f:2", "the line should hold 2 numbers");
    dq_csv table;
    dq_error error;
    assert_int_equal(dq_csv_read(&table, "/nonexistent", &error), DQ_NOT_FOUND);
    assert_int_equal(dq_csv_parse(&table,
                                  "a\n1\0"
                                  "2\n",
                                  6, "f", &error),
                     DQ_FORMAT);
    dq_csv_deinit(&table);
}

// The recorded episodes: a time column that counts up from 0, every cell a number.
static void test_recorded(void **state) {
    (void)state;
    glob_t files;
    char pattern[1100];
    snprintf(pattern, sizeof pattern, "%s", test_reference_path("envs/*.csv"));
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        dq_csv table;
        dq_error error;
        test_ok(dq_csv_read(&table, files.gl_pathv[i], &error), &error);
        int t = dq_csv_column(&table, "t");
        assert_true(t >= 0 && table.rows > 1);
        for (int64_t row = 0; row < table.rows; row++)
            assert_true(table.values[row * table.columns + t] == (double)row);
        dq_csv_deinit(&table);
    }
    globfree(&files);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
