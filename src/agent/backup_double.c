// Double: the online network chooses the next action, the target network says what it is worth, so that one
// network's error does not both choose and value (van Hasselt, Guez and Silver 2016, equation 4).
#include "agent/backup.h"
#include "agent/greedy.h"

static void apply(const void *options, const dq_backup_inputs *in, float *policy, float *reward) {
    (void)options, (void)reward;
    dq_greedy_policy(in->next_q_online, in->actions, in->panels, policy);
}

const dq_backup_class dq_backup_double = {
    .about = {.name = "double",
              .summary = "the online network's best next action, valued by the target network",
              .source = "van Hasselt et al. 2016, Deep reinforcement learning with double Q-learning, eq. 4"},
    .wants_online = true,
    .apply = apply,
};
