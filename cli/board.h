// The board of a training: its records as TensorBoard's event files in the run's folder.
//
// Tags are those that users of Stable-Baselines3 know. A board never stops a training: what it could not
// write becomes a sentence to print at the end. All calls come from the thread that trains.
#ifndef DEEPQ_CLI_BOARD_H
#define DEEPQ_CLI_BOARD_H

#include "episodes.h"
#include "io/tensorboard.h"

#include <deepq/run.h>

typedef struct board {
    dq_tensorboard *file; // NULL until there is something to write
    dq_run *run;          // borrowed; NULL: off
    const char *folder;
    bool resumed;
    int64_t first_step; // of this start of the training
    double first_seconds, flushed;
    double histograms_due, histograms_cost; // s
    bool has_histograms;                    // of the present parameters
    float *q;                               // [B,A]
    dq_error error;                         // the first failure
} board;

// Nothing is opened before the first row. Off where the run's configuration has tensorboard=false.
void board_init(board *b, dq_run *run, const char *folder, bool resumed);

void board_row(board *b, const dq_metrics *metrics);

// Hands what is buffered to the operating system; before a checkpoint, so that a resumed run misses no row.
void board_flush(board *b);

// An episode of the run's present policy: the GIF at `path` and its last frame.
void board_episode(board *b, const char *path, const episode_picture *end);

// The training has ended; `success`: a stop rule fired. Closes the file, and leaves in b->error what went
// wrong.
void board_finish(board *b, bool success, bool failed);

#endif
