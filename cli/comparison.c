// Comparisons: which trainings belong to one, what each left in its folder, and the scores.
#include "comparison.h"

#include "base/file.h"
#include "curves.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static dq_status no_memory(dq_error *error) {
    return dq_fail(error, DQ_MEMORY, NULL, "there is no memory for this comparison");
}

void comparison_deinit(comparison *c) {
    for (int i = 0; i < c->run_count; i++) {
        dq_csv_deinit(&c->runs[i].metrics);
        free(c->runs[i].returns);
    }
    for (int i = 0; i < c->agent_count; i++) free(c->agents[i].scores);
    free(c->runs);
    free(c->agents);
    free(c->improvement);
    free(c->improvement_interval);
    *c = (comparison){0};
}

static dq_status make_room(comparison *c, int agents, int runs, dq_error *error) {
    size_t pairs = (size_t)agents * (size_t)agents;
    c->agents = calloc((size_t)agents, sizeof *c->agents);
    c->runs = calloc((size_t)runs, sizeof *c->runs);
    c->improvement = calloc(pairs, sizeof *c->improvement);
    c->improvement_interval = calloc(pairs, sizeof *c->improvement_interval);
    if (!c->agents || !c->runs || !c->improvement || !c->improvement_interval) return no_memory(error);
    c->agent_count = agents;
    c->run_count = runs;
    return DQ_OK;
}

// --- what belongs to it -----------------------------------------------------------------------------------

dq_status comparison_plan(comparison *c, const dq_lab *lab, const char *folder, dq_error *error) {
    *c = (comparison){.axis = lab->axis,
                      .threshold = lab->threshold,
                      .final_episodes = (int)lab->final_episodes,
                      .final_seed = lab->final_seed};
    memcpy(c->name, lab->name, sizeof c->name);
    memcpy(c->title, lab->title, sizeof c->title);
    memcpy(c->summary, lab->summary, sizeof c->summary);
    memcpy(c->env, lab->env, sizeof c->env);
    int seeds = (int)lab->seeds;
    dq_status status = make_room(c, lab->agent_count, lab->agent_count * seeds, error);
    for (int a = 0; a < lab->agent_count && !status; a++) {
        comparison_agent *agent = &c->agents[a];
        snprintf(agent->name, sizeof agent->name, "%s", lab->agents[a].name);
        snprintf(agent->preset, sizeof agent->preset, "%s", lab->agents[a].preset);
        agent->first = a * seeds;
        agent->count = seeds;
        for (int s = 0; s < seeds; s++) {
            comparison_run *run = &c->runs[a * seeds + s];
            run->agent = a;
            run->seed = lab->seed + s;
            int n = snprintf(run->folder, sizeof run->folder, "%s/%s/seed-%" PRId64, folder, agent->name,
                             run->seed);
            if (n >= (int)sizeof run->folder)
                return dq_fail(error, DQ_USAGE, folder, "the folder's name is too long");
        }
    }
    return status;
}

// The agents' names where they tell the groups apart; else the folders that hold their trainings.
static void name_groups(comparison *c, const curves *found) {
    for (int a = 0; a < c->agent_count; a++) {
        comparison_agent *agent = &c->agents[a];
        const curves_run *run = NULL;
        for (int i = 0; i < found->count && !run; i++)
            if (found->runs[i].group == a) run = &found->runs[i];
        snprintf(agent->preset, sizeof agent->preset, "%s", run->agent);
        bool alone = true;
        for (int i = 0; i < found->count; i++)
            alone &= found->runs[i].group == a || strcmp(found->runs[i].agent, run->agent) != 0;
        const char *end = run->folder + strlen(run->folder);
        while (end > run->folder && end[-1] == '/') end--;
        const char *name = end;
        while (name > run->folder && name[-1] != '/') name--;
        if (agent->count > 1 && strncmp(name, "seed-", 5) == 0 && name > run->folder + 1) {
            end = name - 1;
            for (name = end; name > run->folder && name[-1] != '/';) name--;
        }
        if (alone)
            snprintf(agent->name, sizeof agent->name, "%s", run->agent);
        else
            snprintf(agent->name, sizeof agent->name, "%.*s", (int)(end - name), name);
    }
}

