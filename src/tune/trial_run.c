// Training a trial.
#include "tune/trial_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OBJECTIVE_RETURN, OBJECTIVE_AUC, OBJECTIVE_SECONDS };

const dq_objective dq_objectives[] = {
    [OBJECTIVE_RETURN] = {"return", DQ_MAXIMIZE, "mean greedy return of the trained seeds"},
    [OBJECTIVE_AUC] = {"auc", DQ_MAXIMIZE, "mean greedy return over the training: area under its curve"},
    [OBJECTIVE_SECONDS] = {"seconds", DQ_MINIMIZE, "processor time of the trainings"},
    {0},
};

dq_status dq_trial_plan_objectives(dq_trial_plan *plan, const char *text, dq_error *error) {
    plan->objective_count = 0;
    while (*text) {
        const size_t length = strcspn(text, ",");
        int k = 0;
        while (dq_objectives[k].name &&
               (strlen(dq_objectives[k].name) != length || strncmp(dq_objectives[k].name, text, length) != 0))
            k++;
        for (int i = 0; i < plan->objective_count; i++)
            if (plan->objectives[i] == k)
                return dq_fail(error, DQ_USAGE, "--objective", "%s is named twice", dq_objectives[k].name);
        if (!dq_objectives[k].name || plan->objective_count == DQ_OBJECTIVES_MAX)
            return dq_fail(error, DQ_USAGE, "--objective",
                           "'%.*s' is no objective; there are return, auc and seconds, several with commas "
                           "between them",
                           (int)length, text);
        plan->objectives[plan->objective_count++] = k;
        text += length + (text[length] == ',');
    }
    if (plan->objective_count > 0) return DQ_OK;
    return dq_fail(error, DQ_USAGE, "--objective", "an objective is needed: return, auc or seconds");
}

dq_status dq_trial_plan_finish(dq_trial_plan *plan, dq_error *error) {
    dq_run_config *config = &plan->config;
    if (config->total_steps < plan->evaluations)
        return dq_fail(error, DQ_USAGE, "total_steps",
                       "a search compares trainings of one length: give total_steps=N, at least %d",
                       plan->evaluations);
    if (plan->search->count < 1)
        return dq_fail(error, DQ_USAGE, "search", "nothing is left to search: every option is fixed");
    // a row of metrics at every evaluation, and some between to see how fast it goes
    const int64_t every = config->total_steps / plan->evaluations;
    config->eval_every_steps = every;
    config->metrics_every_steps = every % 10 == 0 ? every / 10 : every;
    config->eval_every_episodes = 0;
    return dq_run_config_validate(config, error);
}

// --- one training -----------------------------------------------------------------------------------------

typedef struct training {
    const dq_trial_plan *plan;
    dq_tuner *tuner;
    dq_trial *trial;
    dq_run *run;
    int seed;         // 0, 1, ...
    double ended_sum; // of the returns of the seeds that have ended
    double curve_sum; // of all evaluations so far
    int64_t curve_count, last_step;
    double begun; // processor time
    bool pruned;
    char reason[120]; // why it was, other than by the pruner
    dq_status status;
    dq_error error;
} training;

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Stops a trial that would take too long, going by what it took so far.
static void limit_seconds(training *t, int64_t steps) {
    const double whole = (double)t->plan->seeds * (double)t->plan->config.total_steps;
    const double wanted = (processor_seconds() - t->begun) * whole / (double)(steps > 0 ? steps : 1);
    if (!(t->plan->seconds > 0) || t->pruned || wanted <= t->plan->seconds) return;
    t->pruned = true;
    snprintf(t->reason, sizeof t->reason, "the trial would take %.0f s, more than trial_seconds, %.6g",
             wanted, t->plan->seconds);
}

