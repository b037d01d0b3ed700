// What of a training goes to its TensorBoard file, how often, and under which names.
//
// Scalars come with every row of metrics.csv until there are 8192 of them, then with every second, and so on:
// a long training leaves a file of megabytes. Histograms of parameters, gradients and action values come so
// seldom that they take less than half a percent of the time.
#include "board.h"

#include "agent/agent.h"
#include "base/file.h"
#include "base/text.h"
#include "cli.h"
#include "draw/canvas.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double flush_seconds = 1;
static const double histograms_share = 0.005;  // of the time, at most
static const double histograms_growth = 0.02;  // the next one after this share of the time so far
static const double histograms_seconds = 0.25; // but not before
enum { ROWS_DENSE = 8192, MOST_GIF = 64 << 20 };

// --- rows --------------------------------------------------------------------------------------------------

static const struct {
    const char *tag;
    size_t offset; // of a double in dq_metrics
} columns[] = {
    {"rollout/ep_rew_mean", offsetof(dq_metrics, mean_return)},
    {"rollout/ep_len_mean", offsetof(dq_metrics, mean_length)},
    {"rollout/ep_rew", offsetof(dq_metrics, episode_return)},
    {"rollout/exploration_rate", offsetof(dq_metrics, epsilon)},
    {"eval/mean_reward", offsetof(dq_metrics, eval_return)},
    {"eval/mean_ep_length", offsetof(dq_metrics, eval_length)},
    {"eval/mean_discounted_reward", offsetof(dq_metrics, eval_discounted_return)},
    {"eval/mean_start_value", offsetof(dq_metrics, eval_q_start)},
    {"train/loss", offsetof(dq_metrics, loss)},
    {"train/learning_rate", offsetof(dq_metrics, learning_rate)},
    {"train/q_mean", offsetof(dq_metrics, q_mean)},
    {"train/q_min", offsetof(dq_metrics, q_min)},
    {"train/q_max", offsetof(dq_metrics, q_max)},
    {"train/target_mean", offsetof(dq_metrics, target_mean)},
    {"train/target_min", offsetof(dq_metrics, target_min)},
    {"train/target_max", offsetof(dq_metrics, target_max)},
    {"time/time_elapsed", offsetof(dq_metrics, seconds)},
};
enum { COLUMNS = sizeof columns / sizeof *columns, SCALARS = COLUMNS + 4 };

// What the page of hyperparameters sets beside them.
static const char *const results[] = {"rollout/ep_rew_mean", "rollout/ep_len_mean", "eval/mean_reward",
                                      "eval/mean_ep_length", "train/loss",          "time/fps"};

// Is this row one to keep? Decided by the run's counters alone, so that a resumed run keeps the same ones.
static bool wanted(const dq_run_config *config, const dq_metrics *m) {
    const int64_t every = config->metrics_every_steps, row = every > 0 ? m->step / every : m->episode;
    int64_t stride = 1;
    while (row / stride >= ROWS_DENSE) stride *= 2;
    return row % stride == 0 || isfinite(m->eval_return);
}

static void write_row(board *b, const dq_metrics *m) {
    dq_tensorboard_scalar scalars[SCALARS];
    int count = 0;
    for (size_t i = 0; i < COLUMNS; i++) {
        double value;
        memcpy(&value, (const char *)m + columns[i].offset, sizeof value);
        if (!isnan(value)) scalars[count++] = (dq_tensorboard_scalar){columns[i].tag, value};
    }
    if (m->episode_length > 0)
        scalars[count++] = (dq_tensorboard_scalar){"rollout/ep_len", (double)m->episode_length};
    scalars[count++] = (dq_tensorboard_scalar){"train/n_updates", (double)m->updates};
    scalars[count++] = (dq_tensorboard_scalar){"time/episodes", (double)m->episode};
    const double steps = (double)(m->step - b->first_step), seconds = m->seconds - b->first_seconds;
    if (seconds > 0) scalars[count++] = (dq_tensorboard_scalar){"time/fps", steps / seconds};
    dq_tensorboard_scalars(b->file, m->step, scalars, count);
}

// --- histograms --------------------------------------------------------------------------------------------

