// What agents that learn from Atari frames put around a console: the wrappers of Stable-Baselines3
// (common/atari_wrappers.py) or, with other values, of Gymnasium (wrappers/atari_preprocessing.py).
//
// A console plays one frame after the other and keeps two of them. The functions below say which frames an
// observation is made of; making it is the environment's. Rewards stay as the game gives them, and so do
// games: a lost life is told (dq_env_class.life_lost), clipping is the agent's (reward_clip=1 is the sign of
// whole points).
#ifndef ENV_ATARI_H
#define ENV_ATARI_H

#include "env/screen.h"
#include <deepq/options.h>
#include <deepq/rng.h>

// The environment's options struct starts with this one.
typedef struct dq_atari_options {
    int64_t noop_max;   // frames of doing nothing at a game's start, 1 to this many; 0: none
    int64_t frame_skip; // frames an action lasts
    bool episodic_life; // a lost life counts as an end for learning
    bool fire_reset;    // FIRE and the action behind it are pressed where an episode or a life begins
    int screen;         // dq_screen_kind
    int brighter;       // of the last two frames: 0 each colour of a pixel, 1 its grey
} dq_atari_options;

extern const dq_option dq_atari_rows[]; // of dq_atari_options
enum { DQ_ATARI_ROWS = 6 };

typedef struct dq_console {
    void (*start)(void *machine, dq_rng *rng);                             // a new game
    bool (*frame)(void *machine, dq_rng *rng, int action, double *reward); // returns whether the game is over
    int (*lives)(const void *machine);
    void (*keep)(void *machine, int slot); // remembers the present frame in slot 0 or 1
    int fire;                              // action; -1: there is none. Doing nothing is action 0
} dq_console;

// Where a game stands with its wrappers; plain memory that starts as zeros.
typedef struct dq_atari {
    int32_t lives;
    int32_t pressed; // of FIRE and the action behind it, where a game ended in between
    bool over, lost; // the last step ended the game, cost a life
    bool now;        // the observation is the present frame, not the brighter of the two kept
} dq_atari;

void dq_atari_start(const dq_console *console, void *machine, dq_atari *a, const dq_atari_options *o,
                    dq_rng *rng);
// One action; returns whether the game is over.
bool dq_atari_step(const dq_console *console, void *machine, dq_atari *a, const dq_atari_options *o,
                   dq_rng *rng, int action, double *reward);
// On after a lost life; adds what was earned to *reward and returns whether the game ended.
bool dq_atari_resume(const dq_console *console, void *machine, dq_atari *a, const dq_atari_options *o,
                     dq_rng *rng, double *reward);

#endif
