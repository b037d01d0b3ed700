// The page about a run or a comparison: facts, scores, pictures, trainings, configuration.
#include "report.h"

#include "base/file.h"
#include "cli.h"
#include "curves.h"
#include "draw/chart.h"
#include "page.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { text_size = 128, gif_most = 32 << 20 };

static const char *number(char *text, double value) {
    if (isnan(value))
        snprintf(text, text_size, "\342\200\223");
    else
        snprintf(text, text_size, "%.*f", fabs(value) < 10 ? 2 : 1, value);
    return text;
}

static const char *range(char *text, double value, dq_stats_interval interval) {
    int decimals = fabs(value) < 10 ? 2 : 1;
    snprintf(text, text_size, "%.*f [%.*f, %.*f]", decimals, value, decimals, interval.low, decimals,
             interval.high);
    return text;
}

static const char *whole(char *text, double value) {
    if (isnan(value)) return number(text, value);
    return cli_count(text, text_size, (int64_t)value);
}

// --- a comparison's tables --------------------------------------------------------------------------------

static void write_facts(const comparison *c, FILE *out) {
    char a[text_size], b[text_size];
    int best = 0;
    double steps = 0, seconds = 0;
    for (int i = 1; i < c->agent_count; i++)
        if (c->agents[i].iqm > c->agents[best].iqm) best = i;
    for (int r = 0; r < c->run_count; r++) {
        if (isfinite(c->runs[r].steps)) steps += c->runs[r].steps;
        if (isfinite(c->runs[r].seconds)) seconds += c->runs[r].seconds;
    }
    page_facts_begin(out);
    page_fact(out, "environment", c->env, NULL);
    snprintf(a, sizeof a, "%d", c->run_count);
    snprintf(b, sizeof b, "of %d agent%s", c->agent_count, c->agent_count == 1 ? "" : "s");
    page_fact(out, "trainings", a, b);
    if (c->agent_count > 1) {
        snprintf(b, sizeof b, "interquartile mean %.4g", c->agents[best].iqm);
        page_fact(out, "highest score", c->agents[best].name, b);
    }
    page_fact(out, "environment steps", whole(a, steps), "in all trainings");
    page_fact(out, "training time", cli_duration(a, sizeof a, seconds), "on one core, summed");
    page_facts_end(out);
}

static void write_scores(const comparison *c, FILE *out) {
    const bool threshold = !isnan(c->threshold);
    char reached[64], steps_to[64], text[text_size];
    snprintf(reached, sizeof reached, "reached %g", c->threshold);
    snprintf(steps_to, sizeof steps_to, "steps to %g", c->threshold);
    const char *const headings[] = {
        NULL,    "best",   "mean",         "sd", "median", "IQM [95% interval]", "training time",
        reached, steps_to, "seconds to it"};
    page_section(out, "Scores");
    page_table_begin(out, NULL, headings, threshold ? 10 : 7);
    for (int i = 0; i < c->agent_count; i++) {
        const comparison_agent *agent = &c->agents[i];
        page_row_begin(out);
        page_cell(out, "name", agent->name);
        page_cell(out, NULL, number(text, agent->best));
        page_cell(out, NULL, number(text, agent->mean));
        page_cell(out, NULL, number(text, agent->sd));
        page_cell(out, NULL, number(text, agent->median));
        page_cell(out, "strong", range(text, agent->iqm, agent->iqm_interval));
        page_cell(out, NULL, cli_duration(text, sizeof text, agent->seconds));
        if (threshold) {
            snprintf(text, sizeof text, "%d of %d", agent->reached, agent->count);
            page_cell(out, NULL, text);
            page_cell(out, NULL, whole(text, agent->steps_to));
            page_cell(out, NULL, number(text, agent->seconds_to));
        }
        page_row_end(out);
    }
    page_table_end(out);
    char note[900];
    snprintf(note, sizeof note,
             "A training's score is the mean return of %d greedy episodes of its final weights, reset with "
             "the seeds "
             "%" PRId64 " to %" PRId64
             ". Mean, standard deviation, median and interquartile mean (IQM, with its "
             "bootstrap interval) are over the trainings of an agent. Best is the largest greedy mean return "
             "that any "
             "of them had, final or during training. Times are medians over trainings%s",
             c->final_episodes, c->final_seed, c->final_seed + c->final_episodes - 1,
             threshold
                 ? "; steps and seconds count up to the first evaluation at or above the threshold, over the "
                   "trainings that reached it."
                 : ".");
    page_paragraph(out, "note", note);
}

