// A chain of states: the model, its environment class, and its exact action values.
#include "chain.h"

#include <math.h>

double chain_step(int state, int action, int *next) {
    *next = action ? state + 1 : state - 1;
    if (*next >= 0 && *next < CHAIN_STATES) return 0;
    double reward = *next < 0 ? CHAIN_LEFT_REWARD : CHAIN_RIGHT_REWARD;
    *next = -1;
    return reward;
}

void chain_observe(int state, float *observation) {
    for (int i = 0; i < CHAIN_STATES; i++) observation[i] = i == state ? 1.0F : 0.0F;
}

// tau ln pi(action) of the softmax policy.
static double log_policy(const double q[CHAIN_ACTIONS], double tau, int action) {
    double max = fmax(q[0], q[1]);
    return q[action] - max - tau * log(exp((q[0] - max) / tau) + exp((q[1] - max) / tau));
}

static double value(const double q[CHAIN_ACTIONS], double tau) {
    if (tau == 0) return fmax(q[0], q[1]);
    double sum = 0;
    for (int a = 0; a < CHAIN_ACTIONS; a++) {
        double l = log_policy(q, tau, a);
        sum += exp(l / tau) * (q[a] - l);
    }
    return sum;
}

void chain_solve(double gamma, double tau, double alpha, double clip, double q[CHAIN_STATES][CHAIN_ACTIONS]) {
    for (int s = 0; s < CHAIN_STATES; s++) q[s][0] = q[s][1] = 0;
    for (int sweep = 0; sweep < 5000; sweep++) {
        double updated[CHAIN_STATES][CHAIN_ACTIONS];
        for (int s = 0; s < CHAIN_STATES; s++)
            for (int a = 0; a < CHAIN_ACTIONS; a++) {
                int next;
                double target = chain_step(s, a, &next);
                if (tau > 0) target += alpha * fmin(0, fmax(clip, log_policy(q[s], tau, a)));
                if (next >= 0) target += gamma * value(q[next], tau);
                updated[s][a] = target;
            }
        for (int s = 0; s < CHAIN_STATES; s++)
            for (int a = 0; a < CHAIN_ACTIONS; a++) q[s][a] = updated[s][a];
    }
}

// --- the environment class
// ----------------------------------------------------------------------------------

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options;
    int *place = state;
    *place = (int)dq_rng_integers(rng, 0, CHAIN_STATES);
    chain_observe(*place, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)options, (void)rng;
    int *place = state, next;
    *reward = chain_step(*place, action, &next);
    if (next >= 0) *place = next;
    chain_observe(*place, observation);
    return next < 0;
}

static const float low[CHAIN_STATES] = {0}, high[CHAIN_STATES] = {1, 1, 1, 1, 1, 1};
static const char *const observation_names[CHAIN_STATES] = {"s0", "s1", "s2", "s3", "s4", "s5"};
static const char *const action_names[CHAIN_ACTIONS] = {"left", "right"};

const dq_env_class scenario_chain = {
    .id = "Chain",
    .summary = "a walk between a small reward and a large one",
    .source = "Sutton and Barto 2018, example 6.2, with a reward at both ends",
    .observation = DQ_VECTOR(CHAIN_STATES),
    .observation_low = low,
    .observation_high = high,
    .observation_names = observation_names,
    .actions = CHAIN_ACTIONS,
    .action_names = action_names,
    .step_limit = 50,
    .reward_threshold = NAN,
    .state_size = sizeof(int),
    .reset = reset,
    .step = step,
};
