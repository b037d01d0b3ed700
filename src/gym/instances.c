// Steps and resets through workers, and what a state must hold to bring its episode back.
//
// The environment itself lives in a worker; the state, plain memory, holds how its episode began and the
// actions since. What is kept beside a state is the place of its environment, and the fingerprint of the
// episode that it is in. Where the two differ (a snapshot was restored, or the worker died and another took
// over), the episode is replayed. An environment that does not repeat itself, or an episode of which
// something is missing, cannot be brought back: it ends as truncated, and a warning says so.
//
// The instances that share one options struct (a dq_vecenv's) form a group with workers of its own, dealt out
// in turn: a group belongs to one thread at a time.
#include "gym/instances.h"

#include "env/keep.h"

#include <assert.h>
#include <deepq/draw.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP_WORKERS = 64,
    DEATHS_MOST = 8,      // of a worker, with fewer than
    STEPS_BETWEEN = 1000, // answered between one and the next
    TERMINATED = 1,
    TRUNCATED = 2,
};

typedef struct gym_state {
    uint64_t fingerprint; // of the episode's start and all since; 0: no episode
    uint64_t observed;    // of the last observation
    uint64_t seed;        // the last one that was given
    int64_t length;       // actions since the reset
    bool seeded;          // the next reset is with that seed
    uint8_t ended;        // by the last step: TERMINATED, TRUNCATED
    bool lost;            // the environment is not where this state is: only a reset helps
    int32_t lives;
    gym_start start; // then its blob [blob_room], the last observation [width] and the actions [longest]
} gym_state;

typedef struct instance {
    struct group *group;
    int worker, slot; // of the group
    bool fits, renders;
    bool waits, stepped, taken; // of the step under way
    uint64_t fingerprint;       // of the episode that the worker's environment is in, where it fits
} instance;

typedef struct group {
    gym_class *of;
    int worker_count;
    gym_worker *workers[GROUP_WORKERS];
    int deaths[GROUP_WORKERS];    // of those that follow each other closely
    int64_t steps[GROUP_WORKERS]; // answered since the last one
    int count, room, left;        // instances ever, and those that are not released
    instance **instances; // instance i: worker i % worker_count, slot i / worker_count; NULL: released
    dq_status status;     // not DQ_OK: broken for good
    dq_error error;
} group;

// By a state's address, and by that of the options.
static dq_keep kept_instances = {.lock = PTHREAD_MUTEX_INITIALIZER};
static dq_keep kept_groups = {.lock = PTHREAD_MUTEX_INITIALIZER};

static unsigned char *blob_of(gym_state *s) {
    return (unsigned char *)(s + 1);
}

static unsigned char *last_of(const gym_class *c, gym_state *s) {
    return blob_of(s) + c->blob_room;
}

static uint8_t *actions_of(const gym_class *c, gym_state *s) {
    return last_of(c, s) + c->width;
}

// A hash of 8-byte words in four lanes, so that an image costs microseconds; the constants are splitmix64's.
static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 27;
}

static uint64_t hash_bytes(const void *data, size_t size) {
    const unsigned char *at = data;
    uint64_t lanes[4] = {1, 2, 3, 4}, word;
    size_t i = 0;
    for (; i + 32 <= size; i += 32) {
        for (size_t k = 0; k < 4; k++) {
            memcpy(&word, at + i + 8 * k, 8);
            lanes[k] = mix(lanes[k], word);
        }
    }
    for (; i < size; i += 8) {
        word = 0;
        memcpy(&word, at + i, size - i < 8 ? size - i : 8);
        lanes[0] = mix(lanes[0], word);
    }
    return mix(mix(mix(lanes[0], lanes[1]), lanes[2]), lanes[3]);
}

// --- workers -----------------------------------------------------------------------------------------------

