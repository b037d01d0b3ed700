// n-step returns: from environment steps to the transitions that are stored.
#ifndef REPLAY_NSTEP_H
#define REPLAY_NSTEP_H

#include <deepq/replay.h>

typedef struct dq_nstep dq_nstep;

// For `environments` sources of observations of so many bytes. bootstrap_truncated: an episode that a time
// limit cut keeps the value of what would have followed.
dq_status dq_nstep_create(dq_nstep **out, int n, int environments, size_t observation_bytes, double gamma,
                          bool bootstrap_truncated, dq_error *error);
void dq_nstep_destroy(dq_nstep *nstep);

// Takes one step of environment `index` and writes the transitions that are now complete to out [n], oldest
// first: at most one while an episode goes on, all that wait when it ends. Returns their number. They point
// into the accumulator and into next_observation, and stay valid until the next push of that environment.
int dq_nstep_push(dq_nstep *nstep, int index, const void *observation, int action, double reward,
                  const void *next_observation, bool terminated, bool truncated, dq_transition *out);

// The steps that wait, as plain memory for checkpoints.
void *dq_nstep_state(dq_nstep *nstep, size_t *size);

#endif
