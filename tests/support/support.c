#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *test_reference_path(const char *below) {
    static char path[1024];
    const char *folder = getenv("DQ_REFERENCE_DIR");
    if (!folder || !*folder) folder = getenv("DQ_TEST_DATA");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "tests/data", below);
    return path;
}

void test_ok(dq_status status, const dq_error *error) {
    if (status != DQ_OK) fail_msg("%s (%s)", error->message, error->where);
}

double test_largest_difference(const float *a, const float *b, size_t n, double scale) {
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        double size = fabs((double)b[i]) > scale ? fabs((double)b[i]) : scale;
        double difference = fabs((double)a[i] - (double)b[i]) / size;
        if (!(difference <= largest)) largest = isnan(difference) ? (double)INFINITY : difference;
    }
    return largest;
}