static dq_status start_worker(gym_class *c, gym_worker **out, dq_error *error) {
    pthread_mutex_lock(&c->lock);
    *out = c->spare;
    c->spare = NULL;
    pthread_mutex_unlock(&c->lock);
    dq_status status = DQ_OK;
    if (!*out) status = gym_worker_start(out, c->id, error);
    if (status) return status;
    const gym_description *d = gym_worker_description(*out);
    if (d->image != c->about.image || memcmp(d->shape, c->about.shape, sizeof d->shape) ||
        d->actions != c->about.actions)
        status = dq_fail(error, DQ_FORMAT, c->id,
                         "it has other observations or actions than when it was first looked at");
    if (!status) status = gym_worker_lay_out(*out, c->width, c->blob_room, c->longest, error);
    if (!status) return DQ_OK;
    gym_worker_stop(*out);
    *out = NULL;
    return status;
}

static void break_down(group *g, dq_status status) {
    if (!g->status) g->status = status;
    for (int i = 0; i < g->count; i++)
        if (g->instances[i]) g->instances[i]->fits = false;
}

// Tells that worker k has died, and starts another in its place, with no environment yet.
static void replace_worker(group *g, int k) {
    gym_class *c = g->of;
    char words[300];
    int episodes = 0;
    gym_worker_last_words(g->workers[k], words, sizeof words);
    for (int i = k; i < g->count; i += g->worker_count) {
        if (!g->instances[i]) continue;
        g->instances[i]->fits = g->instances[i]->renders = false;
        episodes++;
    }
    const long process = gym_worker_process(g->workers[k]);
    gym_worker_stop(g->workers[k]);
    g->workers[k] = NULL;
    g->deaths[k] = g->steps[k] < STEPS_BETWEEN ? g->deaths[k] + 1 : 1;
    g->steps[k] = 0;
    if (g->deaths[k] > DEATHS_MOST) {
        break_down(g, dq_fail(&g->error, DQ_IO, c->id,
                              "its worker process has died %d times with fewer than %d steps between: %s",
                              g->deaths[k], STEPS_BETWEEN, words));
        return;
    }
    dq_log(DQ_LOG_WARNING, "%s: worker process %ld with %d environment%s has ended: %s; starting another",
           c->id, process, episodes, episodes == 1 ? "" : "s", words);
    dq_status status = start_worker(c, &g->workers[k], &g->error);
    if (status) break_down(g, status);
}

// --- instances ---------------------------------------------------------------------------------------------

static void drop_group(void *room) {
    group *g = *(group **)room;
    if (!g) return;
    for (int k = 0; k < g->worker_count; k++) gym_worker_stop(g->workers[k]);
    free(g->instances);
    free(g);
}

static group *group_of(const void *options) {
    group **room = dq_keep_find(&kept_groups, options, sizeof(group *));
    return room ? *room : NULL;
}

static dq_status make_group(group **out, gym_class *c, const gym_options *options, dq_error *error) {
    group **room = dq_keep_find(&kept_groups, options, sizeof(group *));
    if (!room || (!*room && !(*room = calloc(1, sizeof **room))))
        return dq_fail(error, DQ_MEMORY, c->id, "there is no memory for its environments");
    *out = *room;
    if ((*out)->of)
        return (*out)->status ? dq_fail(error, (*out)->status, c->id, "%s", (*out)->error.message) : DQ_OK;
    (*out)->of = c;
    (*out)->worker_count = (int)options->workers;
    return DQ_OK;
}

static void leave(group *g, const void *options) {
    if (--g->left == 0) dq_keep_release(&kept_groups, options, drop_group);
}

static dq_status open_state(const dq_env_class *env_class, void *state, const void *options,
                            dq_error *error) {
    gym_class *c = (gym_class *)env_class;
    group *g = NULL;
    instance *in = dq_keep_find(&kept_instances, state, sizeof *in + sizeof options);
    dq_status status = in ? make_group(&g, c, options, error)
                          : dq_fail(error, DQ_MEMORY, c->id, "there is no memory for its environments");
    if (status) return status;
    assert(!in->group && "a state is opened once");
    g->left++;
    if (g->count == g->room) {
        const int room = g->room ? 2 * g->room : 16;
        instance **grown = realloc(g->instances, (size_t)room * sizeof(instance *));
        if (!grown) {
            leave(g, options);
            return dq_fail(error, DQ_MEMORY, c->id, "there is no memory for its environments");
        }
        g->instances = grown;
        g->room = room;
    }
    const int k = g->count % g->worker_count;
    if (!g->workers[k]) status = start_worker(c, &g->workers[k], error);
    if (status) {
        leave(g, options);
        return status;
    }
    *in = (instance){.group = g, .worker = k, .slot = g->count / g->worker_count};
    memcpy(in + 1, &options, sizeof options);
    g->instances[g->count++] = in;
    return DQ_OK;
}

