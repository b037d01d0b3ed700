// Studies as plain data: building and looking things up.
#include "tune/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_status no_memory(dq_error *error) {
    return dq_fail(error, DQ_MEMORY, "study", "there is no memory for the study's trials");
}

// Room for one more in an array of `count` items that grows by doubling: [1], [2], [4], [8], ...
static bool grow(void **array, int count, size_t size) {
    if (count & (count - 1)) return true;
    void *larger = realloc(*array, (count ? 2 * (size_t)count : 1) * size);
    if (!larger) return false;
    *array = larger;
    return true;
}

static char *copy_text(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

dq_status dq_study_init(dq_study *study, const char *name, const dq_direction *directions, int count,
                        dq_error *error) {
    *study = (dq_study){.direction_count = count};
    study->name = copy_text(name);
    study->directions = calloc((size_t)count, sizeof *directions);
    if (!study->name || !study->directions) {
        dq_study_deinit(study);
        return no_memory(error);
    }
    memcpy(study->directions, directions, (size_t)count * sizeof *directions);
    return DQ_OK;
}

void dq_attributes_deinit(dq_attributes *attributes) {
    for (int i = 0; i < attributes->count; i++) {
        free(attributes->at[i].key);
        free(attributes->at[i].json);
    }
    free(attributes->at);
    *attributes = (dq_attributes){0};
}

void dq_trial_deinit(dq_trial *trial) {
    free(trial->params);
    free(trial->intermediates);
    free(trial->values);
    dq_attributes_deinit(&trial->user);
    dq_attributes_deinit(&trial->system);
    *trial = (dq_trial){0};
}

static void free_distribution(dq_distribution *d) {
    for (int i = 0; d->choices && i < d->choice_count; i++) free((char *)d->choices[i]);
    free((void *)d->choices);
    free(d);
}

void dq_study_deinit(dq_study *study) {
    for (int i = 0; i < study->trial_count; i++) {
        dq_trial_deinit(study->trials[i]);
        free(study->trials[i]);
    }
    for (int i = 0; i < study->name_count; i++) free(study->names[i]);
    for (int i = 0; i < study->distribution_count; i++) free_distribution(study->distributions[i]);
    free(study->trials);
    free(study->names);
    free(study->distributions);
    free(study->directions);
    free(study->name);
    dq_attributes_deinit(&study->user);
    dq_attributes_deinit(&study->system);
    *study = (dq_study){0};
}

const char *dq_study_name(dq_study *study, const char *name) {
    for (int i = 0; i < study->name_count; i++)
        if (!strcmp(study->names[i], name)) return study->names[i];
    if (!grow((void **)&study->names, study->name_count, sizeof *study->names)) return NULL;
    char *copy = copy_text(name);
    if (copy) study->names[study->name_count++] = copy;
    return copy;
}

const dq_distribution *dq_study_distribution(dq_study *study, const dq_distribution *distribution) {
    for (int i = 0; i < study->distribution_count; i++)
        if (dq_distribution_equal(study->distributions[i], distribution)) return study->distributions[i];
    if (!grow((void **)&study->distributions, study->distribution_count, sizeof *study->distributions))
        return NULL;
    dq_distribution *copy = malloc(sizeof *copy);
    if (!copy) return NULL;
    *copy = *distribution;
    copy->choices = NULL;
    if (distribution->choice_count > 0) {
        const char **choices = calloc((size_t)distribution->choice_count, sizeof *choices);
        copy->choices = choices;
        bool whole = choices != NULL;
        for (int i = 0; whole && i < distribution->choice_count; i++)
            whole = (choices[i] = copy_text(distribution->choices[i])) != NULL;
        if (!whole) {
            free_distribution(copy);
            return NULL;
        }
    }
    study->distributions[study->distribution_count++] = copy;
    return copy;
}

dq_status dq_study_add_trial(dq_study *study, dq_trial **trial, dq_error *error) {
    dq_trial *added = calloc(1, sizeof *added);
    if (!added || !grow((void **)&study->trials, study->trial_count, sizeof *study->trials)) {
        free(added);
        return no_memory(error);
    }
    added->number = study->trial_count;
    added->state = DQ_TRIAL_RUNNING;
    added->started = added->completed = DQ_NO_TIME;
    study->trials[study->trial_count++] = added;
    *trial = added;
    return DQ_OK;
}

dq_status dq_trial_set_param(dq_study *study, dq_trial *trial, const char *name,
                             const dq_distribution *distribution, double value, dq_error *error) {
    dq_trial_param param = {dq_study_name(study, name), dq_study_distribution(study, distribution), value};
    if (!param.name || !param.distribution) return no_memory(error);
    for (int i = 0; i < trial->param_count; i++)
        if (trial->params[i].name == param.name) {
            trial->params[i] = param;
            return DQ_OK;
        }
    if (!grow((void **)&trial->params, trial->param_count, sizeof param)) return no_memory(error);
    trial->params[trial->param_count++] = param;
    return DQ_OK;
}

dq_status dq_trial_set_intermediate(dq_trial *trial, int64_t step, double value, dq_error *error) {
    int at = trial->intermediate_count;
    while (at > 0 && trial->intermediates[at - 1].step >= step) at--;
    if (at < trial->intermediate_count && trial->intermediates[at].step == step) {
        trial->intermediates[at].value = value;
        return DQ_OK;
    }
    if (!grow((void **)&trial->intermediates, trial->intermediate_count, sizeof *trial->intermediates))
        return no_memory(error);
    dq_intermediate *place = &trial->intermediates[at];
    memmove(place + 1, place, (size_t)(trial->intermediate_count - at) * sizeof *place);
    *place = (dq_intermediate){step, value};
    trial->intermediate_count++;
    return DQ_OK;
}

dq_status dq_trial_set_values(dq_trial *trial, const double *values, int count, dq_error *error) {
    double *copy = malloc((size_t)(count ? count : 1) * sizeof *copy);
    if (!copy) return no_memory(error);
    if (count > 0) memcpy(copy, values, (size_t)count * sizeof *copy);
    free(trial->values);
    trial->values = copy;
    trial->value_count = count;
    return DQ_OK;
}

dq_status dq_attributes_set(dq_attributes *attributes, const char *key, const char *json, dq_error *error) {
    char *text = copy_text(json);
    if (!text) return no_memory(error);
    for (int i = 0; i < attributes->count; i++)
        if (!strcmp(attributes->at[i].key, key)) {
            free(attributes->at[i].json);
            attributes->at[i].json = text;
            return DQ_OK;
        }
    char *name = copy_text(key);
    if (!name || !grow((void **)&attributes->at, attributes->count, sizeof *attributes->at)) {
        free(name);
        free(text);
        return no_memory(error);
    }
    attributes->at[attributes->count++] = (dq_attribute){name, text};
    return DQ_OK;
}

const dq_trial_param *dq_trial_find_param(const dq_trial *trial, const char *name) {
    for (int i = 0; i < trial->param_count; i++)
        if (trial->params[i].name == name || !strcmp(trial->params[i].name, name)) return &trial->params[i];
    return NULL;
}

const char *dq_attributes_find(const dq_attributes *attributes, const char *key) {
    for (int i = 0; i < attributes->count; i++)
        if (!strcmp(attributes->at[i].key, key)) return attributes->at[i].json;
    return NULL;
}

bool dq_trial_finished(const dq_trial *trial) {
    return trial->state != DQ_TRIAL_RUNNING && trial->state != DQ_TRIAL_WAITING;
}

double dq_trial_last(const dq_trial *trial, int64_t *step) {
    if (trial->intermediate_count == 0) return (double)NAN;
    const dq_intermediate *last = &trial->intermediates[trial->intermediate_count - 1];
    if (step) *step = last->step;
    return last->value;
}

bool dq_better(dq_direction direction, double a, double b) {
    if (isnan(a)) return false;
    if (isnan(b)) return true;
    return direction == DQ_MAXIMIZE ? a > b : a < b;
}

static bool counts(const dq_study *study, const dq_trial *trial) {
    return trial->state == DQ_TRIAL_COMPLETE && trial->value_count == study->direction_count;
}

const dq_trial *dq_study_best(const dq_study *study) {
    const dq_trial *best = NULL;
    for (int i = 0; i < study->trial_count; i++) {
        const dq_trial *trial = study->trials[i];
        if (counts(study, trial) &&
            (!best || dq_better(study->directions[0], trial->values[0], best->values[0])))
            best = trial;
    }
    return best;
}

static bool beats(const dq_study *study, const dq_trial *a, const dq_trial *b) {
    bool somewhere = false;
    for (int k = 0; k < study->direction_count; k++) {
        if (dq_better(study->directions[k], b->values[k], a->values[k])) return false;
        somewhere |= dq_better(study->directions[k], a->values[k], b->values[k]);
    }
    return somewhere;
}

int dq_study_front(const dq_study *study, const dq_trial **best) {
    int found = 0;
    for (int i = 0; i < study->trial_count; i++) {
        bool beaten = !counts(study, study->trials[i]);
        for (int j = 0; j < study->trial_count && !beaten; j++)
            beaten = counts(study, study->trials[j]) && beats(study, study->trials[j], study->trials[i]);
        if (!beaten) best[found++] = study->trials[i];
    }
    return found;
}

// --- distributions ----------------------------------------------------------------------------------------

bool dq_distribution_equal(const dq_distribution *a, const dq_distribution *b) {
    if (!dq_distribution_compatible(a, b)) return false;
    return a->low == b->low && a->high == b->high && a->step == b->step;
}

bool dq_distribution_compatible(const dq_distribution *a, const dq_distribution *b) {
    if (a->kind != b->kind || a->log != b->log || a->choice_count != b->choice_count) return false;
    for (int i = 0; i < a->choice_count; i++)
        if (strcmp(a->choices[i], b->choices[i]) != 0) return false;
    return true;
}

bool dq_distribution_contains(const dq_distribution *d, double value) {
    if (!(value >= d->low && value <= d->high)) return false;
    if (!(d->step > 0)) return true;
    const double k = (value - d->low) / d->step;
    return fabs(k - rint(k)) < 1e-8; // Optuna's tolerance
}

bool dq_distribution_single(const dq_distribution *d) {
    return d->low == d->high || (d->step > 0 && d->high - d->low < d->step);
}

double dq_distribution_snap(const dq_distribution *d, double value) {
    if (d->step > 0) value = d->low + rint((value - d->low) / d->step) * d->step;
    if (value > d->high) {
        value = d->high;
        if (d->step > 0) value = d->low + floor((d->high - d->low) / d->step + 1e-8) * d->step;
    }
    return value < d->low ? d->low : value;
}