static void write_improvement(const comparison *c, FILE *out) {
    const char **headings = calloc((size_t)c->agent_count + 1, sizeof *headings);
    char text[text_size];
    const bool wide = c->agent_count > 8; // the intervals are in scores.json
    if (!headings) return;
    for (int j = 0; j < c->agent_count; j++) headings[j + 1] = c->agents[j].name;
    page_section(out, "Probability of improvement");
    page_paragraph(
        out, NULL,
        "How likely it is that a training of the row's agent ends with a higher score than one of the "
        "column's; one half where they are alike.");
    page_table_begin(out, wide ? "matrix wide" : "matrix", headings, c->agent_count + 1);
    for (int i = 0; i < c->agent_count; i++) {
        page_row_begin(out);
        page_cell(out, "name", c->agents[i].name);
        for (int j = 0; j < c->agent_count; j++) {
            if (i == j) {
                page_cell(out, NULL, "");
                continue;
            }
            int k = i * c->agent_count + j;
            if (wide)
                snprintf(text, sizeof text, "%.2f", c->improvement[k]);
            else
                snprintf(text, sizeof text, "%.2f [%.2f, %.2f]", c->improvement[k],
                         c->improvement_interval[k].low, c->improvement_interval[k].high);
            page_cell_shaded(out, 2 * fmax(0, c->improvement[k] - 0.5), text);
        }
        page_row_end(out);
    }
    page_table_end(out);
    page_paragraph(out, "note",
                   wide ? "The darker, the surer." : "With 95% bootstrap intervals. The darker, the surer.");
    free(headings);
}

static void write_trainings(const comparison *c, FILE *out) {
    static const char *const headings[] = {"agent", "seed",     "score",          "best",
                                           "steps", "episodes", "gradient steps", "training time"};
    char text[text_size];
    page_section(out, "Every training in numbers");
    page_details_begin(out, "table", true);
    page_table_begin(out, NULL, headings, 8);
    for (int r = 0; r < c->run_count; r++) {
        const comparison_run *run = &c->runs[r];
        page_row_begin(out);
        page_cell(out, "name", c->agents[run->agent].name);
        snprintf(text, sizeof text, "%" PRId64, run->seed);
        page_cell(out, NULL, text);
        page_cell(out, "strong", number(text, run->final_mean));
        page_cell(out, NULL, number(text, run->best));
        page_cell(out, NULL, whole(text, run->steps));
        page_cell(out, NULL, whole(text, run->episodes));
        page_cell(out, NULL, whole(text, run->updates));
        page_cell(out, NULL, cli_duration(text, sizeof text, run->seconds));
        page_row_end(out);
    }
    page_table_end(out);
    page_details_end(out);
}

// --- pictures ---------------------------------------------------------------------------------------------

static dq_status write_figure(const comparison *c, comparison_figure figure, const char *heading, FILE *out,
                              dq_error *error) {
    char *light = NULL, *dark = NULL;
    if (!comparison_has_figure(c, figure)) return DQ_OK;
    dq_status status = comparison_svg(c, figure, DQ_CHART_LIGHT, &light, error);
    if (!status) status = comparison_svg(c, figure, DQ_CHART_DARK, &dark, error);
    if (!status) {
        const char *caption = comparison_figure_caption(c, figure);
        if (heading) page_section(out, heading);
        page_picture(out, light, dark, caption, caption);
    }
    free(light);
    free(dark);
    return status;
}

static dq_status write_curves(const comparison_run *run, FILE *out, dq_error *error) {
    char *light = NULL, *dark = NULL;
    curves found;
    char *folder = (char *)run->folder;
    dq_status status = curves_load(&found, &folder, 1, error);
    curves_style look = {.bare = true, .theme = DQ_CHART_LIGHT};
    if (!status) status = curves_svg(&found, &look, &light, error);
    look.theme = DQ_CHART_DARK;
    if (!status) status = curves_svg(&found, &look, &dark, error);
    curves_deinit(&found);
    if (!status) {
        page_section(out, "Learning curves");
        page_picture(out, light, dark, "Learning curves of this training, over environment steps",
                     "Faint: as measured. Strong: moving average.");
    }
    free(light);
    free(dark);
    return status;
}

