// Functional analysis of variance of a random forest (Hutter, Hoos and Leyton-Brown 2014, "An Efficient
// Approach for Assessing Hyperparameter Importance", algorithm 2, for single parameters): 64 trees to depth
// 64, like Optuna's.
//
// A tree's leaves are boxes that fill the search space. Its mean and variance over the space, uniform on the
// raw scale of each parameter, and its mean given one parameter follow from the leaves' values and sizes in
// closed form.
#include "tune/importance.h"

#include "tune/forest.h"
#include "tune/history.h"
#include "tune/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TREES     64
#define MAX_DEPTH 64
#define MAX_MASK  64 // more choices than bits are split by their order

typedef struct leaf {
    double value, size; // size: share of the whole space
} leaf;

typedef struct side {
    double low, high; // of an ordered axis
    uint64_t mask;    // of an axis of choices
} side;

// A view of one tree over the space.
typedef struct space {
    int axes, leaf_count;
    const dq_distribution *const *distribution; // [axes]
    const bool *is_choice;                      // [axes]
    leaf *leaves;                               // [leaf_count]
    side *box;                                  // [leaf_count, axes]
    side *now;                                  // [axes] of the node being visited
    double *cut, *mean;                         // [leaf_count + 2]
    double *cut_scratch;
    int *order, *scratch; // [leaf_count + 2]
} space;

static side whole(const space *s, int axis) {
    const dq_distribution *d = s->distribution[axis];
    uint64_t all = d->choice_count >= MAX_MASK ? ~UINT64_C(0) : (UINT64_C(1) << d->choice_count) - 1;
    return (side){d->low, d->high, s->is_choice[axis] ? all : 0};
}

static double share(const space *s, int axis, const side *part) {
    const dq_distribution *d = s->distribution[axis];
    if (s->is_choice[axis]) return (double)__builtin_popcountll(part->mask) / d->choice_count;
    return (part->high - part->low) / (d->high - d->low);
}

static void visit(space *s, const dq_tree *tree, int index) {
    const dq_tree_node *node = &tree->nodes[index];
    if (node->axis < 0) {
        leaf *found = &s->leaves[s->leaf_count];
        *found = (leaf){node->value, 1};
        for (int a = 0; a < s->axes; a++) found->size *= share(s, a, &s->now[a]);
        memcpy(s->box + (size_t)s->leaf_count++ * (size_t)s->axes, s->now, (size_t)s->axes * sizeof *s->now);
        return;
    }
    side before = s->now[node->axis], *now = &s->now[node->axis];
    uint64_t bit = s->is_choice[node->axis] ? UINT64_C(1) << (int)node->threshold : 0;
    now->high = bit ? before.high : node->threshold;
    now->mask = before.mask & bit;
    visit(s, tree, node->left);
    *now = before;
    now->low = bit ? before.low : node->threshold;
    now->mask = before.mask & ~bit;
    visit(s, tree, node->right);
    *now = before;
}

// Variance of the tree's mean given the choice: a leaf holds for each choice of its mask.
static double choice_variance(const space *s, int axis, double mean) {
    int choices = s->distribution[axis]->choice_count;
    double variance = 0;
    for (int c = 0; c < choices; c++) {
        double given = 0;
        for (int i = 0; i < s->leaf_count; i++) {
            const side *part = &s->box[(size_t)i * (size_t)s->axes + (size_t)axis];
            if (part->mask >> c & 1) given += s->leaves[i].value * s->leaves[i].size / share(s, axis, part);
        }
        variance += (given - mean) * (given - mean) / choices;
    }
    return variance;
}

