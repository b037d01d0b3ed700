// Noisy exploration: the best action of a network whose weights carry fresh noise (Fortunato et al. 2018,
// section 3.1, algorithm 1). The learner draws the noise before each round of actions. Epsilon counts only
// where it is 1: random_steps still fill the replay memory with uniformly random actions.
#include "agent/explore.h"

static dq_status validate(const dq_agent_config *config, const void *options, dq_error *error) {
    (void)options;
    if (config->noisy != DQ_NOISY_NONE) return DQ_OK;
    return dq_fail(error, DQ_USAGE, "explorer",
                   "explorer=noisy explores by the noise of the network, and this network has none; choose "
                   "noisy=output or noisy=all");
}

static int propose(const void *options, dq_rng *rng, double epsilon, int actions, int count,
                   int32_t *chosen) {
    (void)options;
    bool random = epsilon >= 1;
    for (int i = 0; i < count; i++) chosen[i] = random ? (int32_t)dq_rng_integers(rng, 0, actions) : DQ_ASK_Q;
    return random ? 0 : count;
}

static int32_t choose(const void *options, dq_rng *rng, double epsilon, const float *q, int actions) {
    (void)options, (void)rng, (void)epsilon;
    return dq_argmax(q, actions);
}

const dq_explorer_class dq_explore_noisy = {
    .about = {.name = "noisy",
              .summary = "the best action under fresh noise in the weights",
              .source = "Fortunato et al. 2018, Noisy networks for exploration, algorithm 1",
              .validate = validate},
    .wants_noise = true,
    .propose = propose,
    .choose = choose,
};