static void write_histograms(board *b, int64_t step) {
    dq_agent *agent = dq_run_agent(b->run);
    const dq_net *net = dq_agent_net(agent);
    const float *params = dq_agent_params(agent), *gradient = NULL;
    const int batch = dq_agent_last_step(agent, &gradient, b->q);
    const double began = cli_clock();
    for (int i = 0; i < dq_net_tensor_count(net); i++) {
        const dq_tensor *t = dq_net_tensor(net, i);
        char tag[96];
        const size_t rows = (size_t)t->rows, width = (size_t)t->columns;
        snprintf(tag, sizeof tag, "weights/%s", t->name);
        dq_tensorboard_histogram(b->file, step, tag, params + t->offset, rows, width, t->stride);
        if (batch == 0 || !t->trainable) continue;
        snprintf(tag, sizeof tag, "gradients/%s", t->name);
        dq_tensorboard_histogram(b->file, step, tag, gradient + t->offset, rows, width, t->stride);
    }
    const size_t values = (size_t)batch * (size_t)dq_agent_qnet(agent)->actions;
    if (b->q && batch > 0) dq_tensorboard_histogram(b->file, step, "q_values", b->q, 1, values, values);
    b->histograms_cost = cli_clock() - began;
    b->has_histograms = true;
}

static void look_at_histograms(board *b, const dq_metrics *m) {
    b->has_histograms = false;
    if (m->updates == 0 || m->seconds < b->histograms_due) return;
    write_histograms(b, m->step);
    const double pause = fmax(b->histograms_cost / histograms_share, histograms_growth * m->seconds);
    b->histograms_due = m->seconds + fmax(pause, histograms_seconds);
}

// --- configuration -----------------------------------------------------------------------------------------

enum { MOST_HPARAMS = 256, VALUE_SIZE = 512 };

typedef struct settings {
    dq_tensorboard_hparam *hparams; // [MOST_HPARAMS]
    char (*names)[96], (*texts)[VALUE_SIZE];
    int count;
    FILE *markdown;
} settings;

static void add_settings(settings *s, const char *prefix, dq_option_table table, const void *values) {
    for (int i = 0; i < table.count && s->count < MOST_HPARAMS; i++) {
        const dq_option *row = &table.rows[i];
        char *name = s->names[s->count], *text = s->texts[s->count];
        snprintf(name, sizeof *s->names, "%s%s", prefix, row->name);
        dq_options_format(row, values, text, sizeof *s->texts);
        fprintf(s->markdown, "| `%s` | %s |\n", name, *text ? text : " ");
        dq_tensorboard_hparam *h = &s->hparams[s->count];
        *h = (dq_tensorboard_hparam){name, row->help, DQ_TENSORBOARD_STRING, 0, text};
        bool truth = false;
        if (row->type == DQ_OPTION_BOOL && dq_text_to_bool(text, &truth)) {
            h->type = DQ_TENSORBOARD_BOOL;
            h->number = truth;
        } else if (row->type == DQ_OPTION_INT || row->type == DQ_OPTION_REAL) {
            h->type = DQ_TENSORBOARD_NUMBER;
            // The page shows its numbers as JSON, which knows no others; an option without one is not set.
            if (!dq_text_to_real(text, &h->number) || !isfinite(h->number)) continue;
        }
        s->count++;
    }
}

static void write_configuration(board *b) {
    const dq_run_config *config = dq_run_get_config(b->run);
    char *markdown = NULL;
    size_t size = 0;
    settings s = {.hparams = calloc(MOST_HPARAMS, sizeof *s.hparams),
                  .names = calloc(MOST_HPARAMS, sizeof *s.names),
                  .texts = calloc(MOST_HPARAMS, sizeof *s.texts),
                  .markdown = open_memstream(&markdown, &size)};
    if (s.hparams && s.names && s.texts && s.markdown) {
        fputs("| option | value |\n|---|---|\n", s.markdown);
        add_settings(&s, "", dq_run_options(), config);
        const dq_env_class *env_class = dq_env_find(config->env, NULL);
        if (env_class) add_settings(&s, "env.", env_class->options, config->env_options);
        dq_tensorboard_hparams(b->file, s.hparams, s.count, results, sizeof results / sizeof *results);
        if (fflush(s.markdown) == 0) dq_tensorboard_text(b->file, 0, "config/text_summary", markdown);
    }
    if (s.markdown) fclose(s.markdown);
    free(markdown);
    free(s.hparams);
    free(s.names);
    free(s.texts);
}

