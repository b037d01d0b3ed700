// Comparisons as a table for people, a CSV file and a JSON document.
#include "comparison.h"

#include "base/file.h"
#include "cli.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// --- for people -------------------------------------------------------------------------------------------

enum { cells = 10, cell_size = 64 };
typedef char row[cells][cell_size];

// Characters, not bytes: UTF-8's followers take no column.
static int width_of(const char *text) {
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

// Scores with as many digits as their size asks for.
static void number(char *text, double value) {
    if (isnan(value))
        snprintf(text, cell_size, "-");
    else
        snprintf(text, cell_size, "%.*f", fabs(value) < 10 ? 2 : 1, value);
}

static void interval(char *text, double value, dq_stats_interval range, int decimals) {
    snprintf(text, cell_size, "%.*f [%.*f, %.*f]", decimals, value, decimals, range.low, decimals,
             range.high);
}

static void agent_row(const comparison *c, int a, row out) {
    const comparison_agent *agent = &c->agents[a];
    int decimals = fabs(agent->iqm) < 10 ? 2 : 1, k = 0;
    snprintf(out[k++], cell_size, "%.60s", agent->name);
    number(out[k++], agent->best);
    snprintf(out[k++], cell_size, "%.*f \302\261 %.*f", decimals, agent->mean, decimals, agent->sd);
    number(out[k++], agent->median);
    interval(out[k++], agent->iqm, agent->iqm_interval, decimals);
    if (a == 0)
        snprintf(out[k++], cell_size, "-");
    else
        interval(out[k++], c->improvement[a * c->agent_count + a - 1],
                 c->improvement_interval[a * c->agent_count + a - 1], 2);
    snprintf(out[k++], cell_size, "%d/%d", agent->reached, agent->count);
    if (isnan(agent->steps_to))
        snprintf(out[k++], cell_size, "-");
    else
        cli_count(out[k++], cell_size, (int64_t)agent->steps_to);
    if (isnan(agent->seconds_to))
        snprintf(out[k++], cell_size, "-");
    else
        snprintf(out[k++], cell_size, "%.2f", agent->seconds_to);
    snprintf(out[k++], cell_size, "%.2f", agent->seconds);
}

static void print_rows(FILE *out, row *rows, int count, const bool *shown) {
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < cells; k++) {
            if (!shown[k]) continue;
            int widest = 0;
            for (int j = 0; j < count; j++)
                widest = width_of(rows[j][k]) > widest ? width_of(rows[j][k]) : widest;
            int pad = widest - width_of(rows[i][k]);
            if (k == 0)
                fprintf(out, "%s%*s", rows[i][k], pad, "");
            else
                fprintf(out, "  %*s%s", pad, "", rows[i][k]);
        }
        fputc('\n', out);
    }
}

void comparison_print(const comparison *c, FILE *out) {
    row *rows = calloc((size_t)c->agent_count + 1, sizeof *rows);
    if (!rows) return;
    static const char *const heads[cells] = {
        "agent", "best",     "mean", "median", "IQM [95% interval]", "better than above",
        "",      "steps to", "s to", "s"};
    for (int k = 0; k < cells; k++) snprintf(rows[0][k], cell_size, "%s", heads[k]);
    bool threshold = !isnan(c->threshold);
    if (threshold) snprintf(rows[0][6], cell_size, "reached %g", c->threshold);
    for (int a = 0; a < c->agent_count; a++) agent_row(c, a, rows[a + 1]);
    bool shown[cells];
    for (int k = 0; k < cells; k++) shown[k] = threshold || k < 6 || k == 9;
    if (c->agent_count == 1) shown[5] = false;
    fprintf(out, "%s (%s, %d trainings)\n\n", c->title[0] ? c->title : c->name, c->env, c->run_count);
    print_rows(out, rows, c->agent_count + 1, shown);
    free(rows);
    fprintf(
        out,
        "\nA training's score is the mean return of %d greedy episodes of its final weights; mean, sd, "
        "median "
        "and IQM\n(interquartile mean, with a bootstrap interval) are over the scores of an agent's "
        "trainings. "
        "best: the largest\ngreedy mean return any of them had, final or during training. better than above: "
        "the probability that a\ntraining ends with a higher score than one of the agent above.",
        c->final_episodes);
    if (threshold)
        fprintf(
            out,
            " reached, steps to, s to: trainings with an\nevaluation of %g or more, and the median steps and "
            "seconds of the first. s: median training time.\n",
            c->threshold);
    else
        fputs("\ns: median training time.\n", out);
}

// --- CSV --------------------------------------------------------------------------------------------------

static void csv_number(FILE *out, double value) {
    if (isnan(value))
        fputc(',', out);
    else
        fprintf(out, ",%.10g", value);
}

