// What the learner and the checkpoints need of the replay memory beyond deepq/replay.h.
#ifndef REPLAY_STORE_H
#define REPLAY_STORE_H

#include "replay/frame_memory.h"
#include <deepq/replay.h>

// Copies the transitions in slots [batch]: observation into panels [ceil(batch/16)][D][16] f32, of images
// into rows of bytes [batch]; action, reward, discount [ceil(batch/16)*16]. Padding becomes zeros.
void dq_replay_gather(const dq_replay *replay, const int64_t *slots, int batch, void *observation,
                      int32_t *action, float *reward, float *discount);

// The same for the next observations.
void dq_replay_gather_next(const dq_replay *replay, const int64_t *slots, int batch, void *next_observation);

// --- with a frame memory -----------------------------------------------------------------------------------

// Transitions whose observations are stacks of frames, each stored once: dq_transition's observations point
// to the number (int64_t) of the stack's newest frame. `margin`: by how many frames transitions may come out
// of the order of their frames (several environments, n-step returns). compression: frames lie packed in so
// much less memory; 1: they lie there as they are.
dq_status dq_replay_create_frames(dq_replay **out, int64_t capacity, const dq_space *frame, int stack,
                                  int64_t margin, int64_t compression, dq_error *error);

// A frame, and the number of the one before it in its episode; -1: it is the first. Returns its number.
int64_t dq_replay_push_frame(dq_replay *replay, const void *frame, int64_t before);

// The stack whose newest frame's number is at `handle`.
void dq_replay_stack(const dq_replay *replay, const void *handle, void *stacked);

// Whether the oldest transition is about to lose a frame: asked before frames are pushed, and answered by
// adding the newest transition once more, over the oldest. Happens where more than one frame in 40 is the
// last of an episode that a time limit cut, and where packed frames take more memory than there is.
bool dq_replay_crowded(const dq_replay *replay);

// --- for checkpoints ---------------------------------------------------------------------------------------

// The rings that hold everything: transitions, and frames if there are any, and what these are packed in.
// Returns their number.
enum { DQ_REPLAY_RINGS = 3 };
int dq_replay_rings(dq_replay *replay, dq_ring *rings[DQ_REPLAY_RINGS]);

#endif
