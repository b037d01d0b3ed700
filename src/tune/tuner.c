// Asking, reporting and telling, under one lock.
#include "tune/tuner.h"

#include "tune/json.h"
#include "tune/worker.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// What was last seen of another machine's worker.
typedef struct sighting {
    int64_t number; // of the trial
    char beat[32];
    double since; // seconds of the clock when `beat` was new
} sighting;

struct dq_tuner {
    dq_tune_config config;
    dq_storage *storage;
    dq_study *study;
    const dq_search *search;
    dq_trial_param *space; // [search->count]
    const dq_pruner_class *pruner;
    dq_suggester *suggester;
    pthread_mutex_t lock; // guards storage, study and all below
    dq_trial **mine;      // [mine_count] running in this process
    int mine_count;
    sighting *seen; // [seen_count] running elsewhere
    int seen_count;
    char worker[256], worker_json[264];
    double beaten; // the clock at the last heartbeat
    int64_t beats;
};

static double clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

dq_status dq_tuner_create(dq_tuner **out, const dq_tune_config *config, dq_storage *storage, dq_study *study,
                          const dq_search *search, dq_error *error) {
    dq_tuner *self = calloc(1, sizeof *self);
    *out = self;
    if (!self) return dq_fail(error, DQ_MEMORY, "tuner", "there is no memory for the search");
    self->config = *config;
    self->storage = storage;
    self->study = study;
    self->search = search;
    self->pruner = dq_pruner_classes[config->pruner];
    pthread_mutex_init(&self->lock, NULL);
    dq_worker_self(self->worker, sizeof self->worker);
    snprintf(self->worker_json, sizeof self->worker_json, "\"%s\"", self->worker);
    self->beaten = clock_now();
    self->space = calloc((size_t)search->count + 1, sizeof *self->space);
    dq_status status = self->space ? dq_search_intern(search, study, self->space, error)
                                   : dq_fail(error, DQ_MEMORY, "tuner", "there is no memory for the search");
    const dq_suggester_class *class = dq_suggester_classes[config->suggester];
    if (!status)
        status = class->create(&self->suggester, dq_tune_strategy_options(config, &class->about), error);
    if (!status) {
        self->suggester->suggester_class = class;
        return DQ_OK;
    }
    dq_tuner_destroy(self);
    *out = NULL;
    return status;
}

void dq_tuner_destroy(dq_tuner *self) {
    if (!self) return;
    if (self->suggester) self->suggester->suggester_class->destroy(self->suggester);
    pthread_mutex_destroy(&self->lock);
    free(self->space);
    free(self->mine);
    free(self->seen);
    free(self);
}

// --- suggesting -------------------------------------------------------------------------------------------

// The trials that a suggestion for `trial` may learn from: list [trial_count].
static int gather(const dq_tuner *self, const dq_trial *trial, const dq_trial **list) {
    const void *options = dq_tune_strategy_options(&self->config, &self->pruner->about);
    int count = 0;
    for (int i = 0; i < self->study->trial_count; i++) {
        const dq_trial *other = self->study->trials[i];
        if (other != trial &&
            (!self->pruner->same_group || self->pruner->same_group(options, self->study, trial, other)))
            list[count++] = other;
    }
    return count;
}

// A value that somebody wishes for: Optuna's enqueue_trial leaves it in the trial's system attributes.
static bool wished(const dq_trial *trial, const dq_trial_param *param, double *value) {
    const char *text = dq_attributes_find(&trial->system, "fixed_params");
    if (!text) return false;
    struct json_object *all = dq_json_parse(text, strlen(text)), *one = dq_json_member(all, param->name);
    const bool found = one && dq_param_from_json(param->distribution, dq_json_text(one), value);
    json_object_put(all);
    return found;
}

// Draws what `trial` (the study's, running) still lacks, into `params`, which starts as a copy of its
// parameters.
static dq_status suggest(dq_tuner *self, const dq_trial *trial, dq_trial *params, dq_notes *notes,
                         dq_error *error) {
    const int dimensions = self->search->count;
    const dq_suggester_class *class = self->suggester->suggester_class;
    const dq_trial **list = calloc((size_t)self->study->trial_count + 1, sizeof *list);
    double *values = calloc((size_t)dimensions + 1, sizeof *values);
    dq_status status = DQ_OK;
    if (!list || !values) status = dq_fail(error, DQ_MEMORY, "tuner", "there is no memory for a suggestion");
    if (!status) {
        const dq_history history = {self->study, list, gather(self, trial, list)};
        dq_rng rng; // a trial's draws depend on nothing but the seed, its number and the history
        dq_rng_seed_child(&rng, (uint64_t)self->config.seed, (uint32_t[]){(uint32_t)trial->number}, 1);
        for (int i = 0; i < dimensions; i++) values[i] = (double)NAN;
        if (class->together)
            status = class->together(self->suggester, &history, params,
                                     &(dq_search_space){self->space, dimensions}, &rng, values, notes, error);
        for (int i = 0; i < dimensions && !status; i++) {
            const dq_trial_param *param = &self->space[i];
            double value = values[i];
            if (dq_trial_find_param(trial, param->name)) continue;
            if (!wished(trial, param, &value) && isnan(value))
                value = dq_distribution_single(param->distribution)
                            ? param->distribution->low
                            : class->alone(self->suggester, &history, params, param->name,
                                           param->distribution, &rng);
            status = dq_trial_set_param(self->study, params, param->name, param->distribution, value, error);
        }
    }
    free(list);
    free(values);
    return status;
}

