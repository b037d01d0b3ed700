// Makes the class of an id "gym:ID" when it is first looked up: a worker is started and asked what it has.
#include "gym/class.h"

#include <deepq/gym.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "gym:"

// The actions of an episode that are kept: the environment's limit, within these. An Atari game ends after
// 108,000 frames.
enum { SHORTEST = 1024, USUAL = 65536, LONGEST = 131072 };

static const dq_option workers_row = {
    .name = "workers",
    .type = DQ_OPTION_INT,
    .offset = offsetof(gym_options, workers),
    .default_text = "1",
    .min = 1,
    .max = 64,
    .help = "processes that step the environments; these are dealt out to them in turn",
};

static dq_status fit(const gym_class *self, dq_error *error) {
    const gym_description *d = &self->about;
    bool sound =
        d->actions >= 1 && d->actions <= DQ_ACTIONS_MAX && d->blob_room <= 1 << 24 && d->step_limit >= 0;
    for (int i = 0; i < 3; i++) sound &= d->shape[i] >= 1 && d->shape[i] <= 4096;
    if (!sound || (!d->image && d->shape[0] > DQ_OBSERVATION_MAX))
        return dq_fail(error, DQ_FORMAT, self->id, "its worker process describes it wrongly");
    return DQ_OK;
}

// The tuned values of its name are its own; but where an environment of that name is built in, only if that
// shows the same, and then it is scaled as that one, too.
static void follow_built_in(dq_env_class *c, const char *name) {
    c->tuned_as = name;
    for (int i = 0; i < dq_env_count(); i++) {
        const dq_env_class *other = dq_env_at(i);
        if (strcmp(other->id, name)) continue;
        const bool same = dq_space_same(&other->observation, &c->observation);
        c->tuned_as = same ? name : NULL;
        if (same) c->features = other->features;
    }
}

static void describe(gym_class *self) {
    const gym_description *d = &self->about;
    dq_env_class *c = &self->base;
    c->id = self->id;
    snprintf(self->summary, sizeof self->summary, "%s, stepped by Python", self->id + strlen(PREFIX));
    c->summary = self->summary;
    c->source = self->about.source;
    const int shape[] = {(int)d->shape[0], (int)d->shape[1], (int)d->shape[2]};
    c->observation =
        d->image ? (dq_space)DQ_IMAGE(shape[0], shape[1], shape[2]) : (dq_space)DQ_VECTOR(shape[0]);
    memcpy(self->low, d->low, sizeof self->low);
    memcpy(self->high, d->high, sizeof self->high);
    for (int i = 0; i < DQ_OBSERVATION_MAX; i++) {
        snprintf(self->names[i], sizeof self->names[i], "obs%d", i);
        self->observation_names[i] = self->names[i];
    }
    c->observation_low = self->low;
    c->observation_high = self->high;
    c->observation_names = self->observation_names;
    c->actions = (int)d->actions;
    for (int i = 0; i < DQ_ACTIONS_MAX; i++) self->action_names[i] = self->about.action_names[i];
    c->action_names = self->action_names;
    c->step_limit = d->step_limit > INT32_MAX ? 0 : (int)d->step_limit;
    c->reward_threshold = d->threshold;
    c->frame_rate = isfinite(d->frame_rate) && d->frame_rate > 0 ? d->frame_rate : 30;
    self->atari = d->has_lives && d->image && d->shape[0] == DQ_SCREEN_HEIGHT &&
                  d->shape[1] == DQ_SCREEN_WIDTH && d->shape[2] == 3;
    self->fire = d->actions > 2 && !strcmp(self->action_names[1], "FIRE") ? 1 : -1;
    const int rows = self->atari ? DQ_ATARI_ROWS : 0;
    memcpy(self->option_rows, dq_atari_rows, (size_t)rows * sizeof *dq_atari_rows);
    self->option_rows[rows] = workers_row;
    c->options = (dq_option_table){self->option_rows, rows + 1};
    c->options_size = sizeof(gym_options);
    self->width = dq_space_bytes(&c->observation);
    self->blob_room = d->blob_room;
    self->longest = c->step_limit == 0         ? (d->has_lives ? LONGEST : USUAL)
                    : c->step_limit < SHORTEST ? SHORTEST
                    : c->step_limit > LONGEST  ? LONGEST
                                               : (size_t)c->step_limit;
    gym_class_fill(self);
    follow_built_in(c, self->id + strlen(PREFIX));
}

static const dq_env_class *find_class(const char *id, dq_error *error) {
    gym_worker *worker;
    if (!id[strlen(PREFIX)] || strlen(id) >= sizeof((gym_class *)NULL)->id) {
        dq_fail(error, DQ_USAGE, id, "a Gymnasium environment is named gym:ID, for example gym:CartPole-v1");
        return NULL;
    }
    if (gym_worker_start(&worker, id, error)) return NULL;
    gym_class *self = calloc(1, sizeof *self);
    dq_status status = self ? DQ_OK : dq_fail(error, DQ_MEMORY, id, "there is no memory for the environment");
    if (!status) {
        snprintf(self->id, sizeof self->id, "%s", id);
        self->about = *gym_worker_description(worker);
        status = fit(self, error);
    }
    if (status) {
        gym_worker_stop(worker);
        free(self);
        return NULL;
    }
    pthread_mutex_init(&self->lock, NULL);
    self->spare = worker;
    describe(self);
    return &self->base;
}

dq_status dq_gym_register(dq_error *error) {
    return dq_env_register_family(PREFIX, find_class, error);
}
