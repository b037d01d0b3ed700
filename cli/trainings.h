// Several trainings at once, one thread each, behind one progress display on standard error.
//
// On a terminal the display is one line that rewrites itself; elsewhere a plain line every few seconds.
// Ctrl-C (or SIGTERM) asks all of them to save and stop; a second one kills.
#ifndef DEEPQ_CLI_TRAININGS_H
#define DEEPQ_CLI_TRAININGS_H

#include <deepq/run.h>
#include <limits.h>

typedef enum training_state {
    TRAINING_WAITING,
    TRAINING_RUNNING,
    TRAINING_DONE,        // a stop rule fired; all is on disk
    TRAINING_INTERRUPTED, // stopped on request; all is on disk, or it never began
    TRAINING_FAILED,
} training_state;

typedef struct training {
    dq_run_config config;
    char folder[PATH_MAX];
    bool resume;     // go on from the folder's checkpoint
    char label[128]; // in the display; "": its seed

    int64_t record_every; // episodes from one animation in FOLDER/episodes to the next; 0: none
    bool record_last;     // leave FOLDER/episode.gif

    // Called when it is done, on the thread that trained; NULL: nothing. A failure counts as the training's.
    dq_status (*finish)(struct training *t, void *user, dq_error *error);
    void *finish_user;

    // what comes back
    training_state state;
    int64_t steps;      // in all, earlier sessions included
    dq_metrics last;    // the newest row that was reported; its step is 0 before the first
    double eval_return; // the newest greedy evaluation, NAN: none
    double seconds;     // of this session's training, without what is left behind after it
    dq_error error;     // with TRAINING_FAILED
    dq_error warning;   // what TensorBoard's file could not take
} training;

// Trains list[0..count), `jobs` at a time, and returns when all have ended. `title` heads the display; a
// quiet one shows nothing. Returns how many did not end in TRAINING_DONE.
int trainings_run(training *list, int count, int jobs, const char *title, bool quiet);

#endif
