// Growth of one tree: all axes' sample lists are sorted once for the whole forest and divided stably at each
// split, so that no node sorts again. A sample drawn k times by the bootstrap is one sample of weight k.
#include "tune/forest.h"

#include "base/arena.h"
#include "tune/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct part { // samples [start, end) of every list belong to `node`
    int node, start, end, depth;
} part;

typedef struct grower {
    dq_arena arena;
    const double *points, *value;
    const bool *is_choice;
    int count, axes, max_depth;
    int *sorted;     // [axes, count] sample indices by rising value of the axis
    int *list;       // [axes, count] those of them that this tree drew, divided among its parts
    int *scratch;    // [count]
    int *shuffle;    // [axes]
    int *weight;     // [count]
    bool *goes_left; // [count]
    double *key;     // [count]
    part *stack;     // [count]
} grower;

static void lay_out(dq_arena *arena, void *user) {
    grower *g = user;
    size_t n = (size_t)g->count + 1, axes = (size_t)g->axes;
    g->sorted = dq_arena_array(arena, int, axes *n);
    g->list = dq_arena_array(arena, int, axes *n);
    g->scratch = dq_arena_array(arena, int, n);
    g->shuffle = dq_arena_array(arena, int, axes);
    g->weight = dq_arena_array(arena, int, n);
    g->goes_left = dq_arena_array(arena, bool, n);
    g->key = dq_arena_array(arena, double, n);
    g->stack = dq_arena_array(arena, part, n);
}

static double at(const grower *g, int sample, int axis) {
    return g->points[(size_t)sample * (size_t)g->axes + (size_t)axis];
}

static int *list_of(const grower *g, int axis) {
    return g->list + (size_t)axis * (size_t)g->count;
}

typedef struct cut {
    int axis;
    double threshold, gain; // gain: sum_left^2 / weight_left + sum_right^2 / weight_right
} cut;

// Consecutive samples of a list that share a value; on an axis of choices each such run is one side of a cut.
static void consider_axis(const grower *g, const part *p, int axis, double sum, double weight, cut *best) {
    const int *list = list_of(g, axis);
    double left_sum = 0, left_weight = 0;
    for (int i = p->start; i < p->end;) {
        double value = at(g, list[i], axis);
        if (g->is_choice[axis]) left_sum = left_weight = 0;
        for (; i < p->end && at(g, list[i], axis) <= value; i++) {
            left_sum += g->weight[list[i]] * g->value[list[i]];
            left_weight += g->weight[list[i]];
        }
        double right_sum = sum - left_sum, right_weight = weight - left_weight;
        if (right_weight < 0.5) continue; // nothing is left on the other side
        double gain = left_sum * left_sum / left_weight + right_sum * right_sum / right_weight;
        if (gain <= best->gain) continue;
        double threshold = g->is_choice[axis] ? value : value + 0.5 * (at(g, list[i], axis) - value);
        *best = (cut){axis, threshold, gain};
    }
}

// Divides every list; returns where the right part starts.
static int divide(const grower *g, const part *p, const cut *c) {
    int middle = p->start;
    for (int i = p->start; i < p->end; i++) {
        int sample = list_of(g, 0)[i];
        double value = at(g, sample, c->axis);
        g->goes_left[sample] = g->is_choice[c->axis] ? value == c->threshold : value <= c->threshold;
        middle += g->goes_left[sample];
    }
    for (int axis = 0; axis < g->axes; axis++) {
        int *list = list_of(g, axis), left = p->start, right = 0;
        for (int i = p->start; i < p->end; i++) {
            if (g->goes_left[list[i]]) {
                list[left++] = list[i];
            } else {
                g->scratch[right++] = list[i];
            }
        }
        memcpy(list + left, g->scratch, (size_t)right * sizeof *list);
    }
    return middle;
}