static dq_status take_runs(comparison *c, const curves *found, dq_error *error) {
    int taken = 0;
    for (int a = 0; a < c->agent_count; a++) {
        c->agents[a].first = taken;
        for (int i = 0; i < found->count; i++) {
            const curves_run *from = &found->runs[i];
            if (from->group != a) continue;
            comparison_run *run = &c->runs[taken++];
            run->agent = a;
            memcpy(run->folder, from->folder, sizeof run->folder);
            char path[PATH_MAX + 16];
            dq_run_config config;
            snprintf(path, sizeof path, "%s/config.yml", run->folder);
            dq_status status = dq_run_config_read(&config, path, error);
            if (status) return status;
            run->seed = config.seed;
        }
        c->agents[a].count = taken - c->agents[a].first;
    }
    return DQ_OK;
}

dq_status comparison_gather(comparison *c, char *const *folders, int count, dq_error *error) {
    curves found;
    *c = (comparison){.axis = DQ_LAB_STEPS, .threshold = NAN, .final_episodes = 100, .final_seed = 1000};
    snprintf(c->name, sizeof c->name, "comparison");
    dq_status status = curves_load(&found, folders, count, error);
    for (int i = 1; i < found.count && !status; i++)
        if (strcmp(found.runs[i].env, found.runs[0].env) != 0)
            status =
                dq_fail(error, DQ_USAGE, found.runs[i].folder,
                        "this run's environment is %s, but that of %.100s is %s: a comparison is made in "
                        "one environment",
                        found.runs[i].env, found.runs[0].folder, found.runs[0].env);
    if (!status) status = make_room(c, found.groups, found.count, error);
    if (!status) status = take_runs(c, &found, error);
    if (!status) {
        snprintf(c->env, sizeof c->env, "%s", found.runs[0].env);
        snprintf(c->title, sizeof c->title, "%d trainings on %s", found.count, c->env);
        name_groups(c, &found);
    }
    curves_deinit(&found);
    return status;
}

dq_status comparison_open(comparison *c, char *const *folders, int count, dq_error *error) {
    char path[PATH_MAX + 16];
    dq_lab lab;
    *c = (comparison){0};
    snprintf(path, sizeof path, "%s/lab.yml", folders[0]);
    if (count != 1 || access(path, F_OK) != 0) return comparison_gather(c, folders, count, error);
    dq_status status = dq_lab_read(&lab, path, error);
    if (!status) status = comparison_plan(c, &lab, folders[0], error);
    dq_lab_deinit(&lab);
    for (int i = 0; i < c->run_count && !status; i++)
        if (!comparison_is_finished(c->runs[i].folder, c->final_episodes, c->final_seed))
            status = dq_fail(error, DQ_USAGE, c->runs[i].folder,
                             "this training is not finished; go on with the comparison first: deepq compare "
                             "--resume %.150s",
                             folders[0]);
    return status;
}

dq_status comparison_configure(dq_run_config *config, const dq_lab *lab, int index, int64_t seed,
                               dq_error *error) {
    const dq_lab_agent *agent = &lab->agents[index];
    const dq_agent_preset *preset = dq_agent_preset_find(agent->preset, error);
    if (!preset) {
        if (error) snprintf(error->where, sizeof error->where, "%.250s", agent->where);
        return DQ_NOT_FOUND;
    }
    dq_status status = dq_run_config_init(config, lab->env, NULL, error);
    if (!status && !lab->tuned) { // the plain defaults, whatever is tuned for the environment
        status = dq_options_defaults(dq_run_options(), config, error);
        memcpy(config->env, lab->env, sizeof config->env);
    }
    char word[1200];
    for (int i = 0; i < lab->common.count && !status; i++) {
        const dq_lab_pair *pair = &lab->common.at[i];
        snprintf(word, sizeof word, "%s=%s", pair->key, pair->value);
        status = dq_run_config_assign(config, word, pair->where, error);
    }
    for (int i = 0; preset->assignments[i] && !status; i++)
        status = dq_run_config_assign(config, preset->assignments[i], preset->name, error);
    if (!status) {
        snprintf(word, sizeof word, "agent=%s", preset->name);
        status = dq_run_config_assign(config, word, agent->where, error);
    }
    for (int i = 0; i < agent->options.count && !status; i++) {
        const dq_lab_pair *pair = &agent->options.at[i];
        snprintf(word, sizeof word, "%s=%s", pair->key, pair->value);
        status = dq_run_config_assign(config, word, pair->where, error);
    }
    if (status) return status;
    config->seed = seed;
    status = dq_run_config_validate(config, error);
    if (status && error) snprintf(error->where, sizeof error->where, "%.250s", agent->where);
    return status;
}

