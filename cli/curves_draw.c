// Learning curves: the figure of runs' metrics, one panel a column.
//
// A group of one run shows its measured values faintly and their moving average; a group of several shows
// each run's moving average faintly and, as far as every run reaches, their mean with its 95% bootstrap
// interval.
#include "curves.h"

#include "run/stats.h"

#include <deepq/env.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { panels_max = 16, grid_points = 160, resamples = 1000 };

// What is known of a column of metrics.csv.
typedef struct column_facts {
    const char *name, *title, *label;
    bool log;
} column_facts;

static const column_facts known_columns[] = {
    {"episode_return", "Return", "undiscounted, per episode", false},
    {"mean_return", "Mean return", "of the last 100 episodes", false},
    {"eval_return", "Greedy return", "mean of the evaluation's episodes", false},
    {"eval_discounted_return", "Greedy discounted return", "mean of the evaluation's episodes", false},
    {"eval_q_start", "Value at the start", "mean of max Q over start states", false},
    {"q_mean", "Values of actions taken", "mean over batches", false},
    {"q_min", "Least value of an action taken", "over batches", false},
    {"q_max", "Largest value of an action taken", "over batches", false},
    {"target_mean", "Targets", "mean over batches", false},
    {"target_min", "Least target", "over batches", false},
    {"target_max", "Largest target", "over batches", false},
    {"episode_length", "Episode length", "steps", false},
    {"loss", "Loss", "log scale", true},
    {"epsilon", "Exploration", "share of random actions", false},
    {"learning_rate", "Learning rate", "of the next gradient step", false},
    {"updates", "Updates", "gradient steps", false},
    {"steps_per_second", "Speed", "environment steps per second", false},
};

static const column_facts *facts_of(const char *name) {
    for (size_t i = 0; i < sizeof known_columns / sizeof *known_columns; i++)
        if (strcmp(known_columns[i].name, name) == 0) return &known_columns[i];
    return NULL;
}

// Everything a figure borrows lives until it is written.
typedef struct builder {
    const curves *c;
    const curves_style *style;
    const char *x_name;
    dq_panel panels[panels_max];
    int panel_count;
    dq_series *series[panels_max];
    void **memory;
    int memory_count, memory_room;
    bool failed;
} builder;

static void *hold(builder *b, size_t size) {
    if (b->memory_count == b->memory_room) {
        int room = 2 * b->memory_room + 64;
        void **grown = realloc(b->memory, (size_t)room * sizeof *grown);
        if (!grown) {
            b->failed = true;
            return NULL;
        }
        b->memory = grown;
        b->memory_room = room;
    }
    void *memory = calloc(1, size ? size : 1);
    if (memory)
        b->memory[b->memory_count++] = memory;
    else
        b->failed = true;
    return memory;
}

static double *column_of(builder *b, const curves_run *run, const char *name) {
    int column = dq_csv_column(&run->metrics, name);
    double *values = hold(b, (size_t)run->metrics.rows * sizeof *values);
    if (!values) return NULL;
    if (column >= 0)
        dq_csv_copy(&run->metrics, column, values);
    else
        for (int64_t i = 0; i < run->metrics.rows; i++) values[i] = NAN;
    return values;
}

static int64_t measured(const double *x, int64_t n) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += isfinite(x[i]);
    return count;
}

static bool was_measured(builder *b, const char *name, bool varies) {
    for (int r = 0; r < b->c->count; r++) {
        const curves_run *run = &b->c->runs[r];
        int column = dq_csv_column(&run->metrics, name);
        double first = NAN;
        for (int64_t i = 0; column >= 0 && i < run->metrics.rows; i++) {
            double value = run->metrics.values[i * run->metrics.columns + column];
            if (!isfinite(value)) continue;
            if (!varies || (isfinite(first) && value != first)) return true;
            first = value;
        }
    }
    return false;
}

// One curve of a run: x and y where y was measured, so that sparse measurements join up.
typedef struct curve {
    int count;
    double *x, *raw, *smooth;
    int window; // 1: every value as measured
} curve;

static curve curve_of(builder *b, const curves_run *run, const char *column) {
    int64_t rows = run->metrics.rows;
    curve k = {0};
    double *x = column_of(b, run, b->x_name), *y = column_of(b, run, column);
    double *smooth = hold(b, (size_t)rows * sizeof *smooth);
    if (!x || !y || !smooth) return k;
    int64_t dense = measured(y, rows);
    k.window = b->style->window;
    if (k.window == 0) k.window = (int)fmax(1, fmin(100, (double)rows / 20));
    if (2 * dense < rows && b->style->window == 0) k.window = 1; // measured now and then: already a mean
    for (int64_t i = 0; i < rows && k.count < INT32_MAX; i++) {
        if (!isfinite(y[i]) || !isfinite(x[i])) continue;
        x[k.count] = x[i];
        y[k.count++] = y[i];
    }
    curves_smooth(y, k.count, k.window, smooth);
    k.x = x;
    k.raw = y;
    k.smooth = smooth;
    return k;
}

