// Charts: lays a figure out (title, legend, grid of panels) and writes it through a Cairo surface.
//
// The picture is made in memory and replaces the file whole, so that a full disk leaves no half a picture.
#include "draw/chart.h"

#include "base/file.h"
#include "draw/chart_panel.h"
#include "draw/svg_short.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { margin = 24, gap = 28, legend_size = 12, png_scale = 2 };

typedef struct bytes {
    unsigned char *data;
    size_t size, capacity;
} bytes;

static cairo_status_t append(void *user, const unsigned char *data, unsigned length) {
    bytes *b = user;
    if (b->size + length + 1 > b->capacity) {
        size_t capacity = 2 * b->capacity + length + 4096;
        unsigned char *grown = realloc(b->data, capacity);
        if (!grown) return CAIRO_STATUS_NO_MEMORY;
        b->data = grown;
        b->capacity = capacity;
    }
    memcpy(b->data + b->size, data, length);
    b->size += length;
    b->data[b->size] = 0;
    return CAIRO_STATUS_SUCCESS;
}

// --- layout -----------------------------------------------------------------------------------------------

static dq_rect extent(const dq_chart *chart) {
    int columns = chart->columns > 0 ? chart->columns : 1;
    int rows = (chart->panel_count + columns - 1) / columns;
    double width = chart->width > 0 ? chart->width : 720;
    double height = chart->height > 0 ? chart->height : 100 + 300.0 * (rows > 0 ? rows : 1);
    return (dq_rect){0, 0, width, height};
}

static bool same_entry(const dq_series *a, const dq_series *b) {
    return b->label && strcmp(a->label, b->label) == 0 && a->color == b->color;
}

// Was an entry like this one in the legend already?
static bool seen_before(const dq_chart *chart, int panel, int series) {
    const dq_series *entry = &chart->panels[panel].series[series];
    for (int p = 0; p <= panel; p++)
        for (int s = 0; s < chart->panels[p].series_count && !(p == panel && s == series); s++)
            if (same_entry(entry, &chart->panels[p].series[s])) return true;
    return false;
}

static void draw_key(cairo_t *page, const dq_palette *palette, const dq_series *series, double x, double y) {
    if (series->low && series->high && series->kind <= DQ_SERIES_STEPS) {
        dq_chart_ink(page, palette, series->color, 0.2);
        cairo_rectangle(page, x, y - 9, 22, 10);
        cairo_fill(page);
    }
    dq_chart_ink(page, palette, series->color, series->faint ? 0.5 : 1);
    if (series->kind == DQ_SERIES_POINTS) {
        cairo_arc(page, x + 11, y - 4, series->faint ? 2.2 : 3.2, 0, 6.283185307179586);
        cairo_fill(page);
    } else if (series->kind == DQ_SERIES_BARS) {
        cairo_rectangle(page, x + 5, y - 9, 12, 10);
        cairo_fill(page);
    } else {
        cairo_set_line_width(page, series->faint ? 1.4 : 2.2);
        cairo_move_to(page, x, y - 4);
        cairo_line_to(page, x + 22, y - 4);
        cairo_stroke(page);
    }
    cairo_set_dash(page, NULL, 0, 0);
}

// One legend for all panels, wrapped to the width; returns the y below it.
static double draw_legend(cairo_t *page, const dq_chart *chart, const dq_palette *palette, double width,
                          double y) {
    double x = margin;
    bool any = false;
    for (int p = 0; p < chart->panel_count; p++) {
        for (int s = 0; s < chart->panels[p].series_count; s++) {
            const dq_series *series = &chart->panels[p].series[s];
            if (!series->label || seen_before(chart, p, s)) continue;
            double wide = 30 + dq_chart_text_width(page, legend_size, false, series->label);
            if (any && x + wide > width - margin) {
                x = margin;
                y += 20;
            }
            draw_key(page, palette, series, x, y + 12);
            dq_chart_text(page, palette->ink, legend_size, false, DQ_ALIGN_LEFT, x + 30, y + 12,
                          series->label);
            x += wide + 22;
            any = true;
        }
    }
    return any ? y + 30 : y;
}

