// One panel of a chart: fits the axes to the data, draws grid, bands, lines, dots and labels, back to front.
//
// Data reach the page through `scale`, which maps a value to a coordinate. A line of more points than the
// panel is wide keeps, of every half pixel, its first, lowest, highest and last point: the picture stays the
// same and the file small.
#include "draw/chart_panel.h"

#include "draw/ticks.h"

#include <math.h>
#include <stdio.h>

enum { title_size = 14, label_size = 12, tick_size = 11 };

typedef struct scale {
    double low, high;   // values at the two ends
    double start, span; // coordinate of low, and signed length to high
    bool log;
} scale;

static double place(const scale *s, double value) {
    if (s->log) value = value > 0 ? log10(value) : (double)NAN;
    return s->start + s->span * (value - s->low) / (s->high - s->low);
}

static void set_color(cairo_t *page, dq_color c, double opacity) {
    cairo_set_source_rgba(page, c.red, c.green, c.blue, opacity);
}

static void set_font(cairo_t *page, double size, bool bold) {
    cairo_select_font_face(page, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(page, size);
}

double dq_chart_text_width(cairo_t *page, double size, bool bold, const char *text) {
    cairo_text_extents_t extents;
    set_font(page, size, bold);
    cairo_text_extents(page, text, &extents);
    return extents.x_advance;
}

void dq_chart_text(cairo_t *page, dq_color color, double size, bool bold, dq_align align, double x, double y,
                   const char *text) {
    double width = dq_chart_text_width(page, size, bold, text);
    set_color(page, color, 1);
    cairo_move_to(page, x - width * (align == DQ_ALIGN_RIGHT ? 1 : align == DQ_ALIGN_CENTER ? 0.5 : 0), y);
    cairo_show_text(page, text);
}

void dq_chart_ink(cairo_t *page, const dq_palette *palette, int color, double opacity) {
    static const double dashes[3][4] = {{6, 4, 6, 4}, {2, 3, 2, 3}, {8, 3, 2, 3}};
    int round = color < 0 ? 0 : color / DQ_CHART_COLORS;
    set_color(page, color < 0 ? palette->grey : palette->series[color % DQ_CHART_COLORS], opacity);
    if (round > 0)
        cairo_set_dash(page, dashes[(round - 1) % 3], 4, 0);
    else
        cairo_set_dash(page, NULL, 0, 0);
}

// --- axes -------------------------------------------------------------------------------------------------

static void widen(double *low, double *high, double value) {
    if (!isfinite(value)) return;
    if (value < *low) *low = value;
    if (value > *high) *high = value;
}

// Log axes are fitted in powers of ten: *low and *high are exponents then.
static void fit_x(const dq_panel *panel, double *low, double *high) {
    *low = INFINITY;
    *high = -INFINITY;
    for (int s = 0; s < panel->series_count; s++)
        for (int i = 0; i < panel->series[s].count; i++)
            if (!panel->x_log)
                widen(low, high, panel->series[s].x[i]);
            else if (panel->series[s].x[i] > 0)
                widen(low, high, log10(panel->series[s].x[i]));
    if (panel->x_names || (panel->series_count && panel->series[0].kind == DQ_SERIES_BARS)) {
        widen(low, high, 0);
        widen(low, high, panel->x_name_count - 1);
        *low -= 0.6;
        *high += 0.6;
    }
    if (panel->fixed_x) {
        *low = panel->x_log ? log10(panel->x_low) : panel->x_low;
        *high = panel->x_log ? log10(panel->x_high) : panel->x_high;
    }
    if (!(*high > *low)) {
        double middle = isfinite(*low) ? *low : 0;
        *low = middle - 0.5;
        *high = middle + 0.5;
    }
}

static void fit_y(const dq_panel *panel, double *low, double *high) {
    *low = INFINITY;
    *high = -INFINITY;
    for (int s = 0; s < panel->series_count; s++) {
        const dq_series *series = &panel->series[s];
        for (int i = 0; i < series->count; i++) {
            const double values[3] = {series->y[i], series->low ? series->low[i] : series->y[i],
                                      series->high ? series->high[i] : series->y[i]};
            for (int k = 0; k < 3; k++)
                if (!panel->y_log)
                    widen(low, high, values[k]);
                else if (values[k] > 0)
                    widen(low, high, log10(values[k]));
        }
        if (series->kind == DQ_SERIES_BARS) widen(low, high, 0);
    }
    for (int m = 0; m < panel->mark_count; m++)
        widen(low, high, panel->y_log ? log10(panel->marks[m].y) : panel->marks[m].y);
    if (panel->y_from_zero && !panel->y_log) widen(low, high, 0);
    if (panel->fixed_y) {
        *low = panel->y_log ? log10(panel->y_low) : panel->y_low;
        *high = panel->y_log ? log10(panel->y_high) : panel->y_high;
        return;
    }
    if (!isfinite(*low)) *low = *high = 0;
    if (panel->y_log) { // at least one whole power of ten, so that two labels stand
        *low -= 0.05;
        *high += 0.05;
        if (*high - *low < 1) {
            *low = floor(*low);
            *high = ceil(*high);
        }
        return;
    }
    if (*high - *low < 1e-12 * fmax(1, fabs(*high))) {
        double room = *high == 0 ? 1 : 0.1 * fabs(*high);
        *low -= room;
        *high += room;
    }
    if (*low > 0 && *low < 0.2 * *high) *low = 0; // nearly there: the axis then shows proportions
    double room = 0.05 * (*high - *low);          // no curve touches the frame
    if (*low != 0) *low -= room;
    *high += room;
}

static char *power_label(int exponent, char *text, size_t size) {
    if (exponent >= 0 && exponent <= 3)
        snprintf(text, size, "%d", (int)lround(pow(10, exponent)));
    else if (exponent < 0 && exponent >= -4)
        snprintf(text, size, "%.*f", -exponent, pow(10, exponent));
    else
        snprintf(text, size, "1e%d", exponent);
    return text;
}

// Marks of an axis of powers of ten that holds less than `least` of them: 1, 2, 5, 10, 20 ... Returns how
// many.
static int ladder(const scale *s, int least, double marks[DQ_TICKS_MAX]) {
    static const double rungs[] = {1, 2, 5};
    int count = 0, first = (int)floor(s->low) - 1;
    if (!s->log || floor(s->high + 1e-9) - ceil(s->low - 1e-9) + 1 >= least) return 0;
    for (int i = 0; i < 3 * 8 && count < DQ_TICKS_MAX; i++) {
        double mark = rungs[i % 3] * pow(10, first + i / 3);
        if (log10(mark) >= s->low - 1e-9 && log10(mark) <= s->high + 1e-9) marks[count++] = mark;
    }
    return count;
}

static char *ladder_label(double mark, char *text, size_t size) {
    bool plain = mark >= 0.001 && mark < 1e5;
    snprintf(text, size, plain ? "%.4g" : "%.0e", mark);
    return text;
}

static void horizontal(cairo_t *page, dq_rect plot, double y) {
    cairo_move_to(page, plot.x, round(y) + 0.5);
    cairo_line_to(page, plot.x + plot.width, round(y) + 0.5);
    cairo_stroke(page);
}

// The tick labels of the y axis, drawn (with grid lines) or only measured; returns the widest.
static double y_axis(cairo_t *page, const dq_palette *palette, const scale *y, dq_rect plot, bool draw) {
    char text[32];
    double widest = 0;
    int wanted = (int)fmax(2, plot.height / 46);
    dq_ticks ticks = y->log ? (dq_ticks){0} : dq_ticks_choose(y->low, y->high, wanted);
    int first_power = (int)ceil(y->low - 1e-9), last_power = (int)floor(y->high + 1e-9);
    int stride = 1 + (last_power - first_power) / (wanted + 1);
    double marks[DQ_TICKS_MAX];
    int rungs = ladder(y, 2, marks);
    int count = rungs ? rungs : y->log ? (last_power - first_power) / stride + 1 : ticks.count;
    for (int i = 0; i < count; i++) {
        if (rungs)
            ladder_label(marks[i], text, sizeof text);
        else if (y->log)
            power_label(first_power + i * stride, text, sizeof text);
        else
            dq_ticks_label(&ticks, i, text, sizeof text);
        widest = fmax(widest, dq_chart_text_width(page, tick_size, false, text));
        if (!draw) continue;
        double value = rungs    ? log10(marks[i])
                       : y->log ? first_power + i * stride
                                : ticks.first + i * ticks.step;
        double at = y->start + y->span * (value - y->low) / (y->high - y->low);
        set_color(page, palette->grid, 1);
        cairo_set_line_width(page, 1);
        horizontal(page, plot, at);
        dq_chart_text(page, palette->quiet, tick_size, false, DQ_ALIGN_RIGHT, plot.x - 8, round(at) + 4.5,
                      text);
    }
    return widest;
}

static void x_axis(cairo_t *page, const dq_panel *panel, const dq_palette *palette, const scale *x,
                   dq_rect plot) {
    double bottom = plot.y + plot.height;
    char text[32];
    set_color(page, palette->axis, 1);
    cairo_set_line_width(page, 1);
    horizontal(page, plot, bottom);
    int wanted = (int)fmax(2, plot.width / 90), first = (int)ceil(x->low - 1e-9);
    int powers = (int)floor(x->high + 1e-9) - first + 1, stride = 1 + powers / (wanted + 1);
    double marks[DQ_TICKS_MAX];
    int rungs = ladder(x, 3, marks);
    dq_ticks ticks = dq_ticks_choose(x->low, x->high, wanted);
    int count = panel->x_names ? panel->x_name_count
                : rungs        ? rungs
                : x->log       ? (powers - 1) / stride + 1
                               : ticks.count;
    for (int i = 0; i < count; i++) {
        double value = panel->x_names ? i
                       : rungs        ? marks[i]
                       : x->log       ? pow(10, first + i * stride)
                                      : ticks.first + i * ticks.step;
        double at = place(x, value);
        const char *label = panel->x_names ? panel->x_names[i]
                            : rungs        ? ladder_label(marks[i], text, sizeof text)
                            : x->log       ? power_label(first + i * stride, text, sizeof text)
                                           : dq_ticks_label(&ticks, i, text, sizeof text);
        set_color(page, palette->axis, 1);
        if (!panel->x_names) {
            cairo_move_to(page, round(at) + 0.5, bottom);
            cairo_line_to(page, round(at) + 0.5, bottom + 4);
            cairo_stroke(page);
        }
        dq_chart_text(page, palette->quiet, tick_size, false, DQ_ALIGN_CENTER, at, bottom + 18, label);
    }
    if (panel->x_label)
        dq_chart_text(page, palette->quiet, label_size, false, DQ_ALIGN_CENTER, plot.x + plot.width / 2,
                      bottom + 38, panel->x_label);
}

// --- series -----------------------------------------------------------------------------------------------

typedef struct view {
    cairo_t *page;
    const dq_palette *palette;
    scale x, y;
    dq_rect plot;
} view;

static bool drawable(const view *v, const dq_series *s, const double *y, int i) {
    return isfinite(s->x[i]) && isfinite(y[i]) && (!v->x.log || s->x[i] > 0) && (!v->y.log || y[i] > 0);
}

static void extend(const view *v, const dq_series *s, const double *y, int i, int previous) {
    double px = place(&v->x, s->x[i]), py = place(&v->y, y[i]);
    if (previous < 0) {
        cairo_move_to(v->page, px, py);
        return;
    }
    if (s->kind == DQ_SERIES_STEPS) cairo_line_to(v->page, px, place(&v->y, y[previous]));
    cairo_line_to(v->page, px, py);
}

// Traces y over x as a path, thinned to what half a pixel can show.
static void trace(const view *v, const dq_series *s, const double *y) {
    int previous = -1;
    for (int i = 0; i < s->count;) {
        if (!drawable(v, s, y, i)) {
            previous = -1;
            i++;
            continue;
        }
        double column = floor(2 * place(&v->x, s->x[i]));
        int end = i, lowest = i, highest = i;
        for (; end < s->count && drawable(v, s, y, end) && floor(2 * place(&v->x, s->x[end])) == column;
             end++) {
            if (y[end] < y[lowest]) lowest = end;
            if (y[end] > y[highest]) highest = end;
        }
        int keep[4] = {i, lowest < highest ? lowest : highest, lowest < highest ? highest : lowest, end - 1};
        for (int k = 0; k < 4; k++) {
            if (k > 0 && keep[k] == keep[k - 1]) continue;
            extend(v, s, y, keep[k], previous);
            previous = keep[k];
        }
        i = end;
    }
}

// The band between low and high: one polygon for every stretch without a gap.
static void band(const view *v, const dq_series *s, double opacity) {
    dq_chart_ink(v->page, v->palette, s->color, opacity);
    for (int i = 0; i < s->count;) {
        int end = i;
        while (end < s->count && drawable(v, s, s->low, end) && drawable(v, s, s->high, end)) end++;
        int previous = -1;
        for (int k = i; k < end; k++) {
            extend(v, s, s->high, k, previous);
            previous = k;
        }
        for (int k = end - 1; k >= i; k--) {
            double px = place(&v->x, s->x[k]), py = place(&v->y, s->low[k]);
            if (s->kind == DQ_SERIES_STEPS && k + 1 < end)
                cairo_line_to(v->page, place(&v->x, s->x[k + 1]), py);
            cairo_line_to(v->page, px, py);
        }
        if (end > i) {
            cairo_close_path(v->page);
            cairo_fill(v->page);
        }
        i = end + 1;
    }
}

static void whiskers(const view *v, const dq_series *s) {
    if (!s->low || !s->high) return;
    dq_chart_ink(v->page, v->palette, s->color, 0.9);
    if (s->kind == DQ_SERIES_BARS) set_color(v->page, v->palette->ink, 0.75);
    cairo_set_line_width(v->page, 1.5);
    for (int i = 0; i < s->count; i++) {
        if (!drawable(v, s, s->low, i) || !drawable(v, s, s->high, i)) continue;
        double px = place(&v->x, s->x[i]);
        cairo_move_to(v->page, px, place(&v->y, s->low[i]));
        cairo_line_to(v->page, px, place(&v->y, s->high[i]));
    }
    cairo_stroke(v->page);
}

static void dots(const view *v, const dq_series *s) {
    double radius = s->faint ? 1.6 : 3.2;
    dq_chart_ink(v->page, v->palette, s->color, s->faint ? 0.35 : 1);
    for (int i = 0; i < s->count; i++) {
        if (!drawable(v, s, s->y, i)) continue;
        cairo_new_sub_path(v->page);
        cairo_arc(v->page, place(&v->x, s->x[i]), place(&v->y, s->y[i]), radius, 0, 6.283185307179586);
        if (!s->shade) continue;
        dq_chart_ink(v->page, v->palette, s->color, 0.15 + 0.85 * s->shade[i]);
        cairo_fill(v->page);
    }
    cairo_fill(v->page);
}

// Shades in ten steps, each one path of whole runs: contours show, and the file stays small.
static void cells(const view *v, const dq_series *s) {
    enum { levels = 10 };
    if (s->columns < 1 || s->count < s->columns) return;
    int rows = s->count / s->columns;
    for (int level = 1; level <= levels; level++) {
        for (int row = 0; row < rows; row++) {
            double y = round(v->y.start +
                             v->y.span * row / rows), // whole pixels: no seams between neighbours
                y_end = round(v->y.start + v->y.span * (row + 1) / rows);
            for (int from = 0, to; from < s->columns; from = to) {
                const double *shade = s->shade + (size_t)row * (size_t)s->columns;
                int found = (int)lround(shade[from] * levels);
                for (to = from + 1; to < s->columns && (int)lround(shade[to] * levels) == found; to++) {
                }
                double x = round(v->x.start + v->x.span * from / s->columns),
                       x_end = round(v->x.start + v->x.span * to / s->columns);
                if (found == level) cairo_rectangle(v->page, x, y_end, x_end - x, y - y_end);
            }
        }
        dq_chart_ink(v->page, v->palette, s->color, 0.75 * level / levels);
        cairo_fill(v->page);
    }
}

static void bars(const view *v, const dq_series *s) {
    double width = 0.62 * v->x.span / (v->x.high - v->x.low), zero = place(&v->y, v->y.log ? v->y.low : 0);
    dq_chart_ink(v->page, v->palette, s->color, s->faint ? 0.4 : 1);
    for (int i = 0; i < s->count; i++) {
        if (!drawable(v, s, s->y, i)) continue;
        double top = place(&v->y, s->y[i]);
        cairo_rectangle(v->page, place(&v->x, s->x[i]) - width / 2, fmin(top, zero), width, fabs(zero - top));
    }
    cairo_fill(v->page);
}

static void draw_series(const view *v, const dq_series *s) {
    if (s->kind == DQ_SERIES_CELLS) {
        cells(v, s);
        return;
    }
    if (s->kind == DQ_SERIES_POINTS || s->kind == DQ_SERIES_BARS) {
        if (s->kind == DQ_SERIES_BARS) bars(v, s);
        whiskers(v, s);
        if (s->kind == DQ_SERIES_POINTS) dots(v, s);
        return;
    }
    dq_chart_ink(v->page, v->palette, s->color, s->faint ? 0.36 : 1);
    cairo_set_line_width(v->page, s->faint ? 1 : 2.2);
    cairo_set_line_join(v->page, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(v->page, CAIRO_LINE_CAP_ROUND);
    trace(v, s, s->y);
    cairo_stroke(v->page);
    cairo_set_dash(v->page, NULL, 0, 0);
}

static void draw_mark(const view *v, const dq_chart_mark *mark) {
    double at = round(place(&v->y, mark->y)) + 0.5;
    static const double dash[2] = {4, 4};
    set_color(v->page, v->palette->quiet, 0.9);
    cairo_set_line_width(v->page, 1);
    cairo_set_dash(v->page, dash, 2, 0);
    horizontal(v->page, v->plot, at);
    cairo_set_dash(v->page, NULL, 0, 0);
    if (!mark->label) return;
    double x = v->plot.x + 4,
           y = at - 5; // at the left, where curves have not risen yet; a halo keeps it legible
    set_font(v->page, tick_size, false);
    cairo_move_to(v->page, x, y);
    cairo_text_path(v->page, mark->label);
    set_color(v->page, v->palette->paper, 0.9);
    cairo_set_line_width(v->page, 4);
    cairo_stroke(v->page);
    dq_chart_text(v->page, v->palette->quiet, tick_size, false, DQ_ALIGN_LEFT, x, y, mark->label);
}

void dq_chart_panel(cairo_t *page, const dq_panel *panel, const dq_palette *palette, dq_rect where) {
    view v = {.page = page, .palette = palette, .plot = where};
    double head = (panel->title ? 22 : 0) + (panel->y_label ? 20 : 0);
    v.plot.y += head;
    v.plot.height -= head + (panel->x_label ? 46 : 26);
    fit_x(panel, &v.x.low, &v.x.high);
    fit_y(panel, &v.y.low, &v.y.high);
    v.x.log = panel->x_log && !panel->x_names;
    v.y.log = panel->y_log;
    v.y.start = v.plot.y + v.plot.height;
    v.y.span = -v.plot.height;
    double labels = y_axis(page, palette, &v.y, v.plot, false) + 8;
    v.plot.x += labels;
    v.plot.width -= labels + 14;
    v.x.start = v.plot.x;
    v.x.span = v.plot.width;

    if (panel->title)
        dq_chart_text(page, palette->ink, title_size, true, DQ_ALIGN_LEFT, where.x, where.y + 12,
                      panel->title);
    if (panel->y_label)
        dq_chart_text(page, palette->quiet, label_size, false, DQ_ALIGN_LEFT, where.x, where.y + head - 10,
                      panel->y_label);
    y_axis(page, palette, &v.y, v.plot, true);

    cairo_save(page);
    cairo_rectangle(page, v.plot.x - 3, v.plot.y - 3, v.plot.width + 6, v.plot.height + 6);
    cairo_clip(page);
    for (int s = 0; s < panel->series_count; s++)
        if (panel->series[s].low && panel->series[s].high && panel->series[s].kind <= DQ_SERIES_STEPS)
            band(&v, &panel->series[s], panel->series[s].faint ? 0.08 : 0.2);
    for (int m = 0; m < panel->mark_count; m++) draw_mark(&v, &panel->marks[m]);
    for (int faint = 1; faint >= 0; faint--)
        for (int s = 0; s < panel->series_count; s++)
            if ((panel->series[s].faint || panel->series[s].kind == DQ_SERIES_CELLS) == faint)
                draw_series(&v, &panel->series[s]);
    cairo_restore(page);
    x_axis(page, panel, palette, &v.x, v.plot);
}