static int find(const double *sorted, int count, double value) {
    int low = 0;
    for (int high = count; low < high;) {
        int middle = (low + high) / 2;
        if (sorted[middle] < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// The same for a number: between two neighbouring thresholds the mean is constant.
static double number_variance(space *s, int axis, double mean) {
    int cuts = 0;
    for (int i = 0; i < s->leaf_count; i++)
        s->cut_scratch[i] = s->box[(size_t)i * (size_t)s->axes + (size_t)axis].low;
    dq_order(s->cut_scratch, s->leaf_count, s->order, s->scratch);
    for (int i = 0; i < s->leaf_count; i++) {
        double low = s->cut_scratch[s->order[i]];
        if (cuts == 0 || low > s->cut[cuts - 1]) s->cut[cuts++] = low;
    }
    s->cut[cuts] = s->distribution[axis]->high;
    memset(s->mean, 0, ((size_t)cuts + 1) * sizeof *s->mean);
    for (int i = 0; i < s->leaf_count; i++) { // changes at the leaf's ends, summed up below
        const side *part = &s->box[(size_t)i * (size_t)s->axes + (size_t)axis];
        double held = s->leaves[i].value * s->leaves[i].size / share(s, axis, part);
        s->mean[find(s->cut, cuts, part->low)] += held;
        s->mean[find(s->cut, cuts, part->high)] -= held;
    }
    double given = 0, variance = 0, range = s->distribution[axis]->high - s->distribution[axis]->low;
    for (int i = 0; i < cuts; i++) {
        given += s->mean[i];
        variance += (given - mean) * (given - mean) * (s->cut[i + 1] - s->cut[i]) / range;
    }
    return variance;
}

// Adds each axis's share of the tree's variance. Returns whether there is any variance.
static bool add_tree(space *s, const dq_tree *tree, double *sum) {
    double mean = 0, variance = 0;
    s->leaf_count = 0;
    for (int a = 0; a < s->axes; a++) s->now[a] = whole(s, a);
    visit(s, tree, 0);
    for (int i = 0; i < s->leaf_count; i++) mean += s->leaves[i].value * s->leaves[i].size;
    for (int i = 0; i < s->leaf_count; i++)
        variance += (s->leaves[i].value - mean) * (s->leaves[i].value - mean) * s->leaves[i].size;
    if (!(variance > 0)) return false;
    for (int a = 0; a < s->axes; a++)
        sum[a] += (s->is_choice[a] ? choice_variance(s, a, mean) : number_variance(s, a, mean)) / variance;
    return true;
}

// --- from the study ---------------------------------------------------------------------------------------

typedef struct table {
    int rows, axes;
    const dq_trial_param **params;        // [axes] of the first trial
    const dq_distribution **distribution; // [axes]
    bool *is_choice;                      // [axes]
    double *points, *value;               // [rows, axes], [rows]
} table;

static void table_deinit(table *t) {
    free(t->params);
    free(t->distribution);
    free(t->is_choice);
    free(t->points);
    free(t->value);
}

static dq_status no_memory(dq_error *error) {
    return dq_fail(error, DQ_MEMORY, "importance", "there is no memory for the forest");
}

static dq_status read_table(table *t, const dq_study *study, int objective, dq_error *error) {
    size_t trials = (size_t)study->trial_count, names = (size_t)study->name_count;
    const dq_history all = {study, (const dq_trial *const *)study->trials, study->trial_count};
    *t = (table){.params = calloc(names + 1, sizeof *t->params),
                 .distribution = calloc(names + 1, sizeof *t->distribution),
                 .is_choice = calloc(names + 1, sizeof *t->is_choice),
                 .points = calloc((trials + 1) * (names + 1), sizeof *t->points),
                 .value = calloc(trials + 1, sizeof *t->value)};
    if (!t->params || !t->distribution || !t->is_choice || !t->points || !t->value) return no_memory(error);
    for (int i = 0; i < study->trial_count; i++) {
        const dq_trial *trial = study->trials[i];
        if (!dq_trial_tells(study, trial, false) || !isfinite(trial->values[objective])) continue;
        for (int p = 0; t->rows == 0 && p < trial->param_count; p++) {
            if (dq_distribution_single(trial->params[p].distribution) ||
                !dq_history_shares(&all, &trial->params[p], false))
                continue;
            t->params[t->axes] = &trial->params[p];
            t->distribution[t->axes] = trial->params[p].distribution;
            t->is_choice[t->axes] = t->distribution[t->axes]->kind == DQ_CATEGORICAL &&
                                    t->distribution[t->axes]->choice_count <= MAX_MASK;
            t->axes++;
        }
        for (int a = 0; a < t->axes; a++)
            t->points[(size_t)t->rows * (size_t)t->axes + (size_t)a] =
                dq_trial_find_param(trial, t->params[a]->name)->value;
        t->value[t->rows++] = trial->values[objective];
    }
    if (t->rows < 2 || t->axes == 0)
        return dq_fail(
            error, DQ_NOT_FOUND, "importance",
            "%d complete trials that share %d parameters tell nothing; it takes two trials and a parameter",
            t->rows, t->axes);
    return DQ_OK;
}

static dq_status analyse(const table *t, uint64_t seed, double *sum, dq_error *error) {
    size_t leaves = (size_t)t->rows + 2, axes = (size_t)t->axes;
    dq_rng rng;
    dq_rng_seed(&rng, seed);
    dq_forest forest = {0};
    dq_status status = dq_forest_grow(&forest, TREES, MAX_DEPTH, t->points, t->rows, t->axes, t->is_choice,
                                      t->value, &rng, error);
    if (status != DQ_OK) return status;
    space s = {.axes = t->axes,
               .distribution = t->distribution,
               .is_choice = t->is_choice,
               .leaves = calloc(leaves, sizeof *s.leaves),
               .box = calloc(leaves * axes, sizeof *s.box),
               .now = calloc(axes, sizeof *s.now),
               .cut = calloc(3 * leaves, sizeof *s.cut),
               .order = calloc(2 * leaves, sizeof *s.order)};
    if (s.leaves && s.box && s.now && s.cut && s.order) {
        s.mean = s.cut + leaves;
        s.cut_scratch = s.mean + leaves;
        s.scratch = s.order + leaves;
        for (int i = 0; i < forest.tree_count; i++) add_tree(&s, &forest.trees[i], sum);
    } else {
        status = no_memory(error);
    }
    dq_forest_deinit(&forest);
    free(s.leaves);
    free(s.box);
    free(s.now);
    free(s.cut);
    free(s.order);
    return status;
}

dq_status dq_study_importance(const dq_study *study, int objective, uint64_t seed, dq_importance *out,
                              int *count, dq_error *error) {
    table t;
    *count = 0;
    dq_status status = read_table(&t, study, objective, error);
    double *sum = calloc((size_t)study->name_count + 1, sizeof *sum);
    int *order = calloc(2 * (size_t)study->name_count + 2, sizeof *order);
    if (status == DQ_OK && (!sum || !order)) status = no_memory(error);
    if (status == DQ_OK) status = analyse(&t, seed, sum, error);
    if (status == DQ_OK) {
        double total = 0;
        for (int a = 0; a < t.axes; a++) total += sum[a], sum[a] = -sum[a];
        dq_order(sum, t.axes, order, order + t.axes);
        for (int i = 0; i < t.axes; i++)
            out[i] =
                (dq_importance){t.params[order[i]]->name, total > 0 ? -sum[order[i]] / total : 1. / t.axes};
        *count = t.axes;
    }
    table_deinit(&t);
    free(sum);
    free(order);
    return status;
}
