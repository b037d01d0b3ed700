// Comparisons as pictures: scores, learning curves, performance profiles, overestimation.
//
// Curves of one agent's trainings are put on one grid of the axis, as far as every training reaches, and
// their mean is drawn with its 95% bootstrap interval (pointwise).
#include "comparison.h"

#include "curves.h"
#include "draw/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { grid_points = 120, shared_points = 400, resamples = 1000, profile_points = 120, profile_band = 8 };

// Everything a figure borrows lives until it is written.
typedef struct builder {
    const comparison *c;
    dq_chart chart;
    void **memory;
    int memory_count, memory_room;
    bool failed;
} builder;

static void *hold(builder *b, size_t count, size_t size) {
    if (b->memory_count == b->memory_room) {
        int room = 2 * b->memory_room + 64;
        void **grown = realloc(b->memory, (size_t)room * sizeof *grown);
        if (grown) {
            b->memory = grown;
            b->memory_room = room;
        }
    }
    void *memory = b->memory_count < b->memory_room ? calloc(count ? count : 1, size) : NULL;
    if (memory)
        b->memory[b->memory_count++] = memory;
    else
        b->failed = true;
    return memory;
}

static dq_panel *add_panel(builder *b, int series_room, dq_series **series) {
    dq_panel *panel = (dq_panel *)&b->chart.panels[b->chart.panel_count];
    *series = hold(b, (size_t)series_room, sizeof **series);
    panel->series = *series;
    b->chart.panel_count++;
    return panel;
}

// --- curves -----------------------------------------------------------------------------------------------

// y over the comparison's axis where y was measured.
typedef struct curve {
    int count;
    double *x, *y;
} curve;

static bool is_measured(const comparison *c, const char *name) {
    for (int r = 0; r < c->run_count; r++) {
        const dq_csv *m = &c->runs[r].metrics;
        int column = dq_csv_column(m, name);
        for (int64_t i = 0; column >= 0 && i < m->rows; i++)
            if (isfinite(m->values[i * m->columns + column])) return true;
    }
    return false;
}

// Greedy evaluations where there are any; else what the training's episodes returned, smoothed.
static const char *score_column(const comparison *c) {
    return is_measured(c, "eval_return") ? "eval_return" : "episode_return";
}

static const char *axis_label(const comparison *c) {
    return c->axis == DQ_LAB_EPISODES ? "episodes" : "environment steps";
}

static curve curve_of(builder *b, const comparison_run *run, const char *name) {
    const dq_csv *m = &run->metrics;
    int xs = dq_csv_column(m, b->c->axis == DQ_LAB_EPISODES ? "episode" : "step"),
        ys = dq_csv_column(m, name);
    curve k = {.x = hold(b, (size_t)m->rows, sizeof(double)), .y = hold(b, (size_t)m->rows, sizeof(double))};
    if (!k.x || !k.y || xs < 0 || ys < 0) return k;
    for (int64_t i = 0; i < m->rows; i++) {
        double x = m->values[i * m->columns + xs], y = m->values[i * m->columns + ys];
        if (!isfinite(x) || !isfinite(y)) continue;
        k.x[k.count] = x;
        k.y[k.count++] = y;
    }
    if (strcmp(name, "episode_return") == 0) {
        int window = (int)fmax(1, fmin(100, k.count / 20.0));
        double *smooth = hold(b, (size_t)m->rows, sizeof(double));
        if (!smooth) return k;
        curves_smooth(k.y, k.count, window, smooth);
        k.y = smooth;
    }
    return k;
}

