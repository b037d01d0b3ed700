// Frames: the newest observations of an episode as one, for networks that look at several at once.
//
// The oldest comes first. Numbers of a vector lie one observation behind the other; an image keeps its pixels
// and shows its channels of one frame after the other: [height][width][stack * channels]. Before an episode's
// first observation there are zeros, as in Stable-Baselines3's VecFrameStack.
#ifndef DEEPQ_FRAMES_H
#define DEEPQ_FRAMES_H

#include <deepq/base.h>

#ifdef __cplusplus
extern "C" {
#endif

// The space of `stack` observations as one.
DQ_API dq_space dq_frames_space(const dq_space *frame, int stack);

// Lanes of frames, one for each environment; all start empty.
typedef struct dq_frames dq_frames;
DQ_API dq_status dq_frames_create(dq_frames **out, const dq_space *frame, int stack, int lanes,
                                  dq_error *error);
DQ_API void dq_frames_destroy(dq_frames *frames);

// A new observation in a lane, the oldest one goes.
DQ_API void dq_frames_push(dq_frames *frames, int lane, const void *frame);

// A new episode begins in a lane.
DQ_API void dq_frames_clear(dq_frames *frames, int lane);

// The lane's observations as one; lanes lie side by side.
DQ_API const void *dq_frames_at(const dq_frames *frames, int lane);

// What a lane would show after a push of `frame`, into memory of the caller's.
DQ_API void dq_frames_peek(const dq_frames *frames, int lane, const void *frame, void *stacked);

#ifdef __cplusplus
}
#endif
#endif