static dq_status write_animation(const comparison_run *run, const char *heading, FILE *out, dq_error *error) {
    char path[PATH_MAX + 16];
    char *bytes;
    size_t size;
    snprintf(path, sizeof path, "%s/episode.gif", run->folder);
    dq_error missing;
    dq_status status = dq_file_read(path, gif_most, &bytes, &size, &missing);
    if (status == DQ_NOT_FOUND) return DQ_OK;
    if (status) {
        if (error) *error = missing;
        return status;
    }
    page_section(out, heading);
    page_image(out, "image/gif", (const unsigned char *)bytes, size, "Animation of one greedy episode",
               "One greedy episode.");
    free(bytes);
    return DQ_OK;
}

// --- pages ------------------------------------------------------------------------------------------------

static dq_status write_comparison(const comparison *c, FILE *out, dq_error *error) {
    if (c->summary[0]) page_paragraph(out, "lead", c->summary);
    write_facts(c, out);
    write_scores(c, out);
    dq_status status = write_figure(c, COMPARISON_SCORES, NULL, out, error);
    if (!status) status = write_figure(c, COMPARISON_MEANS, "Learning curves", out, error);
    if (!status) status = write_figure(c, COMPARISON_CURVES, "Every training", out, error);
    if (!status && c->agent_count > 1) write_improvement(c, out);
    if (!status) status = write_figure(c, COMPARISON_PROFILE, "Performance profile", out, error);
    if (!status) status = write_figure(c, COMPARISON_OVERESTIMATION, "Promised and earned", out, error);
    for (int a = 0; a < c->agent_count && !status; a++) {
        char heading[160];
        const comparison_agent *agent = &c->agents[a];
        snprintf(heading, sizeof heading, "An episode of %s", agent->name);
        status = write_animation(&c->runs[agent->first], heading, out, error);
    }
    if (!status) write_trainings(c, out);
    return status ? status : report_options(c, out, error);
}

static dq_status write_run(const comparison *c, FILE *out, dq_error *error) {
    const comparison_run *run = &c->runs[0];
    char a[text_size], b[text_size];
    dq_stats_summary summary;
    dq_status status = dq_stats_summarize(&summary, run->returns, c->final_episodes, 0, error);
    if (status) return status;
    page_facts_begin(out);
    snprintf(b, sizeof b, "mean of %d episodes, sd %.4g", c->final_episodes, summary.sd);
    page_fact(out, "greedy return", number(a, summary.mean), b);
    snprintf(b, sizeof b, "95%% interval %.4g to %.4g", summary.iqm_low, summary.iqm_high);
    page_fact(out, "interquartile mean", number(a, summary.iqm), b);
    snprintf(b, sizeof b, "in %.0f episodes", run->episodes);
    page_fact(out, "environment steps", whole(a, run->steps), b);
    page_fact(out, "gradient steps", whole(a, run->updates), NULL);
    if (run->seconds > 0 && isfinite(run->steps))
        snprintf(b, sizeof b, "%.0f steps a second", run->steps / run->seconds);
    else
        b[0] = 0;
    page_fact(out, "training time", cli_duration(a, sizeof a, run->seconds), b);
    page_facts_end(out);
    snprintf(b, sizeof b,
             "Greedy episodes of the final weights, reset with the seeds %" PRId64 " to %" PRId64 ".",
             c->final_seed, c->final_seed + c->final_episodes - 1);
    page_paragraph(out, "note", b);
    status = write_curves(run, out, error);
    if (!status) status = write_animation(run, "An episode", out, error);
    return status ? status : report_options(c, out, error);
}

dq_status report_write(const comparison *c, const char *title, FILE *out, dq_error *error) {
    char heading[256], subtitle[256];
    const bool one = c->run_count == 1;
    if (title)
        snprintf(heading, sizeof heading, "%s", title);
    else if (one)
        snprintf(heading, sizeof heading, "%s on %s", c->agents[0].preset, c->env);
    else
        snprintf(heading, sizeof heading, "%s", c->title[0] ? c->title : c->name);
    if (one)
        snprintf(subtitle, sizeof subtitle, "One training with seed %" PRId64, c->runs[0].seed);
    else
        snprintf(subtitle, sizeof subtitle, "%d trainings on %s", c->run_count, c->env);
    page_begin(out, heading, subtitle);
    dq_status status = one ? write_run(c, out, error) : write_comparison(c, out, error);
    page_end(out);
    return status;
}