// Everything in one write: parameters and notes.
static dq_status write_start(dq_tuner *self, dq_trial *trial, const dq_trial *params, const dq_notes *notes,
                             dq_error *error) {
    const int most = params->param_count + notes->count + 1;
    dq_change *changes = calloc((size_t)most, sizeof *changes);
    if (!changes) return dq_fail(error, DQ_MEMORY, "tuner", "there is no memory for a trial");
    int count = 0;
    for (int i = 0; i < params->param_count; i++)
        if (!dq_trial_find_param(trial, params->params[i].name))
            changes[count++] =
                (dq_change){.kind = DQ_CHANGE_PARAM, .trial = trial, .param = &params->params[i]};
    for (int i = 0; i < notes->count; i++)
        changes[count++] = (dq_change){
            .kind = DQ_CHANGE_SYSTEM, .trial = trial, .key = notes->at[i].key, .json = notes->at[i].json};
    dq_status status = dq_storage_write(self->storage, self->study, changes, count, error);
    free(changes);
    return status;
}

// --- workers that are gone --------------------------------------------------------------------------------

static bool is_mine(const dq_tuner *self, const dq_trial *trial) {
    for (int i = 0; i < self->mine_count; i++)
        if (self->mine[i] == trial) return true;
    return false;
}

static void drop(dq_tuner *self, const dq_trial *trial) {
    for (int i = 0; i < self->mine_count; i++)
        if (self->mine[i] == trial) self->mine[i] = self->mine[--self->mine_count];
}

// Has a trial of another machine shown no new heartbeat for three of its periods?
static bool silent(dq_tuner *self, const dq_trial *trial) {
    const char *beat = dq_attributes_find(&trial->user, DQ_HEARTBEAT);
    sighting *at = NULL;
    for (int i = 0; i < self->seen_count && !at; i++)
        if (self->seen[i].number == trial->number) at = &self->seen[i];
    if (!at) {
        sighting *larger = realloc(self->seen, ((size_t)self->seen_count + 1) * sizeof *larger);
        if (!larger) return false;
        self->seen = larger;
        at = &larger[self->seen_count++];
        *at = (sighting){.number = trial->number, .since = clock_now()};
    }
    if (strncmp(at->beat, beat ? beat : "", sizeof at->beat - 1) != 0) {
        snprintf(at->beat, sizeof at->beat, "%s", beat ? beat : "");
        at->since = clock_now();
    }
    return clock_now() - at->since > 3 * self->config.heartbeat;
}

// Does nobody work on this running trial any more? Trials of Optuna's own processes say nothing of that.
static bool orphaned(dq_tuner *self, const dq_trial *trial) {
    const char *json = dq_attributes_find(&trial->user, DQ_WORKER);
    if (trial->state != DQ_TRIAL_RUNNING || is_mine(self, trial) || !json) return false;
    struct json_object *text = dq_json_parse(json, strlen(json));
    const char *worker = json_object_get_string(text);
    const dq_worker_state state = worker ? dq_worker_look(worker) : DQ_WORKER_UNKNOWN;
    json_object_put(text);
    return state == DQ_WORKER_GONE || (state == DQ_WORKER_UNKNOWN && silent(self, trial));
}

// The numbers of the trials that this one repeats, as Optuna's RetryFailedTrialCallback keeps them.
static int history_of(const dq_trial *trial, struct json_object **history) {
    const char *text = dq_attributes_find(&trial->system, "retry_history");
    *history = text ? dq_json_parse(text, strlen(text)) : NULL;
    if (!json_object_is_type(*history, json_type_array)) {
        json_object_put(*history);
        *history = json_object_new_array();
    }
    return (int)json_object_array_length(*history);
}

