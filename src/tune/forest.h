// Random forests of regression trees over a search space (Breiman 2001; trees: CART, Breiman et al. 1984).
//
// Each tree is grown on a bootstrap sample to pure leaves, every split the one of all axes that lowers the
// squared error most. An axis of choices splits one choice from the others, any other axis at a threshold.
#ifndef TUNE_FOREST_H
#define TUNE_FOREST_H

#include <deepq/base.h>
#include <deepq/rng.h>

// Nodes of one tree; node 0 is the root, children follow their parent.
typedef struct dq_tree_node {
    int axis;         // -1: a leaf
    double threshold; // left: value <= threshold; on an axis of choices, left: value == threshold
    int left, right;
    double value; // mean of the samples that reach the node
} dq_tree_node;

typedef struct dq_tree {
    dq_tree_node *nodes; // [count]
    int count;
} dq_tree;

typedef struct dq_forest {
    dq_tree *trees; // [tree_count]
    int tree_count;
} dq_forest;

// points: [count, axes] row-major; is_choice: [axes]; value: [count], finite. Deterministic for a given rng.
dq_status dq_forest_grow(dq_forest *forest, int tree_count, int max_depth, const double *points, int count,
                         int axes, const bool *is_choice, const double *value, dq_rng *rng, dq_error *error);
void dq_forest_deinit(dq_forest *forest); // of a zeroed one too

#endif
