// The replay store: a ring of records, newest over oldest.
//
// Place: n-step -> store -> sampler -> learner. One record is [observation][next][reward][discount][action]
// in 4-byte words, side by side, so that gathering a transition from a large memory touches one or two cache
// lines instead of five: (2 D + 3) * 4 bytes, 44 for CartPole. Transition number t lies in slot t % capacity.
//
// With a frame memory (frame_memory.h) observations are 8-byte numbers of frames, and gathering stacks them.
#include "replay/store.h"

#include <assert.h>
#include <deepq/net.h>
#include <stdlib.h>
#include <string.h>

struct dq_replay {
    dq_ring ring;
    dq_space space;          // of what is gathered
    size_t bytes;            // of an observation as it is stored
    size_t width;            // words of that
    dq_frame_memory *frames; // or NULL: observations are stored as they are
    float *row;              // a stack of vectors on its way into panels
};

static dq_status create(dq_replay **out, int64_t capacity, const dq_space *space, size_t bytes,
                        dq_error *error) {
    *out = NULL;
    if (capacity < 1 || space->size < 1)
        return dq_fail(
            error, DQ_USAGE, "replay memory",
            "a replay memory of %lld transitions of %d numbers makes no sense; both must be 1 or more",
            (long long)capacity, space->size);
    const size_t width = (bytes + sizeof(float) - 1) / sizeof(float);
    dq_replay *replay = calloc(1, sizeof *replay);
    if (!replay) return dq_fail(error, DQ_MEMORY, "replay memory", "there is no memory for the store");
    *replay = (dq_replay){.space = *space, .bytes = bytes, .width = width};
    dq_status status =
        dq_ring_init(&replay->ring, capacity, (2 * width + 3) * sizeof(float), "transitions", error);
    if (status)
        dq_replay_destroy(replay);
    else
        *out = replay;
    return status;
}

dq_status dq_replay_create(dq_replay **out, int64_t capacity, const dq_space *space, dq_error *error) {
    return create(out, capacity, space, dq_space_bytes(space), error);
}

dq_status dq_replay_create_frames(dq_replay **out, int64_t capacity, const dq_space *frame, int stack,
                                  int64_t margin, int64_t compression, dq_error *error) {
    const dq_space space = dq_frames_space(frame, stack);
    dq_status status = create(out, capacity, &space, sizeof(int64_t), error);
    if (status) return status;
    dq_replay *replay = *out;
    replay->row = malloc(dq_space_bytes(&space));
    if (!replay->row) status = dq_fail(error, DQ_MEMORY, "replay memory", "there is no memory for the store");
    if (!status)
        status = dq_frame_memory_create(&replay->frames, capacity, frame, stack, margin, compression, error);
    if (status) {
        dq_replay_destroy(replay);
        *out = NULL;
    }
    return status;
}

void dq_replay_destroy(dq_replay *replay) {
    if (!replay) return;
    dq_frame_memory_destroy(replay->frames);
    dq_ring_deinit(&replay->ring);
    free(replay->row);
    free(replay);
}

int64_t dq_replay_size(const dq_replay *replay) {
    return dq_ring_size(&replay->ring);
}

int64_t dq_replay_inserted(const dq_replay *replay) {
    return replay->ring.inserted;
}

int64_t dq_replay_capacity(const dq_replay *replay) {
    return replay->ring.capacity;
}

size_t dq_replay_bytes(const dq_replay *replay) {
    dq_replay *mine = (dq_replay *)replay; // only looked at
    dq_ring *rings[DQ_REPLAY_RINGS];
    size_t bytes = sizeof *replay;
    const int count = dq_replay_rings(mine, rings);
    for (int i = 0; i < count; i++) bytes += (size_t)rings[i]->capacity * rings[i]->record;
    return bytes;
}

int64_t dq_replay_add(dq_replay *replay, const dq_transition *transition) {
    const int64_t slot = replay->ring.inserted % replay->ring.capacity;
    float *record = (float *)(void *)dq_ring_at(&replay->ring, replay->ring.inserted++);
    float *behind = record + 2 * replay->width;
    memcpy(record, transition->observation, replay->bytes);
    memcpy(record + replay->width, transition->next_observation, replay->bytes);
    behind[0] = transition->reward;
    behind[1] = transition->discount;
    memcpy(behind + 2, &transition->action, sizeof(int32_t));
    return slot;
}

static const float *record_at(const dq_replay *replay, int64_t slot) {
    return (const float *)(const void *)(replay->ring.memory + (size_t)slot * replay->ring.record);
}