// Gives a trial up, and queues its parameters again where it has some and `again` says so.
static dq_status abandon(dq_tuner *self, dq_trial *trial, bool always, dq_error *error) {
    struct json_object *history;
    dq_trial wanted = {.state = DQ_TRIAL_WAITING, .started = DQ_NO_TIME, .completed = DQ_NO_TIME};
    const char *wish = dq_attributes_find(&trial->system, "fixed_params");
    const bool again =
        (history_of(trial, &history) < self->config.retries || always) && (trial->param_count > 0 || wish);
    json_object_array_add(history, json_object_new_int64(trial->number));
    char number[32];
    snprintf(number, sizeof number, "%lld",
             (long long)json_object_get_int64(json_object_array_get_idx(history, 0)));
    dq_status status = dq_attributes_set(&wanted.system, "failed_trial", number, error);
    if (!status && wish) status = dq_attributes_set(&wanted.system, "fixed_params", wish, error);
    if (!status && !always)
        status = dq_attributes_set(&wanted.system, "retry_history", dq_json_text(history), error);
    json_object_put(history);
    for (int i = 0; i < trial->param_count && !status; i++)
        status = dq_trial_set_param(self->study, &wanted, trial->params[i].name,
                                    trial->params[i].distribution, trial->params[i].value, error);
    if (!status)
        status = dq_storage_abandon(self->storage, self->study, trial, again ? &wanted : NULL, error);
    dq_trial_deinit(&wanted);
    return status;
}

static dq_status give_up_orphans(dq_tuner *self, dq_error *error) {
    dq_status status = DQ_OK;
    const int count = self->study->trial_count;
    for (int i = 0; i < count && !status; i++)
        if (orphaned(self, self->study->trials[i])) {
            dq_log(
                DQ_LOG_WARNING,
                "trial %d was left by a process that is gone: it failed, and its parameters are tried again",
                i);
            status = abandon(self, self->study->trials[i], false, error);
        }
    return status;
}

// --- asking -----------------------------------------------------------------------------------------------

// A trial that waits, made ours, or a new one; NULL: there are enough.
static dq_status take_trial(dq_tuner *self, dq_trial **trial, dq_error *error) {
    bool ours = false;
    *trial = NULL;
    for (int i = 0; i < self->study->trial_count; i++) {
        dq_trial *waiting = self->study->trials[i];
        if (waiting->state != DQ_TRIAL_WAITING) continue;
        const dq_change by = {
            .kind = DQ_CHANGE_USER, .trial = waiting, .key = DQ_WORKER, .json = self->worker_json};
        dq_status status = dq_storage_claim(self->storage, self->study, waiting, &by, &ours, error);
        if (status || ours) {
            *trial = waiting;
            return status;
        }
    }
    dq_trial wanted = {.state = DQ_TRIAL_RUNNING, .started = DQ_NO_TIME, .completed = DQ_NO_TIME};
    dq_status status = dq_attributes_set(&wanted.user, DQ_WORKER, self->worker_json, error);
    if (!status)
        status = dq_storage_add(self->storage, self->study, &wanted, self->config.trials, trial, error);
    dq_trial_deinit(&wanted);
    return status;
}

static dq_status ask(dq_tuner *self, dq_trial **trial, dq_trial *params, dq_error *error) {
    dq_status status = dq_storage_sync(self->storage, self->study, error);
    if (!status) status = give_up_orphans(self, error);
    if (!status) status = take_trial(self, trial, error);
    if (status || !*trial) return status;
    dq_trial **larger = realloc(self->mine, ((size_t)self->mine_count + 1) * sizeof(dq_trial *));
    if (!larger) return dq_fail(error, DQ_MEMORY, "tuner", "there is no memory for a trial");
    self->mine = larger;
    self->mine[self->mine_count++] = *trial;

    dq_notes notes = {0};
    params->id = (*trial)->id;
    params->number = (*trial)->number;
    for (int i = 0; i < (*trial)->param_count && !status; i++)
        status = dq_trial_set_param(self->study, params, (*trial)->params[i].name,
                                    (*trial)->params[i].distribution, (*trial)->params[i].value, error);
    if (!status) status = suggest(self, *trial, params, &notes, error);
    if (status == DQ_NOT_FOUND) { // nothing is left to try
        drop(self, *trial);
        status = dq_storage_abandon(self->storage, self->study, *trial, NULL, error);
        *trial = NULL;
        return status;
    }
    return status ? status : write_start(self, *trial, params, &notes, error);
}

dq_status dq_tuner_ask(dq_tuner *self, dq_trial **trial, dq_trial *params, dq_error *error) {
    *trial = NULL;
    pthread_mutex_lock(&self->lock);
    dq_status status = ask(self, trial, params, error);
    pthread_mutex_unlock(&self->lock);
    return status;
}

// --- reporting and telling --------------------------------------------------------------------------------

