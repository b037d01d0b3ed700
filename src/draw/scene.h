// Scenes: a state of an environment as a picture, with a panel beside it that tells how the episode goes.
#ifndef DEEPQ_DRAW_SCENE_H
#define DEEPQ_DRAW_SCENE_H

#include "draw/canvas.h"

#include <deepq/env.h>

// What is shown. All pointers are borrowed.
typedef struct dq_scene {
    const dq_env_class *env_class;
    const void *state, *options;
    const dq_trail *trail;   // of the episode, the state's row the last
    const dq_space *space;   // of the observation
    const void *observation; // of the state

    // for the panel
    const char *player; // "dqn2015", "random"
    uint64_t seed;      // the episode was reset with
    double episode_return;
    bool over;            // the episode has ended in this state
    const float *q;       // [A] Q values of the state; NULL: unknown
    int chosen;           // the action to come; -1: none
    double q_low, q_high; // the range of the bars
} dq_scene;

// The size in which the scene looks best, in pixels, both even: about 400 high, the panel included.
void dq_scene_size(const dq_scene *scene, bool panel, int *width, int *height);

// Draws over the whole board. An environment that does not draw itself shows its observation: numbers as
// bars, an image as it is.
void dq_scene_draw(const dq_scene *scene, bool panel, dq_board *board);

#endif
