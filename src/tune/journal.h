// Optuna's journal: every change to its studies as one line of JSON, read into plain data.
//
// A record that Optuna passes over (a trial that has ended, a study that is gone, a name that is taken) is
// passed over here too, so that ids and numbers come out alike. Optuna 4.9 and 5.0,
// storages/journal/_storage.py.
#ifndef TUNE_JOURNAL_H
#define TUNE_JOURNAL_H

#include "tune/storage.h"

typedef struct dq_journal_trial {
    dq_study *study;
    dq_trial *trial;
} dq_journal_trial;

// All that a journal says so far.
typedef struct dq_journal {
    dq_study **studies; // [study_count] by id
    bool *deleted;      // [study_count]
    int study_count;
    dq_journal_trial *trials; // [trial_count] by id
    int trial_count;
    int64_t lines; // read so far

    // Records of this worker_id leave here what they did; NULL: nothing.
    const char *worker;
    dq_trial *created, *claimed;
} dq_journal;

void dq_journal_deinit(dq_journal *journal);

// One record without its line end. A line that is no record fails with DQ_FORMAT; where: "NAME:LINE".
dq_status dq_journal_apply(dq_journal *journal, const char *line, size_t length, const char *name,
                           dq_error *error);

// All whole lines of a text; *used: how far that went. A last line without its end is left for later.
dq_status dq_journal_read(dq_journal *journal, const char *text, size_t size, size_t *used, const char *name,
                          dq_error *error);

// The study of that name that is not deleted; NULL: none.
dq_study *dq_journal_find(const dq_journal *journal, const char *name);

// Records as lines with their ends, appended to what *text holds (free it). False: no memory.
typedef struct dq_journal_text {
    char *at;
    size_t size;
    const char *worker; // the worker_id of every record
} dq_journal_text;

bool dq_journal_put_study(dq_journal_text *text, const char *name, const dq_direction *directions, int count);
bool dq_journal_put_trial(dq_journal_text *text, const dq_study *study, const dq_trial *wanted);
bool dq_journal_put_change(dq_journal_text *text, const dq_study *study, const dq_change *change);

#endif