dq_status comparison_write_csv(const comparison *c, const char *path, dq_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return dq_fail(error, DQ_MEMORY, path, "there is no memory for the table");
    fputs("agent,preset,trainings,best,mean,sd,median,iqm,iqm_low,iqm_high,better,better_low,better_high,"
          "reached,"
          "steps_to,seconds_to,seconds\n",
          out);
    for (int a = 0; a < c->agent_count; a++) {
        const comparison_agent *agent = &c->agents[a];
        const int pair = a * c->agent_count + a - 1;
        fprintf(out, "%s,%s,%d", agent->name, agent->preset, agent->count);
        const double numbers[] = {agent->best,
                                  agent->mean,
                                  agent->sd,
                                  agent->median,
                                  agent->iqm,
                                  agent->iqm_interval.low,
                                  agent->iqm_interval.high,
                                  a ? c->improvement[pair] : (double)NAN,
                                  a ? c->improvement_interval[pair].low : (double)NAN,
                                  a ? c->improvement_interval[pair].high : (double)NAN,
                                  isnan(c->threshold) ? (double)NAN : agent->reached,
                                  agent->steps_to,
                                  agent->seconds_to,
                                  agent->seconds};
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) csv_number(out, numbers[k]);
        fputc('\n', out);
    }
    dq_status status = fclose(out) ? dq_fail(error, DQ_MEMORY, path, "there is no memory for the table")
                                   : dq_file_replace(path, text, size, error);
    free(text);
    return status;
}

// --- JSON -------------------------------------------------------------------------------------------------

static void put(json_object *to, const char *key, double value) {
    json_object_object_add(to, key, cli_json_number(value));
}

static void put_text(json_object *to, const char *key, const char *value) {
    json_object_object_add(to, key, json_object_new_string(value));
}

static void put_count(json_object *to, const char *key, int64_t value) {
    json_object_object_add(to, key, json_object_new_int64(value));
}

static json_object *run_json(const comparison *c, const comparison_run *run) {
    json_object *out = json_object_new_object(), *returns = json_object_new_array();
    put_count(out, "seed", run->seed);
    put_text(out, "folder", run->folder);
    put(out, "mean", run->final_mean);
    put(out, "best", run->best);
    put(out, "steps", run->steps);
    put(out, "episodes", run->episodes);
    put(out, "updates", run->updates);
    put(out, "steps_to", run->steps_to);
    put(out, "seconds_to", run->seconds_to);
    put(out, "seconds", run->seconds);
    for (int i = 0; i < c->final_episodes; i++)
        json_object_array_add(returns, cli_json_number(run->returns[i]));
    json_object_object_add(out, "returns", returns);
    return out;
}

static json_object *agent_json(const comparison *c, const comparison_agent *agent) {
    json_object *out = json_object_new_object(), *runs = json_object_new_array();
    put_text(out, "name", agent->name);
    put_text(out, "preset", agent->preset);
    put_count(out, "trainings", agent->count);
    put(out, "best", agent->best);
    put(out, "mean", agent->mean);
    put(out, "mean_low", agent->mean_interval.low);
    put(out, "mean_high", agent->mean_interval.high);
    put(out, "sd", agent->sd);
    put(out, "median", agent->median);
    put(out, "iqm", agent->iqm);
    put(out, "iqm_low", agent->iqm_interval.low);
    put(out, "iqm_high", agent->iqm_interval.high);
    if (!isnan(c->threshold)) {
        put_count(out, "reached", agent->reached);
        put(out, "steps_to", agent->steps_to);
        put(out, "seconds_to", agent->seconds_to);
    }
    put(out, "seconds", agent->seconds);
    for (int i = 0; i < agent->count; i++)
        json_object_array_add(runs, run_json(c, &c->runs[agent->first + i]));
    json_object_object_add(out, "runs", runs);
    return out;
}

json_object *comparison_json(const comparison *c) {
    json_object *out = json_object_new_object(), *agents = json_object_new_array(),
                *pairs = json_object_new_array();
    put_text(out, "name", c->name);
    put_text(out, "title", c->title);
    put_text(out, "env", c->env);
    put(out, "threshold", c->threshold);
    put_count(out, "final_episodes", c->final_episodes);
    put_count(out, "final_seed", c->final_seed);
    for (int a = 0; a < c->agent_count; a++) json_object_array_add(agents, agent_json(c, &c->agents[a]));
    json_object_object_add(out, "agents", agents);
    for (int i = 0; i < c->agent_count; i++) {
        for (int j = 0; j < c->agent_count; j++) {
            if (i == j) continue;
            json_object *pair = json_object_new_object();
            int k = i * c->agent_count + j;
            put_text(pair, "better", c->agents[i].name);
            put_text(pair, "than", c->agents[j].name);
            put(pair, "probability", c->improvement[k]);
            put(pair, "low", c->improvement_interval[k].low);
            put(pair, "high", c->improvement_interval[k].high);
            json_object_array_add(pairs, pair);
        }
    }
    json_object_object_add(out, "improvement", pairs);
    return out;
}
