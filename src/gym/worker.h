// A worker: a process of the user's own Python that steps environments of one id, and the memory shared with
// it.
//
// One request at a time: write what it needs into the slots, post, wait. A worker belongs to one thread at a
// time.
#ifndef DEEPQ_GYM_WORKER_H
#define DEEPQ_GYM_WORKER_H

#include "gym/layout.h"

typedef struct gym_worker gym_worker;

// Starts Python and makes a first environment. Fails with a sentence that says what to install or what there
// is. `longest`: the most actions of a replay.
dq_status gym_worker_start(gym_worker **out, const char *name, dq_error *error);
void gym_worker_stop(gym_worker *worker);

const gym_description *gym_worker_description(const gym_worker *worker);
long gym_worker_process(const gym_worker *worker);

// Shares room for `longest` actions of a replay and for slots of observations [width bytes]. Once, before all
// else.
dq_status gym_worker_lay_out(gym_worker *worker, size_t width, size_t blob_room, size_t longest,
                             dq_error *error);

// Places in the shared memory.
int32_t *gym_worker_actions(const gym_worker *worker);
const double *gym_worker_rewards(const gym_worker *worker);
uint8_t *gym_worker_flags(const gym_worker *worker);
const int32_t *gym_worker_lives(const gym_worker *worker);
gym_start *gym_worker_start_of(const gym_worker *worker, int slot);
const void *gym_worker_observation(const gym_worker *worker, int slot);
const void *gym_worker_earlier(const gym_worker *worker,
                               int slot); // the frame before, of a run that got there
uint8_t *gym_worker_history(const gym_worker *worker);
const uint8_t *gym_worker_frame(const gym_worker *worker);

void gym_worker_post(gym_worker *worker, gym_command command, int first, int count, uint64_t argument,
                     uint64_t seed);

// Until the request is done. False: the process has ended; only its last words and stopping it are left.
bool gym_worker_wait(gym_worker *worker);
uint32_t gym_worker_result(const gym_worker *worker);

// How it ended and the last line it wrote: `exit status 1; its last words: "ValueError: no"`.
void gym_worker_last_words(const gym_worker *worker, char *text, size_t size);

#endif
