// Rollouts: a fixed number of steps of every environment, and their lambda-returns.
//
// Place: environment -> rollout -> store, instead of the n-step accumulator. When the rollout is full, the
// learner says what the states it led to are worth, and each step becomes a transition whose reward is its
// lambda-return and whose discount is 0: nothing is left to bootstrap.
// Rows are [T][N]: step t of environment i is row t*N + i.
#ifndef REPLAY_LAMBDA_H
#define REPLAY_LAMBDA_H

#include <deepq/replay.h>

typedef struct dq_lambda dq_lambda;

dq_status dq_lambda_create(dq_lambda **out, int steps, int environments, size_t observation_bytes,
                           double gamma, double lambda, bool bootstrap_truncated, dq_error *error);
void dq_lambda_destroy(dq_lambda *rollout);

// Takes one step of environment `index`. True when every environment has its T steps: then
// dq_lambda_next, dq_lambda_returns, dq_lambda_at for every row, and dq_lambda_clear.
bool dq_lambda_push(dq_lambda *rollout, int index, const void *observation, int action, double reward,
                    const void *next_observation, bool terminated, bool truncated);

int dq_lambda_rows(const dq_lambda *rollout); // T*N

// The states that the steps led to, [T*N] rows.
const void *dq_lambda_next(const dq_lambda *rollout);

// values: [T*N] of those states.
void dq_lambda_returns(dq_lambda *rollout, const float *values);

// Borrowed until the next push.
dq_transition dq_lambda_at(const dq_lambda *rollout, int row);

void dq_lambda_clear(dq_lambda *rollout);

// All of it as plain memory, for checkpoints.
void *dq_lambda_state(dq_lambda *rollout, size_t *size);

#endif