dq_transition dq_replay_at(const dq_replay *replay, int64_t slot) {
    assert(slot >= 0 && slot < dq_replay_size(replay));
    const float *record = record_at(replay, slot), *behind = record + 2 * replay->width;
    dq_transition transition = {.observation = record,
                                .next_observation = record + replay->width,
                                .reward = behind[0],
                                .discount = behind[1]};
    memcpy(&transition.action, behind + 2, sizeof(int32_t));
    return transition;
}

// --- frames ------------------------------------------------------------------------------------------------

int64_t dq_replay_push_frame(dq_replay *replay, const void *frame, int64_t before) {
    return dq_frame_memory_push(replay->frames, frame, before);
}

static int64_t frame_number(const void *handle) {
    int64_t number;
    memcpy(&number, handle, sizeof number);
    return number;
}

void dq_replay_stack(const dq_replay *replay, const void *handle, void *stacked) {
    dq_frame_memory_stack(replay->frames, frame_number(handle), stacked);
}

bool dq_replay_crowded(const dq_replay *replay) {
    const int64_t size = dq_replay_size(replay);
    if (size == 0) return false;
    const int64_t oldest = (replay->ring.inserted - size) % replay->ring.capacity;
    return dq_frame_memory_fades(replay->frames, frame_number(record_at(replay, oldest)));
}

static void gather_frames(const dq_replay *replay, const int64_t *slots, int batch, size_t first, void *to) {
    const size_t size = (size_t)replay->space.size;
    const int padded = (batch + DQ_LANES - 1) / DQ_LANES * DQ_LANES;
    if (replay->space.element == DQ_U8) {
        for (int b = 0; b < batch; b++)
            dq_frame_memory_stack(replay->frames, frame_number(record_at(replay, slots[b]) + first),
                                  (unsigned char *)to + (size_t)b * size);
        return;
    }
    for (int b = 0; b < padded; b++) {
        float *column = (float *)to + (size_t)(b / DQ_LANES) * size * DQ_LANES + b % DQ_LANES;
        if (b < batch)
            dq_frame_memory_stack(replay->frames, frame_number(record_at(replay, slots[b]) + first),
                                  replay->row);
        for (size_t f = 0; f < size; f++) column[f * DQ_LANES] = b < batch ? replay->row[f] : 0;
    }
}

// --- gathering ---------------------------------------------------------------------------------------------

// What lies from word `first` of each record on, D numbers, into the columns of panels.
static void gather_panels(const dq_replay *replay, const int64_t *slots, int batch, size_t first,
                          float *panels) {
    const size_t d = replay->width;
    const int padded = (batch + DQ_LANES - 1) / DQ_LANES * DQ_LANES;
    for (int b = 0; b < padded; b++) {
        float *to = panels + (size_t)(b / DQ_LANES) * d * DQ_LANES + b % DQ_LANES;
        if (b < batch) {
            const float *record = record_at(replay, slots[b]) + first;
            for (size_t f = 0; f < d; f++) to[f * DQ_LANES] = record[f];
        } else {
            for (size_t f = 0; f < d; f++) to[f * DQ_LANES] = 0;
        }
    }
}

static void gather_images(const dq_replay *replay, const int64_t *slots, int batch, size_t first,
                          unsigned char *rows) {
    const size_t bytes = replay->bytes;
    for (int b = 0; b < batch; b++)
        memcpy(rows + (size_t)b * bytes, record_at(replay, slots[b]) + first, bytes);
}

static void gather_from(const dq_replay *replay, const int64_t *slots, int batch, size_t first, void *to) {
    if (replay->frames)
        gather_frames(replay, slots, batch, first, to);
    else if (replay->space.element == DQ_F32)
        gather_panels(replay, slots, batch, first, to);
    else
        gather_images(replay, slots, batch, first, to);
}

void dq_replay_gather(const dq_replay *replay, const int64_t *slots, int batch, void *observation,
                      int32_t *action, float *reward, float *discount) {
    const int padded = (batch + DQ_LANES - 1) / DQ_LANES * DQ_LANES;
    for (int b = 0; b < batch; b++) __builtin_prefetch(record_at(replay, slots[b]));
    gather_from(replay, slots, batch, 0, observation);
    for (int b = 0; b < batch; b++) {
        const float *behind = record_at(replay, slots[b]) + 2 * replay->width;
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

int dq_replay_rings(dq_replay *replay, dq_ring *rings[DQ_REPLAY_RINGS]) {
    rings[0] = &replay->ring;
    return replay->frames ? 1 + dq_frame_memory_rings(replay->frames, rings + 1) : 1;
}
