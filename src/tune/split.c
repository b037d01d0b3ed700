// Each choice works on the trials of one state, whose positions in the history are s->index.
#include "tune/split.h"

#include "tune/history.h"
#include "tune/order.h"
#include "tune/pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_GOOD 25

static double loss(const dq_study *study, const dq_trial *trial, int objective) {
    double value = trial->values[objective];
    return study->directions[objective] == DQ_MAXIMIZE ? -value : value;
}

typedef struct split {
    int *index, *order, *scratch, *other; // [count]
    double *key;                          // [count]
    bool *good;                           // [history->count], the caller's
} split;

// The complete trials among `count` of s->index: the `size` with the smallest loss.
static void choose_by_value(split *s, const dq_history *history, int count, int size) {
    for (int i = 0; i < count; i++) s->key[i] = loss(history->study, history->trials[s->index[i]], 0);
    dq_order(s->key, count, s->order, s->scratch);
    for (int i = 0; i < size; i++) s->good[s->index[s->order[i]]] = true;
}

// Whole fronts as long as they fit; of the next one those points that dominate most volume together.
static dq_status choose_by_fronts(split *s, const dq_history *history, int count, int size, dq_error *error) {
    int objectives = history->study->direction_count;
    size_t d = (size_t)objectives;
    double *points = malloc(((size_t)count * 2 + 2) * d * sizeof *points);
    if (!points) return dq_fail(error, DQ_MEMORY, "tpe", "there is no memory for the trials");
    for (int i = 0; i < count; i++)
        for (int k = 0; k < objectives; k++) {
            double value = loss(history->study, history->trials[s->index[i]], k);
            points[(size_t)i * d + (size_t)k] =
                isnan(value) ? 1e150 : fmin(fmax(value, -1e150), 1e150); // volumes stay comparable
        }
    int *rank = s->order;
    dq_status status = dq_pareto_rank(points, count, objectives, rank, error);
    for (int front = 0; status == DQ_OK && size > 0; front++) {
        int members = 0;
        double *member = points + (size_t)count * d, *reference = member + (size_t)count * d;
        for (size_t k = 0; k < d; k++) reference[k] = -INFINITY;
        for (int i = 0; i < count; i++) {
            if (rank[i] != front) continue;
            s->other[members] = i;
            memcpy(member + (size_t)members++ * d, points + (size_t)i * d, d * sizeof *member);
            for (size_t k = 0; k < d; k++) reference[k] = fmax(reference[k], points[(size_t)i * d + k]);
        }
        if (members <= size) {
            for (int i = 0; i < members; i++) s->good[s->index[s->other[i]]] = true;
            size -= members;
            continue;
        }
        for (size_t k = 0; k < d; k++) { // a tenth beyond the front's worst
            reference[k] = fmax(1.1 * reference[k], 0.9 * reference[k]);
            if (reference[k] == 0) reference[k] = 1e-12;
        }
        status = dq_hypervolume_subset(member, members, objectives, reference, size, s->scratch, error);
        for (int i = 0; status == DQ_OK && i < size; i++) s->good[s->index[s->other[s->scratch[i]]]] = true;
        size = 0;
    }
    free(points);
    return status;
}

// The pruned trials among `count` of s->index: those that got furthest, the smaller loss first.
static void choose_pruned(split *s, const dq_history *history, int count, int size) {
    bool maximize = history->study->directions[0] == DQ_MAXIMIZE;
    int *by_value = s->other;
    for (int i = 0; i < count; i++) {
        double value = dq_trial_last(history->trials[s->index[i]], NULL);
        s->key[i] = isnan(value) ? (double)INFINITY : maximize ? -value : value;
    }
    dq_order(s->key, count, by_value, s->scratch);
    for (int i = 0; i < count; i++) {
        int64_t step = -1;
        dq_trial_last(history->trials[s->index[by_value[i]]], &step); // none: behind all others
        s->key[i] = -(double)step;
    }
    dq_order(s->key, count, s->order, s->scratch);
    for (int i = 0; i < size; i++) s->good[s->index[by_value[s->order[i]]]] = true;
}

static int gather(split *s, const dq_history *history, dq_trial_state state) {
    int count = 0;
    for (int i = 0; i < history->count; i++)
        if (history->trials[i]->state == state && dq_trial_tells(history->study, history->trials[i], true))
            s->index[count++] = i;
    return count;
}

dq_status dq_split(const dq_history *history, bool *is_good, dq_error *error) {
    size_t n = (size_t)history->count + 1;
    memset(is_good, 0, (size_t)history->count);
    split s = {.key = malloc(n * (sizeof(double) + 4 * sizeof(int))), .good = is_good};
    if (!s.key) return dq_fail(error, DQ_MEMORY, "tpe", "there is no memory for the trials");
    s.index = (int *)(s.key + n);
    s.order = s.index + n;
    s.scratch = s.order + n;
    s.other = s.scratch + n;

    int size = (dq_history_told(history, true) + 9) / 10;
    bool single = history->study->direction_count == 1;
    if (single && size > MOST_GOOD) size = MOST_GOOD;
    int complete = gather(&s, history, DQ_TRIAL_COMPLETE);
    int chosen = size < complete ? size : complete;
    dq_status status = DQ_OK;
    if (single) {
        choose_by_value(&s, history, complete, chosen);
    } else {
        status = choose_by_fronts(&s, history, complete, chosen, error);
    }
    size -= chosen;
    int pruned = gather(&s, history, DQ_TRIAL_PRUNED);
    choose_pruned(&s, history, pruned, size < pruned ? size : pruned);
    free(s.key);
    return status;
}
