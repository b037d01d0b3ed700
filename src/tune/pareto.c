// Hypervolumes by WFG (While, Bradstreet and Barone 2012, "A Fast Way of Calculating Exact Hypervolumes"):
// the volume of a set is what its first point dominates alone, plus the volume of the rest. Two dimensions
// are one sweep.
#include "tune/pareto.h"

#include "tune/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool dominates(const double *a, const double *b, int dimensions) {
    bool somewhere = false;
    for (int k = 0; k < dimensions; k++) {
        if (a[k] > b[k]) return false;
        somewhere = somewhere || a[k] < b[k];
    }
    return somewhere;
}

static dq_status no_memory(dq_error *error) {
    return dq_fail(error, DQ_MEMORY, "Pareto front", "there is no memory for it");
}

// A point's front is the longest chain of points that dominate one another down to it, and whoever dominates
// comes first in lexical order.
dq_status dq_pareto_rank(const double *points, int count, int dimensions, int *rank, dq_error *error) {
    size_t n = (size_t)count, d = (size_t)dimensions;
    double *key = malloc((n + 1) * sizeof *key);
    int *lexical = malloc((3 * n + 1) * sizeof *lexical);
    if (!key || !lexical) {
        free(key);
        free(lexical);
        return no_memory(error);
    }
    int *order = lexical + n, *scratch = order + n;
    for (int i = 0; i < count; i++) lexical[i] = i;
    for (size_t k = d; k-- > 0;) {
        for (int i = 0; i < count; i++) key[i] = points[(size_t)lexical[i] * d + k];
        dq_order(key, count, order, scratch);
        for (int i = 0; i < count; i++) order[i] = lexical[order[i]];
        memcpy(lexical, order, n * sizeof *lexical);
    }
    for (int i = 0; i < count; i++) {
        const double *point = points + (size_t)lexical[i] * d;
        int front = 0;
        for (int j = 0; j < i; j++)
            if (rank[lexical[j]] >= front && dominates(points + (size_t)lexical[j] * d, point, dimensions))
                front = rank[lexical[j]] + 1;
        rank[lexical[i]] = front;
    }
    free(key);
    free(lexical);
    return DQ_OK;
}

static double box(const double *point, const double *reference, int dimensions) {
    double volume = 1;
    for (int k = 0; k < dimensions; k++) volume *= fmax(reference[k] - point[k], 0);
    return volume;
}

// points: [count, 2], any order.
static double sweep(const double *points, int count, const double *reference, int *order, double *key) {
    for (int i = 0; i < count; i++) key[i] = points[2 * i];
    dq_order(key, count, order, order + count);
    double volume = 0, lowest = reference[1];
    for (int i = 0; i < count; i++) {
        const double *p = points + 2 * (size_t)order[i];
        if (p[0] >= reference[0] || p[1] >= lowest) continue;
        volume += (reference[0] - p[0]) * (lowest - p[1]);
        lowest = p[1];
    }
    return volume;
}

// Depth first; scratch holds count * dimensions doubles a level, and levels are at most `count`.
static double wfg(const double *points, int count, int dimensions, const double *reference, double *scratch) {
    double volume = 0;
    size_t d = (size_t)dimensions;
    for (int i = 0; i < count; i++) {
        const double *p = points + (size_t)i * d;
        // The rest, limited to the box of p, without what is dominated within it.
        int kept = 0;
        for (int j = i + 1; j < count; j++) {
            double *limited = scratch + (size_t)kept * d;
            for (int k = 0; k < dimensions; k++) limited[k] = fmax(points[(size_t)j * d + (size_t)k], p[k]);
            bool needed = true;
            for (int m = 0; m < kept && needed; m++) {
                const double *other = scratch + (size_t)m * d;
                needed =
                    !dominates(other, limited, dimensions) && memcmp(other, limited, d * sizeof *other) != 0;
            }
            if (!needed) continue;
            int still = 0;
            for (int m = 0; m < kept; m++) {
                if (dominates(limited, scratch + (size_t)m * d, dimensions)) continue;
                if (still != m)
                    memmove(scratch + (size_t)still * d, scratch + (size_t)m * d, d * sizeof *scratch);
                still++;
            }
            if (still != kept) memmove(scratch + (size_t)still * d, limited, d * sizeof *scratch);
            kept = still + 1;
        }
        double own = box(p, reference, dimensions);
        if (kept > 0) own -= wfg(scratch, kept, dimensions, reference, scratch + (size_t)kept * d);
        volume += own;
    }
    return volume;
}

dq_status dq_hypervolume(const double *points, int count, int dimensions, const double *reference,
                         double *volume, dq_error *error) {
    *volume = 0;
    if (count <= 0) return DQ_OK;
    size_t n = (size_t)count, d = (size_t)dimensions;
    double *scratch = malloc((dimensions == 2 ? n : n * n * d) * sizeof *scratch);
    int *order = malloc(2 * n * sizeof *order);
    if (!scratch || !order) {
        free(scratch);
        free(order);
        return no_memory(error);
    }
    *volume = dimensions == 2 ? sweep(points, count, reference, order, scratch)
                              : wfg(points, count, dimensions, reference, scratch);
    free(scratch);
    free(order);
    return DQ_OK;
}

// What a point adds can only shrink as others are chosen, so that an old figure is a bound (Minoux 1978).
dq_status dq_hypervolume_subset(const double *points, int count, int dimensions, const double *reference,
                                int size, int *chosen, dq_error *error) {
    size_t n = (size_t)count, d = (size_t)dimensions;
    double *bound = malloc((n + 1) * sizeof *bound);
    double *set = malloc(((size_t)size + 1) * d * sizeof *set);
    bool *taken = calloc(n + 1, sizeof *taken);
    dq_status status = bound && set && taken ? DQ_OK : no_memory(error);
    for (int i = 0; status == DQ_OK && i < count; i++)
        bound[i] = box(points + (size_t)i * d, reference, dimensions);
    double volume = 0;
    for (int k = 0; status == DQ_OK && k < size; k++) {
        int best = -1;
        double best_gain = -1;
        for (int i = 0; status == DQ_OK && i < count; i++) {
            if (taken[i] || bound[i] <= best_gain) continue;
            double with;
            memcpy(set + (size_t)k * d, points + (size_t)i * d, d * sizeof *set);
            status = dq_hypervolume(set, k + 1, dimensions, reference, &with, error);
            bound[i] = fmax(with - volume, 0);
            if (bound[i] > best_gain) best = i, best_gain = bound[i];
        }
        if (status != DQ_OK) break;
        chosen[k] = best;
        taken[best] = true;
        volume += best_gain;
        memcpy(set + (size_t)k * d, points + (size_t)best * d, d * sizeof *set);
    }
    free(bound);
    free(set);
    free(taken);
    return status;
}
