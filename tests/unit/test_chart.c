// Charts: ticks are round and inside, pictures hold what was asked for, files appear whole or not at all.
#include "base/file.h"
#include "draw/chart.h"
#include "draw/ticks.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void ticks_lie_inside_and_are_round(void **state) {
    (void)state;
    static const double ranges[][2] = {{0, 1},         {0, 500},    {-3, 7},   {0.001, 0.0042},
                                       {12000, 51234}, {-1e6, 4e6}, {0, 1e-7}, {499.5, 500.5},
                                       {-200, -80},    {0, 3.7e9}};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        double low = ranges[r][0], high = ranges[r][1];
        for (int wanted = 2; wanted <= 10; wanted++) {
            dq_ticks ticks = dq_ticks_choose(low, high, wanted);
            assert_true(ticks.count >= 1 && ticks.count <= 2 * wanted + 2);
            double last = ticks.first + (ticks.count - 1) * ticks.step, slack = 1e-6 * (high - low);
            assert_true(ticks.first >= low - slack && last <= high + slack);
            double mantissa = ticks.step / pow(10, floor(log10(ticks.step) + 1e-9));
            bool round = fabs(mantissa - 1) < 1e-6 || fabs(mantissa - 2) < 1e-6 ||
                         fabs(mantissa - 2.5) < 1e-6 || fabs(mantissa - 5) < 1e-6;
            assert_true(round);
            for (int i = 1; i < ticks.count; i++) { // neighbours can be told apart
                char a[32], b[32];
                dq_ticks_label(&ticks, i - 1, a, sizeof a);
                dq_ticks_label(&ticks, i, b, sizeof b);
                assert_string_not_equal(a, b);
            }
        }
    }
}

