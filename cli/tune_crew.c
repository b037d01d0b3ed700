// Workers ask, train and tell until there is nothing left; the calling thread shows how far the study is.
#include "tune_crew.h"

#include "cli.h"
#include "interrupt.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef struct crew {
    const dq_trial_plan *plan;
    dq_tuner *tuner;
    pthread_mutex_t lock; // guards what follows
    pthread_cond_t changed;
    int working;
    int64_t told;
    bool stop;
    dq_error error; // the first that was no trial's own
} crew;

static bool stopping(crew *all) {
    pthread_mutex_lock(&all->lock);
    bool stop = all->stop;
    pthread_mutex_unlock(&all->lock);
    return stop || interrupt_seen();
}

// One trial; false: no more.
static bool work_once(crew *all, dq_error *error) {
    dq_trial *trial, params = {0};
    dq_status status = dq_tuner_ask(all->tuner, &trial, &params, error);
    const bool none = !status && !trial;
    if (!status && trial) status = dq_trial_run(all->plan, all->tuner, trial, &params, error);
    dq_trial_deinit(&params);
    if (status || none) return false;
    pthread_mutex_lock(&all->lock);
    all->told++;
    pthread_mutex_unlock(&all->lock);
    return true;
}

static void *work(void *user) {
    crew *all = user;
    dq_error error = {0};
    while (!stopping(all) && work_once(all, &error)) {
    }
    pthread_mutex_lock(&all->lock);
    if (error.code && error.code != DQ_INTERRUPTED && !all->error.code) {
        all->error = error;
        all->stop = true;
    }
    all->working--;
    pthread_cond_signal(&all->changed);
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

// --- the display ------------------------------------------------------------------------------------------

typedef struct display {
    const char *title;
    bool quiet, terminal, shown;
    double started, last;
    int64_t before; // trials that had ended when it started
} display;

static int64_t ended(const dq_tuner_counts *counts) {
    return counts->complete + counts->pruned + counts->failed;
}

static void show(display *d, crew *all, bool last) {
    const double now = cli_clock();
    if (d->quiet || (!last && now - d->last < (d->terminal ? 0.5 : 30))) return;
    d->last = now;
    dq_tuner_counts counts;
    dq_tuner_count(all->tuner, &counts);
    char best[64] = "", line[300];
    if (counts.best_number >= 0)
        snprintf(best, sizeof best, ", best %.5g (trial %lld)", counts.best, (long long)counts.best_number);
    snprintf(line, sizeof line,
             "%s: %lld trials ended, %lld of them pruned, %lld failed; %lld run%s, %.0f an hour", d->title,
             (long long)ended(&counts), (long long)counts.pruned, (long long)counts.failed,
             (long long)counts.running, best,
             (double)(ended(&counts) - d->before) / (now - d->started + 1e-9) * 3600);
    fprintf(stderr, d->terminal ? "\r\033[K%s" : "%s\n", line);
    if (d->terminal && last) fputc('\n', stderr);
    fflush(stderr);
}

static void watch(crew *all, double timeout, display *d) {
    pthread_mutex_lock(&all->lock);
    while (all->working > 0) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&all->changed, &all->lock, &until);
        if (timeout > 0 && cli_clock() - d->started > timeout) all->stop = true;
        pthread_mutex_unlock(&all->lock);
        dq_error error = {0};
        dq_status status = dq_tuner_tick(all->tuner, &error);
        show(d, all, false);
        pthread_mutex_lock(&all->lock);
        if (status && !all->error.code) {
            all->error = error;
            all->stop = true;
        }
    }
    pthread_mutex_unlock(&all->lock);
    show(d, all, true);
}

dq_status tune_crew_run(const dq_trial_plan *plan, dq_tuner *tuner, int jobs, double timeout,
                        const char *title, bool quiet, tune_crew_result *result, dq_error *error) {
    crew all = {.plan = plan, .tuner = tuner, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&all.changed, &monotonic);
    dq_tuner_counts counts;
    dq_tuner_count(tuner, &counts);
    display d = {.title = title,
                 .quiet = quiet,
                 .terminal = isatty(STDERR_FILENO),
                 .started = cli_clock(),
                 .before = ended(&counts)};
    d.last = d.started;
    interrupt_begin();
    pthread_t *threads = calloc((size_t)jobs, sizeof *threads);
    int started = 0;
    pthread_mutex_lock(&all.lock);
    while (threads && started < jobs && pthread_create(&threads[started], NULL, work, &all) == 0) started++;
    all.working = started;
    pthread_mutex_unlock(&all.lock);
    if (started > 0) watch(&all, timeout, &d);
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    interrupt_end();
    free(threads);
    pthread_cond_destroy(&all.changed);
    pthread_condattr_destroy(&monotonic);
    *result = (tune_crew_result){all.told, cli_clock() - d.started, interrupt_seen()};
    if (started == 0) return dq_fail(error, DQ_MEMORY, NULL, "no thread could be started");
    if (all.error.code) *error = all.error;
    return all.error.code;
}
