// Sum tree: batched descent and update, level by level, so that the cache misses of a batch overlap.
//
// A block of 16 leaves is two levels of 4 of which the upper one is not stored. Every sum of four is
// ((a+b)+c)+d and the descent compares with the same partial sums. Points are kept strictly below the sum of
// the node they are in, so that rounding never leads to a slot of priority 0.
#include "replay/sumtree.h"

#include <assert.h>
#include <string.h>

#define BLOCK 16  // leaves in a block
#define CHUNK 128 // points or slots that travel together

static inline double sum4(double a, double b, double c, double d) {
    return ((a + b) + c) + d;
}

// Four leaves are added in f32, four such sums in f64.
static inline float quarter_sum(const float *leaf) {
    return ((leaf[0] + leaf[1]) + leaf[2]) + leaf[3];
}

static inline double block_sum(const float *leaf) {
    return sum4((double)quarter_sum(leaf), (double)quarter_sum(leaf + 4), (double)quarter_sum(leaf + 8),
                (double)quarter_sum(leaf + 12));
}

// Which of four children `*point` lies in; makes *point relative to that child and less than its sum.
// Look-ups instead of conditions: a jump would be mispredicted most of the time. 1 - 2^-53 is the largest
// number below 1.
static inline uint32_t choose(const double *sums, double *point) {
    double ab = sums[0] + sums[1], before[4] = {0, sums[0], ab, ab + sums[2]}, at = *point;
    uint32_t child = (uint32_t)(at >= before[1]) + (uint32_t)(at >= before[2]) + (uint32_t)(at >= before[3]);
    double rest = at - before[child], limit = sums[child] * (1 - 0x1p-53);
    *point = rest < limit ? rest : limit;
    return child;
}

// Fills nodes[] and returns the number of levels.
static int plan(int64_t slots, int64_t *nodes) {
    int levels = 0;
    int64_t count = (slots + BLOCK - 1) / BLOCK;
    while (count > 1) {
        nodes[levels++] = (count + 3) / 4 * 4;
        count = (count + 3) / 4;
    }
    nodes[levels++] = 1;
    return levels;
}

size_t dq_sumtree_leaf_room(int64_t slots) {
    return ((size_t)slots + BLOCK - 1) / BLOCK * BLOCK;
}

size_t dq_sumtree_sum_room(int64_t slots) {
    int64_t nodes[DQ_SUMTREE_LEVELS], sum = 0;
    int levels = plan(slots, nodes);
    for (int l = 0; l < levels; l++) sum += nodes[l];
    return (size_t)sum;
}

void dq_sumtree_init(dq_sumtree *tree, int64_t slots, float *leaves, double *sums) {
    assert(slots >= 1);
    *tree = (dq_sumtree){.slots = slots, .leaves = leaves};
    tree->levels = plan(slots, tree->nodes);
    for (int l = 0; l < tree->levels; l++) {
        tree->level[l] = sums;
        sums += tree->nodes[l];
    }
    dq_sumtree_rebuild(tree);
}

void dq_sumtree_rebuild(dq_sumtree *tree) {
    int64_t blocks = (tree->slots + BLOCK - 1) / BLOCK;
    for (int64_t i = 0; i < tree->nodes[0]; i++)
        tree->level[0][i] = i < blocks ? block_sum(tree->leaves + i * BLOCK) : 0;
    for (int l = 1; l < tree->levels; l++) {
        const double *child = tree->level[l - 1];
        int64_t parents = tree->nodes[l - 1] / 4;
        for (int64_t i = 0; i < tree->nodes[l]; i++)
            tree->level[l][i] =
                i < parents ? sum4(child[4 * i], child[4 * i + 1], child[4 * i + 2], child[4 * i + 3]) : 0;
    }
}

double dq_sumtree_total(const dq_sumtree *tree) {
    return tree->level[tree->levels - 1][0];
}

static void set_chunk(dq_sumtree *tree, const int64_t *slots, const float *priorities, int count) {
    uint32_t node[CHUNK + 1];
    int m = 0;
    node[0] = UINT32_MAX;
    for (int i = 0; i < count; i++) {
        assert(slots[i] >= 0 && slots[i] < tree->slots && priorities[i] >= 0 && priorities[i] < 1e30F);
        tree->leaves[slots[i]] = priorities[i];
        uint32_t block = (uint32_t)(slots[i] / BLOCK);
        m += block != node[m];
        node[m] = block;
    } // node[1..m]: the blocks touched, neighbours merged
    for (int i = 1; i <= m; i++) tree->level[0][node[i]] = block_sum(tree->leaves + (size_t)node[i] * BLOCK);
    for (int l = 1; l < tree->levels; l++) {
        const double *level = tree->level[l - 1];
        int merged = 0;
        for (int i = 1; i <= m; i++) {
            uint32_t parent = node[i] / 4;
            merged += parent != node[merged];
            node[merged] = parent;
        }
        m = merged;
        for (int i = 1; i <= m; i++) {
            const double *child = level + (size_t)node[i] * 4;
            tree->level[l][node[i]] = sum4(child[0], child[1], child[2], child[3]);
        }
    }
}

void dq_sumtree_set(dq_sumtree *tree, const int64_t *slots, const float *priorities, int count) {
    for (int done = 0; done < count; done += CHUNK)
        set_chunk(tree, slots + done, priorities + done, count - done < CHUNK ? count - done : CHUNK);
}

static void find_chunk(const dq_sumtree *tree, const double *points, int count, int64_t *slots) {
    double point[CHUNK];
    uint32_t node[CHUNK];
    double largest = dq_sumtree_total(tree) * (1 - 0x1p-53);
    for (int i = 0; i < count; i++) {
        point[i] = points[i] < largest ? points[i] : largest;
        node[i] = 0;
    }
    for (int l = tree->levels - 2; l >= 0; l--) {
        const double *level = tree->level[l];
        const char *below = l > 0 ? (const char *)tree->level[l - 1] : (const char *)tree->leaves;
        size_t stride = l > 0 ? 4 * sizeof(double) : BLOCK * sizeof(float);
        for (int i = 0; i < count; i++) {
            node[i] = node[i] * 4 + choose(level + (size_t)node[i] * 4, &point[i]);
            __builtin_prefetch(below + node[i] * stride);
        }
    }
    for (int i = 0; i < count; i++) {
        const float *leaf = tree->leaves + (size_t)node[i] * BLOCK;
        double quarters[4];
        for (int k = 0; k < 4; k++) quarters[k] = (double)quarter_sum(leaf + 4 * k);
        uint32_t quarter = choose(quarters, &point[i]);
        leaf += (size_t)4 * quarter;
        float ab = leaf[0] + leaf[1], abc = ab + leaf[2];
        uint32_t one = (uint32_t)(point[i] >= (double)leaf[0]) + (uint32_t)(point[i] >= (double)ab) +
                       (uint32_t)(point[i] >= (double)abc);
        slots[i] = (int64_t)node[i] * BLOCK + 4 * quarter + one;
    }
}

void dq_sumtree_find(const dq_sumtree *tree, const double *points, int count, int64_t *slots) {
    assert(dq_sumtree_total(tree) > 0);
    for (int done = 0; done < count; done += CHUNK)
        find_chunk(tree, points + done, count - done < CHUNK ? count - done : CHUNK, slots + done);
}
