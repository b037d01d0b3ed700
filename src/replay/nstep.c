// The n-step accumulator (Sutton 1988; as in Rainbow, Hessel et al. 2018, section "Multi-step learning").
//
// Place: environment -> n-step -> store. A step waits until n rewards are known, or its episode ends:
//   reward = sum_{k<m} gamma^k r_k, discount = gamma^m, m = n or the steps left; discount = 0 when nothing
// follows (terminated; truncated too unless bootstrap_truncated). With n = 1 every step passes at once,
// unchanged.
#include "replay/nstep.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct dq_nstep {
    int n, environments;
    size_t observation_bytes;
    double gamma;
    bool bootstrap_truncated;
    size_t state_size;
    int64_t *state;              // plain memory: `waiting`, then `actions`, `rewards`, `observations`
    int64_t *waiting;            // [environments][2] oldest position and count in the ring
    int64_t *actions;            // [environments][n]
    double *rewards;             // [environments][n]
    unsigned char *observations; // [environments][n] rows of observation_bytes
};

dq_status dq_nstep_create(dq_nstep **out, int n, int environments, size_t observation_bytes, double gamma,
                          bool bootstrap_truncated, dq_error *error) {
    *out = NULL;
    size_t slots = (size_t)n * (size_t)environments;
    size_t waiting = 2 * (size_t)environments * sizeof(int64_t), actions = slots * sizeof(int64_t);
    size_t rewards = slots * sizeof(double), observations = slots * observation_bytes;
    dq_nstep *nstep = calloc(1, sizeof *nstep);
    unsigned char *state = calloc(1, waiting + actions + rewards + observations);
    if (!nstep || !state) {
        free(nstep);
        free(state);
        return dq_fail(error, DQ_MEMORY, "n-step returns", "there is no memory for %zu waiting steps", slots);
    }
    *nstep = (dq_nstep){.n = n,
                        .environments = environments,
                        .observation_bytes = observation_bytes,
                        .gamma = gamma,
                        .bootstrap_truncated = bootstrap_truncated,
                        .state_size = waiting + actions + rewards + observations,
                        .state = (int64_t *)(void *)state,
                        .waiting = (int64_t *)(void *)state,
                        .actions = (int64_t *)(void *)(state + waiting),
                        .rewards = (double *)(void *)(state + waiting + actions),
                        .observations = state + waiting + actions + rewards};
    *out = nstep;
    return DQ_OK;
}

void dq_nstep_destroy(dq_nstep *nstep) {
    if (!nstep) return;
    free(nstep->state);
    free(nstep);
}

int dq_nstep_push(dq_nstep *nstep, int index, const void *observation, int action, double reward,
                  const void *next_observation, bool terminated, bool truncated, dq_transition *out) {
    assert(index >= 0 && index < nstep->environments);
    const int n = nstep->n;
    const size_t row = nstep->observation_bytes, base = (size_t)index * (size_t)n;
    int64_t *oldest = &nstep->waiting[2 * index], *count = oldest + 1;

    size_t newest = base + (size_t)((*oldest + *count) % n);
    memcpy(nstep->observations + newest * row, observation, row);
    nstep->actions[newest] = action;
    nstep->rewards[newest] = reward;
    ++*count;

    bool ends = terminated || truncated;
    bool follows = !terminated && !(truncated && !nstep->bootstrap_truncated);
    int complete = 0;
    while (*count == n || (ends && *count > 0)) {
        double sum = 0, power = 1;
        for (int64_t k = 0; k < *count; k++, power *= nstep->gamma)
            sum += power * nstep->rewards[base + (size_t)((*oldest + k) % n)];
        size_t first = base + (size_t)*oldest;
        out[complete++] = (dq_transition){.observation = nstep->observations + first * row,
                                          .next_observation = next_observation,
                                          .action = (int32_t)nstep->actions[first],
                                          .reward = (float)sum,
                                          .discount = follows ? (float)power : 0.0F};
        *oldest = (*oldest + 1) % n;
        --*count;
    }
    return complete;
}

void *dq_nstep_state(dq_nstep *nstep, size_t *size) {
    *size = nstep->state_size;
    return nstep->state;
}
