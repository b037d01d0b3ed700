// Games of our own in the style of the Atari 2600, as environment classes: what a game must say, and the
// functions of the class around it.
#ifndef ENV_NATIVE_H
#define ENV_NATIVE_H

#include "env/atari.h"
#include <deepq/env.h>

enum { DQ_NATIVE_STATE = 96 }; // most bytes of a game's state

typedef struct dq_native_game {
    size_t state_size;
    const dq_palette *palette;
    void (*start)(void *game, dq_rng *rng);
    bool (*frame)(void *game, dq_rng *rng, int action, double *reward);
    int (*lives)(const void *game); // a game without lives has 0 of them
    void (*show)(const void *game, dq_picture *picture);
    int fire; // action; -1: none
} dq_native_game;

// The environment's state: the game, and it as it was in the two frames kept.
typedef struct dq_native_state {
    dq_atari atari;
    _Alignas(8) unsigned char now[DQ_NATIVE_STATE], kept[2][DQ_NATIVE_STATE];
} dq_native_state;

void dq_native_reset(const dq_native_game *game, void *state, const void *options, dq_rng *rng,
                     void *observation);
bool dq_native_step(const dq_native_game *game, void *state, const void *options, dq_rng *rng, int action,
                    void *observation, double *reward);
bool dq_native_resume(const dq_native_game *game, void *state, const void *options, dq_rng *rng,
                      void *observation, double *reward);
bool dq_native_life_lost(const void *state);
dq_space dq_native_observation(const void *options);
void dq_native_draw(const dq_native_game *game, const void *state, struct dq_canvas *canvas);

// The functions of a game's classes: `step` for those that have the game's own actions, and the others under
// the names that DQ_NATIVE uses.
#define DQ_NATIVE_FUNCTIONS(game)                                                                            \
    static void reset(void *state, const void *options, dq_rng *rng, void *observation) {                    \
        dq_native_reset(game, state, options, rng, observation);                                             \
    }                                                                                                        \
    static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,           \
                     double *reward) {                                                                       \
        return dq_native_step(game, state, options, rng, action, observation, reward);                       \
    }                                                                                                        \
    static bool resume(void *state, const void *options, dq_rng *rng, void *observation, double *reward) {   \
        return dq_native_resume(game, state, options, rng, observation, reward);                             \
    }                                                                                                        \
    static void draw(const void *state, const void *options, struct dq_canvas *canvas) {                     \
        (void)options;                                                                                       \
        dq_native_draw(game, state, canvas);                                                                 \
    }

// The fields of a class that all native games share, behind those functions.
#define DQ_NATIVE                                                                                            \
    .observation = DQ_IMAGE(84, 84, 1), .observation_with = dq_native_observation, .step_limit = 27000,      \
    .state_size = sizeof(dq_native_state), .options = {dq_atari_rows, DQ_ATARI_ROWS},                        \
    .options_size = sizeof(dq_atari_options), .reset = reset, .resume = resume,                              \
    .life_lost = dq_native_life_lost, .draw = draw, .frame_rate = 15

#endif
