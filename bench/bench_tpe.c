// How good suggestions are, and how long one takes: ten functions of ten mixed parameters
// (scenario/search_task.c).
//
// bench_tpe [searches] [trials] [suggester] [option=value ...]: one CSV row a search on standard output
// (task, seed, best value), which bench/peer_tpe.py sets beside Optuna's. bench_tpe time [trials] [suggester]
// [option=value ...]: the time of one suggestion with so many trials behind it.
#include "measure.h"
#include "search_task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const dq_error *error) {
    fprintf(stderr, "%s (%s)\n", error->message, error->where);
    return 1;
}

// A long random history stands for a search's, since what a suggestion costs depends on its length alone.
static int measure(const dq_suggester_class *kind, const char *const *options, int trials) {
    dq_error error;
    dq_study study;
    double best, fastest = 1e30;
    const int rounds = 20;
    if (search_task_run(dq_suggester_find("random"), NULL, 0, trials, 0, &study, &best, &error) != DQ_OK)
        return fail(&error);
    dq_trial_param params[SEARCH_PARAMETERS];
    for (int i = 0; i < SEARCH_PARAMETERS; i++) params[i] = study.trials[0]->params[i];
    dq_search_space space = {params, SEARCH_PARAMETERS};
    void *set = calloc(1, kind->about.options_size + 1);
    dq_suggester *suggester;
    dq_status status = dq_options_defaults(kind->about.options, set, &error);
    for (int i = 0; status == DQ_OK && options[i]; i++)
        status = dq_options_assign(kind->about.options, set, options[i], NULL, &error);
    if (status == DQ_OK) status = kind->create(&suggester, set, &error);
    if (status != DQ_OK) return fail(&error);
    suggester->suggester_class = kind;
    for (int i = 0; i < rounds; i++) {
        double values[SEARCH_PARAMETERS], start = bench_seconds();
        dq_notes notes = {.count = 0};
        if (search_task_suggest(suggester, &study, &space, (uint64_t)i, values, &notes, &error) != DQ_OK)
            return fail(&error);
        double spent = bench_seconds() - start;
        if (spent < fastest) fastest = spent;
    }
    printf("one suggestion of %s with %d trials: %.2f ms (best of %d)\n", kind->about.name, trials,
           1e3 * fastest, rounds);
    kind->destroy(suggester);
    dq_study_deinit(&study);
    free(set);
    return 0;
}

int main(int count, char **words) {
    bool time_one = count > 1 && strcmp(words[1], "time") == 0;
    int searches = count > 1 ? atoi(words[1]) : 50, trials = count > 2  ? atoi(words[2])
                                                             : time_one ? 1000
                                                                        : 100;
    const dq_suggester_class *kind = dq_suggester_find(count > 3 ? words[3] : "tpe");
    const char *const *options = (const char *const *)(count > 4 ? words + 4 : words + count);
    if (!kind) {
        fprintf(stderr, "no suggester \"%s\"\n", words[3]);
        return 2;
    }
    if (time_one) return measure(kind, options, trials);
    printf("task,seed,best,x0,x1,x2,x3,x4,x5,x6,x7,x8,x9\n");
    for (int task = 0; search_task_names[task]; task++)
        for (int seed = 0; seed < searches; seed++) {
            dq_error error;
            dq_study study;
            double best;
            if (search_task_run(kind, options, task, trials, (uint64_t)seed, &study, &best, &error) != DQ_OK)
                return fail(&error);
            printf("%s,%d,%.17g", search_task_names[task], seed, best);
            const dq_trial *found = dq_study_best(&study);
            for (int i = 0; i < SEARCH_PARAMETERS; i++) printf(",%.17g", found->params[i].value);
            printf("\n");
            dq_study_deinit(&study);
        }
    return 0;
}
