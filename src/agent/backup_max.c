// Max: the next action is the target network's own best (Mnih et al. 2015, equation 2).
#include "agent/backup.h"

#include <deepq/net.h>

static void apply(const void *options, const dq_backup_inputs *in, float *policy, float *reward) {
    (void)options, (void)reward;
    int panel_size = in->actions * DQ_LANES;
    for (int p = 0; p < in->panels; p++) {
        const float *q = in->next_q + (size_t)p * (size_t)panel_size; // [A][16]
        float *pi = policy + (size_t)p * (size_t)panel_size;          // [A][16]
        int32_t best[DQ_LANES] = {0};
        float value[DQ_LANES];
        for (int l = 0; l < DQ_LANES; l++) value[l] = q[l];
        for (int a = 1; a < in->actions; a++)
            for (int l = 0; l < DQ_LANES; l++) {
                bool better = q[a * DQ_LANES + l] > value[l];
                value[l] = better ? q[a * DQ_LANES + l] : value[l];
                best[l] = better ? a : best[l];
            }
        for (int a = 0; a < in->actions; a++)
            for (int l = 0; l < DQ_LANES; l++) pi[a * DQ_LANES + l] = best[l] == a ? 1.0F : 0.0F;
    }
}

const dq_backup_class dq_backup_max = {
    .about = {.name = "max",
              .summary = "the target network's best next action",
              .source = "Mnih et al. 2015, Human-level control through deep reinforcement learning, eq. 2"},
    .apply = apply,
};
