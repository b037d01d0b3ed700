// The progress display: one line on standard error that tells how far trainings are.
//
// A terminal's line is made of parts in the order of their worth; what does not fit into its width is left
// out.
#include "progress.h"

#include "cli.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { bar_cells = 16, line_room = 512 };

static const double terminal_interval = 0.1, plain_interval = 5; // seconds between two lines

void progress_begin(progress *p, const char *title, bool quiet) {
    setlocale(LC_CTYPE, "");
    const char *terminal = getenv("TERM");
    *p = (progress){.title = title, .quiet = quiet, .started = cli_clock()};
    p->terminal = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
    p->wide_letters = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    p->last_shown = p->started;
}

static int columns_of_terminal(void) {
    struct winsize window;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 20) return window.ws_col;
    return 80;
}

double progress_share(const training *t) {
    double share = 0;
    if (t->state == TRAINING_DONE) return 1;
    if (t->config.total_steps > 0) share = fmax(share, (double)t->last.step / (double)t->config.total_steps);
    if (t->config.total_episodes > 0)
        share = fmax(share, (double)t->last.episode / (double)t->config.total_episodes);
    if (t->config.max_seconds > 0) share = fmax(share, t->last.seconds / t->config.max_seconds);
    return fmin(share, 1);
}

static void draw_bar(const progress *p, double share, char *text, size_t size) {
    int full = (int)floor(share * bar_cells);
    size_t at = 0;
    for (int i = 0; i < bar_cells && at + 4 < size; i++) {
        const char *cell = p->wide_letters ? (i < full ? "\342\224\201" : "\342\224\200")
                           : i < full      ? "#"
                                           : "-";
        at += (size_t)snprintf(text + at, size - at, "%s", cell);
    }
}

// --- the parts of a line
// ------------------------------------------------------------------------------------

typedef struct parts {
    char text[16][64];
    int count;
} parts;

static void add(parts *out, const char *format, ...) DQ_PRINTF(2, 3);
static void add(parts *out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (out->count < 16) vsnprintf(out->text[out->count++], sizeof out->text[0], format, arguments);
    va_end(arguments);
}

static void add_remaining(progress *p, parts *out, double share, bool may_stop_earlier) {
    double now = cli_clock();
    char text[32];
    if (!p->has_start && share > 0) {
        p->has_start = true;
        p->started_at = share;
        p->started = now;
    }
    if (now - p->started < 0.5 || share <= p->started_at || share >= 1) return;
    double left = (now - p->started) * (1 - share) / (share - p->started_at);
    add(out, "%s%s left", may_stop_earlier ? "at most " : "", cli_duration(text, sizeof text, left));
}

static void describe_one(progress *p, const training *t, parts *out) {
    char a[32], b[32];
    double share = progress_share(t);
    if (t->config.total_steps > 0)
        add(out, "%s of %s steps", cli_count(a, sizeof a, t->last.step),
            cli_count(b, sizeof b, t->config.total_steps));
    else
        add(out, "%s steps", cli_count(a, sizeof a, t->last.step));
    if (t->config.total_episodes > 0)
        add(out, "episode %s of %s", cli_count(a, sizeof a, t->last.episode),
            cli_count(b, sizeof b, t->config.total_episodes));
    else
        add(out, "episode %s", cli_count(a, sizeof a, t->last.episode));
    if (isfinite(t->last.mean_return)) add(out, "return %.4g", t->last.mean_return);
    if (isfinite(t->eval_return)) add(out, "greedy %.4g", t->eval_return);
    add_remaining(p, out, share, isfinite(t->config.stop_return));
    if (isfinite(t->last.steps_per_second))
        add(out, "%s steps/s", cli_count(a, sizeof a, llround(t->last.steps_per_second)));
    add(out, "epsilon %.3g", t->last.epsilon);
    if (isfinite(t->last.loss)) add(out, "loss %.3g", t->last.loss);
}

static double describe_many(progress *p, const training *list, int count, parts *out) {
    int done = 0, running = 0, measured = 0;
    double share = 0, mean = 0, speed = 0;
    bool may_stop_earlier = false;
    char text[32];
    for (int i = 0; i < count; i++) {
        const training *t = &list[i];
        done += t->state > TRAINING_RUNNING;
        running += t->state == TRAINING_RUNNING;
        share += progress_share(t) / count;
        may_stop_earlier |= isfinite(t->config.stop_return);
        if (t->state == TRAINING_RUNNING && isfinite(t->last.steps_per_second))
            speed += t->last.steps_per_second;
        if (t->last.step > 0 && isfinite(t->last.mean_return)) {
            mean += t->last.mean_return;
            measured++;
        }
    }
    add(out, "%d of %d done", done, count);
    add(out, "%d running", running);
    if (measured) add(out, "return %.4g", mean / measured);
    add_remaining(p, out, share, may_stop_earlier);
    add(out, "%s steps/s", cli_count(text, sizeof text, llround(speed)));
    return share;
}

static void clear_line(progress *p) {
    if (p->line_shown) fputs("\r\033[K", stderr);
    p->line_shown = false;
}

void progress_show(progress *p, const training *list, int count) {
    double now = cli_clock();
    if (p->quiet || now - p->last_shown < (p->terminal ? terminal_interval : plain_interval)) return;
    p->last_shown = now;
    parts line = {.count = 0};
    double share = count == 1 ? progress_share(&list[0]) : describe_many(p, list, count, &line);
    if (count == 1) describe_one(p, &list[0], &line);

    char text[line_room];
    size_t used = (size_t)snprintf(text, sizeof text, "%s %3.0f%%", p->title, floor(100 * share));
    int room = p->terminal ? columns_of_terminal() - 1 - (bar_cells + 2) : line_room - 1;
    for (int i = 0; i < line.count; i++) {
        size_t more = strlen(line.text[i]) + 2;
        if (used + more > (size_t)room || used + more >= sizeof text) continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "  %s", line.text[i]);
    }
    if (!p->terminal) {
        fprintf(stderr, "%s\n", text);
        return;
    }
    char bar[4 * bar_cells + 1] = "";
    draw_bar(p, share, bar, sizeof bar);
    fprintf(stderr, "\r\033[K%s  %s", bar, text);
    fflush(stderr);
    p->line_shown = true;
}

void progress_ended(progress *p, const training *one) {
    char steps[32], episodes[32], time[32];
    if (p->quiet) return;
    clear_line(p);
    if (one->label[0])
        fprintf(stderr, "%s: ", one->label);
    else
        fprintf(stderr, "seed %lld: ", (long long)one->config.seed);
    if (one->state == TRAINING_FAILED)
        fprintf(stderr, "failed: %s\n", one->error.message);
    else if (one->last.step == 0)
        fputs("not begun\n", stderr);
    else
        fprintf(stderr, "%s steps, %s episodes, mean return %.4g, %s%s\n",
                cli_count(steps, sizeof steps, one->steps),
                cli_count(episodes, sizeof episodes, one->last.episode), one->last.mean_return,
                cli_duration(time, sizeof time, one->seconds),
                one->state == TRAINING_INTERRUPTED ? " (interrupted, saved)" : "");
}

void progress_end(progress *p) {
    clear_line(p);
}