static void tick_labels_read_well(void **state) {
    (void)state;
    static const struct {
        double first, step;
        int count, index;
        const char *text;
    } cases[] = {{0, 100, 6, 5, "500"},       {0, 0.25, 5, 3, "0.75"},  {0, 2000, 5, 1, "2,000"},
                 {0, 10000, 6, 2, "20k"},     {0, 2.5e6, 5, 1, "2.5M"}, {-50, 25, 5, 2, "0"},
                 {-2000, 500, 5, 0, "-2,000"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_ticks ticks = dq_ticks_choose(
            cases[i].first, cases[i].first + cases[i].step * (cases[i].count - 1), cases[i].count - 1);
        char text[32];
        assert_string_equal(dq_ticks_label(&ticks, cases[i].index, text, sizeof text), cases[i].text);
    }
}

static const double xs[] = {0, 1, 2, 3, 4}, ys[] = {1, 4, (double)NAN, 2, 3}, lows[] = {0, 3, 1, 1, 2},
                    highs[] = {2, 5, 3, 3, 4};

static dq_chart small_chart(dq_series series[4], dq_panel *panel) {
    static const dq_chart_mark mark = {2.5, "goal"};
    for (int i = 0; i < 4; i++)
        series[i] = (dq_series){.kind = (dq_series_kind)i,
                                .label = "curve",
                                .color = i - 1,
                                .count = 5,
                                .x = xs,
                                .y = ys,
                                .low = i % 2 ? lows : NULL,
                                .high = i % 2 ? highs : NULL};
    *panel = (dq_panel){.title = "Panel",
                        .x_label = "x",
                        .y_label = "y",
                        .series = series,
                        .series_count = 4,
                        .marks = &mark,
                        .mark_count = 1};
    return (dq_chart){.title = "Title", .subtitle = "below", .panels = panel, .panel_count = 1};
}

static void every_format_is_written(void **state) {
    (void)state;
    static const struct {
        const char *path, *start;
    } files[] = {{"chart_test.svg", "<?xml"}, {"chart_test.png", "\211PNG"}, {"chart_test.PDF", "%PDF"}};
    dq_series series[4];
    dq_panel panel;
    dq_chart chart = small_chart(series, &panel);
    for (int i = 0; i < 6; i++) {
        char *data;
        size_t size;
        dq_error error = {0};
        chart.theme = (dq_chart_theme)(i / 3);
        test_ok(dq_chart_write(&chart, files[i % 3].path, &error), &error);
        test_ok(dq_file_read(files[i % 3].path, 1 << 24, &data, &size, &error), &error);
        assert_true(size > 1000);
        assert_memory_equal(data, files[i % 3].start, strlen(files[i % 3].start));
        free(data);
        unlink(files[i % 3].path);
    }
}

static void pictures_repeat_to_the_byte(void **state) {
    (void)state;
    dq_series series[4];
    dq_panel panel;
    dq_chart chart = small_chart(series, &panel);
    char *a, *b;
    size_t size_a, size_b;
    dq_error error = {0};
    test_ok(dq_chart_svg(&chart, &a, &size_a, &error), &error);
    test_ok(dq_chart_svg(&chart, &b, &size_b, &error), &error);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(a, b, size_a);
    assert_null(strstr(a, "nan"));
    assert_null(strstr(a, "inf"));
    free(a);
    free(b);
}

// The horizontal middles of the dots, "M 12.3 45.6 C" in Cairo's paths; returns how many are told apart.
static int dot_places(const dq_chart *chart, double *places, int most) {
    char *text;
    size_t size;
    dq_error error = {0};
    int count = 0;
    test_ok(dq_chart_svg(chart, &text, &size, &error), &error);
    assert_null(strstr(text, "nan"));
    const char *body = strstr(text, "</defs>"); // glyphs lie before
    for (const char *c = body ? body : text; (c = strstr(c, "d=\"M ")) != NULL && count < most;) {
        double x, y;
        c += 5;
        int used = 0;
        if (sscanf(c, "%lf %lf C%n", &x, &y, &used) == 2 && used > 0) places[count++] = x;
    }
    free(text);
    return count;
}

static void logarithmic_axes_put_equal_ratios_equally_apart(void **state) {
    (void)state;
    static const double x[] = {-1, 1e-5, 1e-4, 0, 1e-3, 1e-2}, y[] = {1, 1, 2, 2, 3, 3};
    static const double shade[] = {1, 0.2, 0.4, 1, 0.6, 0.8};
    dq_series series = {.kind = DQ_SERIES_POINTS, .count = 6, .x = x, .y = y, .shade = shade};
    dq_panel panel = {.series = &series, .series_count = 1, .x_log = true};
    dq_chart chart = {.panels = &panel, .panel_count = 1};
    double places[16];
    assert_int_equal(dot_places(&chart, places, 16), 4); // what is not positive is left out
    for (int i = 2; i < 4; i++)
        assert_true(fabs((places[i] - places[i - 1]) - (places[1] - places[0])) < 0.1);
    panel.fixed_x = true; // less than two powers of ten, and a range of its own
    panel.x_low = 0.0002;
    panel.x_high = 0.004;
    assert_int_equal(dot_places(&chart, places, 16), 1); // 0.001 alone lies within
}

// Neighbours of one shade are one piece: a map of two halves costs a row two rectangles at most.
static void maps_are_drawn_in_runs(void **state) {
    (void)state;
    enum { side = 60 };
    static double middle[side * side], shade[side * side];
    for (int i = 0; i < side * side; i++) {
        middle[i] = NAN;
        shade[i] = i % side < 20 ? 0.2 : 0.9;
    }
    dq_series series = {.kind = DQ_SERIES_CELLS,
                        .count = side * side,
                        .x = middle,
                        .y = middle,
                        .shade = shade,
                        .columns = side};
    dq_panel panel = {
        .series = &series, .series_count = 1, .fixed_x = true, .fixed_y = true, .x_high = 1, .y_high = 1};
    dq_chart chart = {.panels = &panel, .panel_count = 1};
    char *text;
    size_t with, without;
    dq_error error = {0};
    test_ok(dq_chart_svg(&chart, &text, &with, &error), &error);
    free(text);
    panel.series_count = 0;
    test_ok(dq_chart_svg(&chart, &text, &without, &error), &error);
    free(text);
    assert_true(with > without + 500);
    assert_true(with - without < 2 * side * 100);
}

// A long series costs the picture's width, not its length.
static void long_series_are_thinned(void **state) {
    (void)state;
    enum { n = 400000 };
    double *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
    assert_non_null(x);
    assert_non_null(y);
    for (int i = 0; i < n; i++) {
        x[i] = i;
        y[i] = sin(0.3 * i) * i;
    }
    dq_series series = {.count = n, .x = x, .y = y};
    dq_panel panel = {.series = &series, .series_count = 1};
    dq_chart chart = {.panels = &panel, .panel_count = 1};
    char *text;
    size_t size;
    dq_error error = {0};
    test_ok(dq_chart_svg(&chart, &text, &size, &error), &error);
    assert_true(size < 400000);
    free(text);
    free(x);
    free(y);
}

// What people plot by mistake must not stop the program: nothing, one point, one value, only NAN, log of
// zero.
static void odd_data_draw(void **state) {
    (void)state;
    static const double nothing[] = {(double)NAN, (double)NAN}, same[] = {3, 3}, zero[] = {0, 0},
                        wild[] = {-1e300, 1e300}, infinite[] = {(double)INFINITY, 1};
    const double *values[] = {nothing, same, zero, wild, infinite};
    for (int v = 0; v < 5; v++)
        for (int kind = 0; kind < 4; kind++)
            for (int variant = 0; variant < 4; variant++) {
                dq_series series = {.kind = (dq_series_kind)kind,
                                    .count = variant == 3 ? 0 : 2,
                                    .x = variant == 2 ? same : xs,
                                    .y = values[v]};
                dq_panel panel = {.series = &series, .series_count = 1, .y_log = variant == 1};
                dq_chart chart = {.panels = &panel, .panel_count = 1};
                char *text;
                size_t size;
                dq_error error = {0};
                test_ok(dq_chart_svg(&chart, &text, &size, &error), &error);
                free(text);
            }
}

static void failures_leave_nothing(void **state) {
    (void)state;
    dq_series series[4];
    dq_panel panel;
    dq_chart chart = small_chart(series, &panel);
    dq_error error = {0};
    assert_int_equal(dq_chart_write(&chart, "picture.gif", &error), DQ_USAGE);
    assert_non_null(strstr(error.message, ".svg, .png or .pdf"));
    assert_int_not_equal(dq_chart_write(&chart, "no-such-folder/picture.svg", &error), DQ_OK);
    assert_int_not_equal(access("picture.gif", F_OK), 0);
    if (access("/dev/full", W_OK) == 0)
        assert_int_not_equal(dq_chart_write(&chart, "/dev/full", &error), DQ_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_lie_inside_and_are_round),
        cmocka_unit_test(tick_labels_read_well),
        cmocka_unit_test(every_format_is_written),
        cmocka_unit_test(pictures_repeat_to_the_byte),
        cmocka_unit_test(long_series_are_thinned),
        cmocka_unit_test(odd_data_draw),
        cmocka_unit_test(failures_leave_nothing),
        cmocka_unit_test(logarithmic_axes_put_equal_ratios_equally_apart),
        cmocka_unit_test(maps_are_drawn_in_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
