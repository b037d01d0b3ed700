// The replay store: a ring of records, newest over oldest.
//
// Place: n-step -> store -> sampler -> learner. One record is [observation][next][reward][discount][action]
// in 4-byte words, side by side, so that gathering a transition from a large memory touches one or two cache
// lines instead of five: (2 D + 3) * 4 bytes, 44 for CartPole. Transition number t lies in slot t % capacity.
// Pages are touched only when a transition first lands in them.
#include "replay/store.h"

#include <assert.h>
#include <deepq/net.h>
#include <stdlib.h>
#include <string.h>

struct dq_replay {
    int64_t capacity, inserted;
    dq_space space;
    size_t width;   // words of one observation
    size_t stride;  // words per record
    float *records; // [capacity][stride]
};

dq_status dq_replay_create(dq_replay **out, int64_t capacity, const dq_space *space, dq_error *error) {
    *out = NULL;
    if (capacity < 1 || space->size < 1)
        return dq_fail(
            error, DQ_USAGE, "replay memory",
            "a replay memory of %lld transitions of %d numbers makes no sense; both must be 1 or more",
            (long long)capacity, space->size);
    const size_t width = (dq_space_bytes(space) + sizeof(float) - 1) / sizeof(float), stride = 2 * width + 3;
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
    *replay = (dq_replay){capacity, 0, *space, width, stride, records};
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
    const size_t bytes = dq_space_bytes(&replay->space);
    float *record = replay->records + (size_t)slot * replay->stride, *behind = record + 2 * replay->width;
    memcpy(record, transition->observation, bytes);
    memcpy(record + replay->width, transition->next_observation, bytes);
    behind[0] = transition->reward;
    behind[1] = transition->discount;
    memcpy(behind + 2, &transition->action, sizeof(int32_t));
    return slot;
}

dq_transition dq_replay_at(const dq_replay *replay, int64_t slot) {
    assert(slot >= 0 && slot < dq_replay_size(replay));
    const float *record = replay->records + (size_t)slot * replay->stride;
    const float *behind = record + 2 * replay->width;
    dq_transition transition = {.observation = record,
                                .next_observation = record + replay->width,
                                .reward = behind[0],
                                .discount = behind[1]};
    memcpy(&transition.action, behind + 2, sizeof(int32_t));
    return transition;
}

// What lies from word `first` of each record on, D numbers, into the columns of panels.
static void gather_panels(const dq_replay *replay, const int64_t *slots, int batch, size_t first,
                          float *panels) {
    const size_t d = replay->width;
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

static void gather_images(const dq_replay *replay, const int64_t *slots, int batch, size_t first,
                          unsigned char *rows) {
    const size_t bytes = dq_space_bytes(&replay->space);
    for (int b = 0; b < batch; b++)
        memcpy(rows + (size_t)b * bytes, replay->records + (size_t)slots[b] * replay->stride + first, bytes);
}

static void gather_from(const dq_replay *replay, const int64_t *slots, int batch, size_t first, void *to) {
    if (replay->space.element == DQ_F32)
        gather_panels(replay, slots, batch, first, to);
    else
        gather_images(replay, slots, batch, first, to);
}

void dq_replay_gather(const dq_replay *replay, const int64_t *slots, int batch, void *observation,
                      int32_t *action, float *reward, float *discount) {
    const int padded = (batch + DQ_LANES - 1) / DQ_LANES * DQ_LANES;
    for (int b = 0; b < batch; b++) __builtin_prefetch(replay->records + (size_t)slots[b] * replay->stride);
    gather_from(replay, slots, batch, 0, observation);
    for (int b = 0; b < batch; b++) {
        const float *behind = replay->records + (size_t)slots[b] * replay->stride + 2 * replay->width;
        reward[b] = behind[0];
        discount[b] = behind[1];
        memcpy(&action[b], behind + 2, sizeof(int32_t));
    }
    for (int b = batch; b < padded; b++) {
        action[b] = 0;
        reward[b] = discount[b] = 0;
    }
}

void dq_replay_gather_next(const dq_replay *replay, const int64_t *slots, int batch, void *next_observation) {
    gather_from(replay, slots, batch, replay->width, next_observation);
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