// --- final.csv --------------------------------------------------------------------------------------------

static void final_path(char *path, size_t size, const char *folder) {
    snprintf(path, size, "%s/final.csv", folder);
}

// The returns of final.csv, or NULL where it is missing or tells of other episodes.
static double *read_final(const char *folder, int episodes, int64_t seed) {
    char path[PATH_MAX + 16];
    dq_csv table = {0};
    double *returns = NULL;
    final_path(path, sizeof path, folder);
    if (dq_csv_read(&table, path, NULL) == DQ_OK && table.rows == episodes && table.columns == 2 &&
        table.values[0] == (double)seed && (returns = calloc((size_t)episodes, sizeof *returns)))
        dq_csv_copy(&table, 1, returns);
    dq_csv_deinit(&table);
    return returns;
}

bool comparison_is_finished(const char *folder, int episodes, int64_t seed) {
    double *returns = read_final(folder, episodes, seed);
    free(returns);
    return returns != NULL;
}

static dq_status evaluate(const char *folder, int episodes, int64_t seed, int threads, double *returns,
                          dq_error *error) {
    dq_policy *policy = NULL;
    dq_status status = dq_policy_load(&policy, folder, error);
    if (!status)
        status =
            dq_policy_evaluate(policy, NULL, NULL, episodes, (uint64_t)seed, threads, returns, NULL, error);
    dq_policy_destroy(policy);
    return status;
}

dq_status comparison_finish_run(const char *folder, int episodes, int64_t seed, dq_error *error) {
    char path[PATH_MAX + 16], *text = NULL;
    size_t size = 0;
    double *returns = calloc((size_t)episodes, sizeof *returns);
    if (!returns) return no_memory(error);
    dq_status status = evaluate(folder, episodes, seed, 1, returns, error);
    if (!status) {
        FILE *out = open_memstream(&text, &size);
        if (out) {
            fputs("seed,return\n", out);
            for (int i = 0; i < episodes; i++) fprintf(out, "%" PRId64 ",%.17g\n", seed + i, returns[i]);
        }
        final_path(path, sizeof path, folder);
        status = !out || fclose(out) ? no_memory(error) : dq_file_replace(path, text, size, error);
    }
    free(text);
    free(returns);
    return status;
}

// --- scores -----------------------------------------------------------------------------------------------

static double last_of(const dq_csv *metrics, const char *name) {
    int column = dq_csv_column(metrics, name);
    double last = NAN;
    for (int64_t i = 0; column >= 0 && i < metrics->rows; i++) {
        double value = metrics->values[i * metrics->columns + column];
        if (isfinite(value)) last = value;
    }
    return last;
}

static double cell(const dq_csv *metrics, int64_t row, int column) {
    return column >= 0 ? metrics->values[row * metrics->columns + column] : (double)NAN;
}

static void score_run(comparison_run *run, int episodes, double threshold) {
    const dq_csv *m = &run->metrics;
    run->final_mean = dq_stats_mean(run->returns, (size_t)episodes);
    run->best = run->final_mean;
    run->steps_to = run->seconds_to = NAN;
    int eval = dq_csv_column(m, "eval_return"), mean = dq_csv_column(m, "mean_return");
    bool evaluated = isfinite(last_of(m, "eval_return"));
    for (int64_t i = 0; i < m->rows; i++) {
        double value = cell(m, i, eval);
        if (value > run->best) run->best = value;
        if (!evaluated) value = cell(m, i, mean);
        if (!(value >= threshold) || !isnan(run->steps_to)) continue;
        run->steps_to = cell(m, i, dq_csv_column(m, "step"));
        run->seconds_to = cell(m, i, dq_csv_column(m, "seconds"));
    }
    run->steps = last_of(m, "step");
    run->episodes = last_of(m, "episode");
    run->updates = last_of(m, "updates");
    run->seconds = last_of(m, "seconds");
}

