// The normal distribution in logarithms, and the normal distribution cut to an interval.
//
// A Parzen estimator's kernels are normals of any width cut to the range of a parameter, so that a range may
// lie forty standard deviations away from a kernel's mean. All functions here stay exact to about 1e-13
// (relative) there, where the plain distribution function has long been 0 or 1.
#ifndef TUNE_NORMAL_H
#define TUNE_NORMAL_H

// log of the standard normal's distribution function at x.
double dq_normal_log_cdf(double x);

// The x with dq_normal_log_cdf(x) == log_p; log_p <= 0. -inf and inf at the ends.
double dq_normal_log_quantile(double log_p);

// log of the standard normal's mass between a and b, a <= b. -inf where a == b.
double dq_normal_log_mass(double a, double b);

// Standard normal cut to [a, b], a < b: the point below which lies the share q of its mass; within [a, b].
double dq_truncnorm_quantile(double q, double a, double b);

// log of the density of the standard normal cut to [a, b], -inf outside.
double dq_truncnorm_log_density(double x, double a, double b);

#endif
