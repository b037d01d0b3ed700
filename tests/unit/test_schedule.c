// Schedules, as the exercises use them.
#include "support.h"

#include <deepq/agent.h>
#include <math.h>

static void near(double value, double expected) {
    if (!(fabs(value - expected) <= 1e-12)) fail_msg("%.17g instead of %.17g", value, expected);
}

static void constant_stays(void **state) {
    (void)state;
    dq_schedule s = {.kind = DQ_SCHEDULE_CONSTANT, .start = 0.3, .end = 0.1};
    near(dq_schedule_at(&s, 0), 0.3);
    near(dq_schedule_at(&s, 1000000), 0.3);
}

static void linear_waits_falls_and_stays(void **state) {
    (void)state;
    dq_schedule s = {.kind = DQ_SCHEDULE_LINEAR, .start = 1, .end = 0.01, .delay = 20, .period = 1000};
    near(dq_schedule_at(&s, 0), 1);
    near(dq_schedule_at(&s, 20), 1);
    near(dq_schedule_at(&s, 520), 0.505);
    near(dq_schedule_at(&s, 1020), 0.01);
    near(dq_schedule_at(&s, 5000), 0.01);
}

static void exponential_nears_its_end(void **state) {
    (void)state;
    dq_schedule s = {.kind = DQ_SCHEDULE_EXPONENTIAL, .start = 0.9, .end = 0.05, .period = 1000};
    near(dq_schedule_at(&s, 0), 0.9);
    near(dq_schedule_at(&s, 1000), 0.05 + 0.85 * exp(-1));
    near(dq_schedule_at(&s, 1000000), 0.05);
}

static void multiplied_has_a_floor(void **state) {
    (void)state;
    dq_schedule s = {.kind = DQ_SCHEDULE_MULTIPLIED, .start = 0.82, .end = 0.013, .factor = 0.9675};
    double value = 0.82;
    for (int t = 0; t < 200; t++) {
        near(dq_schedule_at(&s, t), value);
        value = fmax(0.013, value * 0.9675);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_stays),
        cmocka_unit_test(linear_waits_falls_and_stays),
        cmocka_unit_test(exponential_nears_its_end),
        cmocka_unit_test(multiplied_has_a_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
