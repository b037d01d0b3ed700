// Epsilon-greedy: with probability epsilon a uniformly random action, else the first of the best.
//
// One draw of [0,1) per environment and step, and one integer more for each random action.
#include "agent/explore.h"

static int propose(const void *options, dq_rng *rng, double epsilon, int actions, int count,
                   int32_t *chosen) {
    (void)options;
    int asking = 0;
    for (int i = 0; i < count; i++) {
        bool random = dq_rng_random(rng) < epsilon;
        chosen[i] = random ? (int32_t)dq_rng_integers(rng, 0, actions) : DQ_ASK_Q;
        asking += !random;
    }
    return asking;
}

static int32_t choose(const void *options, dq_rng *rng, double epsilon, const float *q, int actions) {
    (void)options, (void)rng, (void)epsilon;
    return dq_argmax(q, actions);
}

int dq_argmax(const float *q, int actions) {
    int best = 0;
    for (int a = 1; a < actions; a++)
        if (q[a] > q[best]) best = a;
    return best;
}

const dq_explorer_class dq_explore_epsilon_greedy = {
    .about = {.name = "epsilon_greedy",
              .summary = "a random action with probability epsilon, else the best",
              .source = "Sutton and Barto 2018, section 2.2"},
    .propose = propose,
    .choose = choose,
};
