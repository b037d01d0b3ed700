// Policies of every kind of network, for the tests of exporters, with no number where it started.
#ifndef EXPORT_SUPPORT_H
#define EXPORT_SUPPORT_H

#include "run/policy.h"
#include "support.h"

// 36x36 bytes of coloured tiles (84x84 with env.side=84), 6 actions, nothing to learn. Registered by the
// first call below.
#define TEST_NOISE "Noise"

// The policy that the environment's options and the words ("key=value", NULL at the end) describe;
// normalisations and noise would be the identity at their start, so every number is moved.
dq_policy *test_policy(const char *env, const char *const *words);

// One input for it: numbers around those of the environment, or tiles of bytes. `input` has dq_space_bytes of
// dq_policy_input.
void test_policy_input(const dq_policy *policy, dq_rng *rng, void *input);

// How many of them a test asks for: $DQ_OBSERVATIONS, else `usual`.
int test_observations(int usual);

#endif
