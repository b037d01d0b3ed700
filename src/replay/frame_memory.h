// Frames of all episodes, each stored once, whatever stacks and transitions they are part of.
//
// Frame number t lies in slot t % capacity, together with how far back the frame before it in its episode
// lies; environments share the ring. A stack is found by walking back. An episode's frames are those it acted
// on and, where a time limit cut it, the last one: nothing is learned from what a terminal step shows.
//
// With a compression of k the pixels lie packed in a second ring, in blocks, that takes a k-th of the memory.
// Where they do not fit the oldest fade early.
#ifndef REPLAY_FRAME_MEMORY_H
#define REPLAY_FRAME_MEMORY_H

#include "replay/ring.h"
#include <deepq/frames.h>

typedef struct dq_frame_memory dq_frame_memory;

// For `transitions` of the newest; `margin` as in dq_replay_create_frames. compression: 1 or less: none.
dq_status dq_frame_memory_create(dq_frame_memory **out, int64_t transitions, const dq_space *frame, int stack,
                                 int64_t margin, int64_t compression, dq_error *error);
void dq_frame_memory_destroy(dq_frame_memory *memory);

// Returns the frame's number. before: -1 at an episode's start.
int64_t dq_frame_memory_push(dq_frame_memory *memory, const void *frame, int64_t before);

// Whether a transition that shows the stack of frame `number`, or one up to `margin` frames older, would lose
// one to the next two pushes.
bool dq_frame_memory_fades(const dq_frame_memory *memory, int64_t number);

// The stack whose newest frame is `number`, zeros before the episode's start. One thread at a time.
void dq_frame_memory_stack(const dq_frame_memory *memory, int64_t number, void *stacked);

// One ring, or two with compression. Returns their number.
int dq_frame_memory_rings(dq_frame_memory *memory, dq_ring *rings[2]);

#endif
