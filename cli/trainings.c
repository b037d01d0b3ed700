// Several trainings at once: workers take the next one from the list, the calling thread shows how far they
// are.
#include "trainings.h"

#include "base/file.h"
#include "board.h"
#include "cli.h"
#include "episodes.h"
#include "interrupt.h"
#include "progress.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct crew {
    pthread_mutex_t lock; // guards everything below and what comes back in list
    pthread_cond_t changed;
    training *list;
    int count, next, ended;
    int *order, ended_told; // order[0..ended): positions as they ended
} crew;

typedef struct watcher {
    crew *all;
    training *one;
    int64_t recorded; // record_every times this: the episode of the last animation; -1: unknown
    dq_error error;   // of an animation that failed
    board board;
} watcher;

// FOLDER/episodes/episode-N.gif, where one is due.
static void record_episode(watcher *w, const dq_run *run, int64_t episode) {
    const int64_t every = w->one->record_every;
    if (every < 1 || episode < 1 || w->error.code) return;
    if (w->recorded < 0) w->recorded = (episode - 1) / every;
    if (episode / every <= w->recorded) return;
    w->recorded = episode / every;
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/episodes", w->one->folder);
    if (dq_file_make_folder(path, &w->error)) return;
    snprintf(path, sizeof path, "%s/episodes/episode-%06lld.gif", w->one->folder, (long long)episode);
    episode_picture end;
    if (!episode_record(run, path, &end, &w->error)) board_episode(&w->board, path, &end);
    free(end.rgb);
}

// What a finished training leaves beside its weights.
static dq_status record_last(watcher *w, const dq_run *run, dq_error *error) {
    if (w->error.code) {
        *error = w->error;
        return error->code;
    }
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/episode.gif", w->one->folder);
    if (!w->one->record_last) return DQ_OK;
    episode_picture end;
    const dq_status status = episode_record(run, path, &end, error);
    if (!status) board_episode(&w->board, path, &end);
    free(end.rgb);
    return status;
}

static void on_progress(void *user, const dq_run *run, const dq_metrics *metrics) {
    watcher *w = user;
    pthread_mutex_lock(&w->all->lock);
    w->one->last = *metrics;
    if (isfinite(metrics->eval_return)) w->one->eval_return = metrics->eval_return;
    pthread_mutex_unlock(&w->all->lock);
    board_row(&w->board, metrics);
    record_episode(w, run, metrics->episode);
}

static void before_checkpoint(void *user) {
    watcher *w = user;
    board_flush(&w->board);
}

static training_state train_one(crew *all, training *t) {
    watcher w = {.all = all, .one = t, .recorded = -1};
    dq_run *run = NULL;
    dq_error error = {0};
    double started = cli_clock();
    dq_status status = t->resume ? dq_run_resume(&run, t->folder, &error)
                                 : dq_run_create(&run, &t->config, t->folder, &error);
    if (!status) {
        board_init(&w.board, run, t->folder, t->resume);
        dq_run_on_progress(run, on_progress, &w);
        dq_run_before_checkpoint(run, before_checkpoint, &w);
        status = dq_run_train(run, &error);
    }
    const double seconds = cli_clock() - started;
    if (!status) status = record_last(&w, run, &error);
    board_finish(&w.board, status == DQ_OK, status && status != DQ_INTERRUPTED);
    if (!status && t->finish) status = t->finish(t, t->finish_user, &error);
    pthread_mutex_lock(&all->lock);
    t->seconds = seconds;
    if (run) t->steps = dq_run_steps(run);
    t->error = error;
    t->warning = w.board.error;
    pthread_mutex_unlock(&all->lock);
    dq_run_destroy(run);
    return status == DQ_OK            ? TRAINING_DONE
           : status == DQ_INTERRUPTED ? TRAINING_INTERRUPTED
                                      : TRAINING_FAILED;
}

static void *work(void *user) {
    crew *all = user;
    pthread_mutex_lock(&all->lock);
    while (all->next < all->count) {
        int index = all->next++;
        training *t = &all->list[index];
        training_state state = TRAINING_INTERRUPTED;
        if (!interrupt_seen()) {
            t->state = TRAINING_RUNNING;
            pthread_mutex_unlock(&all->lock);
            state = train_one(all, t);
            pthread_mutex_lock(&all->lock);
        }
        t->state = state;
        all->order[all->ended++] = index;
        pthread_cond_signal(&all->changed);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

static void watch(crew *all, progress *display) {
    pthread_mutex_lock(&all->lock);
    for (;;) {
        for (; all->ended_told < all->ended; all->ended_told++)
            if (all->count > 1) progress_ended(display, &all->list[all->order[all->ended_told]]);
        if (all->ended == all->count) break;
        progress_show(display, all->list, all->count);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 100000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&all->changed, &all->lock, &until);
    }
    pthread_mutex_unlock(&all->lock);
}

int trainings_run(training *list, int count, int jobs, const char *title, bool quiet) {
    if (count < 1) return 0;
    interrupt_begin();
    crew all = {.lock = PTHREAD_MUTEX_INITIALIZER, .list = list, .count = count};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&all.changed, &monotonic);
    progress display;
    progress_begin(&display, title, quiet);
    for (int i = 0; i < count; i++) {
        list[i].state = TRAINING_WAITING;
        list[i].eval_return = NAN;
    }
    if (jobs > count) jobs = count;
    if (jobs < 1) jobs = 1;
    pthread_t *threads = calloc((size_t)jobs, sizeof *threads);
    all.order = calloc((size_t)count, sizeof *all.order);
    int started = 0;
    while (threads && all.order && started < jobs && pthread_create(&threads[started], NULL, work, &all) == 0)
        started++;
    if (started > 0) watch(&all, &display);
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    progress_end(&display);
    int unfinished = 0;
    for (int i = 0; i < count; i++) {
        if (started == 0) {
            list[i].state = TRAINING_FAILED;
            dq_fail(&list[i].error, DQ_MEMORY, NULL, "no thread could be started");
        }
        unfinished += list[i].state != TRAINING_DONE;
        if (list[i].warning.code && list[i].state != TRAINING_FAILED)
            fprintf(stderr, "deepq: %s: %s; the training itself is whole\n", list[i].warning.where,
                    list[i].warning.message);
    }
    free(threads);
    free(all.order);
    pthread_cond_destroy(&all.changed);
    pthread_condattr_destroy(&monotonic);
    interrupt_end();
    return unfinished;
}
