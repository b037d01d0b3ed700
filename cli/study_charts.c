// Each kind is one function that fills the figure from what all kinds need: the complete trials, and the
// parameters that they share, the most important first.
#include "study_charts.h"

#include "tune/history.h"
#include "tune/importance.h"
#include "tune/json.h"
#include "tune/order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_slices = 12, most_lines = 400, map_axes = 4, map_cells = 40 };

struct study_chart {
    dq_chart chart;
    void **memory;
    int memory_count;
    bool failed; // want of memory

    const dq_study *study;
    int objective;
    char objective_name[64];
    const dq_trial **told; // [told_count] complete trials with a finite value
    int told_count;
    double *value; // [told_count]
    double *rank;  // [told_count] 0 the worst, 1 the best
    dq_importance *params;
    int param_count;
};

// Memory that lives as long as the picture.
static void *hold(study_chart *c, size_t count, size_t size) {
    void **grown = realloc(c->memory, ((size_t)c->memory_count + 1) * sizeof *grown);
    if (grown) c->memory = grown;
    void *taken = grown ? calloc(count + 1, size) : NULL;
    if (taken) c->memory[c->memory_count++] = taken;
    c->failed = c->failed || !taken;
    return taken;
}

static double *doubles(study_chart *c, int count) {
    return hold(c, (size_t)count, sizeof(double));
}

static dq_panel *panels(study_chart *c, int count, int columns) {
    dq_panel *made = hold(c, (size_t)count, sizeof *made);
    c->chart.panels = made;
    c->chart.panel_count = made ? count : 0;
    c->chart.columns = columns;
    return made;
}

static dq_series *series(study_chart *c, dq_panel *panel, int count) {
    dq_series *made = hold(c, (size_t)count, sizeof *made);
    panel->series = made;
    panel->series_count = made ? count : 0;
    return made;
}

void study_objective_name(const dq_study *study, int objective, char *name, size_t size) {
    const char *json = dq_attributes_find(&study->system, "study:metric_names");
    struct json_object *names = json ? dq_json_parse(json, strlen(json)) : NULL;
    const char *text = NULL;
    if (names && json_object_is_type(names, json_type_array) &&
        (size_t)objective < json_object_array_length(names))
        text = json_object_get_string(json_object_array_get_idx(names, (size_t)objective));
    if (text)
        snprintf(name, size, "%s", text);
    else if (study->direction_count > 1)
        snprintf(name, size, "objective %d", objective + 1);
    else
        snprintf(name, size, "objective");
    if (names) json_object_put(names);
}

// --- axes of parameters -----------------------------------------------------------------------------------

static const dq_distribution *distribution_of(const study_chart *c, int param) {
    return dq_trial_find_param(c->told[0], c->params[param].name)->distribution;
}

static double param_of(const study_chart *c, int param, int trial) {
    return dq_trial_find_param(c->told[trial], c->params[param].name)->value;
}

// The text of a choice without its JSON quotes.
static const char *choice_text(study_chart *c, const char *json) {
    size_t length = strlen(json);
    char *text = hold(c, length + 1, 1);
    if (!text) return "";
    bool quoted = length >= 2 && json[0] == '"';
    memcpy(text, json + quoted, length - 2 * quoted);
    return text;
}

static void set_x_axis(study_chart *c, dq_panel *panel, int param) {
    const dq_distribution *d = distribution_of(c, param);
    panel->x_label = c->params[param].name;
    if (d->kind == DQ_CATEGORICAL) {
        const char **names = hold(c, (size_t)d->choice_count, sizeof *names);
        for (int i = 0; names && i < d->choice_count; i++) names[i] = choice_text(c, d->choices[i]);
        panel->x_names = names;
        panel->x_name_count = names ? d->choice_count : 0;
        return;
    }
    panel->x_log = d->log;
    panel->fixed_x = true;
    panel->x_low = d->low - d->step / 2; // as wide as dq_distribution_to_unit makes it
    panel->x_high = d->high + d->step / 2;
}

// --- the kinds --------------------------------------------------------------------------------------------

static dq_status nothing(dq_error *error, const char *text) {
    return dq_fail(error, DQ_NOT_FOUND, NULL, "%s", text);
}