static void grow_tree(grower *g, dq_tree *tree, dq_rng *rng) {
    memset(g->weight, 0, (size_t)g->count * sizeof *g->weight);
    for (int i = 0; i < g->count; i++) g->weight[dq_rng_integers(rng, 0, g->count)]++;
    int drawn = 0;
    for (int axis = 0; axis < g->axes; axis++) {
        drawn = 0;
        for (int i = 0; i < g->count; i++) {
            int sample = g->sorted[(size_t)axis * (size_t)g->count + (size_t)i];
            if (g->weight[sample] > 0) list_of(g, axis)[drawn++] = sample;
        }
    }
    for (int i = 0; i < g->axes; i++) g->shuffle[i] = i;
    tree->count = 1;
    int waiting = 0;
    g->stack[waiting++] = (part){0, 0, drawn, 0};
    while (waiting > 0) {
        part p = g->stack[--waiting];
        dq_tree_node *node = &tree->nodes[p.node];
        double sum = 0, weight = 0, lowest = INFINITY, highest = -INFINITY;
        for (int i = p.start; i < p.end; i++) {
            int sample = list_of(g, 0)[i];
            sum += g->weight[sample] * g->value[sample];
            weight += g->weight[sample];
            lowest = fmin(lowest, g->value[sample]);
            highest = fmax(highest, g->value[sample]);
        }
        *node = (dq_tree_node){.axis = -1, .value = sum / weight};
        if (p.depth >= g->max_depth || !(lowest < highest)) continue;
        cut best = {-1, 0, -INFINITY};
        for (int i = 0; i < g->axes; i++) { // equal gains go to a random axis
            int other = (int)dq_rng_integers(rng, i, g->axes), axis = g->shuffle[other];
            g->shuffle[other] = g->shuffle[i];
            g->shuffle[i] = axis;
            consider_axis(g, &p, axis, sum, weight, &best);
        }
        if (best.axis < 0) continue; // all points are one
        int middle = divide(g, &p, &best);
        node->axis = best.axis;
        node->threshold = best.threshold;
        node->left = tree->count++;
        node->right = tree->count++;
        g->stack[waiting++] = (part){node->right, middle, p.end, p.depth + 1};
        g->stack[waiting++] = (part){node->left, p.start, middle, p.depth + 1};
    }
}

dq_status dq_forest_grow(dq_forest *forest, int tree_count, int max_depth, const double *points, int count,
                         int axes, const bool *is_choice, const double *value, dq_rng *rng, dq_error *error) {
    grower g = {.points = points,
                .value = value,
                .is_choice = is_choice,
                .count = count,
                .axes = axes,
                .max_depth = max_depth};
    *forest = (dq_forest){.tree_count = tree_count};
    dq_status status = dq_arena_create(&g.arena, lay_out, &g, "a random forest", error);
    if (status != DQ_OK) return status;
    for (int axis = 0; axis < axes; axis++) {
        for (int i = 0; i < count; i++) g.key[i] = at(&g, i, axis);
        dq_order(g.key, count, g.sorted + (size_t)axis * (size_t)count, g.scratch);
    }
    forest->trees = calloc((size_t)tree_count, sizeof *forest->trees);
    for (int t = 0; t < tree_count; t++) {
        // A binary tree with at most `count` leaves.
        dq_tree_node *nodes = forest->trees ? calloc(2 * (size_t)count, sizeof *nodes) : NULL;
        if (!nodes) {
            dq_forest_deinit(forest);
            dq_arena_destroy(&g.arena);
            return dq_fail(error, DQ_MEMORY, "random forest", "there is no memory for it");
        }
        forest->trees[t].nodes = nodes;
        grow_tree(&g, &forest->trees[t], rng);
    }
    dq_arena_destroy(&g.arena);
    return DQ_OK;
}

void dq_forest_deinit(dq_forest *forest) {
    for (int t = 0; forest->trees && t < forest->tree_count; t++) free(forest->trees[t].nodes);
    free(forest->trees);
    *forest = (dq_forest){0};
}
