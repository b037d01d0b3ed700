// The greedy policy as probabilities: one-hot at the first of the largest action values.
#include "agent/greedy.h"

#include <deepq/net.h>

void dq_greedy_policy(const float *q, int actions, int panels, float *policy) {
    size_t panel_size = (size_t)actions * DQ_LANES;
    for (int p = 0; p < panels; p++, q += panel_size, policy += panel_size) {
        int32_t best[DQ_LANES] = {0};
        float value[DQ_LANES];
        for (int l = 0; l < DQ_LANES; l++) value[l] = q[l];
        for (int a = 1; a < actions; a++)
            for (int l = 0; l < DQ_LANES; l++) {
                bool better = q[a * DQ_LANES + l] > value[l];
                value[l] = better ? q[a * DQ_LANES + l] : value[l];
                best[l] = better ? a : best[l];
            }
        for (int a = 0; a < actions; a++)
            for (int l = 0; l < DQ_LANES; l++) policy[a * DQ_LANES + l] = best[l] == a ? 1.0F : 0.0F;
    }
}
