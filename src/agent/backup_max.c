// Max: the next action is the target network's own best (Mnih et al. 2015, equation 2).
#include "agent/backup.h"
#include "agent/greedy.h"

static void apply(const void *options, const dq_backup_inputs *in, float *policy, float *reward) {
    (void)options, (void)reward;
    dq_greedy_policy(in->next_q, in->actions, in->panels, policy);
}

const dq_backup_class dq_backup_max = {
    .about = {.name = "max",
              .summary = "the target network's best next action",
              .source = "Mnih et al. 2015, Human-level control through deep reinforcement learning, eq. 2"},
    .apply = apply,
};
