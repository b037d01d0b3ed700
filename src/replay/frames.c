// Stacks of the newest frames. A stack is kept as the network reads it, [pixel][stack][channels], so that a
// new frame is one move of the whole by one frame's channels (every pixel's values go one place down, and
// what comes over from the next pixel is overwritten) and one pass over its pixels.
#include "replay/frames.h"

#include <assert.h>
#include <deepq/frames.h>
#include <stdlib.h>
#include <string.h>

struct dq_frames {
    dq_space frame;
    int stack, lanes;
    size_t bytes;         // of one lane
    unsigned char *lane0; // [lanes][bytes]
};

dq_space dq_frames_space(const dq_space *frame, int stack) {
    dq_space space = *frame;
    space.shape[space.rank - 1] *= stack;
    space.size *= stack;
    return space;
}

void dq_frames_place(const dq_space *frame, int stack, int place, const void *pixels, void *stacked) {
    const size_t all = dq_space_bytes(frame), step = all / (size_t)frame->size;
    const size_t channels = step * (size_t)frame->shape[frame->rank - 1], pitch = channels * (size_t)stack;
    const unsigned char *from = pixels;
    unsigned char *to = (unsigned char *)stacked + channels * (size_t)place;
    if (channels == 1) {
        for (size_t i = 0; i < all; i++) to[i * pitch] = from[i];
        return;
    }
    for (size_t at = 0; at < all; at += channels, to += pitch) memcpy(to, from + at, channels);
}

// The usual cases, which vectorise.
static inline void interleave(int stack, size_t size, const void *const *frames,
                              unsigned char *restrict stacked) {
    const unsigned char *a = frames[0], *b = frames[1], *c = frames[stack - 2], *d = frames[stack - 1];
    for (size_t i = 0; i < size; i++, stacked += stack) {
        stacked[0] = a[i];
        stacked[1] = b[i];
        if (stack == 4) stacked[2] = c[i], stacked[3] = d[i];
    }
}

void dq_frames_join(const dq_space *frame, int stack, const void *const *frames, void *stacked) {
    const bool bytes = frame->element == DQ_U8 && frame->shape[frame->rank - 1] == 1;
    if (bytes && stack == 2)
        interleave(2, (size_t)frame->size, frames, stacked);
    else if (bytes && stack == 4)
        interleave(4, (size_t)frame->size, frames, stacked);
    else
        for (int place = 0; place < stack; place++)
            dq_frames_place(frame, stack, place, frames[place], stacked);
}

static void shift(const dq_frames *frames, const void *from, void *to) {
    const size_t one = dq_space_bytes(&frames->frame) / (size_t)frames->frame.size *
                       (size_t)frames->frame.shape[frames->frame.rank - 1];
    memmove(to, (const unsigned char *)from + one, frames->bytes - one);
}

dq_status dq_frames_create(dq_frames **out, const dq_space *frame, int stack, int lanes, dq_error *error) {
    *out = NULL;
    dq_frames *frames = calloc(1, sizeof *frames);
    const size_t bytes = dq_space_bytes(frame) * (size_t)stack;
    unsigned char *memory = calloc((size_t)lanes, bytes);
    if (!frames || !memory) {
        free(frames);
        free(memory);
        return dq_fail(error, DQ_MEMORY, "frame_stack", "there is no memory for %d stacks of %d frames",
                       lanes, stack);
    }
    *frames = (dq_frames){*frame, stack, lanes, bytes, memory};
    *out = frames;
    return DQ_OK;
}

void dq_frames_destroy(dq_frames *frames) {
    if (!frames) return;
    free(frames->lane0);
    free(frames);
}

static unsigned char *lane_of(const dq_frames *frames, int lane) {
    assert(lane >= 0 && lane < frames->lanes);
    return frames->lane0 + (size_t)lane * frames->bytes;
}

void dq_frames_push(dq_frames *frames, int lane, const void *frame) {
    unsigned char *stacked = lane_of(frames, lane);
    shift(frames, stacked, stacked);
    dq_frames_place(&frames->frame, frames->stack, frames->stack - 1, frame, stacked);
}

void dq_frames_clear(dq_frames *frames, int lane) {
    memset(lane_of(frames, lane), 0, frames->bytes);
}

const void *dq_frames_at(const dq_frames *frames, int lane) {
    return lane_of(frames, lane);
}

void dq_frames_peek(const dq_frames *frames, int lane, const void *frame, void *stacked) {
    shift(frames, lane_of(frames, lane), stacked);
    dq_frames_place(&frames->frame, frames->stack, frames->stack - 1, frame, stacked);
}

void *dq_frames_state(dq_frames *frames, size_t *size) {
    *size = (size_t)frames->lanes * frames->bytes;
    return frames->lane0;
}