static void close_instance(void *room) {
    instance *in = room;
    group *g = in->group;
    if (!g) return;
    const void *options;
    memcpy(&options, in + 1, sizeof options);
    for (int i = 0; i < g->count; i++)
        if (g->instances[i] == in) g->instances[i] = NULL;
    leave(g, options);
}

static void close_state(const void *state) {
    dq_keep_release(&kept_instances, state, close_instance);
}

static instance *find(const void *state) {
    instance *in = dq_keep_find(&kept_instances, state, sizeof *in + sizeof(void *));
    assert(in && in->group && "a state is opened before it is used");
    return in;
}

static gym_worker *worker_of(const instance *in) {
    return in->group->workers[in->worker];
}

// One request of one environment. False: the worker died of it, and another is there, or the group is broken.
static bool ask(instance *in, gym_command command, bool flag, uint64_t argument, uint64_t seed) {
    group *g = in->group;
    if (g->status) return false;
    gym_worker_post(worker_of(in), command, in->slot, flag, argument, seed);
    if (gym_worker_wait(worker_of(in))) return true;
    replace_worker(g, in->worker);
    return false;
}

// --- episodes ----------------------------------------------------------------------------------------------

// What the slot shows goes into the state, and to the caller.
static void take(instance *in, gym_state *s, void *observation) {
    const gym_class *c = in->group->of;
    const void *shown = gym_worker_observation(worker_of(in), in->slot);
    memcpy(observation, shown, c->width);
    memcpy(last_of(c, s), shown, c->width);
    s->observed = hash_bytes(shown, c->width);
    s->lives = gym_worker_lives(worker_of(in))[in->slot];
    s->fingerprint = mix(s->fingerprint, s->observed) | 1;
    in->fingerprint = s->fingerprint;
    in->fits = true;
}

static void lose(gym_state *s, const gym_class *c, const char *why) {
    s->lost = true;
    dq_log(DQ_LOG_WARNING, "%s: an episode ends as truncated after %lld steps: %s", c->id,
           (long long)s->length, why);
}

// Brings the worker's environment to where the state is. False: that cannot be done, and the state knows.
static bool replay(instance *in, gym_state *s, bool render) {
    group *g = in->group;
    gym_class *c = g->of;
    if (g->status || s->lost) return false;
    if (s->start.kind == GYM_START_UNKNOWN || s->start.blob_size > c->blob_room) {
        lose(s, c, "the state of its generator at the beginning is not known");
        return false;
    }
    if (s->length > (int64_t)c->longest) {
        lose(s, c, "it is too long to be replayed");
        return false;
    }
    gym_start *start = gym_worker_start_of(worker_of(in), in->slot);
    memcpy(start, &s->start, sizeof s->start);
    memcpy(start + 1, blob_of(s), s->start.blob_size);
    memcpy(gym_worker_history(worker_of(in)), actions_of(c, s), (size_t)s->length);
    if (!ask(in, GYM_REPLAY, render, (uint64_t)s->length, s->seed)) {
        if (!g->status) lose(s, c, "its worker died while it was replayed");
        return false;
    }
    in->renders = render;
    const void *shown = gym_worker_observation(worker_of(in), in->slot);
    if (hash_bytes(shown, c->width) != s->observed || gym_worker_flags(worker_of(in))[in->slot] != s->ended) {
        lose(s, c, "replayed, it came to another place: this environment does not repeat itself");
        return false;
    }
    in->fingerprint = s->fingerprint;
    in->fits = true;
    return true;
}

static bool ready(instance *in, gym_state *s) {
    if (in->fits && in->fingerprint == s->fingerprint && !s->lost) return true;
    return replay(in, s, in->renders);
}

