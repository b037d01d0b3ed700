// A chain of states with known action values, for tests, benchmarks and examples.
//
//   0.3 <- s0 <-> s1 <-> ... <-> s(n-1) -> 1
// Action 0 goes left, action 1 right. Leaving the chain ends the episode with the reward written there; every
// other step gives 0. The observation of state i is one-hot, [CHAIN_STATES].
#ifndef SCENARIO_CHAIN_H
#define SCENARIO_CHAIN_H

#include <deepq/env.h>

enum { CHAIN_STATES = 6, CHAIN_ACTIONS = 2 };

#define CHAIN_LEFT_REWARD  0.3
#define CHAIN_RIGHT_REWARD 1.0

// Id "Chain"; an episode starts in a random state. Not registered by itself.
extern const dq_env_class scenario_chain;

// One step of the model: returns the reward and sets the next state, -1 after the end.
double chain_step(int state, int action, int *next);

void chain_observe(int state, float *observation); // [CHAIN_STATES]

// Value iteration to rounding. With tau 0: q = r + gamma max q'. With tau > 0 the fixed point of Munchausen's
// operator (Vieillard et al. 2020, equation 2) with its alpha and clip.
void chain_solve(double gamma, double tau, double alpha, double clip, double q[CHAIN_STATES][CHAIN_ACTIONS]);

#endif
