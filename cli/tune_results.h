// What a search leaves: the best trials as presets, and a summary.
#ifndef DEEPQ_CLI_TUNE_RESULTS_H
#define DEEPQ_CLI_TUNE_RESULTS_H

#include "tune_crew.h"
#include "tune_setup.h"

// Writes FOLDER/best.yml or, with several objectives, FOLDER/front-NUMBER.yml for every trial that no other
// beats: files that `deepq train -f` takes (*written: how many), and FOLDER/report.html about all of them.
dq_status tune_results_write(const tune_setup *setup, const dq_study *study, const char *folder, int *written,
                             dq_error *error);

// For people, and for scripts.
void tune_results_print(const tune_setup *setup, const dq_study *study, const char *folder, int written);
int tune_results_json(const tune_setup *setup, const dq_study *study, const char *storage, const char *folder,
                      const tune_crew_result *result);

#endif
