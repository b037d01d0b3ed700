// Munchausen: the target follows a softmax policy, and the reward gets the scaled log-probability of the
// action that was taken.
//
// Vieillard, Pietquin and Geist 2020, equation 2, with pi = softmax(Q / tau) of the target network:
//   r + alpha [tau ln pi(a|s)] clipped to [clip, 0] + discount * sum_a' pi(a'|s') (Q(s',a') - tau ln
//   pi(a'|s'))
// The sum's second half goes into the reward too, so that every head sees a policy and a reward. With n-step
// returns the bonus is that of the first action. tau ln pi is computed as Q - max Q - tau ln sum exp, which
// is the paper's stable form (appendix B.1).
#include "agent/backup.h"
#include "kernel/exp_log.h"

#include <deepq/net.h>

typedef struct munchausen_options {
    double tau, alpha, clip;
} munchausen_options;

#define ROW(name, field, text, low, high, log, help)                                                         \
    {                                                                                                        \
        name, "backup", DQ_OPTION_REAL, offsetof(munchausen_options, field), 0, text, low, high, log, NULL,  \
            NULL, "munchausen backup: " help                                                                 \
    }

static const dq_option rows[] = {
    ROW("munchausen_tau", tau, "0.03", 1e-4, 100, true,
        "temperature of the softmax policy, in units of reward"),
    ROW("munchausen_alpha", alpha, "0.9", 0, 1, false, "share of the log-policy that the reward gets"),
    ROW("munchausen_clip", clip, "-1", -1e6, 0, false, "the log-policy, times tau, is cut off below this"),
};

// What tau ln pi needs of q [A][16]: q - max - tau ln sum exp((q - max) / tau).
typedef struct soft {
    float max[DQ_LANES], shift[DQ_LANES]; // tau ln pi(a) = q(a) - max - shift
} soft;

static soft soft_max(const float *q, int actions, float tau) {
    soft s;
    float sum[DQ_LANES] = {0};
    for (int l = 0; l < DQ_LANES; l++) s.max[l] = q[l];
    for (int a = 1; a < actions; a++)
        for (int l = 0; l < DQ_LANES; l++)
            s.max[l] = q[a * DQ_LANES + l] > s.max[l] ? q[a * DQ_LANES + l] : s.max[l];
    for (int a = 0; a < actions; a++)
        for (int l = 0; l < DQ_LANES; l++) sum[l] += dq_expf((q[a * DQ_LANES + l] - s.max[l]) / tau);
    for (int l = 0; l < DQ_LANES; l++) s.shift[l] = tau * dq_logf(sum[l]);
    return s;
}

static void apply(const void *options, const dq_backup_inputs *in, float *policy, float *reward) {
    const munchausen_options *o = options;
    const float tau = (float)o->tau, alpha = (float)o->alpha, clip = (float)o->clip;
    const int actions = in->actions;
    for (int p = 0; p < in->panels; p++) {
        size_t at = (size_t)p * DQ_LANES;
        const float *next_q = in->next_q + at * (size_t)actions, *q = in->q + at * (size_t)actions;
        float *pi = policy + at * (size_t)actions;

        soft here = soft_max(q, actions, tau);
        for (int l = 0; l < DQ_LANES; l++) {
            float bonus = q[in->action[at + l] * DQ_LANES + l] - here.max[l] - here.shift[l];
            bonus = bonus < 0 ? bonus : 0;
            reward[at + l] += alpha * (bonus > clip ? bonus : clip);
        }

        soft next = soft_max(next_q, actions, tau);
        float entropy[DQ_LANES] = {0}; // tau times it
        for (int a = 0; a < actions; a++)
            for (int l = 0; l < DQ_LANES; l++) {
                float log_policy = next_q[a * DQ_LANES + l] - next.max[l] - next.shift[l];
                pi[a * DQ_LANES + l] = dq_expf(log_policy / tau);
                entropy[l] -= pi[a * DQ_LANES + l] * log_policy;
            }
        for (int l = 0; l < DQ_LANES; l++) reward[at + l] += in->discount[at + l] * entropy[l];
    }
}

const dq_backup_class dq_backup_munchausen = {
    .about = {.name = "munchausen",
              .summary = "a softmax policy, and its log-probability as a bonus",
              .source = "Vieillard et al. 2020, Munchausen reinforcement learning, eq. 2",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(munchausen_options)},
    .wants_current = true,
    .apply = apply,
};
