// Statistics of the values that learning met; spread.h tells of them.
#include "agent/spread.h"

void dq_spread_add(dq_spread *spread, const float *numbers, int count) {
    for (int i = 0; i < count; i++) {
        const double number = (double)numbers[i];
        spread->least = spread->count == 0 || number < spread->least ? number : spread->least;
        spread->most = spread->count == 0 || number > spread->most ? number : spread->most;
        spread->sum += number;
        spread->count++;
    }
}

void dq_spread_batch(dq_spread *taken, dq_spread *target, const float *q, const float *next_q,
                     const float *policy, const int32_t *action, const float *reward, const float *discount,
                     int actions, int batch) {
    for (int first = 0; first < batch; first += DQ_LANES) {
        const size_t at = (size_t)first, panel = at * (size_t)actions;
        const int count = batch - first < DQ_LANES ? batch - first : DQ_LANES;
        float of_taken[DQ_LANES], aim[DQ_LANES] = {0};
        for (int a = 0; a < actions; a++)
            for (int l = 0; l < DQ_LANES; l++) {
                const size_t i = panel + (size_t)(a * DQ_LANES + l);
                aim[l] += policy[i] * next_q[i];
            }
        for (int l = 0; l < DQ_LANES; l++) {
            of_taken[l] = q[panel + (size_t)(action[at + (size_t)l] * DQ_LANES + l)];
            aim[l] = reward[at + (size_t)l] + discount[at + (size_t)l] * aim[l];
        }
        dq_spread_add(taken, of_taken, count);
        dq_spread_add(target, aim, count);
    }
}
