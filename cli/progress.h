// The progress display: one line on standard error that tells how far trainings are.
#ifndef DEEPQ_CLI_PROGRESS_H
#define DEEPQ_CLI_PROGRESS_H

#include "trainings.h"

typedef struct progress {
    const char *title;
    bool quiet, terminal, wide_letters; // a terminal; one that shows UTF-8
    bool line_shown;
    double started, last_shown;
    double started_at; // the share that was done when it started (resumed runs)
    bool has_start;
} progress;

void progress_begin(progress *p, const char *title, bool quiet);

// Shows the state of all; call it often: it decides itself when there is something to say. The caller holds
// what keeps `list` still.
void progress_show(progress *p, const training *list, int count);

// One of several has ended: leaves a line about it above the display.
void progress_ended(progress *p, const training *one);

void progress_end(progress *p);

// How much of its stop rules a training has used up, 0 to 1.
double progress_share(const training *t);

#endif