static double median_of(const comparison *c, const comparison_agent *agent, size_t offset) {
    double *values = malloc((size_t)agent->count * sizeof *values);
    if (!values) return NAN;
    size_t n = 0;
    for (int i = 0; i < agent->count; i++) {
        double value;
        memcpy(&value, (const char *)&c->runs[agent->first + i] + offset, sizeof value);
        if (isfinite(value)) values[n++] = value;
    }
    double median = dq_stats_median(values, n);
    free(values);
    return median;
}

static dq_status score_agent(const comparison *c, comparison_agent *agent, dq_error *error) {
    size_t n = (size_t)agent->count;
    double *sorted = calloc(n, sizeof *sorted);
    agent->scores = calloc(n, sizeof *agent->scores);
    if (!sorted || !agent->scores) {
        free(sorted);
        return no_memory(error);
    }
    agent->best = -INFINITY;
    for (int i = 0; i < agent->count; i++) {
        const comparison_run *run = &c->runs[agent->first + i];
        sorted[i] = agent->scores[i] = run->final_mean;
        agent->best = fmax(agent->best, run->best);
        agent->reached += !isnan(run->steps_to);
    }
    agent->mean = dq_stats_mean(sorted, n);
    agent->sd = dq_stats_sd(sorted, n);
    agent->median = dq_stats_median(sorted, n);
    agent->iqm = dq_stats_iqm(sorted, n);
    free(sorted);
    agent->steps_to = median_of(c, agent, offsetof(comparison_run, steps_to));
    agent->seconds_to = median_of(c, agent, offsetof(comparison_run, seconds_to));
    agent->seconds = median_of(c, agent, offsetof(comparison_run, seconds));
    dq_status status = dq_stats_iqm_interval(&agent->iqm_interval, agent->scores, agent->count, 1,
                                             DQ_STATS_LEVEL, DQ_STATS_REPS, 0, error);
    if (!status)
        status = dq_stats_mean_interval(&agent->mean_interval, agent->scores, agent->count, 1, DQ_STATS_LEVEL,
                                        DQ_STATS_REPS, 0, error);
    return status;
}

static dq_status score_pairs(comparison *c, dq_error *error) {
    int n = c->agent_count;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            const comparison_agent *x = &c->agents[i], *y = &c->agents[j];
            double p = dq_stats_improvement(x->scores, x->count, y->scores, y->count, 1);
            dq_stats_interval interval;
            dq_status status =
                dq_stats_improvement_interval(&interval, x->scores, x->count, y->scores, y->count, 1,
                                              DQ_STATS_LEVEL, DQ_STATS_REPS / 5, 0, error);
            if (status) return status;
            // P(Y > X) + P(X = Y)/2 = 1 - (P(X > Y) + P(X = Y)/2)
            c->improvement[j * n + i] = 1 - p;
            c->improvement_interval[j * n + i] = (dq_stats_interval){1 - interval.high, 1 - interval.low};
            c->improvement[i * n + j] = p;
            c->improvement_interval[i * n + j] = interval;
        }
    }
    return DQ_OK;
}

dq_status comparison_score(comparison *c, int threads, dq_error *error) {
    dq_status status = DQ_OK;
    for (int i = 0; i < c->run_count && !status; i++) {
        comparison_run *run = &c->runs[i];
        char path[PATH_MAX + 16];
        snprintf(path, sizeof path, "%s/metrics.csv", run->folder);
        status = dq_csv_read(&run->metrics, path, error);
        if (status) break;
        run->returns = read_final(run->folder, c->final_episodes, c->final_seed);
        if (!run->returns) {
            run->returns = calloc((size_t)c->final_episodes, sizeof *run->returns);
            if (!run->returns) return no_memory(error);
            status = evaluate(run->folder, c->final_episodes, c->final_seed, threads, run->returns, error);
        }
        score_run(run, c->final_episodes, c->threshold);
    }
    for (int a = 0; a < c->agent_count && !status; a++) status = score_agent(c, &c->agents[a], error);
    return status ? status : score_pairs(c, error);
}