// y at `at` on a line through the points; at lies within [x[0], x[count-1]].
static double interpolate(const curve *k, double at) {
    int low = 0, high = k->count - 1;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (k->x[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    double span = k->x[high] - k->x[low];
    double share = span > 0 ? (at - k->x[low]) / span : 0;
    return k->smooth[low] + share * (k->smooth[high] - k->smooth[low]);
}

static void add_mean(builder *b, const curve *members, int count, dq_series *out) {
    double from = -INFINITY, to = INFINITY;
    for (int m = 0; m < count; m++) {
        if (members[m].count < 2) return;
        from = fmax(from, members[m].x[0]);
        to = fmin(to, members[m].x[members[m].count - 1]);
    }
    double *memory = hold(b, sizeof(double) * 4 * grid_points),
           *at_once = hold(b, sizeof(double) * (size_t)count);
    if (!(to > from) || !memory || !at_once) return;
    double *x = memory, *mean = x + grid_points, *low = mean + grid_points, *high = low + grid_points;
    for (int g = 0; g < grid_points; g++) {
        x[g] = from + (to - from) * g / (grid_points - 1);
        for (int m = 0; m < count; m++) at_once[m] = interpolate(&members[m], x[g]);
        dq_stats_interval interval = {0, 0};
        mean[g] = dq_stats_mean(at_once, (size_t)count);
        low[g] = high[g] = mean[g];
        if (dq_stats_mean_interval(&interval, at_once, count, 1, DQ_STATS_LEVEL, resamples, 0, NULL))
            continue;
        low[g] = interval.low;
        high[g] = interval.high;
    }
    out->x = x;
    out->y = mean;
    out->low = low;
    out->high = high;
    out->count = grid_points;
}

// --- labels
// -------------------------------------------------------------------------------------------------

static bool same_everywhere(const curves *c, size_t offset) {
    for (int i = 1; i < c->count; i++)
        if (strcmp((char *)&c->runs[i] + offset, (char *)&c->runs[0] + offset) != 0) return false;
    return true;
}

// What tells a group from the others: its agent, its environment, else its first run's folder.
static void group_label(const curves *c, int group, char *text, size_t size) {
    const curves_run *first = NULL;
    int members = 0;
    for (int i = 0; i < c->count; i++) {
        if (c->runs[i].group != group) continue;
        if (!first) first = &c->runs[i];
        members++;
    }
    bool told_by_agent = true, told_by_env = true;
    for (int i = 0; i < c->count; i++) {
        if (c->runs[i].group == group) continue;
        bool agent = strcmp(c->runs[i].agent, first->agent) == 0,
             env = strcmp(c->runs[i].env, first->env) == 0;
        told_by_agent &= !agent;
        told_by_env &= !env;
    }
    char name[PATH_MAX];
    const char *slash = strrchr(first->folder, '/');
    if (told_by_agent)
        snprintf(name, sizeof name, "%s", first->agent);
    else if (told_by_env)
        snprintf(name, sizeof name, "%s", first->env);
    else if (members > 1 && slash)
        snprintf(name, sizeof name, "%.*s", (int)(slash - first->folder), first->folder);
    else
        snprintf(name, sizeof name, "%s", first->folder);
    char *base = strrchr(name, '/');
    snprintf(text, size, members > 1 ? "%.80s, mean of %d" : "%.80s", base ? base + 1 : name, members);
}

static const char *x_label(const char *x) {
    if (strcmp(x, "step") == 0) return "environment steps";
    if (strcmp(x, "episode") == 0) return "episodes";
    return "seconds";
}

// --- panels
// -------------------------------------------------------------------------------------------------

// The mean return that counts as solved, where all runs share the environment that says so.
static void add_threshold(builder *b, const char *column) {
    static const char *const returns[] = {"episode_return", "mean_return", "eval_return"};
    bool is_return = false;
    for (int i = 0; i < 3; i++) is_return |= strcmp(column, returns[i]) == 0;
    if (!is_return || !same_everywhere(b->c, offsetof(curves_run, env))) return;
    const dq_env_class *env_class = dq_env_find(b->c->runs[0].env, NULL);
    dq_chart_mark *mark = hold(b, sizeof *mark);
    char *label = hold(b, 48);
    if (!env_class || !isfinite(env_class->reward_threshold) || !mark || !label) return;
    snprintf(label, 48, "solved: %g", env_class->reward_threshold);
    *mark = (dq_chart_mark){env_class->reward_threshold, label};
    b->panels[b->panel_count - 1].y_from_zero = env_class->reward_threshold > 0;
    b->panels[b->panel_count - 1].marks = mark;
    b->panels[b->panel_count - 1].mark_count = 1;
}

static dq_panel *begin_panel(builder *b, const char *column, int series_room) {
    dq_panel *panel = &b->panels[b->panel_count];
    const column_facts *facts = facts_of(column);
    *panel = (dq_panel){.title = facts ? facts->title : column,
                        .y_label = facts ? facts->label : NULL,
                        .y_log = facts && facts->log,
                        .x_label = x_label(b->x_name)};
    panel->series = b->series[b->panel_count] = hold(b, (size_t)series_room * sizeof(dq_series));
    b->panel_count++;
    add_threshold(b, column);
    return b->failed ? NULL : panel;
}

static dq_series *add_series(builder *b, dq_panel *panel) {
    return &b->series[panel - b->panels][panel->series_count++];
}

// The curve of one run: what was measured, faintly, and the moving average.
static void add_single(builder *b, dq_panel *panel, const curve *k, int color, const char *label) {
    if (k->count == 0) return;
    if (k->window > 1)
        *add_series(b, panel) = (dq_series){.kind = DQ_SERIES_POINTS,
                                            .color = color,
                                            .faint = true,
                                            .count = k->count,
                                            .x = k->x,
                                            .y = k->raw};
    *add_series(b, panel) = (dq_series){.kind = k->count > 1 ? DQ_SERIES_LINE : DQ_SERIES_POINTS,
                                        .label = label,
                                        .color = color,
                                        .count = k->count,
                                        .x = k->x,
                                        .y = k->smooth};
}

static void add_group(builder *b, dq_panel *panel, const char *column, int group, int color,
                      const char *label) {
    const curves *c = b->c;
    curve *members = hold(b, (size_t)c->count * sizeof *members);
    int count = 0;
    if (!members) return;
    for (int r = 0; r < c->count; r++)
        if (c->runs[r].group == group) members[count++] = curve_of(b, &c->runs[r], column);
    if (count == 1) {
        add_single(b, panel, &members[0], color, label);
        return;
    }
    for (int m = 0; m < count; m++)
        *add_series(b, panel) = (dq_series){.color = color,
                                            .faint = true,
                                            .count = members[m].count,
                                            .x = members[m].x,
                                            .y = members[m].smooth};
    dq_series *mean = add_series(b, panel);
    *mean = (dq_series){.label = label, .color = color};
    add_mean(b, members, count, mean);
}

static void add_column(builder *b, const char *column) {
    if (b->panel_count == panels_max) return;
    dq_panel *panel = begin_panel(b, column, 2 * b->c->count + b->c->groups);
    for (int g = 0; panel && g < b->c->groups; g++) {
        char *label = NULL;
        if (b->c->groups > 1 || b->c->count > 1) {
            if (!(label = hold(b, 128))) return;
            group_label(b->c, g, label, 128);
        }
        add_group(b, panel, column, g, g, label);
    }
}

// The panels of a run on its own: return with the greedy evaluation, overestimation, loss, exploration.
static void add_overview(builder *b) {
    const curves_run *run = &b->c->runs[0];
    dq_panel *panel = begin_panel(b, "episode_return", 4);
    if (!panel) return;
    curve trained = curve_of(b, run, "episode_return");
    char *label = hold(b, 64);
    if (!label) return;
    if (trained.window > 1)
        snprintf(label, 64, "while exploring, mean of %d episodes", trained.window);
    else
        snprintf(label, 64, "while exploring");
    add_single(b, panel, &trained, 0, label);
    if (was_measured(b, "eval_return", false)) {
        curve greedy = curve_of(b, run, "eval_return");
        add_single(b, panel, &greedy, 1, "greedy evaluation");
    }
    if (was_measured(b, "eval_q_start", false) && (panel = begin_panel(b, "eval_q_start", 4))) {
        panel->y_label = "discounted, from the start states";
        curve promised = curve_of(b, run, "eval_q_start"),
              earned = curve_of(b, run, "eval_discounted_return");
        add_single(b, panel, &promised, 2, "predicted by max Q");
        add_single(b, panel, &earned, 1, "greedy evaluation");
    }
    static const char *const others[] = {"loss", "epsilon", "learning_rate"};
    for (int i = 0; i < 3; i++) {
        if (!was_measured(b, others[i], i > 0)) continue;
        if (!(panel = begin_panel(b, others[i], 4))) return;
        curve k = curve_of(b, run, others[i]);
        if (i > 0) { // a schedule: shown as it is
            k.window = 1;
            k.smooth = k.raw;
        }
        add_single(b, panel, &k, 3 + i, NULL);
    }
}

// All panels share one horizontal axis, from the start to the end of the longest run.
static void align_x(builder *b) {
    double longest = 0;
    for (int r = 0; r < b->c->count; r++) {
        const dq_csv *metrics = &b->c->runs[r].metrics;
        int column = dq_csv_column(metrics, b->x_name);
        for (int64_t i = 0; column >= 0 && i < metrics->rows; i++)
            longest = fmax(longest, metrics->values[i * metrics->columns + column]); // fmax passes NAN over
    }
    for (int p = 0; p < b->panel_count && longest > 0; p++) {
        b->panels[p].fixed_x = true;
        b->panels[p].x_high = longest;
    }
}

static void add_panels(builder *b) {
    if (b->style->columns) {
        for (int i = 0; i < b->style->column_count; i++) add_column(b, b->style->columns[i]);
    } else if (b->c->count == 1) {
        add_overview(b);
    } else {
        add_column(b, "episode_return");
        if (was_measured(b, "eval_return", false)) add_column(b, "eval_return");
    }
    align_x(b);
}

static dq_status check_columns(const curves *c, const curves_style *style, dq_error *error) {
    for (int i = 0; i < style->column_count; i++) {
        bool found = false;
        for (int r = 0; r < c->count; r++)
            found |= dq_csv_column(&c->runs[r].metrics, style->columns[i]) >= 0;
        if (found) continue;
        char names[300] = "";
        for (int k = 0; k < c->runs[0].metrics.columns; k++) {
            size_t n = strlen(names);
            snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", c->runs[0].metrics.names[k]);
        }
        return dq_fail(error, DQ_USAGE, c->runs[0].folder, "the metrics have no column '%s'; there are %s",
                       style->columns[i], names);
    }
    return DQ_OK;
}

// To the file `path`, or as SVG to *text where that is not NULL.
static dq_status draw(const curves *c, const curves_style *style, const char *path, char **text,
                      dq_error *error) {
    dq_status status = check_columns(c, style, error);
    if (status) return status;
    builder b = {.c = c, .style = style, .x_name = style->x ? style->x : "step"};
    add_panels(&b);
    char title[160], subtitle[200];
    bool one_env = same_everywhere(c, offsetof(curves_run, env));
    bool one_agent = same_everywhere(c, offsetof(curves_run, agent));
    snprintf(title, sizeof title, "%s%s%s", one_env ? c->runs[0].env : "Learning curves",
             one_agent ? " \302\267 " : "", one_agent ? c->runs[0].agent : "");
    if (c->count == 1)
        snprintf(subtitle, sizeof subtitle, "%.180s", c->runs[0].folder);
    else
        snprintf(subtitle, sizeof subtitle,
                 "%d trainings, moving averages; mean with 95%% bootstrap interval", c->count);
    dq_chart chart = {.title = style->title ? style->title : title,
                      .subtitle = subtitle,
                      .panels = b.panels,
                      .panel_count = b.panel_count,
                      .columns = b.panel_count > 1 ? 2 : 1,
                      .theme = style->theme};
    if (style->bare) chart.title = chart.subtitle = NULL;
    size_t size;
    int rows = (b.panel_count + chart.columns - 1) / chart.columns;
    chart.width = chart.columns > 1 ? 1080 : 760;
    chart.height = chart.columns > 1 ? 120 + 290.0 * rows : 480;
    if (b.failed)
        status = dq_fail(error, DQ_MEMORY, path, "out of memory");
    else
        status = text ? dq_chart_svg(&chart, text, &size, error) : dq_chart_write(&chart, path, error);
    for (int i = 0; i < b.memory_count; i++) free(b.memory[i]);
    free(b.memory);
    return status;
}

dq_status curves_draw(const curves *c, const curves_style *style, const char *path, dq_error *error) {
    return draw(c, style, path, NULL, error);
}

dq_status curves_svg(const curves *c, const curves_style *style, char **text, dq_error *error) {
    return draw(c, style, NULL, text, error);
}
