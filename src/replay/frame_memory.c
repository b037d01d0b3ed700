// The ring of frames. A record is [distance to the frame before, 0 at an episode's start] and behind it the
// pixels, or with compression where they lie packed in the ring of blocks.
#include "replay/frame_memory.h"

#include "base/module.h"
#include "replay/frames.h"
#include "replay/packer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE = 40, STACK_MOST = 64 }; // one frame in SPARE may be the last of a cut episode
enum { BLOCK = 32 };                  // bytes of packed frames

// Of a packed frame; its first `back` is that of any record. Frames that LZ4 would make larger stay as they
// are.
typedef struct place {
    uint32_t back, size;
    int64_t block; // number of its first block
} place;

struct dq_frame_memory {
    dq_ring ring;
    dq_space frame;
    int stack;
    int64_t margin;
    unsigned char *nothing; // a frame of zeros

    const dq_packer *packer; // NULL: no compression
    dq_ring blocks;
    int64_t worst;         // blocks of a frame that does not shrink
    unsigned char *packed; // [worst][BLOCK]
    unsigned char *planes; // [stack] frames
};

static dq_status add_blocks(dq_frame_memory *memory, int64_t compression, dq_error *error) {
    const size_t bytes = dq_space_bytes(&memory->frame);
    const void *packer;
    dq_status status = dq_module_load("lz4", "dq_module_packer", "frame_compression",
                                      "train with frame_compression=1", &packer, error);
    if (status) return status;
    memory->packer = packer;
    memory->worst = (int64_t)((bytes + BLOCK - 1) / BLOCK);
    // Whatever the frames, the newest transitions keep theirs.
    const int64_t least = memory->worst * (2 * memory->margin + 4);
    const int64_t share = memory->ring.capacity * memory->worst / compression;
    memory->packed = malloc((size_t)memory->worst * BLOCK);
    memory->planes = malloc((size_t)memory->stack * bytes);
    if (!memory->packed || !memory->planes)
        return dq_fail(error, DQ_MEMORY, "replay memory", "there is no memory for a stack of frames");
    return dq_ring_init(&memory->blocks, share > least ? share : least, BLOCK, "blocks of frames", error);
}

dq_status dq_frame_memory_create(dq_frame_memory **out, int64_t transitions, const dq_space *frame, int stack,
                                 int64_t margin, int64_t compression, dq_error *error) {
    *out = NULL;
    assert(stack <= STACK_MOST);
    const size_t bytes = dq_space_bytes(frame);
    const size_t record = compression > 1 ? sizeof(place) : (sizeof(uint32_t) + bytes + 3) / 4 * 4;
    dq_frame_memory *memory = calloc(1, sizeof *memory);
    if (!memory) return dq_fail(error, DQ_MEMORY, "replay memory", "there is no memory for frames");
    *memory = (dq_frame_memory){.frame = *frame, .stack = stack, .margin = margin};
    memory->nothing = calloc(1, bytes);
    dq_status status = dq_ring_init(&memory->ring, transitions + transitions / SPARE + 2 * margin + 64,
                                    record, "frames", error);
    if (!status && !memory->nothing)
        status = dq_fail(error, DQ_MEMORY, "replay memory", "there is no memory for a frame");
    if (!status && compression > 1) status = add_blocks(memory, compression, error);
    if (status)
        dq_frame_memory_destroy(memory);
    else
        *out = memory;
    return status;
}

void dq_frame_memory_destroy(dq_frame_memory *memory) {
    if (!memory) return;
    dq_ring_deinit(&memory->ring);
    dq_ring_deinit(&memory->blocks);
    free(memory->nothing);
    free(memory->packed);
    free(memory->planes);
    free(memory);
}

// --- packed frames -----------------------------------------------------------------------------------------

static place place_of(const dq_frame_memory *memory, int64_t number) {
    place p;
    memcpy(&p, dq_ring_at(&memory->ring, number), sizeof p);
    return p;
}

// Where the blocks from `first` on go on at the ring's start; never within `count` blocks: -1.
static int64_t seam(const dq_ring *blocks, int64_t first, int64_t count) {
    const int64_t room = blocks->capacity - first % blocks->capacity;
    return room < count ? room : -1;
}