static void seed_state(void *state, const void *options, uint64_t seed) {
    (void)options;
    gym_state *s = state;
    s->seed = seed;
    s->seeded = true;
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options, (void)rng; // the environment has a generator of its own
    gym_state *s = state;
    instance *in = find(s);
    group *g = in->group;
    gym_class *c = g->of;
    if (!s->seeded && s->fingerprint && !ready(in, s)) {
        s->seed = mix(s->seed, s->fingerprint); // its generator is lost: another, but always the same one
        s->seeded = true;
    }
    bool done = ask(in, GYM_RESET, s->seeded, s->seed, 0);
    // The worker died, and with it the generator.
    while (!done && !g->status) {
        s->seed = s->seeded ? s->seed : mix(s->seed, s->fingerprint);
        s->seeded = true;
        done = ask(in, GYM_RESET, true, s->seed, 0);
    }
    s->start.kind = GYM_START_SEED;
    s->start.blob_size = 0;
    if (done && !s->seeded) {
        const gym_start *start = gym_worker_start_of(worker_of(in), in->slot);
        memcpy(&s->start, start, sizeof s->start);
        if (s->start.blob_size > c->blob_room) s->start.blob_size = 0;
        memcpy(blob_of(s), start + 1, s->start.blob_size);
    }
    s->fingerprint = mix(s->seed, hash_bytes(&s->start, sizeof s->start));
    s->length = 0;
    s->seeded = s->lost = false;
    s->ended = 0;
    if (done) {
        take(in, s, observation);
    } else {
        memset(observation, 0, c->width);
    }
}

// The episode of a lost state ends where it was.
static void end_lost(const instance *in, gym_state *s, void *observation, double *reward, bool *terminated) {
    if (!s->lost && !in->group->status) lose(s, in->group->of, "its worker died of the same step twice");
    memcpy(observation, last_of(in->group->of, s), in->group->of->width);
    *reward = 0;
    *terminated = false;
    s->ended = TRUNCATED;
    s->lost = true;
}

static void end_step(instance *in, gym_state *s, int action, void *observation, double *reward,
                     bool *terminated) {
    const gym_class *c = in->group->of;
    s->ended = gym_worker_flags(worker_of(in))[in->slot];
    *reward = gym_worker_rewards(worker_of(in))[in->slot];
    *terminated = s->ended & TERMINATED;
    if (s->length < (int64_t)c->longest) actions_of(c, s)[s->length] = (uint8_t)action;
    s->length++;
    s->fingerprint = mix(s->fingerprint, (uint64_t)action);
    take(in, s, observation);
}

// The worker sets flags only where an episode ends.
static void put_action(const instance *in, int action) {
    gym_worker_actions(worker_of(in))[in->slot] = action;
    gym_worker_flags(worker_of(in))[in->slot] = 0;
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)options, (void)rng;
    gym_state *s = state;
    instance *in = find(s);
    bool terminated = false;
    for (int attempt = 0; attempt < 2 && ready(in, s); attempt++) {
        put_action(in, action);
        if (!ask(in, GYM_STEP, true, 0, 0)) continue;
        in->group->steps[in->worker]++;
        end_step(in, s, action, observation, reward, &terminated);
        return terminated;
    }
    end_lost(in, s, observation, reward, &terminated);
    return terminated;
}

// Rows that are still to be stepped, by worker and slot: posts the first run of slots of each worker, and
// waits for all of them. Returns whether there was any.
static bool step_runs(group *g) {
    int first[GROUP_WORKERS], count[GROUP_WORKERS];
    bool any = false;
    for (int k = 0; k < g->worker_count; k++) {
        int i = k;
        while (i < g->count && !(g->instances[i] && g->instances[i]->waits)) i += g->worker_count;
        first[k] = i / g->worker_count;
        for (count[k] = 0; i < g->count && g->instances[i] && g->instances[i]->waits; i += g->worker_count)
            count[k]++;
        if (count[k] > 0) gym_worker_post(g->workers[k], GYM_STEP, first[k], count[k], 0, 0);
        any |= count[k] > 0;
    }
    for (int k = 0; k < g->worker_count; k++) {
        if (count[k] == 0) continue;
        const bool done = gym_worker_wait(g->workers[k]);
        for (int slot = first[k]; slot < first[k] + count[k]; slot++) {
            g->instances[slot * g->worker_count + k]->waits = false;
            g->instances[slot * g->worker_count + k]->stepped = done;
        }
        if (done)
            g->steps[k]++;
        else
            replace_worker(g, k);
    }
    return any;
}