static dq_status draw_history(study_chart *c, dq_error *error) {
    if (c->told_count == 0) return nothing(error, "the study has no complete trial yet");
    const dq_study *study = c->study;
    dq_panel *panel = panels(c, 1, 1);
    dq_series *s = panel ? series(c, panel, 3) : NULL;
    double *number = doubles(c, c->told_count), *best = doubles(c, c->told_count);
    double *pruned_number = doubles(c, study->trial_count), *pruned_value = doubles(c, study->trial_count);
    if (c->failed) return DQ_OK;
    int pruned = 0;
    for (int i = 0; i < c->told_count; i++) {
        number[i] = (double)c->told[i]->number;
        bool better = i == 0 || dq_better(study->directions[c->objective], c->value[i], best[i - 1]);
        best[i] = better ? c->value[i] : best[i - 1];
    }
    for (int i = 0; i < study->trial_count; i++) {
        double last = dq_trial_last(study->trials[i], NULL);
        if (study->trials[i]->state != DQ_TRIAL_PRUNED || !isfinite(last)) continue;
        pruned_number[pruned] = (double)study->trials[i]->number;
        pruned_value[pruned++] = last;
    }
    s[0] = (dq_series){.kind = DQ_SERIES_STEPS,
                       .label = "best so far",
                       .color = 1,
                       .count = c->told_count,
                       .x = number,
                       .y = best};
    s[1] = (dq_series){.kind = DQ_SERIES_POINTS,
                       .label = "complete trials",
                       .count = c->told_count,
                       .x = number,
                       .y = c->value};
    s[2] = (dq_series){.kind = DQ_SERIES_POINTS,
                       .label = pruned ? "pruned trials, last value" : NULL,
                       .color = DQ_CHART_GREY,
                       .faint = true,
                       .count = pruned,
                       .x = pruned_number,
                       .y = pruned_value};
    panel->x_label = "trial";
    panel->y_label = c->objective_name;
    return DQ_OK;
}

static dq_status draw_importance(study_chart *c, dq_error *error) {
    if (c->param_count == 0)
        return nothing(error, "importances need two complete trials and a parameter that all of them share");
    dq_panel *panel = panels(c, 1, 1);
    dq_series *s = panel ? series(c, panel, 1) : NULL;
    double *x = doubles(c, c->param_count), *y = doubles(c, c->param_count), letters = 0;
    const char **names = hold(c, (size_t)c->param_count, sizeof *names);
    if (c->failed) return DQ_OK;
    for (int i = 0; i < c->param_count; i++) {
        x[i] = i;
        y[i] = c->params[i].share;
        names[i] = c->params[i].name;
        letters = fmax(letters, (double)strlen(names[i]));
    }
    *s = (dq_series){.kind = DQ_SERIES_BARS, .count = c->param_count, .x = x, .y = y};
    panel->x_names = names;
    panel->x_name_count = c->param_count;
    panel->y_label = "share of the variance that the parameter explains by itself (fANOVA)";
    panel->y_from_zero = true;
    c->chart.width = fmax(720, 100 + c->param_count * (6.8 * letters + 14));
    return DQ_OK;
}

static dq_status draw_intermediate(study_chart *c, dq_error *error) {
    const dq_study *study = c->study;
    int count = 0, first = 0;
    for (int i = 0; i < study->trial_count; i++) count += study->trials[i]->intermediate_count > 0;
    if (count == 0) return nothing(error, "no trial of the study has an intermediate value");
    dq_panel *panel = panels(c, 1, 1);
    dq_series *s = panel ? series(c, panel, (count < most_lines ? count : most_lines) + 1) : NULL;
    if (c->failed) return DQ_OK;
    const dq_trial *best = dq_study_best(study);
    bool named[2] = {false, false};
    int drawn = 0,
        skip = count > most_lines ? count - most_lines : 0; // the last ones, where there are too many
    for (int i = 0; i < study->trial_count; i++) {
        const dq_trial *trial = study->trials[i];
        if (trial->intermediate_count == 0 || (first++ < skip && trial != best)) continue;
        if (drawn == panel->series_count) break;
        double *x = doubles(c, trial->intermediate_count), *y = doubles(c, trial->intermediate_count);
        if (c->failed) return DQ_OK;
        for (int k = 0; k < trial->intermediate_count; k++) {
            x[k] = (double)trial->intermediates[k].step;
            y[k] = trial->intermediates[k].value;
        }
        bool pruned = trial->state == DQ_TRIAL_PRUNED;
        s[drawn++] = (dq_series){.kind = DQ_SERIES_LINE,
                                 .label = trial == best   ? "best trial"
                                          : named[pruned] ? NULL
                                          : pruned        ? "pruned"
                                                          : "others",
                                 .color = trial == best ? 1
                                          : pruned      ? DQ_CHART_GREY
                                                        : 0,
                                 .faint = trial != best,
                                 .count = trial->intermediate_count,
                                 .x = x,
                                 .y = y};
        if (trial != best) named[pruned] = true;
    }
    panel->series_count = drawn;
    panel->x_label = "step";
    panel->y_label = "intermediate value";
    return DQ_OK;
}

