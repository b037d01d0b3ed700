// Ten functions of ten parameters to search for a minimum: plain, logarithmic and whole numbers, steps,
// choices.
//
// Each parameter stands for a coordinate between -5 and 5, moved so that no minimum lies in the middle of a
// range; the functions are the usual ones of black-box optimization. bench/peer_tpe.py says the same in
// Python.
#ifndef SEARCH_TASK_H
#define SEARCH_TASK_H

#include <tune/suggest.h>

#define SEARCH_PARAMETERS 10

extern const char *const search_task_names[]; // NULL-terminated

// A study with no trials yet, and its search space. params: [SEARCH_PARAMETERS]
dq_status search_task_study(dq_study *study, dq_trial_param *params, dq_direction direction, dq_error *error);

// The function at internal values [SEARCH_PARAMETERS].
double search_task_value(int task, const double *values);

// One suggestion: values [SEARCH_PARAMETERS] for trial `number` of a search with this seed. The notes are the
// trial's.
dq_status search_task_suggest(dq_suggester *suggester, const dq_study *study, const dq_search_space *space,
                              uint64_t seed, double *values, dq_notes *notes, dq_error *error);

// A whole search: `trials` suggestions of the class with its defaults but for `options` ("name=value" words,
// NULL ends them; NULL: none). *best: the smallest value. The study stays the caller's, to be freed with
// dq_study_deinit.
dq_status search_task_run(const dq_suggester_class *kind, const char *const *options, int task, int trials,
                          uint64_t seed, dq_study *study, double *best, dq_error *error);

#endif