dq_status dq_tuner_report(dq_tuner *self, dq_trial *trial, int64_t step, double value, bool *prune,
                          dq_error *error) {
    pthread_mutex_lock(&self->lock);
    const dq_change change = {.kind = DQ_CHANGE_INTERMEDIATE, .trial = trial, .step = step, .value = value};
    dq_status status = dq_storage_write(self->storage, self->study, &change, 1, error);
    *prune = false;
    if (!status && self->study->direction_count == 1) {
        dq_notes notes = {0};
        *prune = self->pruner->prune(dq_tune_strategy_options(&self->config, &self->pruner->about),
                                     self->study, trial, &notes);
        dq_change changes[DQ_NOTES_MAX];
        for (int i = 0; i < notes.count; i++)
            changes[i] = (dq_change){
                .kind = DQ_CHANGE_SYSTEM, .trial = trial, .key = notes.at[i].key, .json = notes.at[i].json};
        if (notes.count > 0)
            status = dq_storage_write(self->storage, self->study, changes, notes.count, error);
    }
    *prune |= dq_trial_finished(trial);
    pthread_mutex_unlock(&self->lock);
    return status;
}

dq_status dq_tuner_tell(dq_tuner *self, dq_trial *trial, dq_trial_state state, const double *values,
                        int count, double seconds, const char *reason, dq_error *error) {
    pthread_mutex_lock(&self->lock);
    double last = dq_trial_last(trial, NULL);
    for (int i = 0; i < count && state == DQ_TRIAL_COMPLETE; i++)
        if (isnan(values[i])) {
            state = DQ_TRIAL_FAILED;
            reason = "the objective is not a number";
        }
    if (state != DQ_TRIAL_COMPLETE) count = 0;
    if (state == DQ_TRIAL_PRUNED && !isnan(last)) {
        values = &last;
        count = 1;
    }
    struct json_object *text = reason ? json_object_new_string(reason) : NULL, *time = dq_json_real(seconds);
    dq_change changes[3];
    int number = 0;
    changes[number++] =
        (dq_change){.kind = DQ_CHANGE_USER, .trial = trial, .key = DQ_SECONDS, .json = dq_json_text(time)};
    if (text)
        changes[number++] =
            (dq_change){.kind = DQ_CHANGE_USER, .trial = trial, .key = DQ_REASON, .json = dq_json_text(text)};
    changes[number++] = (dq_change){
        .kind = DQ_CHANGE_STATE, .trial = trial, .state = state, .values = values, .value_count = count};
    dq_status status = dq_storage_write(self->storage, self->study, changes, number, error);
    json_object_put(time);
    json_object_put(text);
    drop(self, trial);
    pthread_mutex_unlock(&self->lock);
    return status;
}

dq_status dq_tuner_give_back(dq_tuner *self, dq_trial *trial, dq_error *error) {
    pthread_mutex_lock(&self->lock);
    drop(self, trial);
    dq_status status = abandon(self, trial, true, error);
    pthread_mutex_unlock(&self->lock);
    return status;
}

static dq_status beat(dq_tuner *self, dq_error *error) {
    char number[32];
    dq_status status = DQ_OK;
    snprintf(number, sizeof number, "%lld", (long long)++self->beats);
    for (int i = 0; i < self->mine_count && !status; i++) {
        const dq_change change = {
            .kind = DQ_CHANGE_USER, .trial = self->mine[i], .key = DQ_HEARTBEAT, .json = number};
        status = dq_storage_write(self->storage, self->study, &change, 1, error);
    }
    return status;
}

dq_status dq_tuner_tick(dq_tuner *self, dq_error *error) {
    pthread_mutex_lock(&self->lock);
    dq_status status = dq_storage_sync(self->storage, self->study, error);
    if (!status && clock_now() - self->beaten > self->config.heartbeat) {
        self->beaten = clock_now();
        status = beat(self, error);
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

void dq_tuner_count(dq_tuner *self, dq_tuner_counts *counts) {
    pthread_mutex_lock(&self->lock);
    *counts = (dq_tuner_counts){.best = (double)NAN, .best_number = -1};
    int64_t *const of_state[] = {[DQ_TRIAL_RUNNING] = &counts->running,
                                 [DQ_TRIAL_COMPLETE] = &counts->complete,
                                 [DQ_TRIAL_PRUNED] = &counts->pruned,
                                 [DQ_TRIAL_FAILED] = &counts->failed,
                                 [DQ_TRIAL_WAITING] = &counts->waiting};
    for (int i = 0; i < self->study->trial_count; i++) ++*of_state[self->study->trials[i]->state];
    counts->total = self->study->trial_count;
    const dq_trial *best = dq_study_best(self->study);
    if (best) {
        counts->best = best->values[0];
        counts->best_number = best->number;
    }
    pthread_mutex_unlock(&self->lock);
}
