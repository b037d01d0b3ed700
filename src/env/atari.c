// The order of Stable-Baselines3's wrappers, from the console outwards: NoopReset, MaxAndSkip, EpisodicLife,
// FireReset (its AtariWrapper, without the clipping). All draws come from the environment's stream. One
// difference: where the second press of FireReset costs a life, theirs shows the frame of before the reset
// that follows.
#include "env/atari.h"

#define INT(field, text, low, high, unit, help)                                                              \
    {                                                                                                        \
#field, "game", DQ_OPTION_INT, offsetof(dq_atari_options, field), 0, text, low, high, false, NULL,   \
            unit, help                                                                                       \
    }
#define BOOL(field, text, help)                                                                              \
    {                                                                                                        \
#field, "game", DQ_OPTION_BOOL, offsetof(dq_atari_options, field), 0, text, 0, 1, false, NULL, NULL, \
            help                                                                                             \
    }
#define CHOICE(field, text, choices, help)                                                                   \
    {                                                                                                        \
#field, "game", DQ_OPTION_CHOICE, offsetof(dq_atari_options, field), 0, text, 0, 0, false, choices,  \
            NULL, help                                                                                       \
    }

const dq_option dq_atari_rows[] = {
    INT(noop_max, "30", 0, 1000, "frames", "a game starts with 1 to this many of doing nothing; 0: none"),
    INT(frame_skip, "4", 1, 60, "frames", "an action lasts; the observation is the brighter of the last two"),
    BOOL(episodic_life, "true", "a lost life counts as an end for learning"),
    BOOL(fire_reset, "true", "FIRE is pressed where a game or a life begins"),
    CHOICE(screen, "84x84", "84x84|84x110|colour",
           "grey and resized; to 84x110 of which rows 17 to 100 are kept; or the frame as it is"),
    CHOICE(brighter, "colours", "colours|grey",
           "of two frames: in each colour (Stable-Baselines3) or in grey (Gymnasium)"),
};

// SB3's NoopResetEnv.
static void start_game(const dq_console *console, void *machine, dq_atari *a, const dq_atari_options *o,
                       dq_rng *rng) {
    console->start(machine, rng);
    const int64_t frames = o->noop_max > 0 ? dq_rng_integers(rng, 1, o->noop_max + 1) : 0;
    double reward;
    for (int64_t i = 0; i < frames; i++)
        if (console->frame(machine, rng, 0, &reward)) console->start(machine, rng);
    a->now = true;
    a->over = a->lost = false;
    a->lives = console->lives(machine);
}

// SB3's MaxAndSkipEnv below EpisodicLifeEnv. Where a game ends amid the skipped frames the kept ones are
// those of earlier steps, as there. Returns whether learning takes the step for an end.
static bool act(const dq_console *console, void *machine, dq_atari *a, const dq_atari_options *o, dq_rng *rng,
                int action, double *reward) {
    a->over = false;
    for (int64_t i = 0; !a->over && i < o->frame_skip; i++) {
        double earned = 0;
        a->over = console->frame(machine, rng, action, &earned);
        *reward += earned;
        if (i >= o->frame_skip - 2) console->keep(machine, (int)(i - (o->frame_skip - 2)));
    }
    a->now = o->frame_skip == 1;
    const int lives = console->lives(machine);
    a->lost = o->episodic_life && !a->over && lives > 0 && lives < a->lives;
    a->lives = lives;
    return a->over || a->lost;
}

// SB3's FireResetEnv: FIRE and the action behind it, as far as they are not pressed yet. Returns whether the
// game ended on the way.
static bool press_fire(const dq_console *console, void *machine, dq_atari *a, const dq_atari_options *o,
                       dq_rng *rng, double *reward) {
    while (o->fire_reset && console->fire >= 0 && a->pressed < 2) {
        const int action = console->fire + a->pressed++;
        if (act(console, machine, a, o, rng, action, reward) && !a->over)
            act(console, machine, a, o, rng, 0, reward); // a life was lost
        if (a->over) return true;
    }
    a->pressed = 0;
    a->lost = false;
    return false;
}

void dq_atari_start(const dq_console *console, void *machine, dq_atari *a, const dq_atari_options *o,
                    dq_rng *rng) {
    double unseen = 0;
    do {
        start_game(console, machine, a, o, rng);
    } while (press_fire(console, machine, a, o, rng, &unseen));
}

bool dq_atari_step(const dq_console *console, void *machine, dq_atari *a, const dq_atari_options *o,
                   dq_rng *rng, int action, double *reward) {
    *reward = 0;
    act(console, machine, a, o, rng, action, reward);
    return a->over;
}

// SB3's EpisodicLifeEnv.reset amid a game.
bool dq_atari_resume(const dq_console *console, void *machine, dq_atari *a, const dq_atari_options *o,
                     dq_rng *rng, double *reward) {
    act(console, machine, a, o, rng, 0, reward);
    return a->over || press_fire(console, machine, a, o, rng, reward);
}