// --- the file ----------------------------------------------------------------------------------------------

void board_init(board *b, dq_run *run, const char *folder, bool resumed) {
    *b = (board){.folder = folder, .resumed = resumed};
    const dq_run_config *config = dq_run_get_config(run);
    if (!config->tensorboard) return;
    b->run = run;
    b->first_step = dq_run_steps(run);
    const size_t actions = (size_t)dq_agent_qnet(dq_run_agent(run))->actions;
    b->q = malloc((size_t)config->learner.batch_size * actions * sizeof(float));
}

// Keeps the first failure: later ones follow from it.
static void note(board *b, const dq_error *error) {
    if (!b->error.code) b->error = *error;
}

// Is there a file to write to? Opens it at the first call.
static bool ready(board *b) {
    if (!b->run) return false;
    if (b->file) return true;
    dq_error error = {0};
    if (dq_tensorboard_create(&b->file, b->folder, &error)) {
        note(b, &error);
        b->run = NULL;
        return false;
    }
    // A resumed run goes on behind its checkpoint's step: what came later before it was stopped counts no
    // more.
    if (b->resumed) dq_tensorboard_restart(b->file, b->first_step > 0 ? b->first_step + 1 : 0);
    if (b->first_step == 0) write_configuration(b);
    return true;
}

void board_flush(board *b) {
    if (!b->file) return;
    dq_error error = {0};
    if (dq_tensorboard_flush(b->file, &error)) note(b, &error);
    b->flushed = cli_clock();
}

void board_row(board *b, const dq_metrics *m) {
    const bool first = !b->file;
    if (!ready(b)) return;
    if (first && m->steps_per_second > 0)
        b->first_seconds = m->seconds - (double)(m->step - b->first_step) / m->steps_per_second;
    if (wanted(dq_run_get_config(b->run), m)) write_row(b, m);
    look_at_histograms(b, m);
    if (cli_clock() - b->flushed > flush_seconds) board_flush(b);
}

// The animation gets a file of its own, pictures.tfevents.STEP. TensorBoard reads it as it reads the others,
// but the converter of Aim, which takes any animation for a mistake and gives up, does not.
static dq_status write_animation(const board *b, const unsigned char *gif, size_t size, dq_error *error) {
    char path[PATH_MAX + 64];
    dq_tensorboard *file;
    const int64_t step = dq_run_steps(b->run);
    snprintf(path, sizeof path, "%.4000s/pictures.tfevents.%012lld", b->folder, (long long)step);
    dq_status status = dq_tensorboard_create_at(&file, path, error);
    if (status) return status;
    const int width = gif[6] | gif[7] << 8, height = gif[8] | gif[9] << 8; // GIF89a, section 18
    dq_tensorboard_image(file, step, "episode", width, height, gif, size);
    return dq_tensorboard_destroy(file, error);
}

static dq_status write_end(const board *b, const episode_picture *end, dq_error *error) {
    unsigned char *png = NULL;
    size_t size = 0;
    dq_status status = dq_png_encode(end->rgb, end->width, end->height, &png, &size, error);
    if (!status)
        dq_tensorboard_image(b->file, dq_run_steps(b->run), "episode/end", end->width, end->height, png,
                             size);
    free(png);
    return status;
}

void board_episode(board *b, const char *path, const episode_picture *end) {
    char *gif = NULL;
    size_t size = 0;
    dq_error error = {0};
    if (!ready(b)) return;
    dq_status status = write_end(b, end, &error);
    if (!status) status = dq_file_read(path, MOST_GIF, &gif, &size, &error);
    if (!status && size > 10) status = write_animation(b, (const unsigned char *)gif, size, &error);
    if (status) note(b, &error);
    board_flush(b);
    free(gif);
}

void board_finish(board *b, bool success, bool failed) {
    dq_error error = {0};
    if (b->file) {
        if (!b->has_histograms) write_histograms(b, dq_run_steps(b->run));
        if (success || failed) dq_tensorboard_session_end(b->file, success);
        if (dq_tensorboard_destroy(b->file, &error)) note(b, &error);
    }
    free(b->q);
    b->file = NULL;
    b->q = NULL;
}
