// Checkpoints: all that resuming needs, in RUN/checkpoint/.
//
//   manifest     text, replaced atomically and last: names the files that count, their sizes and checksums
//   state-<n>    parameters, optimizer, random streams, environments, counters: blocks of plain memory
//   replay-<k>   a log of transitions as the replay memory holds them, appended to
//   frames-<k>   the same of frames, where it holds those apart
//   packed-<k>   and of the blocks that they lie in with frame_compression
//
// Only transitions that came since the last checkpoint are written again. What lies behind the manifest's
// sizes, or is not named by it, is a leftover of a run that was killed while it wrote, and is ignored.
#ifndef RUN_CHECKPOINT_H
#define RUN_CHECKPOINT_H

#include "replay/store.h"
#include "run/runner.h"

typedef struct dq_checkpoint dq_checkpoint;

dq_status dq_checkpoint_create(dq_checkpoint **out, const dq_run *run, dq_error *error);
void dq_checkpoint_destroy(dq_checkpoint *checkpoint);

// Writes what changed. On failure the checkpoint before stays whole.
dq_status dq_checkpoint_save(dq_checkpoint *checkpoint, dq_run *run, dq_error *error);

// Has one been saved?
bool dq_checkpoint_exists(const dq_checkpoint *checkpoint);

// Restores `run`, built from the same configuration. A folder without a manifest leaves it at its start.
// Changes no file.
dq_status dq_checkpoint_load(dq_checkpoint *checkpoint, dq_run *run, dq_error *error);

// --- the logs of transitions and frames (checkpoint_replay.c)
// --------------------------------------------------------

// A file of a log: records [first, first + count).
typedef struct dq_segment {
    int64_t number; // NAME-<number>
    int64_t first, count;
    uint64_t checksum; // dq_crc64 of its records
} dq_segment;

enum { DQ_SEGMENTS_MAX = 16 };

typedef struct dq_replay_log {
    char folder[3100];
    const char *name; // "replay", "frames" or "packed"
    int file;         // of the last segment, open for appending; -1: none
    int64_t per_file; // records after which a new file starts
    int64_t next_number;
    int count;
    dq_segment segments[DQ_SEGMENTS_MAX]; // oldest first
} dq_replay_log;

void dq_replay_log_init(dq_replay_log *log, const char *folder, const char *name, int64_t capacity);
void dq_replay_log_deinit(dq_replay_log *log);

// Appends the records that came since, flushes them to the disk, and drops segments that the memory has
// overwritten whole from the list (their files stay until dq_replay_log_clean).
dq_status dq_replay_log_append(dq_replay_log *log, const dq_ring *ring, dq_error *error);

// Reads the listed segments into `ring`, which ends as after `inserted` insertions.
dq_status dq_replay_log_read(dq_replay_log *log, dq_ring *ring, int64_t inserted, dq_error *error);

#endif