static double value_at(const curve *k, double x) {
    int low = 0, high = k->count - 1;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (k->x[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    double span = k->x[high] - k->x[low];
    return k->y[low] + (span > 0 ? (x - k->x[low]) / span : 0) * (k->y[high] - k->y[low]);
}

// The grid that curves are averaged on: their own points where they share them, else evenly spaced ones from
// where the last begins to where the first ends. Returns the number of points, 0 for none.
static int make_grid_of(builder *b, const curve *members, int count, double **grid) {
    double from = -INFINITY, to = INFINITY;
    bool shared = true;
    for (int i = 0; i < count; i++) {
        const curve *k = &members[i];
        if (k->count < 2) return 0;
        from = fmax(from, k->x[0]);
        to = fmin(to, k->x[k->count - 1]);
        shared = shared && k->count == members[0].count && k->count <= shared_points &&
                 memcmp(k->x, members[0].x, (size_t)k->count * sizeof *k->x) == 0;
    }
    if (!(to > from)) return 0;
    *grid = shared ? members[0].x : hold(b, grid_points, sizeof **grid);
    if (shared || !*grid) return shared ? members[0].count : 0;
    for (int g = 0; g < grid_points; g++) (*grid)[g] = from + (to - from) * g / (grid_points - 1);
    return grid_points;
}

// The mean of an agent's curves, with its interval where there are several.
static void add_mean(builder *b, const comparison_agent *agent, const char *name, dq_series *out) {
    curve *members = hold(b, (size_t)agent->count, sizeof *members);
    double *values = hold(b, (size_t)agent->count, sizeof *values), *x = NULL;
    if (b->failed) return;
    for (int i = 0; i < agent->count; i++) members[i] = curve_of(b, &b->c->runs[agent->first + i], name);
    int points = make_grid_of(b, members, agent->count, &x);
    double *mean = hold(b, 3 * (size_t)points, sizeof *mean), *low = mean + points, *high = low + points;
    if (b->failed || points == 0) return;
    for (int g = 0; g < points; g++) {
        for (int i = 0; i < agent->count; i++) values[i] = value_at(&members[i], x[g]);
        mean[g] = dq_stats_mean(values, (size_t)agent->count);
        dq_stats_interval interval;
        if (dq_stats_mean_interval(&interval, values, agent->count, 1, DQ_STATS_LEVEL, resamples, 0, NULL))
            interval = (dq_stats_interval){mean[g], mean[g]};
        low[g] = interval.low;
        high[g] = interval.high;
    }
    *out = (dq_series){.kind = DQ_SERIES_LINE, .count = points, .x = x, .y = mean};
    if (agent->count > 1) {
        out->low = low;
        out->high = high;
    }
}

static const dq_chart_mark *threshold_mark(builder *b, dq_panel *panel) {
    dq_chart_mark *mark = hold(b, 1, sizeof *mark);
    char *label = hold(b, 32, 1);
    if (!mark || !label || isnan(b->c->threshold)) return NULL;
    snprintf(label, 32, "%g", b->c->threshold);
    *mark = (dq_chart_mark){b->c->threshold, label};
    panel->marks = mark;
    panel->mark_count = 1;
    return mark;
}

// Panels beside each other are read together: they share their axes.
static void share_axes(builder *b, bool zero) {
    double x_high = -INFINITY, low = zero ? 0 : INFINITY, high = -INFINITY;
    for (int p = 0; p < b->chart.panel_count; p++) {
        const dq_panel *panel = &b->chart.panels[p];
        for (int m = 0; m < panel->mark_count; m++) high = fmax(high, panel->marks[m].y);
        for (int s = 0; s < panel->series_count; s++) {
            const dq_series *series = &panel->series[s];
            for (int i = 0; i < series->count; i++) {
                x_high = fmax(x_high, series->x[i]);
                low = fmin(low, series->low ? series->low[i] : series->y[i]);
                high = fmax(high, series->high ? series->high[i] : series->y[i]);
            }
        }
    }
    if (!(high > low) || !(x_high > 0)) return;
    double room = 0.05 * (high - low);
    for (int p = 0; p < b->chart.panel_count; p++) {
        dq_panel *panel = (dq_panel *)&b->chart.panels[p];
        panel->fixed_x = panel->fixed_y = true;
        panel->x_low = 0;
        panel->x_high = x_high;
        panel->y_low = low == 0 ? 0 : low - room;
        panel->y_high = high + room;
    }
}

static void make_grid(builder *b) {
    int n = b->chart.panel_count;
    b->chart.columns = n == 1 ? 1 : n <= 4 ? 2 : 3;
    int rows = (n + b->chart.columns - 1) / b->chart.columns;
    b->chart.width = 1080;
    b->chart.height = b->chart.columns == 1 ? 420 : 110 + (b->chart.columns == 2 ? 290.0 : 240.0) * rows;
}

static void build_curves(builder *b) {
    const comparison *c = b->c;
    const char *column = score_column(c);
    b->chart.title = "Every training";
    b->chart.subtitle =
        strcmp(column, "eval_return") == 0
            ? "greedy return during training: one line a training, and their mean"
            : "return while exploring, moving average: one line a training, and their mean with its 95% "
              "interval";
    for (int a = 0; a < c->agent_count; a++) {
        const comparison_agent *agent = &c->agents[a];
        dq_series *series;
        dq_panel *panel = add_panel(b, agent->count + 1, &series);
        if (!series) return;
        panel->title = agent->name;
        panel->x_label = axis_label(c);
        for (int i = 0; i < agent->count; i++) {
            curve k = curve_of(b, &c->runs[agent->first + i], column);
            series[panel->series_count++] = (dq_series){.kind = DQ_SERIES_LINE,
                                                        .color = a % DQ_CHART_COLORS,
                                                        .faint = agent->count > 1,
                                                        .count = k.count,
                                                        .x = k.x,
                                                        .y = k.y};
        }
        dq_series *mean = &series[panel->series_count++];
        add_mean(b, agent, column, mean);
        mean->color = a % DQ_CHART_COLORS; // panels stand apart: no dashes needed
        mean->low = mean->high = NULL;     // the trainings themselves show how far they lie apart
        if (agent->count == 1) panel->series_count--;
        threshold_mark(b, panel);
    }
    share_axes(b, true);
    make_grid(b);
}

static void build_means(builder *b) {
    const comparison *c = b->c;
    dq_series *series;
    dq_panel *panel = add_panel(b, c->agent_count, &series);
    if (!series) return;
    b->chart.title = "Learning curves";
    b->chart.subtitle = "mean over each agent's trainings with its 95% bootstrap interval";
    panel->x_label = axis_label(c);
    panel->y_label = strcmp(score_column(c), "eval_return") == 0 ? "greedy return" : "return while exploring";
    panel->y_from_zero = true;
    for (int a = 0; a < c->agent_count; a++) {
        dq_series *mean = &series[panel->series_count++];
        add_mean(b, &c->agents[a], score_column(c), mean);
        mean->color = a;
        mean->label = c->agents[a].name;
        if (c->agent_count > 8) mean->low = mean->high = NULL; // too many bands hide each other
    }
    if (c->agent_count > 8) b->chart.subtitle = "mean over each agent's trainings";
    threshold_mark(b, panel);
    b->chart.width = 1080;
    b->chart.height = 480;
}

// What the network promises at the start (mean max Q) against what the greedy policy then earns.
static void build_overestimation(builder *b) {
    const comparison *c = b->c;
    b->chart.title = "Promised and earned";
    b->chart.subtitle =
        "max Q at the start states against the discounted return that greedy episodes earn from them";
    for (int a = 0; a < c->agent_count; a++) {
        dq_series *series;
        dq_panel *panel = add_panel(b, 2, &series);
        if (!series) return;
        panel->title = c->agents[a].name;
        panel->x_label = axis_label(c);
        static const char *const columns[2] = {"eval_q_start", "eval_discounted_return"};
        static const char *const labels[2] = {"promised: max Q", "earned: discounted return"};
        for (int k = 0; k < 2; k++) {
            dq_series *mean = &series[panel->series_count++];
            add_mean(b, &c->agents[a], columns[k], mean);
            mean->color = k;
            mean->label = labels[k];
        }
    }
    // Where one agent's estimate runs away, a shared axis would flatten the others.
    make_grid(b);
}

// --- scores -----------------------------------------------------------------------------------------------

static void build_scores(builder *b) {
    const comparison *c = b->c;
    dq_series *series;
    dq_panel *panel = add_panel(b, c->agent_count + 1, &series);
    double *x = hold(b, (size_t)c->run_count, sizeof *x), *y = hold(b, (size_t)c->run_count, sizeof *y);
    double *numbers = hold(b, 4 * (size_t)c->agent_count, sizeof *numbers);
    const char **names = hold(b, (size_t)c->agent_count, sizeof *names);
    if (b->failed) return;
    for (int a = 0; a < c->agent_count; a++) {
        const comparison_agent *agent = &c->agents[a];
        double *own = numbers + 4 * a;
        names[a] = agent->name;
        own[0] = a - 0.12;
        own[1] = agent->iqm;
        own[2] = agent->iqm_interval.low;
        own[3] = agent->iqm_interval.high;
        series[panel->series_count++] = (dq_series){.kind = DQ_SERIES_POINTS,
                                                    .color = a,
                                                    .count = 1,
                                                    .x = &own[0],
                                                    .y = &own[1],
                                                    .low = &own[2],
                                                    .high = &own[3]};
        for (int i = 0; i < agent->count; i++) { // side by side, so that equal scores stay countable
            double share = agent->count > 1 ? (double)i / (agent->count - 1) : 0.5;
            x[agent->first + i] = a + 0.06 + 0.28 * share;
            y[agent->first + i] = agent->scores[i];
        }
    }
    b->chart.title = "Final scores";
    b->chart.subtitle =
        "mean greedy return of the final weights: each training, and their interquartile mean "
        "with its 95% interval";
    panel->x_names = names;
    panel->x_name_count = c->agent_count;
    panel->y_from_zero = true;
    series[panel->series_count++] = (dq_series){.kind = DQ_SERIES_POINTS,
                                                .label = "one training",
                                                .color = DQ_CHART_GREY,
                                                .count = c->run_count,
                                                .x = x,
                                                .y = y};
    threshold_mark(b, panel);
    b->chart.width = 1080;
    b->chart.height = 420;
}

static void build_profile(builder *b) {
    const comparison *c = b->c;
    dq_series *series;
    dq_panel *panel = add_panel(b, c->agent_count, &series);
    double *at = hold(b, profile_points, sizeof *at), low = INFINITY, high = -INFINITY;
    if (b->failed) return;
    for (int r = 0; r < c->run_count; r++) {
        low = fmin(low, c->runs[r].final_mean);
        high = fmax(high, c->runs[r].final_mean);
    }
    if (low > 0) low = 0;
    if (!(high > low)) high = low + 1;
    for (int i = 0; i < profile_points; i++) at[i] = low + (high - low) * i / (profile_points - 1.0);
    b->chart.title = "Performance profile";
    b->chart.subtitle = "the share of an agent's trainings that score more than ...";
    panel->x_label = "final score";
    panel->y_label = "share of trainings";
    panel->fixed_x = panel->fixed_y = true;
    panel->x_low = low;
    panel->x_high = high;
    panel->y_high = 1.02;
    for (int a = 0; a < c->agent_count; a++) {
        const comparison_agent *agent = &c->agents[a];
        double *share = hold(b, 3 * profile_points, sizeof *share);
        dq_stats_interval *bands = hold(b, profile_points, sizeof *bands);
        if (b->failed) return;
        dq_stats_profile(agent->scores, (size_t)agent->count, at, profile_points, share);
        dq_series *line = &series[panel->series_count++];
        *line = (dq_series){.kind = DQ_SERIES_STEPS,
                            .label = agent->name,
                            .color = a,
                            .count = profile_points,
                            .x = at,
                            .y = share};
        if (c->agent_count > 8 || agent->count < profile_band) continue; // wider than the picture tells
        if (dq_stats_profile_intervals(bands, agent->scores, agent->count, 1, at, profile_points,
                                       DQ_STATS_LEVEL, resamples, 0, NULL))
            continue;
        for (int i = 0; i < profile_points; i++) {
            share[profile_points + i] = bands[i].low;
            share[2 * profile_points + i] = bands[i].high;
        }
        line->low = share + profile_points;
        line->high = share + 2 * profile_points;
    }
    b->chart.width = 1080;
    b->chart.height = 440;
}

// --- all of them ------------------------------------------------------------------------------------------

typedef struct figure_facts {
    const char *name, *caption;
    void (*build)(builder *b);
} figure_facts;

static const figure_facts figures[COMPARISON_FIGURES] = {
    [COMPARISON_SCORES] =
        {"scores",
         "Each grey dot is one training's score: the mean return of the greedy episodes of its "
         "final weights. The coloured dot is their interquartile mean, the whisker its 95% "
         "bootstrap interval.",
         build_scores},
    [COMPARISON_MEANS] = {"means", "Mean over each agent's trainings, as far as all of them reach.",
                          build_means},
    [COMPARISON_CURVES] = {"curves",
                           "One panel an agent, all on the same axes: a thin line for each training, a "
                           "strong one for their mean as far as all of them reach.",
                           build_curves},
    [COMPARISON_PROFILE] =
        {"profile",
         "Performance profile (Agarwal et al. 2021): the share of trainings whose final score is "
         "above the value on the horizontal axis. A curve that lies higher is better "
         "everywhere it does.",
         build_profile},
    [COMPARISON_OVERESTIMATION] =
        {"overestimation",
         "The value that the network promises at the start of an episode, and the discounted return that its "
         "greedy policy then earns. Promises above what is earned are overestimation (van Hasselt et al. "
         "2016). "
         "Each panel has its own vertical axis.",
         build_overestimation},
};

const char *comparison_figure_name(comparison_figure figure) {
    return figures[figure].name;
}

const char *comparison_figure_caption(const comparison *c, comparison_figure figure) {
    (void)c;
    return figures[figure].caption;
}

bool comparison_has_figure(const comparison *c, comparison_figure figure) {
    if (figure == COMPARISON_OVERESTIMATION)
        return is_measured(c, "eval_q_start") && is_measured(c, "eval_discounted_return");
    if (figure == COMPARISON_MEANS || figure == COMPARISON_CURVES) return is_measured(c, score_column(c));
    return true;
}

static dq_status build(builder *b, const comparison *c, comparison_figure figure, dq_error *error) {
    *b = (builder){.c = c};
    b->chart.panels = hold(b, (size_t)c->agent_count + 1, sizeof *b->chart.panels);
    if (!b->failed) figures[figure].build(b);
    return b->failed ? dq_fail(error, DQ_MEMORY, figures[figure].name, "there is no memory for the picture")
                     : DQ_OK;
}

static void release(builder *b) {
    for (int i = 0; i < b->memory_count; i++) free(b->memory[i]);
    free(b->memory);
}

dq_status comparison_draw(const comparison *c, comparison_figure figure, const char *path, dq_error *error) {
    builder b;
    dq_status status = build(&b, c, figure, error);
    if (!status) status = dq_chart_write(&b.chart, path, error);
    release(&b);
    return status;
}

dq_status comparison_svg(const comparison *c, comparison_figure figure, int theme, char **text,
                         dq_error *error) {
    builder b;
    size_t size;
    dq_status status = build(&b, c, figure, error);
    b.chart.theme = (dq_chart_theme)theme;
    b.chart.title = b.chart.subtitle = NULL; // the page says both
    if (!status) status = dq_chart_svg(&b.chart, text, &size, error);
    release(&b);
    return status;
}