static dq_status draw_slices(study_chart *c, dq_error *error) {
    if (c->param_count == 0) return nothing(error, "slices need complete trials that share a parameter");
    int count = c->param_count < most_slices ? c->param_count : most_slices;
    dq_panel *p = panels(c, count, count < 3 ? count : 3);
    for (int k = 0; p && k < count; k++) {
        dq_series *s = series(c, &p[k], 1);
        double *x = doubles(c, c->told_count);
        if (c->failed) return DQ_OK;
        for (int i = 0; i < c->told_count; i++) x[i] = param_of(c, k, i);
        *s = (dq_series){
            .kind = DQ_SERIES_POINTS, .count = c->told_count, .x = x, .y = c->value, .shade = c->rank};
        set_x_axis(c, &p[k], k);
        p[k].y_label = k == 0 ? c->objective_name : NULL;
    }
    c->chart.width = count < 3 ? 720 : 960;
    c->chart.height = 90 + 230.0 * ((count + 2) / 3);
    return DQ_OK;
}

static dq_status draw_parallel(study_chart *c, dq_error *error) {
    if (c->param_count == 0)
        return nothing(error, "parallel coordinates need complete trials that share a parameter");
    int axes = c->param_count < most_slices ? c->param_count : most_slices;
    int lines = c->told_count < most_lines ? c->told_count : most_lines;
    dq_panel *panel = panels(c, 1, 1);
    dq_series *s = panel ? series(c, panel, lines) : NULL;
    double *x = doubles(c, axes + 1), lowest = INFINITY, highest = -INFINITY, letters = 0;
    const char **names = hold(c, (size_t)axes + 1, sizeof *names);
    if (c->failed) return DQ_OK;
    for (int i = 0; i < c->told_count; i++) {
        lowest = fmin(lowest, c->value[i]);
        highest = fmax(highest, c->value[i]);
    }
    for (int k = 0; k <= axes; k++) {
        x[k] = k;
        names[k] = k < axes ? c->params[k].name : c->objective_name;
        letters = fmax(letters, (double)strlen(names[k]));
    }
    bool named[2] = {false, false};
    for (int i = 0; i < lines; i++) {
        int trial = c->told_count - lines + i;
        double *y = doubles(c, axes + 1);
        if (!y) return DQ_OK;
        for (int k = 0; k < axes; k++)
            y[k] = dq_distribution_to_unit(distribution_of(c, k), param_of(c, k, trial));
        y[axes] = highest > lowest ? (c->value[trial] - lowest) / (highest - lowest) : 0.5;
        bool good = c->rank[trial] >= 0.9;
        s[i] = (dq_series){.kind = DQ_SERIES_LINE,
                           .label = named[good] ? NULL
                                    : good      ? "best tenth"
                                                : "other complete trials",
                           .color = good ? 0 : DQ_CHART_GREY,
                           .faint = !good,
                           .count = axes + 1,
                           .x = x,
                           .y = y};
        named[good] = true;
    }
    panel->x_names = names;
    panel->x_name_count = axes + 1;
    panel->y_label = "from the low to the high end of each range";
    panel->fixed_y = true;
    panel->y_high = 1;
    c->chart.width = fmax(720, 100 + (axes + 1) * (6.8 * letters + 14));
    return DQ_OK;
}

// What the trials around say of each cell of a map: the mean of their ranks, near ones weighing more (a
// normal kernel of a tenth of the range; Nadaraya 1964, Watson 1964).
static void fill_map(const study_chart *c, const double *x, const double *y, double *shade) {
    const double width = 0.1;
    for (int cell = 0; cell < map_cells * map_cells; cell++) {
        double at_x = (cell % map_cells + 0.5) / map_cells, at_y = (cell / map_cells + 0.5) / map_cells;
        double sum = 0, weights = 0;
        for (int i = 0; i < c->told_count; i++) {
            double far = (x[i] - at_x) * (x[i] - at_x) + (y[i] - at_y) * (y[i] - at_y);
            double weight = exp(-0.5 * far / (width * width));
            sum += weight * c->rank[i];
            weights += weight;
        }
        shade[cell] = sum / weights;
    }
}

