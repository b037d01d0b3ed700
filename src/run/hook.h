// Hooks: what hangs on the one training loop. Each is a file hook_NAME.c; the runner calls them in a fixed
// order (evaluation, metrics, stop, checkpoint) and knows nothing else of them.
#ifndef RUN_HOOK_H
#define RUN_HOOK_H

#include "run/runner.h"

typedef struct dq_hook_class dq_hook_class;

// The first member of every hook's struct.
typedef struct dq_hook {
    const dq_hook_class *hook_class;
} dq_hook;

typedef enum dq_event {
    DQ_ON_START,   // training starts, anew or again
    DQ_ON_EPISODE, // an episode ended, after the learner's turn; run->now.row tells of it
    DQ_ON_STEP,    // a round of environment steps and the learner's turn are over
    DQ_ON_FINISH,  // training stops, for whatever reason but an error
    DQ_EVENTS,
} dq_event;

struct dq_hook_class {
    const char *name;

    // All memory is allocated here, after the run's environments and agent exist.
    dq_status (*create)(dq_hook **out, dq_run *run, dq_error *error);
    void (*destroy)(dq_hook *hook);

    // What it does at each event; NULL: nothing.
    dq_status (*on[DQ_EVENTS])(dq_hook *hook, dq_run *run, dq_error *error);

    // What a resumed run must find again, as plain memory. May be NULL.
    void *(*state)(dq_hook *hook, size_t *size);
};

extern const dq_hook_class dq_hook_eval, dq_hook_metrics, dq_hook_stop, dq_hook_checkpoint;

#endif
