// Stepping, and bringing an episode back.
//
// The environment itself lives in a worker; the state, plain memory, holds how its episode began and the
// actions since. What is kept beside a state is the place of its environment, and the fingerprint of the
// episode that it is in. Where the two differ (a snapshot was restored, or the worker died and another took
// over), the episode is replayed. An environment that does not repeat itself, or an episode of which
// something is missing, cannot be brought back: it ends as truncated, and a warning says so.
#include "gym/episode.h"

#include <string.h>

enum {
    FRAMES_AT = 2, // bits of a slot's flags
    SAMPLE = 4096, // bytes of an observation from which on only
    SAMPLED = 64,  // so many
    STRIDE = 448,  // out of so many are looked at
};

static unsigned char *blob_of(gym_state *s) {
    return (unsigned char *)(s + 1);
}

unsigned char *gym_kept_of(const gym_class *c, gym_state *s, int k) {
    return blob_of(s) + c->blob_room + (size_t)k * c->width;
}

static uint8_t *actions_of(const gym_class *c, gym_state *s) {
    return gym_kept_of(c, s, GYM_KEPT);
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

// Of an observation; of a large one parts all over it.
static uint64_t hash_observation(const void *data, size_t size) {
    if (size < SAMPLE) return hash_bytes(data, size);
    uint64_t hash = 0;
    for (size_t i = 0; i + SAMPLED <= size; i += STRIDE)
        hash = mix(hash, hash_bytes((const unsigned char *)data + i, SAMPLED));
    return hash;
}

// --- episodes ----------------------------------------------------------------------------------------------

// Takes note of what the slot shows.
static void note(gym_instance *in, gym_state *s) {
    const gym_class *c = in->group->of;
    s->observed = hash_observation(gym_worker_observation(gym_worker_of(in), in->slot), c->width);
    s->lives = gym_worker_lives(gym_worker_of(in))[in->slot];
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
static bool replay(gym_instance *in, gym_state *s, bool render) {
    gym_group *g = in->group;
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
    gym_start *start = gym_worker_start_of(gym_worker_of(in), in->slot);
    memcpy(start, &s->start, sizeof s->start);
    memcpy(start + 1, blob_of(s), s->start.blob_size);
    memcpy(gym_worker_history(gym_worker_of(in)), actions_of(c, s), (size_t)s->length);
    if (!gym_ask(in, GYM_REPLAY, render, (uint64_t)s->length, s->seed)) {
        if (!g->status) lose(s, c, "its worker died while it was replayed");
        return false;
    }
    in->renders = render;
    const void *shown = gym_worker_observation(gym_worker_of(in), in->slot);
    if (hash_observation(shown, c->width) != s->observed ||
        gym_worker_rewards(gym_worker_of(in))[in->slot] != s->earned ||
        gym_worker_flags(gym_worker_of(in))[in->slot] != s->ended) {
        lose(s, c, "replayed, it came to another place: this environment does not repeat itself");
        return false;
    }
    in->fingerprint = s->fingerprint;
    in->fits = true;
    return true;
}

bool gym_ready(gym_instance *in, gym_state *s) {
    if (in->fits && in->fingerprint == s->fingerprint && !s->lost) return true;
    return replay(in, s, in->renders);
}

void gym_seed(void *state, const void *options, uint64_t seed) {
    (void)options;
    gym_state *s = state;
    s->seed = seed;
    s->seeded = true;
}

bool gym_begin(gym_instance *in, gym_state *s) {
    gym_group *g = in->group;
    gym_class *c = g->of;
    if (!s->seeded && s->fingerprint && !gym_ready(in, s)) {
        s->seed = mix(s->seed, s->fingerprint); // its generator is lost: another, but always the same one
        s->seeded = true;
    }
    bool done = gym_ask(in, GYM_RESET, s->seeded, s->seed, 0);
    while (!done &&
           !g->status) { // the worker died; the ended episode, played again, brings its generator back
        if (!s->seeded && !(s->fingerprint && gym_ready(in, s))) {
            s->seed = mix(s->seed, s->fingerprint);
            s->seeded = true;
        }
        done = gym_ask(in, GYM_RESET, s->seeded, s->seed, 0);
    }
    memset(&s->start, 0, sizeof s->start);
    s->start.kind = GYM_START_SEED;
    if (done && !s->seeded) {
        const gym_start *start = gym_worker_start_of(gym_worker_of(in), in->slot);
        memcpy(&s->start, start, sizeof s->start);
        if (s->start.blob_size > c->blob_room) s->start.blob_size = 0;
        memcpy(blob_of(s), start + 1, s->start.blob_size);
    }
    s->fingerprint = mix(s->seed, hash_bytes(&s->start, sizeof s->start));
    s->length = 0;
    s->earned = 0;
    s->seeded = s->lost = false;
    s->ended = 0;
    if (done) note(in, s);
    return done;
}

// --- steps -------------------------------------------------------------------------------------------------

void gym_end_lost(const gym_instance *in, gym_state *s) {
    if (!s->lost && !in->group->status) lose(s, in->group->of, "its worker died of the same step twice");
    s->ended = GYM_TRUNCATED;
    s->lost = true;
}

// Takes note of a step.
static void end_step(gym_instance *in, gym_state *s, int action) {
    const gym_class *c = in->group->of;
    const uint8_t flags = gym_worker_flags(gym_worker_of(in))[in->slot];
    in->reward = gym_worker_rewards(gym_worker_of(in))[in->slot];
    in->frames = in->ran ? flags >> FRAMES_AT : 1;
    s->ended = flags & (GYM_TERMINATED | GYM_TRUNCATED);
    for (int i = 0; i < in->frames; i++, s->length++)
        if (s->length < (int64_t)c->longest) actions_of(c, s)[s->length] = (uint8_t)action;
    s->earned += in->reward;
    s->fingerprint = mix(s->fingerprint, (uint64_t)action);
    note(in, s);
}

// The worker sets flags only where an episode ends.
static void put_action(const gym_instance *in, int action) {
    gym_worker_actions(gym_worker_of(in))[in->slot] = action;
    gym_worker_flags(gym_worker_of(in))[in->slot] = 0;
}

bool gym_advance(gym_instance *in, gym_state *s, int action, int frames) {
    in->ran = frames > 1;
    in->ahead = 0;
    for (int attempt = 0; attempt < 2 && gym_ready(in, s); attempt++) {
        put_action(in, action);
        if (!gym_ask(in, in->ran ? GYM_RUN : GYM_STEP, true, (uint64_t)frames, 0)) continue;
        in->group->steps[in->worker]++;
        end_step(in, s, action);
        return true;
    }
    return false;
}

gym_state *gym_state_at(void *states, size_t stride, int i) {
    return (gym_state *)((unsigned char *)states + (size_t)i * stride);
}

void gym_advance_many(void *states, size_t stride, int count, const int32_t *actions, int frames) {
    gym_group *g = gym_find(states)->group;
    for (int i = 0; i < g->count; i++)
        if (g->instances[i]) g->instances[i]->waits = g->instances[i]->stepped = false;
    bool missing = true;
    for (int attempt = 0; missing && attempt < 2; attempt++) {
        for (int i = 0; i < count; i++) {
            gym_state *s = gym_state_at(states, stride, i);
            gym_instance *in = gym_find(s);
            if (in->stepped) continue;
            in->ran = frames > 1;
            in->ahead = in->frames = 0;
            in->waits = gym_ready(in, s); // a worker that dies of this takes those with it that wait already
            if (in->waits) put_action(in, actions[i]);
        }
        while (!g->status && gym_step_slots(g, frames)) {
        }
        missing = false;
        for (int i = 0; i < count; i++) {
            gym_state *s = gym_state_at(states, stride, i);
            gym_instance *in = gym_find(s);
            missing |= !in->stepped;
            if (in->stepped && in->frames == 0) end_step(in, s, actions[i]);
        }
    }
}
