// The ring of frames. A record is [distance to the frame before, 0 at an episode's start][pixels].
#include "replay/frame_memory.h"

#include "replay/frames.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE = 40, STACK_MOST = 64 }; // one frame in SPARE may be the last of a cut episode

struct dq_frame_memory {
    dq_ring ring;
    dq_space frame;
    int stack;
    int64_t margin;
    unsigned char *nothing; // a frame of zeros
};

dq_status dq_frame_memory_create(dq_frame_memory **out, int64_t transitions, const dq_space *frame, int stack,
                                 int64_t margin, dq_error *error) {
    *out = NULL;
    assert(stack <= STACK_MOST);
    const size_t bytes = dq_space_bytes(frame), record = (sizeof(uint32_t) + bytes + 3) / 4 * 4;
    dq_frame_memory *memory = calloc(1, sizeof *memory);
    if (!memory) return dq_fail(error, DQ_MEMORY, "replay memory", "there is no memory for frames");
    *memory = (dq_frame_memory){.frame = *frame, .stack = stack, .margin = margin};
    memory->nothing = calloc(1, bytes);
    dq_status status = dq_ring_init(&memory->ring, transitions + transitions / SPARE + 2 * margin + 64,
                                    record, "frames", error);
    if (!status && !memory->nothing)
        status = dq_fail(error, DQ_MEMORY, "replay memory", "there is no memory for a frame");
    if (status)
        dq_frame_memory_destroy(memory);
    else
        *out = memory;
    return status;
}

void dq_frame_memory_destroy(dq_frame_memory *memory) {
    if (!memory) return;
    dq_ring_deinit(&memory->ring);
    free(memory->nothing);
    free(memory);
}

int64_t dq_frame_memory_push(dq_frame_memory *memory, const void *frame, int64_t before) {
    const int64_t number = memory->ring.inserted++;
    const uint32_t back = before < 0 ? 0 : (uint32_t)(number - before);
    unsigned char *record = dq_ring_at(&memory->ring, number);
    assert(before < number && (before < 0 || number - before <= memory->ring.capacity));
    memcpy(record, &back, sizeof back);
    memcpy(record + sizeof back, frame, dq_space_bytes(&memory->frame));
    return number;
}

// The number of the frame before, or -1.
static int64_t step_back(const dq_frame_memory *memory, int64_t number) {
    uint32_t back;
    memcpy(&back, dq_ring_at(&memory->ring, number), sizeof back);
    return back > 0 ? number - (int64_t)back : -1;
}

bool dq_frame_memory_fades(const dq_frame_memory *memory, int64_t number) {
    const int64_t kept = memory->ring.inserted + 2 - memory->ring.capacity; // the oldest after two pushes
    return number - memory->margin < kept;
}

void dq_frame_memory_stack(const dq_frame_memory *memory, int64_t number, void *stacked) {
    const void *planes[STACK_MOST];
    for (int place = memory->stack - 1; place >= 0; place--) {
        assert(number < 0 ||
               (number < memory->ring.inserted && number >= memory->ring.inserted - memory->ring.capacity));
        planes[place] = number < 0 ? memory->nothing : dq_ring_at(&memory->ring, number) + sizeof(uint32_t);
        if (number >= 0) number = step_back(memory, number);
    }
    dq_frames_join(&memory->frame, memory->stack, planes, stacked);
}

dq_ring *dq_frame_memory_ring(dq_frame_memory *memory) {
    return &memory->ring;
}
