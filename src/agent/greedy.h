// The greedy policy as backups use it.
#ifndef AGENT_GREEDY_H
#define AGENT_GREEDY_H

// q [panels][actions][16] -> policy [panels][actions][16]: 1 at the first of the largest, 0 elsewhere.
void dq_greedy_policy(const float *q, int actions, int panels, float *policy);

#endif
