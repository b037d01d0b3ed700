// Small animations of what a training has learned so far.
#ifndef DEEPQ_CLI_EPISODES_H
#define DEEPQ_CLI_EPISODES_H

#include <deepq/run.h>

// The last frame of an animation.
typedef struct episode_picture {
    uint8_t *rgb; // [height, width, 3]; free it
    int width, height;
} episode_picture;

// Plays one greedy episode, reset with seed 0, by the run's present policy and writes it to a .gif. The run
// goes on as if it had not been asked. From the thread that trains. `end` may be NULL; it is empty after a
// failure.
dq_status episode_record(const dq_run *run, const char *path, episode_picture *end, dq_error *error);

#endif