static place put_blocks(dq_frame_memory *memory, const void *frame) {
    const size_t bytes = dq_space_bytes(&memory->frame);
    dq_ring *blocks = &memory->blocks;
    size_t size = memory->packer->pack(frame, bytes, memory->packed, bytes - 1);
    const unsigned char *from = size > 0 ? memory->packed : frame;
    if (size == 0) size = bytes;
    const int64_t count = (int64_t)((size + BLOCK - 1) / BLOCK), cut = seam(blocks, blocks->inserted, count);
    const size_t head = cut < 0 ? size : (size_t)cut * BLOCK;
    const place p = {.size = (uint32_t)size, .block = blocks->inserted};
    // A last block's rest is zeros, so that a checkpoint's bytes depend on nothing else.
    memset(dq_ring_at(blocks, blocks->inserted + count - 1), 0, BLOCK);
    memcpy(dq_ring_at(blocks, blocks->inserted), from, head);
    if (cut >= 0) memcpy(blocks->memory, from + head, size - head);
    blocks->inserted += count;
    return p;
}

static void take_blocks(const dq_frame_memory *memory, int64_t number, unsigned char *frame) {
    const size_t bytes = dq_space_bytes(&memory->frame);
    const place p = place_of(memory, number);
    const int64_t cut = seam(&memory->blocks, p.block, (int64_t)((p.size + BLOCK - 1) / BLOCK));
    const unsigned char *from = dq_ring_at(&memory->blocks, p.block);
    assert(p.block >= memory->blocks.inserted - memory->blocks.capacity);
    if (cut >= 0) {
        const size_t head = (size_t)cut * BLOCK;
        memcpy(memory->packed, from, head);
        memcpy(memory->packed + head, memory->blocks.memory, p.size - head);
        from = memory->packed;
    }
    if (p.size == bytes)
        memcpy(frame, from, bytes);
    else if (memory->packer->unpack(from, p.size, frame, bytes) != bytes)
        assert(!"packed by put_blocks");
}

// --- all frames --------------------------------------------------------------------------------------------

int64_t dq_frame_memory_push(dq_frame_memory *memory, const void *frame, int64_t before) {
    const int64_t number = memory->ring.inserted++;
    const uint32_t back = before < 0 ? 0 : (uint32_t)(number - before);
    unsigned char *record = dq_ring_at(&memory->ring, number);
    assert(before < number && (before < 0 || number - before <= memory->ring.capacity));
    if (memory->packer) {
        place p = put_blocks(memory, frame);
        p.back = back;
        memcpy(record, &p, sizeof p);
        return number;
    }
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
    if (number - memory->margin < kept) return true;
    if (!memory->packer) return false;
    const int64_t oldest = number > memory->margin ? number - memory->margin : 0;
    return place_of(memory, oldest).block <
           memory->blocks.inserted + 2 * memory->worst - memory->blocks.capacity;
}

void dq_frame_memory_stack(const dq_frame_memory *memory, int64_t number, void *stacked) {
    const size_t bytes = dq_space_bytes(&memory->frame);
    const void *planes[STACK_MOST];
    for (int at = memory->stack - 1; at >= 0; at--) {
        assert(number < 0 ||
               (number < memory->ring.inserted && number >= memory->ring.inserted - memory->ring.capacity));
        planes[at] = memory->nothing;
        if (number < 0) continue;
        planes[at] = dq_ring_at(&memory->ring, number) + sizeof(uint32_t);
        if (memory->packer) {
            unsigned char *plane = memory->planes + (size_t)at * bytes;
            take_blocks(memory, number, plane);
            planes[at] = plane;
        }
        number = step_back(memory, number);
    }
    dq_frames_join(&memory->frame, memory->stack, planes, stacked);
}

int dq_frame_memory_rings(dq_frame_memory *memory, dq_ring *rings[2]) {
    rings[0] = &memory->ring;
    rings[1] = &memory->blocks;
    return memory->packer ? 2 : 1;
}
