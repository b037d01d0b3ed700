// The threads that work on a study's trials, and the line that tells how far they are.
#ifndef DEEPQ_CLI_TUNE_CREW_H
#define DEEPQ_CLI_TUNE_CREW_H

#include "tune/trial_run.h"

typedef struct tune_crew_result {
    int64_t told; // trials that this process brought to an end
    double seconds;
    bool interrupted;
} tune_crew_result;

// Works until there are enough trials, `timeout` seconds are over (0: no limit; trials that run are finished)
// or Ctrl-C.
dq_status tune_crew_run(const dq_trial_plan *plan, dq_tuner *tuner, int jobs, double timeout,
                        const char *title, bool quiet, tune_crew_result *result, dq_error *error);

#endif
