// The list of environment classes: the built-in ones, found by file name at configure time, then the
// ones the user's program registered or looked up in a family. Classes are constant; the list only grows, and
// any thread may look up.
#include "base/text.h"

#include <deepq/env.h>

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { REGISTERED_MAX = 256, FAMILIES_MAX = 8 };

// Made by cmake/generated.cmake: one NULL-terminated array of classes for each src/env/env_*.c.
extern const dq_env_class *const *const dq_env_builtin[];

static const dq_env_class *registered[REGISTERED_MAX];
static atomic_int registered_count;

static struct family {
    const char *prefix;
    dq_env_family_fn *find;
} families[FAMILIES_MAX];
static int family_count;
static pthread_mutex_t family_lock = PTHREAD_MUTEX_INITIALIZER;

int dq_env_count(void) {
    int count = 0;
    for (int file = 0; dq_env_builtin[file]; file++) {
        for (int i = 0; dq_env_builtin[file][i]; i++) count++;
    }
    return count + registered_count;
}

const dq_env_class *dq_env_at(int index) {
    assert(index >= 0);
    for (int file = 0; dq_env_builtin[file]; file++) {
        for (int i = 0; dq_env_builtin[file][i]; i++) {
            if (index-- == 0) return dq_env_builtin[file][i];
        }
    }
    assert(index < registered_count);
    return registered[index];
}

static const dq_env_class *find(const char *id) {
    for (int i = 0; i < dq_env_count(); i++) {
        if (strcmp(dq_env_at(i)->id, id) == 0) return dq_env_at(i);
    }
    return NULL;
}

static const dq_env_class *find_in_family(const struct family *family, const char *id, dq_error *error) {
    pthread_mutex_lock(&family_lock);
    const dq_env_class *found = find(id); // another thread may have been quicker
    if (!found) {
        found = family->find(id, error);
        if (found && dq_env_register(found, error)) found = NULL;
    }
    pthread_mutex_unlock(&family_lock);
    return found;
}

const dq_env_class *dq_env_find(const char *id, dq_error *error) {
    const dq_env_class *found = find(id);
    if (found) return found;
    for (int i = 0; i < family_count; i++) {
        const struct family *family = &families[i];
        if (!strncmp(id, family->prefix, strlen(family->prefix))) return find_in_family(family, id, error);
    }

    const char *nearest = NULL;
    int smallest = dq_text_near(id) + 1;
    for (int i = 0; i < dq_env_count(); i++) {
        int distance = dq_text_distance(id, dq_env_at(i)->id);
        if (distance < smallest) {
            smallest = distance;
            nearest = dq_env_at(i)->id;
        }
    }
    if (nearest) {
        dq_fail(error, DQ_USAGE, "environment", "there is no environment '%s'; did you mean '%s'?", id,
                nearest);
    } else {
        dq_fail(error, DQ_USAGE, "environment", "there is no environment '%s'; 'deepq envs' lists them", id);
    }
    return NULL;
}

static const char *what_observation_lacks(const dq_env_class *c) {
    const dq_space *o = &c->observation;
    if (o->element == DQ_U8) {
        const bool image = o->rank == 3 && o->shape[0] > 0 && o->shape[1] > 0 && o->shape[2] > 0 &&
                           o->size == o->shape[0] * o->shape[1] * o->shape[2];
        return image ? NULL : "an image of height, width and channels, DQ_IMAGE(height, width, channels)";
    }
    if (o->rank != 1 || o->size != o->shape[0] || o->size < 1 || o->size > DQ_OBSERVATION_MAX) {
        return "an observation of 1 to DQ_OBSERVATION_MAX numbers, DQ_VECTOR(features)";
    }
    if (!c->observation_low || !c->observation_high || !c->observation_names) {
        return "observation bounds and names";
    }
    for (int i = 0; i < o->size; i++) {
        if (!(c->observation_low[i] <= c->observation_high[i])) return "observation bounds in order";
        if (!c->observation_names[i]) return "a name for every observation";
    }
    return NULL;
}

dq_space dq_env_observation(const dq_env_class *env_class, const void *options) {
    return options && env_class->observation_with ? env_class->observation_with(options)
                                                  : env_class->observation;
}

// What is missing from a class, or NULL when it is complete.
static const char *what_is_missing(const dq_env_class *env_class) {
    const dq_env_class *c = env_class;
    if (!c->id || !*c->id) return "an id";
    if (!c->summary || !c->source) return "a summary and a source";
    const char *missing = what_observation_lacks(c);
    if (missing) return missing;
    if (c->actions < 1 || c->actions > DQ_ACTIONS_MAX) return "a number of actions from 1 to DQ_ACTIONS_MAX";
    if (!c->action_names) return "action names";
    for (int i = 0; i < c->actions; i++) {
        if (!c->action_names[i]) return "a name for every action";
    }
    if (c->step_limit < 0) return "a step limit of 0 (none) or more";
    if (c->state_size == 0) return "a state size";
    if (c->options.count < 0 || (c->options.count > 0 && (!c->options.rows || c->options_size == 0))) {
        return "the rows and the size of its options";
    }
    if (!c->reset || !c->step) return "reset and step functions";
    if (!c->life_lost != !c->resume) return "life_lost and resume together, or neither";
    if (c->hand_keys && strlen(c->hand_keys) != (size_t)c->actions) return "a hand key for every action";
    if (c->step_with_noise && (c->noise_size < 1 || c->noise_size > DQ_OBSERVATION_MAX)) {
        return "a noise size from 1 to DQ_OBSERVATION_MAX";
    }
    return NULL;
}

dq_status dq_env_register(const dq_env_class *env_class, dq_error *error) {
    const char *id = env_class->id ? env_class->id : "(no id)";
    const char *missing = what_is_missing(env_class);
    if (missing) {
        return dq_fail(error, DQ_USAGE, id, "the environment class \"%s\" needs %s", id, missing);
    }
    if (find(id)) {
        return dq_fail(error, DQ_USAGE, id, "an environment \"%s\" is registered already; choose another id",
                       id);
    }
    if (registered_count == REGISTERED_MAX) {
        return dq_fail(error, DQ_USAGE, id, "\"%s\" is one class too many: at most %d can be registered", id,
                       REGISTERED_MAX);
    }
    registered[registered_count] = env_class;
    registered_count++; // only now may others see it
    return DQ_OK;
}

dq_status dq_env_register_family(const char *prefix, dq_env_family_fn *find_class, dq_error *error) {
    for (int i = 0; i < family_count; i++) {
        if (!strcmp(families[i].prefix, prefix))
            return dq_fail(error, DQ_USAGE, prefix, "the family \"%s\" is registered already", prefix);
    }
    if (family_count == FAMILIES_MAX) {
        return dq_fail(error, DQ_USAGE, prefix, "\"%s\" is one family too many: at most %d can be registered",
                       prefix, FAMILIES_MAX);
    }
    families[family_count++] = (struct family){prefix, find_class};
    return DQ_OK;
}
