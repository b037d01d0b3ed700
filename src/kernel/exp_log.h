// exp and log that gcc vectorises: inlined polynomials, no tables, no calls, the same bits everywhere.
//
// Place: softmax in heads and backups. After Moshier's Cephes library (single precision, expf.c and logf.c):
// relative error below 2e-7. Sums and products are separate operations, never fused, so that every
// instruction set rounds alike.
#ifndef DQ_KERNEL_EXP_LOG_H
#define DQ_KERNEL_EXP_LOG_H

#include <stdint.h>
#include <string.h>

// e^x for finite x; below -87 it gives e^-87 (1.6e-38), above 88 e^88.
static inline float dq_expf(float x) {
    x = x > -87.0F ? x : -87.0F;
    x = x < 88.0F ? x : 88.0F;
    float shifted = x * 1.44269504088896341F + 12582912.0F; // 1.5 * 2^23: rounds to a whole number
    float n = shifted - 12582912.0F;
    float r = x - n * 0.693359375F;
    r = r - n * -2.12194440e-4F;
    float y = 1.9875691500e-4F;
    y = y * r + 1.3981999507e-3F;
    y = y * r + 8.3334519073e-3F;
    y = y * r + 4.1665795894e-2F;
    y = y * r + 1.6666665459e-1F;
    y = y * r + 5.0000001201e-1F;
    y = y * (r * r) + r + 1.0F;
    int32_t bits = ((int32_t)n + 127) * (1 << 23);
    float power;
    memcpy(&power, &bits, sizeof power);
    return y * power;
}

// Natural logarithm of a normal x > 0.
static inline float dq_logf(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    // mantissa in [sqrt(1/2), sqrt(2)), exponent to match
    int32_t shifted = bits - 0x3f3504f3, exponent = shifted >> 23;
    bits = (shifted & 0x007fffff) + 0x3f3504f3;
    float m, e = (float)exponent;
    memcpy(&m, &bits, sizeof m);
    m = m - 1.0F;
    float z = m * m, y = 7.0376836292e-2F;
    y = y * m + -1.1514610310e-1F;
    y = y * m + 1.1676998740e-1F;
    y = y * m + -1.2420140846e-1F;
    y = y * m + 1.4249322787e-1F;
    y = y * m + -1.6668057665e-1F;
    y = y * m + 2.0000714765e-1F;
    y = y * m + -2.4999993993e-1F;
    y = y * m + 3.3333331174e-1F;
    y = y * m * z + e * -2.12194440e-4F;
    y = y - 0.5F * z;
    return (m + y) + e * 0.693359375F;
}

#endif