static dq_status draw_contours(study_chart *c, dq_error *error) {
    int axis[map_axes], axes = 0;
    for (int k = 0; k < c->param_count && axes < map_axes; k++)
        if (distribution_of(c, k)->kind != DQ_CATEGORICAL) axis[axes++] = k;
    if (axes < 2) return nothing(error, "contours need complete trials that share two numbers as parameters");
    int count = axes * (axes - 1) / 2, drawn = 0, cells = map_cells * map_cells;
    dq_panel *p = panels(c, count, count < 3 ? count : 3);
    for (int a = 0; p && a < axes; a++) {
        for (int b = a + 1; b < axes; b++) {
            dq_panel *panel = &p[drawn++];
            dq_series *s = series(c, panel, 2);
            double *x = doubles(c, c->told_count), *y = doubles(c, c->told_count), *shade = doubles(c, cells);
            double *unit_x = doubles(c, c->told_count), *unit_y = doubles(c, c->told_count),
                   *middle = doubles(c, cells);
            if (c->failed) return DQ_OK;
            const dq_distribution *dx = distribution_of(c, axis[a]), *dy = distribution_of(c, axis[b]);
            for (int i = 0; i < c->told_count; i++) {
                x[i] = param_of(c, axis[a], i);
                y[i] = param_of(c, axis[b], i);
                unit_x[i] = dq_distribution_to_unit(dx, x[i]);
                unit_y[i] = dq_distribution_to_unit(dy, y[i]);
            }
            for (int i = 0; i < cells; i++)
                middle[i] = (double)NAN; // the axes are fixed; cells fill the plot
            fill_map(c, unit_x, unit_y, shade);
            s[0] = (dq_series){.kind = DQ_SERIES_CELLS,
                               .count = cells,
                               .x = middle,
                               .y = middle,
                               .shade = shade,
                               .columns = map_cells};
            s[1] = (dq_series){.kind = DQ_SERIES_POINTS,
                               .color = DQ_CHART_GREY,
                               .count = c->told_count,
                               .x = x,
                               .y = y,
                               .faint = c->told_count > 60};
            set_x_axis(c, panel, axis[a]);
            panel->y_label = c->params[axis[b]].name;
            panel->y_log = dy->log;
            panel->fixed_y = true;
            panel->y_low = dy->low - dy->step / 2;
            panel->y_high = dy->high + dy->step / 2;
        }
    }
    c->chart.width = count < 3 ? 720 : 960;
    c->chart.height = 90 + 290.0 * ((count + 2) / 3);
    return DQ_OK;
}

static dq_status draw_front(study_chart *c, dq_error *error) {
    const dq_study *study = c->study;
    if (study->direction_count < 2) return nothing(error, "a front takes a study with two objectives");
    if (c->told_count == 0) return nothing(error, "the study has no complete trial yet");
    dq_panel *panel = panels(c, 1, 1);
    dq_series *s = panel ? series(c, panel, 2) : NULL;
    const dq_trial **best = hold(c, (size_t)study->trial_count, sizeof *best);
    double *xs[2] = {doubles(c, c->told_count), doubles(c, study->trial_count)};
    double *ys[2] = {doubles(c, c->told_count), doubles(c, study->trial_count)};
    char *other = hold(c, 64, 1);
    if (c->failed) return DQ_OK;
    int second = c->objective == 0 ? 1 : 0, count = dq_study_front(study, best);
    for (int i = 0; i < c->told_count; i++) xs[0][i] = c->told[i]->values[second], ys[0][i] = c->value[i];
    for (int i = 0; i < count; i++)
        xs[1][i] = best[i]->values[second], ys[1][i] = best[i]->values[c->objective];
    s[0] = (dq_series){.kind = DQ_SERIES_POINTS,
                       .label = "complete trials",
                       .color = DQ_CHART_GREY,
                       .faint = true,
                       .count = c->told_count,
                       .x = xs[0],
                       .y = ys[0]};
    s[1] = (dq_series){.kind = DQ_SERIES_POINTS,
                       .label = "no trial is better in both",
                       .count = count,
                       .x = xs[1],
                       .y = ys[1]};
    study_objective_name(study, second, other, 64);
    panel->x_label = other;
    panel->y_label = c->objective_name;
    return DQ_OK;
}

