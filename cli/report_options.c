// The configuration on a report: what tells the agents apart, then what they share, group by group.
#include "report.h"

#include "page.h"

#include <stdlib.h>
#include <string.h>

// Facts of one training that the page tells elsewhere.
static bool is_told_elsewhere(const dq_option *row) {
    return strcmp(row->name, "seed") == 0 || strcmp(row->name, "env") == 0;
}

static bool all_equal(const dq_option *row, const dq_run_config *configs, int count) {
    char first[512], other[512];
    dq_options_format(row, &configs[0], first, sizeof first);
    for (int a = 1; a < count; a++) {
        dq_options_format(row, &configs[a], other, sizeof other);
        if (strcmp(first, other) != 0) return false;
    }
    return true;
}

static void write_differences(const comparison *c, const dq_run_config *configs, FILE *out) {
    dq_option_table table = dq_run_options();
    const char **headings = calloc((size_t)c->agent_count + 1, sizeof *headings);
    bool any = false;
    if (!headings) return;
    for (int a = 0; a < c->agent_count; a++) headings[a + 1] = c->agents[a].name;
    for (int i = 0; i < table.count; i++) {
        const dq_option *row = &table.rows[i];
        if (is_told_elsewhere(row) || all_equal(row, configs, c->agent_count)) continue;
        if (!any) {
            page_section(out, "What tells the agents apart");
            page_table_begin(out, NULL, headings, c->agent_count + 1);
            any = true;
        }
        page_row_begin(out);
        page_cell(out, "name", row->name);
        char usual[512], text[512];
        dq_options_format(row, &configs[0], usual, sizeof usual);
        for (int a = 0; a < c->agent_count; a++) {
            dq_options_format(row, &configs[a], text, sizeof text);
            page_cell(out, a > 0 && strcmp(text, usual) == 0 ? "quiet" : NULL, text);
        }
        page_row_end(out);
    }
    if (any) page_table_end(out);
    free(headings);
}

static void write_row(const dq_option *row, const char *value, const char *usual, bool strong, FILE *out) {
    page_row_begin(out);
    page_cell(out, "name", row->name);
    page_cell(out, strong ? "strong" : NULL, value);
    page_cell(out, "quiet", usual);
    page_cell(out, "quiet", row->help ? row->help : "");
    page_row_end(out);
}

// The shared options whose value is the program's default, or those whose value is not.
static int write_part(const comparison *c, const dq_run_config *configs, bool changed, FILE *out) {
    dq_option_table table = dq_run_options();
    dq_run_config defaults = {0};
    dq_options_defaults(table, &defaults, NULL);
    static const char *const headings[] = {NULL, "value", "default", "what it is"};
    int count = 0;
    for (int i = 0; i < table.count; i++) {
        const dq_option *row = &table.rows[i];
        char value[512], usual[512];
        if (is_told_elsewhere(row) || !all_equal(row, configs, c->agent_count)) continue;
        dq_options_format(row, &configs[0], value, sizeof value);
        dq_options_format(row, &defaults, usual, sizeof usual);
        if ((strcmp(value, usual) != 0) != changed) continue;
        if (count++ == 0 && out) page_table_begin(out, "options", headings, 4);
        if (out) write_row(row, value, usual, changed, out);
    }
    if (count > 0 && out) page_table_end(out);
    return count;
}

static void write_shared(const comparison *c, const dq_run_config *configs, FILE *out) {
    page_section(out, c->agent_count > 1 ? "What all agents share" : "Configuration");
    if (write_part(c, configs, true, out) == 0) page_paragraph(out, NULL, "Every option has its default.");
    int count = write_part(c, configs, false, NULL);
    if (count == 0) return;
    char summary[64];
    snprintf(summary, sizeof summary, "%d options with their default", count);
    page_details_begin(out, summary, false);
    write_part(c, configs, false, out);
    page_details_end(out);
}

dq_status report_options(const comparison *c, FILE *out, dq_error *error) {
    dq_run_config *configs = calloc((size_t)c->agent_count, sizeof *configs);
    if (!configs) return dq_fail(error, DQ_MEMORY, NULL, "there is no memory for the page");
    dq_status status = DQ_OK;
    for (int a = 0; a < c->agent_count && !status; a++) {
        char path[PATH_MAX + 16];
        snprintf(path, sizeof path, "%s/config.yml", c->runs[c->agents[a].first].folder);
        status = dq_run_config_read(&configs[a], path, error);
    }
    if (!status) {
        if (c->agent_count > 1) write_differences(c, configs, out);
        write_shared(c, configs, out);
    }
    free(configs);
    return status;
}
