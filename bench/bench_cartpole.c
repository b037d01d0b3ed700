// The default training on CartPole-v1, seed by seed: how good the final weights are, and how long it took.
//
//   bench_cartpole [--env ID] [--agent NAME] [--seeds N] [--first S] [--threads T] [--solved R] [key=value
//   ...]
//
// Each seed trains as `deepq train CartPole-v1 --seed S` does, into a folder of its own that goes away, and
// its final weights play 100 greedy episodes from seeds that training never saw. Seconds: processor time of
// the training thread and wall time, folder and checkpoint included.
#include "base/threads.h"
#include "run/stats.h"

#include <deepq/run.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EPISODES = 100, FRESH_SEED = 1000000, MOST_SEEDS = 1000 };

typedef struct outcome {
    double mean, wall, processor;
    int64_t steps;
    dq_error error;
} outcome;

typedef struct work {
    dq_run_config config;
    int64_t first;
    outcome outcomes[MOST_SEEDS];
} work;

static double seconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static dq_status train(const dq_run_config *config, const char *folder, outcome *o) {
    dq_run *run = NULL;
    dq_policy *policy = NULL;
    double returns[EPISODES], sum = 0;
    double wall = seconds_of(CLOCK_MONOTONIC), processor = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    dq_status status = dq_run_create(&run, config, folder, &o->error);
    if (!status) status = dq_run_train(run, &o->error);
    o->wall = seconds_of(CLOCK_MONOTONIC) - wall;
    o->processor = seconds_of(CLOCK_THREAD_CPUTIME_ID) - processor;
    if (run) o->steps = dq_run_steps(run);
    dq_run_destroy(run);
    if (!status) status = dq_policy_load(&policy, folder, &o->error);
    if (!status)
        status = dq_policy_evaluate(policy, NULL, NULL, EPISODES, FRESH_SEED, 1, returns, NULL, &o->error);
    dq_policy_destroy(policy);
    for (int i = 0; !status && i < EPISODES; i++) sum += returns[i];
    o->mean = sum / EPISODES;
    return status;
}

static void train_seed(void *user, int64_t index, int worker) {
    (void)worker;
    work *w = user;
    dq_run_config config = w->config;
    config.seed = w->first + index;
    char folder[] = "/tmp/deepq-bench-XXXXXX", command[64];
    if (!mkdtemp(folder)) return;
    train(&config, folder, &w->outcomes[index]);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command)) fprintf(stderr, "%s stays\n", folder);
}

int main(int argc, char **argv) {
    static work w;
    const char *env = "CartPole-v1", *agent = NULL;
    int seeds = 20, threads = 1;
    double solved = 475;
    dq_error error = {0};
    for (int i = 1; i + 1 < argc; i++) {
        if (!strcmp(argv[i], "--env")) env = argv[i + 1];
        if (!strcmp(argv[i], "--agent")) agent = argv[i + 1];
        if (!strcmp(argv[i], "--seeds")) seeds = atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--first")) w.first = atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--threads")) threads = atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--solved")) solved = atof(argv[i + 1]);
    }
    if (seeds < 1 || seeds > MOST_SEEDS || dq_run_config_init(&w.config, env, agent, &error)) goto fail;
    for (int i = 1; i < argc; i++)
        if (strchr(argv[i], '=') && dq_run_config_assign(&w.config, argv[i], "command line", &error))
            goto fail;
    dq_parallel_for(threads, seeds, train_seed, &w);

    double means[MOST_SEEDS], walls[MOST_SEEDS], processors[MOST_SEEDS];
    int good = 0;
    printf("seed  greedy mean  steps   wall s  processor s\n");
    for (int i = 0; i < seeds; i++) {
        const outcome *o = &w.outcomes[i];
        if (o->error.code) printf("%s (%s)\n", o->error.message, o->error.where);
        printf("%4lld  %11.2f  %6lld  %6.3f  %6.3f\n", (long long)(w.first + i), o->mean, (long long)o->steps,
               o->wall, o->processor);
        means[i] = o->mean;
        walls[i] = o->wall;
        processors[i] = o->processor;
        good += o->mean >= solved;
    }
    double worst = means[0], average = dq_stats_mean(means, (size_t)seeds);
    for (int i = 1; i < seeds; i++) worst = means[i] < worst ? means[i] : worst;
    printf("%d of %d at least %g; mean %.2f, worst %.2f; median wall %.3f s, processor %.3f s\n", good, seeds,
           solved, average, worst, dq_stats_median(walls, (size_t)seeds),
           dq_stats_median(processors, (size_t)seeds));
    return 0;
fail:
    fprintf(stderr, "%s (%s)\n", error.message, error.where);
    return 1;
}
