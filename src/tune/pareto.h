// Several objectives, all to be minimised: fronts, the volume they dominate, and the points that matter most
// to it.
//
// Points are [count, dimensions], row-major, finite. A point dominates another that is nowhere smaller and
// somewhere larger.
#ifndef TUNE_PARETO_H
#define TUNE_PARETO_H

#include <deepq/base.h>

// rank[count]: 0 on the front, 1 on the front of the rest, and so on (Deb et al. 2002, NSGA-II).
dq_status dq_pareto_rank(const double *points, int count, int dimensions, int *rank, dq_error *error);

// The volume between the points and `reference` [dimensions] that at least one point dominates.
dq_status dq_hypervolume(const double *points, int count, int dimensions, const double *reference,
                         double *volume, dq_error *error);

// Chooses `size` of the points one by one, each time the one that adds most volume to those chosen; the
// volume is at least 1 - 1/e of the largest possible (Nemhauser et al. 1978). chosen: [size], indices in the
// order of choice.
dq_status dq_hypervolume_subset(const double *points, int count, int dimensions, const double *reference,
                                int size, int *chosen, dq_error *error);

#endif