static void on_progress(void *user, const dq_run *run, const dq_metrics *row) {
    training *t = user;
    const int64_t every = t->plan->config.eval_every_steps;
    (void)run;
    if (t->status || t->pruned) return;
    limit_seconds(t, t->seed * t->plan->config.total_steps + row->step);
    if (isnan(row->eval_return) || t->pruned) {
        if (t->pruned) dq_run_stop(t->run);
        return;
    }
    t->curve_sum += row->eval_return;
    t->curve_count++;
    // several environments side by side may step over the multiple
    const int64_t step = t->seed * t->plan->config.total_steps + row->step / every * every;
    if (step <= t->last_step) return;
    t->last_step = step;
    t->status = dq_tuner_report(t->tuner, t->trial, step, (t->ended_sum + row->eval_return) / (t->seed + 1),
                                &t->pruned, &t->error);
    if (t->pruned || t->status) dq_run_stop(t->run);
}

// The greedy return of what was learned.
static dq_status score(const training *t, double *value, dq_error *error) {
    dq_policy *policy = NULL;
    double *returns = calloc((size_t)t->plan->final_episodes, sizeof *returns);
    dq_status status = returns
                           ? dq_policy_from_run(&policy, t->run, error)
                           : dq_fail(error, DQ_MEMORY, "trial", "there is no memory for the last episodes");
    if (!status)
        status = dq_policy_evaluate(policy, NULL, NULL, t->plan->final_episodes,
                                    (uint64_t)t->plan->final_seed, 1, returns, NULL, error);
    *value = 0;
    for (int i = 0; i < t->plan->final_episodes && !status; i++)
        *value += returns[i] / t->plan->final_episodes;
    dq_policy_destroy(policy);
    free(returns);
    return status;
}

static dq_status train(training *t, const dq_run_config *config, dq_error *error) {
    double value = 0;
    dq_status status = dq_run_create(&t->run, config, NULL, error);
    if (status) return status;
    dq_run_on_progress(t->run, on_progress, t);
    status = dq_run_train(t->run, error);
    if (!status && t->status) {
        *error = t->error;
        status = t->status;
    }
    if (!status && !t->pruned) status = score(t, &value, error);
    t->ended_sum += value;
    dq_run_destroy(t->run);
    t->run = NULL;
    return status;
}

// --- the trial --------------------------------------------------------------------------------------------

static bool is_trials_own(dq_status status) {
    return status == DQ_USAGE || status == DQ_MEMORY || status == DQ_NOT_FOUND || status == DQ_UNSUPPORTED;
}

dq_status dq_trial_run(const dq_trial_plan *plan, dq_tuner *tuner, dq_trial *trial, const dq_trial *params,
                       dq_error *error) {
    training t = {.plan = plan, .tuner = tuner, .trial = trial, .last_step = -1};
    dq_run_config config = plan->config;
    t.begun = processor_seconds();
    dq_status status = dq_search_apply(plan->search, params, &config, error);
    for (; t.seed < plan->seeds && !status && !t.pruned; t.seed++) {
        config.seed = plan->config.seed + t.seed;
        status = train(&t, &config, error);
    }
    if (status == DQ_INTERRUPTED) {
        dq_status given = dq_tuner_give_back(tuner, trial, error);
        return given ? given : DQ_INTERRUPTED;
    }
    if (status && t.status) return status; // the storage failed, not the trial
    const double seconds = processor_seconds() - t.begun;
    if (status && is_trials_own(status))
        return dq_tuner_tell(tuner, trial, DQ_TRIAL_FAILED, NULL, 0, seconds, error->message, error);
    if (status) return status;
    if (t.pruned)
        return dq_tuner_tell(tuner, trial, DQ_TRIAL_PRUNED, NULL, 0, seconds, *t.reason ? t.reason : NULL,
                             error);
    const double of[] = {
        [OBJECTIVE_RETURN] = t.ended_sum / plan->seeds,
        [OBJECTIVE_AUC] = t.curve_count ? t.curve_sum / (double)t.curve_count : (double)NAN,
        [OBJECTIVE_SECONDS] = seconds,
    };
    double values[DQ_OBJECTIVES_MAX];
    for (int i = 0; i < plan->objective_count; i++) values[i] = of[plan->objectives[i]];
    return dq_tuner_tell(tuner, trial, DQ_TRIAL_COMPLETE, values, plan->objective_count, seconds, NULL,
                         error);
}
