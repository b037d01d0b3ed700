// The functions of a gym: class: steps and resets that show what the environment shows, and its pictures.
#include "gym/episode.h"

#include <deepq/draw.h>
#include <string.h>

// What the slot shows goes to the caller, and is kept for an episode that gets lost.
static void show(const gym_instance *in, gym_state *s, void *observation) {
    const gym_class *c = in->group->of;
    const void *shown = gym_worker_observation(gym_worker_of(in), in->slot);
    memcpy(observation, shown, c->width);
    memcpy(gym_kept_of(c, s, 0), shown, c->width);
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options, (void)rng; // the environment has a generator of its own
    gym_state *s = state;
    gym_instance *in = gym_find(s);
    if (gym_begin(in, s))
        show(in, s, observation);
    else
        memset(observation, 0, in->group->of->width);
}

// The step's outcome for the caller.
static bool tell(gym_instance *in, gym_state *s, bool stepped, void *observation, double *reward) {
    if (!stepped) gym_end_lost(in, s);
    *reward = stepped ? in->reward : 0;
    if (stepped)
        show(in, s, observation);
    else
        memcpy(observation, gym_kept_of(in->group->of, s, 0), in->group->of->width); // it ends where it was
    return s->ended & GYM_TERMINATED;
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)options, (void)rng;
    gym_instance *in = gym_find(state);
    return tell(in, state, gym_advance(in, state, action, 1), observation, reward);
}

static void step_many(void *states, size_t stride, const void *options, dq_rng *rng, int count,
                      const int32_t *actions, void *observation, double *reward, bool *terminated) {
    (void)options, (void)rng;
    gym_advance_many(states, stride, count, actions, 1);
    for (int i = 0; i < count; i++) {
        gym_state *s = gym_state_at(states, stride, i);
        gym_instance *in = gym_find(s);
        unsigned char *row = (unsigned char *)observation + (size_t)i * in->group->of->width;
        terminated[i] = tell(in, s, in->stepped, row, &reward[i]);
    }
}

static bool truncated(const void *state) {
    return ((const gym_state *)state)->ended & GYM_TRUNCATED;
}

// --- pictures ----------------------------------------------------------------------------------------------

static void draw_words(dq_canvas *canvas, const char *words) {
    dq_draw_view(canvas, 0, 0, 12, 8, dq_rgb(0xffffff));
    dq_draw_text(canvas, dq_at(6, 4), 0.4, DQ_TEXT_CENTER, words, dq_rgb(0x59626d));
}

static void draw(const void *state, const void *options, dq_canvas *canvas) {
    (void)options;
    gym_state *s = (gym_state *)state; // only a state that turns out to be lost is written to
    gym_instance *in = gym_find(s);
    if (!in->renders) in->fits = false; // one that can be seen takes its place
    in->renders = true;
    if (!gym_ready(in, s)) {
        draw_words(canvas, "this episode cannot be shown");
        return;
    }
    uint32_t size = 0;
    if (gym_ask(in, GYM_RENDER, false, 0, 0)) size = gym_worker_result(gym_worker_of(in));
    if (size == 0) {
        draw_words(canvas, "no picture came");
        return;
    }
    const int width = (int)(size >> 16), height = (int)(size & 0xffff);
    dq_draw_view(canvas, 0, 0, width, height, dq_rgb(0));
    canvas->canvas_class->image(canvas, gym_worker_frame(gym_worker_of(in)), width, height);
}

void gym_class_fill(gym_class *self) {
    dq_env_class *c = &self->base;
    c->state_size = sizeof(gym_state) + self->blob_room + GYM_KEPT * self->width + self->longest;
    c->open = gym_open;
    c->release = gym_close;
    c->seed = gym_seed;
    c->reset = reset;
    c->step = step;
    c->step_many = step_many;
    c->truncated = truncated;
    c->check = gym_check;
    c->draw = self->about.renders ? draw : NULL;
    if (self->atari) gym_become_atari(self);
}
