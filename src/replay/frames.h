// What the learner needs of frames beyond deepq/frames.h.
#ifndef REPLAY_FRAMES_H
#define REPLAY_FRAMES_H

#include <deepq/frames.h>

// Writes one frame's pixels to their place, 0 the oldest, in a stack.
void dq_frames_place(const dq_space *frame, int stack, int place, const void *pixels, void *stacked);

// A stack out of its frames [stack], oldest first.
void dq_frames_join(const dq_space *frame, int stack, const void *const *frames, void *stacked);

// All lanes as plain memory, for checkpoints.
void *dq_frames_state(dq_frames *frames, size_t *size);

#endif
