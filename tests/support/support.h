// What the tests share: cmocka, reference data, and comparisons that say what differed.
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <deepq/base.h>
#include <stdbool.h>

// Status 77: the test reports itself skipped.
#define TEST_SKIPPED 77

// "REFERENCE/below": $DQ_REFERENCE_DIR if set, else the copies in tests/data. Static buffer.
const char *test_reference_path(const char *below);

// Fails the test with the error's sentence unless status is DQ_OK.
void test_ok(dq_status status, const dq_error *error);

// An observation's numbers.
static inline const float *test_floats(const void *observation) {
    return observation;
}

// The largest |a-b| over max(scale, |b|) of n floats; NaN on either side gives infinity.
double test_largest_difference(const float *a, const float *b, size_t n, double scale);

#endif
