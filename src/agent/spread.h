// The sum, the least and the most of numbers that come by: what metrics tell of action values and targets.
#ifndef AGENT_SPREAD_H
#define AGENT_SPREAD_H

#include <deepq/agent.h>

// numbers [count].
void dq_spread_add(dq_spread *spread, const float *numbers, int count);

// The values of the actions taken, q [P][A][16], and what they are moved towards, as any head and backup has
// it: reward + discount * sum of policy * next_q, with the reward that the backup made. action, reward,
// discount [P][16]; policy, next_q [P][A][16]. Padding behind `batch` is left out.
void dq_spread_batch(dq_spread *taken, dq_spread *target, const float *q, const float *next_q,
                     const float *policy, const int32_t *action, const float *reward, const float *discount,
                     int actions, int batch);

#endif
