// Lambda-returns, backwards through each environment's steps (Gallici et al. 2024, equation 11, PQN; Peng and
// Williams 1996, Q(lambda)):
//   G_t = r_t + gamma (lambda G_{t+1} + (1 - lambda) V(s_{t+1})),   V = max_a Q
// with G_{t+1} replaced by V(s_{t+1}) at the rollout's and at an episode's end, and nothing after a terminal
// state (nor after a time limit without bootstrap_truncated).
#include "replay/lambda.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// What followed a step.
enum { GOES_ON, CUT, ENDED };

struct dq_lambda {
    int steps, environments;
    size_t observation_bytes;
    double gamma, lambda;
    bool bootstrap_truncated;
    dq_arena arena;             // all that follows, as one block
    int32_t *filled;            // [N] steps of each environment so far
    int32_t *action;            // [T*N]
    int32_t *follows;           // [T*N]
    double *reward;             // [T*N]; the returns, once they are computed
    unsigned char *observation; // [T*N] rows of observation_bytes
    unsigned char *next;        // [T*N]
};

static void lay_out(dq_arena *arena, void *user) {
    dq_lambda *r = user;
    size_t rows = (size_t)r->steps * (size_t)r->environments;
    r->filled = dq_arena_array(arena, int32_t, (size_t)r->environments);
    r->action = dq_arena_array(arena, int32_t, rows);
    r->follows = dq_arena_array(arena, int32_t, rows);
    r->reward = dq_arena_array(arena, double, rows);
    r->observation = dq_arena_array(arena, unsigned char, rows * r->observation_bytes);
    r->next = dq_arena_array(arena, unsigned char, rows * r->observation_bytes);
}

dq_status dq_lambda_create(dq_lambda **out, int steps, int environments, size_t observation_bytes,
                           double gamma, double lambda, bool bootstrap_truncated, dq_error *error) {
    *out = NULL;
    dq_lambda *rollout = calloc(1, sizeof *rollout);
    if (!rollout) return dq_fail(error, DQ_MEMORY, "rollout", "there is no memory for a rollout");
    *rollout = (dq_lambda){.steps = steps,
                           .environments = environments,
                           .observation_bytes = observation_bytes,
                           .gamma = gamma,
                           .lambda = lambda,
                           .bootstrap_truncated = bootstrap_truncated};
    dq_status status = dq_arena_create(&rollout->arena, lay_out, rollout, "the rollout", error);
    if (status) {
        free(rollout);
        return status;
    }
    *out = rollout;
    return DQ_OK;
}

void dq_lambda_destroy(dq_lambda *rollout) {
    if (!rollout) return;
    dq_arena_destroy(&rollout->arena);
    free(rollout);
}

bool dq_lambda_push(dq_lambda *rollout, int index, const void *observation, int action, double reward,
                    const void *next_observation, bool terminated, bool truncated) {
    assert(index >= 0 && index < rollout->environments && rollout->filled[index] < rollout->steps);
    size_t row = (size_t)rollout->filled[index]++ * (size_t)rollout->environments + (size_t)index;
    size_t bytes = rollout->observation_bytes;
    bool nothing = terminated || (truncated && !rollout->bootstrap_truncated);
    rollout->action[row] = action;
    rollout->follows[row] = nothing ? ENDED : truncated ? CUT : GOES_ON;
    rollout->reward[row] = reward;
    memcpy(rollout->observation + row * bytes, observation, bytes);
    memcpy(rollout->next + row * bytes, next_observation, bytes);
    for (int i = 0; i < rollout->environments; i++)
        if (rollout->filled[i] < rollout->steps) return false;
    return true;
}

int dq_lambda_rows(const dq_lambda *rollout) {
    return rollout->steps * rollout->environments;
}

const void *dq_lambda_next(const dq_lambda *rollout) {
    return rollout->next;
}

void dq_lambda_returns(dq_lambda *rollout, const float *values) {
    const int n = rollout->environments;
    for (int i = 0; i < n; i++) {
        double later = 0; // G_{t+1}
        for (int t = rollout->steps - 1; t >= 0; t--) {
            int row = t * n + i;
            double value = (double)values[row], ahead = 0;
            if (rollout->follows[row] == CUT || (rollout->follows[row] == GOES_ON && t == rollout->steps - 1))
                ahead = value;
            else if (rollout->follows[row] == GOES_ON)
                ahead = rollout->lambda * later + (1 - rollout->lambda) * value;
            later = rollout->reward[row] += rollout->gamma * ahead;
        }
    }
}

dq_transition dq_lambda_at(const dq_lambda *rollout, int row) {
    size_t bytes = rollout->observation_bytes;
    return (dq_transition){.observation = rollout->observation + (size_t)row * bytes,
                           .next_observation = rollout->next + (size_t)row * bytes,
                           .action = rollout->action[row],
                           .reward = (float)rollout->reward[row],
                           .discount = 0};
}

void dq_lambda_clear(dq_lambda *rollout) {
    memset(rollout->filled, 0, (size_t)rollout->environments * sizeof *rollout->filled);
}

void *dq_lambda_state(dq_lambda *rollout, size_t *size) {
    *size = rollout->arena.used;
    return rollout->arena.base;
}
