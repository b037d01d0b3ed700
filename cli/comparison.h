// Comparisons: trainings of several agents in one environment, gathered and scored.
//
// A comparison's folder holds lab.yml (the recipe, resolved) and AGENT/seed-S/, a run's folder each, with
// final.csv beside what training left: the greedy episodes that score it. Runs made by `train` are gathered
// too: those that differ in their seed alone are one agent.
#ifndef DEEPQ_CLI_COMPARISON_H
#define DEEPQ_CLI_COMPARISON_H

#include "io/csv.h"
#include "io/lab.h"
#include "run/stats.h"

#include <deepq/run.h>
#include <limits.h>

struct json_object;

// One training. A figure that was not measured is NAN.
typedef struct comparison_run {
    char folder[PATH_MAX];
    int agent;
    int64_t seed;
    dq_csv metrics;
    double *returns; // [final_episodes] of the finished policy's greedy episodes
    double final_mean;
    double best; // the largest mean return of its greedy evaluations, the final one included
    double steps, episodes, updates, seconds;
    double steps_to, seconds_to; // the first evaluation at or above the threshold; NAN: never
} comparison_run;

// One agent: runs [first, first + count) and what they come to. Scores are final means, one a training.
typedef struct comparison_agent {
    char name[64], preset[64];
    int first, count;
    double *scores; // [count]
    double best;    // the largest of its trainings'
    double mean, sd, median, iqm;
    dq_stats_interval iqm_interval, mean_interval;
    int reached;                 // trainings that came to the threshold
    double steps_to, seconds_to; // their median
    double seconds;              // median training time
} comparison_agent;

typedef struct comparison {
    char name[64], title[200], summary[600], env[64];
    int axis; // dq_lab_axis
    double threshold;
    int final_episodes;
    int64_t final_seed;
    comparison_agent *agents; // [agent_count]
    int agent_count;
    comparison_run *runs; // [run_count], those of an agent side by side
    int run_count;
    // improvement[i*agent_count + j]: the probability that a training of agent i ends better than one of j
    double *improvement;
    dq_stats_interval *improvement_interval;
} comparison;

// The trainings a lab asks for, below `folder`; nothing is read yet.
dq_status comparison_plan(comparison *c, const dq_lab *lab, const char *folder, dq_error *error);

// Gathers the runs given (folders of runs, or folders that hold them).
dq_status comparison_gather(comparison *c, char *const *folders, int count, dq_error *error);

// What a command line names: the folder of one comparison, finished, or runs to gather.
dq_status comparison_open(comparison *c, char *const *folders, int count, dq_error *error);
void comparison_deinit(comparison *c);

// Reads metrics and final returns of every training and computes every score. Runs without final returns are
// evaluated now, on `threads`.
dq_status comparison_score(comparison *c, int threads, dq_error *error);

// final.csv of a run: greedy episodes of its final weights. Made once, replaced atomically.
dq_status comparison_finish_run(const char *folder, int episodes, int64_t seed, dq_error *error);
bool comparison_is_finished(const char *folder, int episodes, int64_t seed);

// The configuration of one agent of a lab: its own options behind its preset's behind the common ones.
dq_status comparison_configure(dq_run_config *config, const dq_lab *lab, int agent, int64_t seed,
                               dq_error *error);

// --- what is shown of it (comparison_table.c)
// ---------------------------------------------------------------

void comparison_print(const comparison *c, FILE *out);
dq_status comparison_write_csv(const comparison *c, const char *path, dq_error *error);
struct json_object *comparison_json(const comparison *c);

// --- its pictures (comparison_figures.c)
// --------------------------------------------------------------------

typedef enum comparison_figure {
    COMPARISON_SCORES,         // one dot a training, IQM with interval
    COMPARISON_MEANS,          // the agents' mean learning curves
    COMPARISON_CURVES,         // one panel an agent, one line a training
    COMPARISON_PROFILE,        // share of trainings above a score
    COMPARISON_OVERESTIMATION, // predicted and earned discounted return
    COMPARISON_FIGURES,
} comparison_figure;

// A figure's file name without ending, and a caption that says what it shows.
const char *comparison_figure_name(comparison_figure figure);
const char *comparison_figure_caption(const comparison *c, comparison_figure figure);

// Was what this figure shows measured?
bool comparison_has_figure(const comparison *c, comparison_figure figure);

dq_status comparison_draw(const comparison *c, comparison_figure figure, const char *path, dq_error *error);
// The same as SVG text, for light or dark paper (dq_chart_theme). *text is the caller's to free().
dq_status comparison_svg(const comparison *c, comparison_figure figure, int theme, char **text,
                         dq_error *error);

#endif