const study_chart_kind study_chart_kinds[] = {
    {"history", "History", "every trial's value, and the best so far"},
    {"front", "Front", "two objectives against each other"},
    {"importance", "Importance of the parameters", "share of the variance that each explains by itself"},
    {"slice", "Slices", "the value over each parameter; the better, the darker"},
    {"contour", "Contours", "pairs of the most important numbers; the better, the darker"},
    {"parallel", "Parallel coordinates", "each trial as a line through its parameters"},
    {"intermediate", "Intermediate values", "what trials reported on their way"},
    {NULL, NULL, NULL},
};

static dq_status (*const draw[])(study_chart *c, dq_error *error) = {
    draw_history, draw_front, draw_importance, draw_slices, draw_contours, draw_parallel, draw_intermediate};

// --- making ------------------------------------------------------------------------------------------------

// Complete trials with a finite value, and how they rank.
static void read_trials(study_chart *c) {
    const dq_study *study = c->study;
    c->told = hold(c, (size_t)study->trial_count, sizeof *c->told);
    c->value = doubles(c, study->trial_count);
    c->rank = doubles(c, study->trial_count);
    int *order = hold(c, 2 * (size_t)study->trial_count, sizeof *order);
    double *key = doubles(c, study->trial_count);
    if (c->failed) return;
    for (int i = 0; i < study->trial_count; i++) {
        const dq_trial *trial = study->trials[i];
        if (!dq_trial_tells(study, trial, false) || !isfinite(trial->values[c->objective])) continue;
        c->told[c->told_count] = trial;
        c->value[c->told_count++] = trial->values[c->objective];
    }
    bool maximize = study->directions[c->objective] == DQ_MAXIMIZE;
    for (int i = 0; i < c->told_count; i++) key[i] = maximize ? c->value[i] : -c->value[i];
    dq_order(key, c->told_count, order, order + study->trial_count);
    for (int i = 0; i < c->told_count; i++)
        c->rank[order[i]] = c->told_count > 1 ? i / (c->told_count - 1.) : 1;
}

dq_status study_chart_create(study_chart **out, const dq_study *study, const char *kind, int objective,
                             dq_error *error) {
    *out = NULL;
    int which = 0;
    while (study_chart_kinds[which].name && strcmp(study_chart_kinds[which].name, kind) != 0) which++;
    if (!study_chart_kinds[which].name)
        return dq_fail(
            error, DQ_USAGE, kind,
            "there is no such picture of a study; there are history, front, importance, slice, contour, "
            "parallel and intermediate");
    if (objective < 0 || objective >= study->direction_count)
        return dq_fail(error, DQ_USAGE, study->name, "the study has %d objectives, counted from 0",
                       study->direction_count);
    study_chart *c = calloc(1, sizeof *c);
    if (!c) return dq_fail(error, DQ_MEMORY, kind, "there is no memory for the picture");
    c->study = study;
    c->objective = objective;
    study_objective_name(study, objective, c->objective_name, sizeof c->objective_name);
    c->chart.title = study_chart_kinds[which].title;
    c->chart.subtitle = study->name;
    read_trials(c);
    c->params = hold(c, (size_t)study->name_count, sizeof *c->params);
    dq_status status = DQ_OK;
    if (!c->failed) {
        dq_status weighed = dq_study_importance(study, objective, 0, c->params, &c->param_count, error);
        if (weighed != DQ_NOT_FOUND) status = weighed; // not enough trials: some kinds can do without
    }
    if (status == DQ_OK && !c->failed) status = draw[which](c, error);
    if (status == DQ_OK && c->failed)
        status = dq_fail(error, DQ_MEMORY, kind, "there is no memory for the picture");
    if (status != DQ_OK) {
        study_chart_destroy(c);
        return status;
    }
    *out = c;
    return DQ_OK;
}

void study_chart_destroy(study_chart *chart) {
    for (int i = 0; chart && i < chart->memory_count; i++) free(chart->memory[i]);
    if (chart) free(chart->memory);
    free(chart);
}

dq_chart *study_chart_figure(study_chart *chart) {
    return &chart->chart;
}
