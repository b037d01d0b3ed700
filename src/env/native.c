// Native games behind the wrappers of Atari environments. native.h tells of it.
#include "env/native.h"

#include <assert.h>
#include <string.h>

// A console is told of its machine alone: the game and its state in one.
typedef struct machine {
    const dq_native_game *game;
    dq_native_state *state;
} machine;

static void start(void *user, dq_rng *rng) {
    machine *m = user;
    memset(m->state->now, 0, sizeof m->state->now);
    m->game->start(m->state->now, rng);
}

static bool frame(void *user, dq_rng *rng, int action, double *reward) {
    machine *m = user;
    return m->game->frame(m->state->now, rng, action, reward);
}

static int lives(const void *user) {
    const machine *m = user;
    return m->game->lives(m->state->now);
}

static void keep(void *user, int slot) {
    machine *m = user;
    memcpy(m->state->kept[slot], m->state->now, sizeof m->state->now);
}

static dq_console console_of(const dq_native_game *game) {
    assert(game->state_size <= DQ_NATIVE_STATE);
    return (dq_console){start, frame, lives, keep, game->fire};
}

static void observe(const dq_native_game *game, const dq_native_state *s, const dq_atari_options *o,
                    void *observation) {
    dq_picture a, b;
    a.count = a.still = 0;
    game->show(s->atari.now ? s->now : s->kept[0], &a);
    if (!s->atari.now) {
        b.count = b.still = 0;
        game->show(s->kept[1], &b);
    }
    dq_picture_observe(&a, s->atari.now ? &a : &b, game->palette, (dq_screen_kind)o->screen, o->brighter,
                       observation);
}

void dq_native_reset(const dq_native_game *game, void *state, const void *options, dq_rng *rng,
                     void *observation) {
    dq_native_state *s = state;
    const dq_console console = console_of(game);
    dq_atari_start(&console, &(machine){game, s}, &s->atari, options, rng);
    observe(game, s, options, observation);
}

bool dq_native_step(const dq_native_game *game, void *state, const void *options, dq_rng *rng, int action,
                    void *observation, double *reward) {
    dq_native_state *s = state;
    const dq_console console = console_of(game);
    const bool over = dq_atari_step(&console, &(machine){game, s}, &s->atari, options, rng, action, reward);
    observe(game, s, options, observation);
    return over;
}

bool dq_native_resume(const dq_native_game *game, void *state, const void *options, dq_rng *rng,
                      void *observation, double *reward) {
    dq_native_state *s = state;
    const dq_console console = console_of(game);
    const bool over = dq_atari_resume(&console, &(machine){game, s}, &s->atari, options, rng, reward);
    observe(game, s, options, observation);
    return over;
}

bool dq_native_life_lost(const void *state) {
    return ((const dq_native_state *)state)->atari.lost;
}

dq_space dq_native_observation(const void *options) {
    return dq_screen_space((dq_screen_kind)((const dq_atari_options *)options)->screen);
}

void dq_native_draw(const dq_native_game *game, const void *state, struct dq_canvas *canvas) {
    dq_picture picture = {.count = 0};
    game->show(((const dq_native_state *)state)->now, &picture);
    dq_picture_draw(&picture, game->palette, canvas);
}
