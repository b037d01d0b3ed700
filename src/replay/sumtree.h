// Sum tree: priorities by slot, found by their running sum in O(log n), a batch at a time.
//
// Leaves are f32 priorities, 16 to a block (one cache line); above them f64 sums of 4 children a node. A
// parent is always computed from its children in one order, never by adding differences, so that no
// rounding accumulates and a rebuilt tree has the same bits. The memory is the caller's.
// A million leaves take 4 MB and 0.7 MB of sums, the upper of which stay in the nearest caches.
// Source: Schaul et al. 2016, "Prioritized Experience Replay", appendix B.2.1.
#ifndef REPLAY_SUMTREE_H
#define REPLAY_SUMTREE_H

#include <deepq/base.h>

#define DQ_SUMTREE_LEVELS 18 // 16 * 4^17 slots

typedef struct dq_sumtree {
    int64_t slots;                    // n
    float *leaves;                    // [n rounded up to 16], zero past n
    double *level[DQ_SUMTREE_LEVELS]; // level[0]: sums of blocks; level[levels-1]: the root alone
    int64_t nodes[DQ_SUMTREE_LEVELS]; // of each level, a multiple of 4 below the root
    int levels;
} dq_sumtree;

// How many floats and doubles n slots need.
size_t dq_sumtree_leaf_room(int64_t slots);
size_t dq_sumtree_sum_room(int64_t slots);

// Takes over the caller's memory: leaves [leaf_room] as they are, zero past n and best 64-aligned; sums
// [sum_room], which it fills.
void dq_sumtree_init(dq_sumtree *tree, int64_t slots, float *leaves, double *sums);

// Computes all sums anew, after the leaves were written from outside.
void dq_sumtree_rebuild(dq_sumtree *tree);

double dq_sumtree_total(const dq_sumtree *tree);

// Sets priorities, finite and >= 0, of `count` slots; of a slot named twice the last one stays.
void dq_sumtree_set(dq_sumtree *tree, const int64_t *slots, const float *priorities, int count);

// For each point in [0, total): the slot whose share of the running sum holds it, the first slot i with
// leaves[0] + ... + leaves[i] > point up to rounding. Never a slot of priority 0. Needs total > 0.
void dq_sumtree_find(const dq_sumtree *tree, const double *points, int count, int64_t *slots);

#endif
