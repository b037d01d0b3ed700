// A merge sort from the bottom up: stable, and its worst case is its usual one.
#include "tune/order.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static bool before_or_equal(double a, double b) {
    return a <= b || isnan(b);
}

void dq_order(const double *value, int count, int *order, int *scratch) {
    for (int i = 0; i < count; i++) order[i] = i;
    for (long width = 1; width < count; width *= 2) {
        for (long start = 0; start < count; start += 2 * width) {
            long middle = start + width < count ? start + width : count;
            long end = middle + width < count ? middle + width : count;
            long left = start, right = middle;
            for (long k = start; k < end; k++) {
                bool take_left = left < middle &&
                                 (right == end || before_or_equal(value[order[left]], value[order[right]]));
                scratch[k] = order[take_left ? left++ : right++];
            }
        }
        memcpy(order, scratch, (size_t)count * sizeof *order);
    }
}
