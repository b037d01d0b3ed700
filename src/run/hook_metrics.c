// Metrics: one row of metrics.csv per episode or every N steps, and the progress callback.
//
// Columns as in `columns`; a cell is empty where nothing was measured since the row before. An evaluation
// that falls between rows gets a row of its own. Only the last two columns tell of time, so that two runs of
// one seed agree in all others.
#include "base/file.h"
#include "base/text.h"
#include "run/hook.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char columns[] =
    "step,episode,updates,episode_length,episode_return,mean_return,loss,epsilon,learning_rate,eval_return,"
    "eval_discounted_return,eval_q_start,mean_length,eval_length,q_mean,q_min,q_max,target_mean,target_min,"
    "target_max,seconds,steps_per_second\n";

typedef struct metrics_hook {
    dq_hook hook;
    double row_seconds, flushed; // when the last row and the last flush were
    int64_t row_step;
} metrics_hook;

static dq_status create(dq_hook **out, dq_run *run, dq_error *error) {
    (void)run;
    metrics_hook *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, "metrics", "there is no memory for the metrics");
    *out = &self->hook;
    return DQ_OK;
}

static void destroy(dq_hook *hook) {
    free(hook);
}

static dq_status failed(const dq_run *run, dq_error *error) {
    return dq_fail(error, DQ_IO, run->folder, "writing metrics.csv failed: %s", dq_file_reason(errno));
}

static dq_status write_text(dq_run *run, const char *text, size_t length, dq_error *error) {
    if (fwrite(text, 1, length, run->metrics) != length) return failed(run, error);
    run->now.metrics_bytes += (int64_t)length;
    return DQ_OK;
}

static dq_status on_start(dq_hook *hook, dq_run *run, dq_error *error) {
    metrics_hook *self = (metrics_hook *)hook;
    self->row_seconds = dq_run_seconds(run);
    self->row_step = run->now.step;
    if (!*run->folder || run->metrics) return DQ_OK;
    char path[4096];
    run->metrics = fopen(dq_run_path(run, "metrics.csv", path), run->now.metrics_bytes > 0 ? "r+" : "w");
    if (!run->metrics) return failed(run, error);
    if (run->now.metrics_bytes == 0) return write_text(run, columns, sizeof columns - 1, error);
    if (fseek(run->metrics, 0, SEEK_END)) return failed(run, error);
    if (ftell(run->metrics) < run->now.metrics_bytes)
        return dq_fail(error, DQ_FORMAT, path,
                       "metrics.csv has lost rows since the checkpoint: %ld bytes, not %lld",
                       ftell(run->metrics), (long long)run->now.metrics_bytes);
    if (ftruncate(fileno(run->metrics), run->now.metrics_bytes) || fseek(run->metrics, 0, SEEK_END))
        return failed(run, error);
    return DQ_OK;
}

static size_t put_int(char *text, int64_t value, bool known) {
    return (size_t)sprintf(text, known ? "%lld," : ",", (long long)value);
}

static size_t put_real(char *text, double value) {
    if (isinf(value)) return (size_t)sprintf(text, value > 0 ? "inf," : "-inf,");
    if (!isnan(value))
        dq_text_from_real(value, text, 32);
    else
        *text = 0;
    strcat(text, ",");
    return strlen(text);
}

static void put_spread(const dq_spread *spread, double *mean, double *least, double *most) {
    const bool any = spread->count > 0;
    *mean = any ? spread->sum / (double)spread->count : (double)NAN;
    *least = any ? spread->least : (double)NAN;
    *most = any ? spread->most : (double)NAN;
}

static dq_status write_row(metrics_hook *self, dq_run *run, dq_error *error) {
    dq_metrics *row = &run->now.row;
    dq_agent_report report = dq_agent_take_report(run->agent, run->now.step, run->now.episode);
    double seconds = dq_run_seconds(run);
    row->step = run->now.step;
    row->episode = run->now.episode;
    row->updates = report.updates;
    row->loss = report.loss_count > 0 ? report.loss_sum / (double)report.loss_count : (double)NAN;
    put_spread(&report.q, &row->q_mean, &row->q_min, &row->q_max);
    put_spread(&report.target, &row->target_mean, &row->target_min, &row->target_max);
    row->epsilon = report.epsilon;
    row->learning_rate = report.learning_rate;
    row->seconds = seconds;
    row->steps_per_second = (double)(row->step - self->row_step) / (seconds - self->row_seconds);
    self->row_seconds = seconds;
    self->row_step = row->step;

    dq_status status = DQ_OK;
    if (run->metrics) {
        const double reals[] = {row->episode_return,
                                row->mean_return,
                                row->loss,
                                row->epsilon,
                                row->learning_rate,
                                row->eval_return,
                                row->eval_discounted_return,
                                row->eval_q_start,
                                row->mean_length,
                                row->eval_length,
                                row->q_mean,
                                row->q_min,
                                row->q_max,
                                row->target_mean,
                                row->target_min,
                                row->target_max};
        char text[1024];
        size_t used = put_int(text, row->step, true);
        used += put_int(text + used, row->episode, true);
        used += put_int(text + used, row->updates, true);
        used += put_int(text + used, row->episode_length, row->episode_length > 0);
        for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) used += put_real(text + used, reals[i]);
        used += (size_t)sprintf(text + used, "%.4f,%.0f\n", row->seconds, row->steps_per_second);
        status = write_text(run, text, used, error);
        if (!status && seconds - self->flushed > 0.5) {
            self->flushed = seconds;
            if (fflush(run->metrics)) status = failed(run, error);
        }
    }
    if (!status && run->progress) run->progress(run->progress_user, run, row);
    row->episode_length = 0;
    row->episode_return = row->eval_return = row->eval_discounted_return = row->eval_q_start = NAN;
    row->eval_length = NAN;
    run->now.evaluated = false;
    return status;
}

static dq_status on_episode(dq_hook *hook, dq_run *run, dq_error *error) {
    return run->config.metrics_every_steps == 0 ? write_row((metrics_hook *)hook, run, error) : DQ_OK;
}

static dq_status on_step(dq_hook *hook, dq_run *run, dq_error *error) {
    bool due = run->now.evaluated || dq_run_due(run, run->config.metrics_every_steps);
    return due ? write_row((metrics_hook *)hook, run, error) : DQ_OK;
}

static dq_status on_finish(dq_hook *hook, dq_run *run, dq_error *error) {
    (void)hook;
    return run->metrics && fflush(run->metrics) ? failed(run, error) : DQ_OK;
}

const dq_hook_class dq_hook_metrics = {
    .name = "metrics",
    .create = create,
    .destroy = destroy,
    .on = {on_start, on_episode, on_step, on_finish},
};
