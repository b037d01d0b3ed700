// The replay store: a ring of records, newest over oldest.
//
// Place: n-step -> store -> sampler -> learner. One record is [observation D][next D][reward][discount]
// [action] in 4-byte words, side by side, so that gathering a transition from a large memory touches one or
// two cache lines instead of five: (2 D + 3) * 4 bytes, 44 for CartPole. Transition number t lies in slot
// t % capacity. Pages are touched only when a transition first lands in them.
#include "replay/store.h"

#include <assert.h>
#include <deepq/net.h>
#include <stdlib.h>
#include <string.h>

struct dq_replay {
    int64_t capacity, inserted;
    int observation_size; // D
    size_t stride;        // words per record
    float *records;       // [capacity][stride]
};

dq_status dq_replay_create(dq_replay **out, int64_t capacity, int observation_size, dq_error *error) {
    *out = NULL;
    if (capacity < 1 || observation_size < 1)
        return dq_fail(
            error, DQ_USAGE, "replay memory",
            "a replay memory of %lld transitions of %d numbers makes no sense; both must be 1 or more",
            (long long)capacity, observation_size);
    size_t stride = 2 * (size_t)observation_size + 3;
    dq_replay *replay = calloc(1, sizeof *replay);
    float *records = NULL;
    if ((size_t)capacity <= PTRDIFF_MAX / sizeof(float) / stride)
        records = calloc((size_t)capacity, stride * sizeof(float));
    if (!replay || !records) {
        free(replay);
        free(records);
        return dq_fail(
            error, DQ_MEMORY, "replay memory",
            "there is no memory for %lld transitions of %zu bytes; a smaller buffer_size would fit",
            (long long)capacity, stride * sizeof(float));
    }
    *replay = (dq_replay){capacity, 0, observation_size, stride, records};
    *out = replay;
    return DQ_OK;
}

void dq_replay_destroy(dq_replay *replay) {
    if (!replay) return;
    free(replay->records);
    free(replay);
}

int64_t dq_replay_size(const dq_replay *replay) {
    return replay->inserted < replay->capacity ? replay->inserted : replay->capacity;
}

int64_t dq_replay_inserted(const dq_replay *replay) {
    return replay->inserted;
}

int64_t dq_replay_capacity(const dq_replay *replay) {
    return replay->capacity;
}

size_t dq_replay_bytes(const dq_replay *replay) {
    return sizeof *replay + (size_t)replay->capacity * dq_replay_record_size(replay);
}

int64_t dq_replay_add(dq_replay *replay, const dq_transition *transition) {
    int64_t slot = replay->inserted++ % replay->capacity;
    size_t d = (size_t)replay->observation_size;
    float *record = replay->records + (size_t)slot * replay->stride;
    memcpy(record, transition->observation, d * sizeof(float));
    memcpy(record + d, transition->next_observation, d * sizeof(float));
    record[2 * d] = transition->reward;
    record[2 * d + 1] = transition->discount;
    memcpy(record + 2 * d + 2, &transition->action, sizeof(int32_t));
    return slot;
}

dq_transition dq_replay_at(const dq_replay *replay, int64_t slot) {
    assert(slot >= 0 && slot < dq_replay_size(replay));
    size_t d = (size_t)replay->observation_size;
    const float *record = replay->records + (size_t)slot * replay->stride;
    dq_transition transition = {.observation = record,
                                .next_observation = record + d,
                                .reward = record[2 * d],
                                .discount = record[2 * d + 1]};
    memcpy(&transition.action, record + 2 * d + 2, sizeof(int32_t));
    return transition;
}

// Row `first` of each record, D numbers long, into the columns of panels.
static void gather_rows(const dq_replay *replay, const int64_t *slots, int batch, size_t first,
                        float *panels) {
    const size_t d = (size_t)replay->observation_size;
    const int padded = (batch + DQ_LANES - 1) / DQ_LANES * DQ_LANES;
    for (int b = 0; b < padded; b++) {
        float *to = panels + (size_t)(b / DQ_LANES) * d * DQ_LANES + b % DQ_LANES;
        if (b < batch) {
            const float *record = replay->records + (size_t)slots[b] * replay->stride + first;
            for (size_t f = 0; f < d; f++) to[f * DQ_LANES] = record[f];
        } else {
            for (size_t f = 0; f < d; f++) to[f * DQ_LANES] = 0;
        }
    }
}

void dq_replay_gather(const dq_replay *replay, const int64_t *slots, int batch, float *observation,
                      int32_t *action, float *reward, float *discount) {
    const size_t d = (size_t)replay->observation_size;
    const int padded = (batch + DQ_LANES - 1) / DQ_LANES * DQ_LANES;
    for (int b = 0; b < batch; b++) __builtin_prefetch(replay->records + (size_t)slots[b] * replay->stride);
    gather_rows(replay, slots, batch, 0, observation);
    for (int b = 0; b < batch; b++) {
        const float *record = replay->records + (size_t)slots[b] * replay->stride;
        reward[b] = record[2 * d];
        discount[b] = record[2 * d + 1];
        memcpy(&action[b], record + 2 * d + 2, sizeof(int32_t));
    }
    for (int b = batch; b < padded; b++) {
        action[b] = 0;
        reward[b] = discount[b] = 0;
    }
}

void dq_replay_gather_next(const dq_replay *replay, const int64_t *slots, int batch,
                           float *next_observation) {
    gather_rows(replay, slots, batch, (size_t)replay->observation_size, next_observation);
}

size_t dq_replay_record_size(const dq_replay *replay) {
    return replay->stride * sizeof(float);
}

void *dq_replay_records(dq_replay *replay) {
    return replay->records;
}

void dq_replay_restored(dq_replay *replay, int64_t inserted) {
    replay->inserted = inserted;
}