static void draw(cairo_t *page, const dq_chart *chart) {
    const dq_palette *palette = dq_palette_of(chart->theme);
    dq_rect whole = extent(chart);
    cairo_font_options_t *fonts = cairo_font_options_create();
    cairo_font_options_set_hint_style(fonts, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(fonts, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(fonts, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(page, fonts);
    cairo_font_options_destroy(fonts);

    cairo_set_source_rgb(page, palette->paper.red, palette->paper.green, palette->paper.blue);
    cairo_paint(page);
    double y = margin;
    if (chart->title) {
        dq_chart_text(page, palette->ink, 18, true, DQ_ALIGN_LEFT, margin, y + 14, chart->title);
        y += 28;
    }
    if (chart->subtitle) {
        dq_chart_text(page, palette->quiet, 12.5, false, DQ_ALIGN_LEFT, margin, y + 10, chart->subtitle);
        y += 24;
    }
    y = draw_legend(page, chart, palette, whole.width, y + 4);
    int columns = chart->columns > 0 ? chart->columns : 1;
    int rows = (chart->panel_count + columns - 1) / columns;
    double cell_width = (whole.width - 2 * margin - gap * (columns - 1)) / columns;
    double cell_height = (whole.height - y - 14 - 16.0 * (rows - 1)) / (rows > 0 ? rows : 1);
    for (int p = 0; p < chart->panel_count; p++) {
        dq_rect cell = {margin + p % columns * (cell_width + gap),
                        y + (double)(p / columns) * (cell_height + 16), cell_width, cell_height};
        dq_chart_panel(page, &chart->panels[p], palette, cell);
    }
}

// --- surfaces ---------------------------------------------------------------------------------------------

typedef enum format { SVG, PNG, PDF } format;

// Cairo numbers its surfaces over the life of the process; the same figure should give the same bytes.
static void drop_surface_number(bytes *svg) {
    static const char mark[] = "id=\"surface";
    char *text = (char *)svg->data, *digits = text ? strstr(text, mark) : NULL;
    if (!digits) return;
    digits += sizeof mark - 1;
    size_t count = strspn(digits, "0123456789");
    memmove(digits, digits + count, svg->size - (size_t)(digits - text) - count + 1);
    svg->size -= count;
}

static dq_status render(const dq_chart *chart, format as, bytes *out, dq_error *error) {
    dq_rect whole = extent(chart);
    cairo_surface_t *surface = NULL;
    if (as == SVG) {
        surface = cairo_svg_surface_create_for_stream(append, out, whole.width, whole.height);
        cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    } else if (as == PDF) {
        surface = cairo_pdf_surface_create_for_stream(append, out, whole.width, whole.height);
    } else {
        surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(png_scale * whole.width),
                                             (int)(png_scale * whole.height));
        cairo_surface_set_device_scale(surface, png_scale, png_scale);
    }
    cairo_t *page = cairo_create(surface);
    draw(page, chart);
    cairo_status_t status = cairo_status(page);
    cairo_destroy(page);
    if (as == PNG && status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_write_to_png_stream(surface, append, out);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS)
        return dq_fail(error, DQ_MEMORY, NULL, "drawing the chart failed: %s",
                       cairo_status_to_string(status));
    if (as == SVG) drop_surface_number(out);
    if (as == SVG) out->size = dq_svg_shorten((char *)out->data);
    return DQ_OK;
}

static dq_status format_of(const char *path, format *as, dq_error *error) {
    const char *dot = strrchr(path, '.');
    static const char *const endings[] = {".svg", ".png", ".pdf"};
    for (int i = 0; dot && i < 3; i++) {
        if (strcasecmp(dot, endings[i]) != 0) continue;
        *as = (format)i;
        return DQ_OK;
    }
    return dq_fail(error, DQ_USAGE, path, "a chart's file name ends in .svg, .png or .pdf");
}

dq_status dq_chart_write(const dq_chart *chart, const char *path, dq_error *error) {
    format as = SVG;
    dq_status status = format_of(path, &as, error);
    if (status) return status;
    bytes out = {0};
    status = render(chart, as, &out, error);
    if (!status) status = dq_file_replace(path, out.data, out.size, error);
    free(out.data);
    return status;
}

dq_status dq_chart_svg(const dq_chart *chart, char **text, size_t *size, dq_error *error) {
    bytes out = {0};
    dq_status status = render(chart, SVG, &out, error);
    if (status) {
        free(out.data);
        return status;
    }
    *text = (char *)out.data;
    *size = out.size;
    return DQ_OK;
}
