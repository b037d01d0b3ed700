// Groups: workers start and are replaced when they die, instances come and go, requests reach them. group.h
// tells of it.
#include "gym/group.h"

#include "env/keep.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEATHS_MOST = 8,      // of a worker, with fewer than
    STEPS_BETWEEN = 1000, // answered between one and the next
};

// By a state's address, and by that of the options.
static dq_keep kept_instances = {.lock = PTHREAD_MUTEX_INITIALIZER};
static dq_keep kept_groups = {.lock = PTHREAD_MUTEX_INITIALIZER};

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

static void break_down(gym_group *g, dq_status status) {
    if (!g->status) g->status = status;
    for (int i = 0; i < g->count; i++)
        if (g->instances[i]) g->instances[i]->fits = false;
}

// Tells that worker k has died, and starts another in its place, with no environment yet.
static void replace_worker(gym_group *g, int k) {
    gym_class *c = g->of;
    char words[300];
    int episodes = 0;
    gym_worker_last_words(g->workers[k], words, sizeof words);
    for (int i = k; i < g->count; i += g->worker_count) {
        if (!g->instances[i]) continue;
        g->instances[i]->fits = g->instances[i]->renders = g->instances[i]->waits = false;
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
    gym_group *g = *(gym_group **)room;
    if (!g) return;
    for (int k = 0; k < g->worker_count; k++) gym_worker_stop(g->workers[k]);
    free(g->instances);
    free(g);
}

static gym_group *group_of(const void *options) {
    gym_group **room = dq_keep_find(&kept_groups, options, sizeof(gym_group *));
    return room ? *room : NULL;
}

static dq_status make_group(gym_group **out, gym_class *c, const gym_options *options, dq_error *error) {
    gym_group **room = dq_keep_find(&kept_groups, options, sizeof(gym_group *));
    if (!room || (!*room && !(*room = calloc(1, sizeof **room))))
        return dq_fail(error, DQ_MEMORY, c->id, "there is no memory for its environments");
    *out = *room;
    if ((*out)->of)
        return (*out)->status ? dq_fail(error, (*out)->status, c->id, "%s", (*out)->error.message) : DQ_OK;
    (*out)->of = c;
    (*out)->worker_count = (int)options->workers;
    return DQ_OK;
}

static void leave(gym_group *g, const void *options) {
    if (--g->left == 0) dq_keep_release(&kept_groups, options, drop_group);
}

dq_status gym_open(const dq_env_class *env_class, void *state, const void *options, dq_error *error) {
    gym_class *c = (gym_class *)env_class;
    gym_group *g = NULL;
    gym_instance *in = dq_keep_find(&kept_instances, state, sizeof *in + sizeof options);
    dq_status status = in ? make_group(&g, c, options, error)
                          : dq_fail(error, DQ_MEMORY, c->id, "there is no memory for its environments");
    if (status) return status;
    assert(!in->group && "a state is opened once");
    g->left++;
    if (g->count == g->room) {
        const int room = g->room ? 2 * g->room : 16;
        gym_instance **grown = realloc(g->instances, (size_t)room * sizeof(gym_instance *));
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
    *in = (gym_instance){.group = g, .worker = k, .slot = g->count / g->worker_count};
    memcpy(in + 1, &options, sizeof options);
    g->instances[g->count++] = in;
    return DQ_OK;
}

static void close_instance(void *room) {
    gym_instance *in = room;
    gym_group *g = in->group;
    if (!g) return;
    const void *options;
    memcpy(&options, in + 1, sizeof options);
    for (int i = 0; i < g->count; i++)
        if (g->instances[i] == in) g->instances[i] = NULL;
    leave(g, options);
}

void gym_close(const void *state) {
    dq_keep_release(&kept_instances, state, close_instance);
}

dq_status gym_check(const void *options, dq_error *error) {
    const gym_group *g = group_of(options);
    if (!g || !g->status) return DQ_OK;
    if (error) *error = g->error;
    return g->status;
}

gym_instance *gym_find(const void *state) {
    gym_instance *in = dq_keep_find(&kept_instances, state, sizeof *in + sizeof(void *));
    assert(in && in->group && "a state is opened before it is used");
    return in;
}

gym_worker *gym_worker_of(const gym_instance *in) {
    return in->group->workers[in->worker];
}

// --- requests ----------------------------------------------------------------------------------------------

bool gym_ask(gym_instance *in, gym_command command, bool flag, uint64_t argument, uint64_t seed) {
    gym_group *g = in->group;
    if (g->status) return false;
    gym_worker_post(gym_worker_of(in), command, in->slot, flag, argument, seed);
    if (gym_worker_wait(gym_worker_of(in))) return true;
    replace_worker(g, in->worker);
    return false;
}

bool gym_step_slots(gym_group *g, int frames) {
    int first[GYM_WORKERS_MOST], count[GYM_WORKERS_MOST];
    bool any = false;
    for (int k = 0; k < g->worker_count; k++) {
        int i = k;
        while (i < g->count && !(g->instances[i] && g->instances[i]->waits)) i += g->worker_count;
        first[k] = i / g->worker_count;
        for (count[k] = 0; i < g->count && g->instances[i] && g->instances[i]->waits; i += g->worker_count)
            count[k]++;
        if (count[k] > 0)
            gym_worker_post(g->workers[k], frames > 1 ? GYM_RUN : GYM_STEP, first[k], count[k],
                            (uint64_t)frames, 0);
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
