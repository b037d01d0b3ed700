// What the learner and the checkpoints need of the replay memory beyond deepq/replay.h.
#ifndef REPLAY_STORE_H
#define REPLAY_STORE_H

#include <deepq/replay.h>

// Copies the transitions in slots [batch]: observation into panels [ceil(batch/16)][D][16] f32, of images
// into rows of bytes [batch]; action, reward, discount [ceil(batch/16)*16]. Padding becomes zeros.
void dq_replay_gather(const dq_replay *replay, const int64_t *slots, int batch, void *observation,
                      int32_t *action, float *reward, float *discount);

// The same for the next observations.
void dq_replay_gather_next(const dq_replay *replay, const int64_t *slots, int batch, void *next_observation);

// The records as they lie in memory: `dq_replay_record_size` bytes each, slot 0 first.
size_t dq_replay_record_size(const dq_replay *replay);
void *dq_replay_records(dq_replay *replay);

// After records were read back: `inserted` transitions had ever been inserted.
void dq_replay_restored(dq_replay *replay, int64_t inserted);

#endif
