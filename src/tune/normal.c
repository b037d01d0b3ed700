// Normal tails by erfc, and by the asymptotic series of Mills' ratio (Abramowitz and Stegun 1964, 26.2.12)
// where erfc underflows. A mass is always taken in the left tail, where neighbouring values keep their
// difference.
#include "tune/normal.h"

#include <float.h>
#include <math.h>

static const double root_half = 0.70710678118654752440;       // 1 / sqrt(2)
static const double log_root_two_pi = 0.91893853320467274178; // log(sqrt(2 pi))

// erfc is a normal double down to here.
static const double far_tail = -36.0;

double dq_normal_log_cdf(double x) {
    if (x > 0) return log1p(-0.5 * erfc(x * root_half));
    if (x >= far_tail) return log(0.5 * erfc(-x * root_half));
    if (isinf(x)) return -(double)INFINITY;
    // Phi(x) = phi(x)/|x| (1 - 1/x^2 + 3/x^4 - 15/x^6 ...); beyond 36 the ninth term is below 1e-20.
    double square = 1 / (x * x), term = 1, sum = 1;
    for (int i = 1; i < 10; i++) {
        term *= -(2 * i - 1) * square;
        sum += term;
    }
    return -0.5 * x * x - log_root_two_pi - log(-x) + log(sum);
}

// log(exp(high) - exp(low)), high >= low.
static double log_difference(double high, double low) {
    if (low == -(double)INFINITY) return high;
    double gap = low - high;
    return high + (gap > -0.7 ? log(-expm1(gap)) : log1p(-exp(gap)));
}

double dq_normal_log_mass(double a, double b) {
    if (!(a < b)) return -(double)INFINITY;
    if (a > 0) return dq_normal_log_mass(-b, -a);
    if (b <= 0) return log_difference(dq_normal_log_cdf(b), dq_normal_log_cdf(a));
    double mass = 0.5 * (erf(b * root_half) - erf(a * root_half));
    return mass < 0.5 ? log(mass) : log1p(-0.5 * (erfc(-a * root_half) + erfc(b * root_half)));
}

// Newton's steps on log Phi, which is concave: from the second step on they rise to the root and never pass
// it.
double dq_normal_log_quantile(double log_p) {
    if (!(log_p < 0)) return INFINITY;
    if (log_p == -(double)INFINITY) return -INFINITY;
    if (log_p > -0.6931471805599453) // the right half, by symmetry: 1 - p keeps its digits as -expm1(log p)
        return -dq_normal_log_quantile(log(-expm1(log_p)));
    double x = log_p < -5 ? -sqrt(-2 * (log_p + log_root_two_pi)) : 0;
    for (int i = 0; i < 60; i++) {
        double value = dq_normal_log_cdf(x);
        double log_slope = -0.5 * x * x - log_root_two_pi - value; // of phi(x) / Phi(x)
        double change = (value - log_p) * exp(-log_slope);
        x -= change;
        if (fabs(change) <= 1e-14 * fabs(x) + 1e-300) break;
    }
    return x;
}

// log(exp(a) + exp(b))
static double log_sum(double a, double b) {
    double high = fmax(a, b), low = fmin(a, b);
    return low == -(double)INFINITY ? high : high + log1p(exp(low - high));
}

double dq_truncnorm_quantile(double q, double a, double b) {
    if (!(q > 0)) return a;
    if (q >= 1) return b;
    if (a > 0) return -dq_truncnorm_quantile(1 - q, -b, -a);
    double x = dq_normal_log_quantile(log_sum(dq_normal_log_cdf(a), log(q) + dq_normal_log_mass(a, b)));
    return fmin(fmax(x, a), b);
}

double dq_truncnorm_log_density(double x, double a, double b) {
    if (!(x >= a && x <= b)) return -(double)INFINITY;
    return -0.5 * x * x - log_root_two_pi - dq_normal_log_mass(a, b);
}