static void step_many(void *states, size_t stride, const void *options, dq_rng *rng, int count,
                      const int32_t *actions, void *observation, double *reward, bool *terminated) {
    (void)options, (void)rng;
    group *g = find(states)->group;
    const size_t width = g->of->width;
    for (int i = 0; i < count; i++) find((unsigned char *)states + (size_t)i * stride)->stepped = false;
    for (int attempt = 0; attempt < 2; attempt++) {
        for (int i = 0; i < count; i++) {
            gym_state *s = (gym_state *)((unsigned char *)states + (size_t)i * stride);
            instance *in = find(s);
            in->waits = !in->stepped && ready(in, s);
            if (in->waits) put_action(in, actions[i]);
        }
        // A worker that died while another episode was replayed has taken those with it that were ready.
        for (int i = 0; i < g->count; i++)
            if (g->instances[i] && !g->instances[i]->fits) g->instances[i]->waits = false;
        while (!g->status && step_runs(g)) {
        }
        for (int i = 0; i < count; i++) {
            gym_state *s = (gym_state *)((unsigned char *)states + (size_t)i * stride);
            instance *in = find(s);
            if (!in->stepped || in->taken) continue;
            end_step(in, s, actions[i], (unsigned char *)observation + (size_t)i * width, &reward[i],
                     &terminated[i]);
            in->taken = true;
        }
    }
    for (int i = 0; i < count; i++) {
        gym_state *s = (gym_state *)((unsigned char *)states + (size_t)i * stride);
        instance *in = find(s);
        if (!in->taken)
            end_lost(in, s, (unsigned char *)observation + (size_t)i * width, &reward[i], &terminated[i]);
        in->taken = false;
    }
}

static bool truncated(const void *state) {
    return ((const gym_state *)state)->ended & TRUNCATED;
}

static dq_status check(const void *options, dq_error *error) {
    const group *g = group_of(options);
    if (!g || !g->status) return DQ_OK;
    if (error) *error = g->error;
    return g->status;
}

// --- pictures ----------------------------------------------------------------------------------------------

static void draw_words(dq_canvas *canvas, const char *words) {
    dq_draw_view(canvas, 0, 0, 12, 8, dq_rgb(0xffffff));
    dq_draw_text(canvas, dq_at(6, 4), 0.4, DQ_TEXT_CENTER, words, dq_rgb(0x59626d));
}

static void draw(const void *state, const void *options, dq_canvas *canvas) {
    (void)options;
    gym_state *s = (gym_state *)state; // only a state that turns out to be lost is written to
    instance *in = find(s);
    if (!in->renders) in->fits = false; // one that can be seen takes its place
    in->renders = true;
    if (!ready(in, s)) {
        draw_words(canvas, "this episode cannot be shown");
        return;
    }
    uint32_t size = 0;
    if (ask(in, GYM_RENDER, false, 0, 0)) size = gym_worker_result(worker_of(in));
    if (size == 0) {
        draw_words(canvas, "no picture came");
        return;
    }
    const int width = (int)(size >> 16), height = (int)(size & 0xffff);
    dq_draw_view(canvas, 0, 0, width, height, dq_rgb(0));
    canvas->canvas_class->image(canvas, gym_worker_frame(worker_of(in)), width, height);
}

void gym_instances_fill(gym_class *self) {
    dq_env_class *c = &self->base;
    c->state_size = sizeof(gym_state) + self->blob_room + self->width + self->longest;
    c->open = open_state;
    c->release = close_state;
    c->seed = seed_state;
    c->reset = reset;
    c->step = step;
    c->step_many = step_many;
    c->truncated = truncated;
    c->check = check;
    c->draw = self->about.renders ? draw : NULL;
}
