// Games of the Arcade Learning Environment: its frames behind the wrappers of env/atari.h.
//
// An action's frames are made in one request, of all environments side by side, before the wrappers ask for
// them; those that they ask for elsewhere (no-ops, FIRE) come one at a time.
#include "gym/episode.h"

#include <string.h>

typedef struct machine {
    gym_instance *in;
    gym_state *s;
} machine;

// The Arcade Learning Environment's environments draw from
// default_rng(SeedSequence(seed).generate_state(2)[0]) (ale_py/env.py, seed_game): so do the wrappers around
// them, for which that is `rng`.
static void start_game(void *user, dq_rng *rng) {
    machine *m = user;
    if (m->s->seeded) {
        uint32_t words[2];
        dq_seed_sequence(m->s->seed, NULL, 0, words, 2);
        dq_rng_seed(rng, words[0]);
    }
    gym_begin(m->in, m->s);
}

static bool play_frame(void *user, dq_rng *rng, int action, double *reward) {
    (void)rng;
    machine *m = user;
    gym_instance *in = m->in;
    if (in->ahead > 0) {
        *reward =
            in->ahead == in->frames ? in->reward : 0; // all of it with the first: it is their sum that counts
        return --in->ahead == 0 && m->s->ended;
    }
    *reward = 0;
    if (in->group->status) {
        gym_end_lost(in, m->s);
        return false; // a game that is over would be begun again, and again
    }
    if (m->s->lost || !gym_advance(in, m->s, action, 1)) {
        gym_end_lost(in, m->s);
        return true;
    }
    *reward = in->reward;
    return m->s->ended;
}

static int lives_of(const void *user) {
    return ((const machine *)user)->s->lives;
}

static void keep_frame(void *user, int slot) {
    machine *m = user;
    const gym_instance *in = m->in;
    if (in->group->status || m->s->lost) return;
    const void *frame = in->ran && slot == 0 ? gym_worker_earlier(gym_worker_of(in), in->slot)
                                             : gym_worker_observation(gym_worker_of(in), in->slot);
    memcpy(gym_kept_of(in->group->of, m->s, slot), frame, in->group->of->width);
}

static dq_console console_of(const gym_instance *in) {
    return (dq_console){start_game, play_frame, lives_of, keep_frame, in->group->of->fire};
}

enum { WIDTH = DQ_SCREEN_WIDTH, HEIGHT = DQ_SCREEN_HEIGHT, PIXELS = WIDTH * HEIGHT, ROW = 3 * WIDTH };

// The brighter of two rows [WIDTH][3], in grey.
static void grey_row(const uint8_t *a, const uint8_t *b, bool brighter_grey, uint8_t *grey) {
    uint8_t bright[ROW];
    for (int i = 0; i < ROW; i++) bright[i] = a[i] > b[i] ? a[i] : b[i];
    for (int x = 0; x < WIDTH; x++) {
        const int i = 3 * x;
        if (brighter_grey) {
            const uint8_t of_a = dq_screen_luma(a[i], a[i + 1], a[i + 2]),
                          of_b = dq_screen_luma(b[i], b[i + 1], b[i + 2]);
            grey[x] = of_a > of_b ? of_a : of_b;
        } else {
            grey[x] = dq_screen_luma(bright[i], bright[i + 1], bright[i + 2]);
        }
    }
}

// What a network sees of the brighter of two frames [HEIGHT][WIDTH][3].
static void look(const uint8_t *a, const uint8_t *b, const dq_atari_options *o, uint8_t *observation) {
    if (o->screen == DQ_SCREEN_COLOR) {
        for (int i = 0; i < 3 * PIXELS; i++) observation[i] = a[i] > b[i] ? a[i] : b[i];
        return;
    }
    uint8_t grey[PIXELS];
    for (int y = 0; y < HEIGHT; y++, a += ROW, b += ROW) {
        uint8_t *row = grey + y * WIDTH;
        if (y > 0 && !memcmp(a, a - ROW, ROW) && !memcmp(b, b - ROW, ROW)) // most rows are like the one above
            memcpy(row, row - WIDTH, WIDTH);
        else
            grey_row(a, b, o->brighter, row);
    }
    dq_screen_shrink((dq_screen_kind)o->screen, grey, observation);
}

static void look_at(const machine *m, const dq_atari_options *o, void *observation) {
    const gym_class *c = m->in->group->of;
    if (m->s->atari.now && !m->in->group->status && !m->s->lost) {
        const void *shown = gym_worker_observation(gym_worker_of(m->in), m->in->slot);
        look(shown, shown, o, observation);
    } else {
        look(gym_kept_of(c, m->s, 0), gym_kept_of(c, m->s, 1), o, observation);
    }
}

static dq_space see_atari(const void *options) {
    return dq_screen_space((dq_screen_kind)((const gym_options *)options)->atari.screen);
}

static void reset_atari(void *state, const void *options, dq_rng *rng, void *observation) {
    machine m = {gym_find(state), state};
    const gym_options *o = options;
    const dq_console console = console_of(m.in);
    dq_atari_start(&console, &m, &m.s->atari, &o->atari, rng);
    look_at(&m, &o->atari, observation);
}

// The frames of the action have been made, or could not be.
static bool finish_atari(gym_instance *in, gym_state *s, bool stepped, const gym_options *o, dq_rng *rng,
                         int action, void *observation, double *reward) {
    machine m = {in, s};
    const dq_console console = console_of(in);
    if (!stepped) gym_end_lost(in, s);
    in->ahead = stepped ? in->frames : 0;
    dq_atari_step(&console, &m, &s->atari, &o->atari, rng, action, reward);
    look_at(&m, &o->atari, observation);
    return s->ended & GYM_TERMINATED;
}

static bool step_atari(void *state, const void *options, dq_rng *rng, int action, void *observation,
                       double *reward) {
    const gym_options *o = options;
    gym_instance *in = gym_find(state);
    const bool stepped = gym_advance(in, state, action, (int)o->atari.frame_skip);
    return finish_atari(in, state, stepped, o, rng, action, observation, reward);
}

static void step_many_atari(void *states, size_t stride, const void *options, dq_rng *rng, int count,
                            const int32_t *actions, void *observation, double *reward, bool *terminated) {
    const gym_options *o = options;
    const dq_space space = see_atari(options);
    gym_advance_many(states, stride, count, actions, (int)o->atari.frame_skip);
    for (int i = 0; i < count; i++) {
        gym_state *s = gym_state_at(states, stride, i);
        gym_instance *in = gym_find(s);
        unsigned char *row = (unsigned char *)observation + (size_t)i * dq_space_bytes(&space);
        terminated[i] = finish_atari(in, s, in->stepped, o, &rng[i], actions[i], row, &reward[i]);
    }
}

static bool resume_atari(void *state, const void *options, dq_rng *rng, void *observation, double *reward) {
    machine m = {gym_find(state), state};
    const gym_options *o = options;
    const dq_console console = console_of(m.in);
    const bool ended = dq_atari_resume(&console, &m, &m.s->atari, &o->atari, rng, reward);
    look_at(&m, &o->atari, observation);
    return ended;
}

static bool life_lost(const void *state) {
    return ((const gym_state *)state)->atari.lost;
}

void gym_become_atari(gym_class *self) {
    dq_env_class *c = &self->base;
    c->observation = dq_screen_space(DQ_SCREEN_GREY);
    c->observation_with = see_atari;
    c->reset = reset_atari;
    c->step = step_atari;
    c->step_many = step_many_atari;
    c->resume = resume_atari;
    c->life_lost = life_lost;
}
