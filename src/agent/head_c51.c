// C51 head: the return's distribution over N fixed values (atoms) per action.
//
// Bellemare, Dabney and Munos 2017: z_i = v_min + i dz, p_i(s,a) = softmax of the outputs, Q = sum_i z_i p_i.
// Target: the next distribution, moved to r + discount z_j, cut off at the ends, and shared out between the
// two nearest atoms (equation 7, algorithm 1). Loss: cross entropy. Priority: the Kullback-Leibler divergence
// from target to prediction (Hessel et al. 2018, section "the integrated agent"). A policy that is not
// one-hot mixes the actions' distributions.
#include "agent/head.h"
#include "kernel/exp_log.h"
#include "kernel/kernel.h"
#include "nn/program.h"

#include <float.h>
#include <stdlib.h>

enum { ATOMS_MAX = 256 };

typedef struct c51_options {
    int64_t atoms;
    double v_min, v_max;
} c51_options;

#define ROW(name, type, field, text, low, high, help)                                                        \
    {                                                                                                        \
        name, "head", type, offsetof(c51_options, field), 0, text, low, high, false, NULL, NULL,             \
            "c51 head: " help                                                                                \
    }

static const dq_option rows[] = {
    ROW("c51_atoms", DQ_OPTION_INT, atoms, "51", 2, ATOMS_MAX, "values that the distribution is spread over"),
    ROW("c51_v_min", DQ_OPTION_REAL, v_min, "-10", -1e6, 1e6, "the least discounted return that it can tell"),
    ROW("c51_v_max", DQ_OPTION_REAL, v_max, "10", -1e6, 1e6, "and the largest"),
};

typedef struct c51_head {
    dq_head head;
    double v_min, spacing; // of the atoms
} c51_head;

static dq_status validate(const dq_agent_config *config, const void *options, dq_error *error) {
    (void)config;
    const c51_options *o = options;
    if (o->v_min < o->v_max) return DQ_OK;
    return dq_fail(error, DQ_USAGE, "c51_v_min",
                   "c51_v_min is %g and c51_v_max %g: the atoms need a range, so make c51_v_max the larger",
                   o->v_min, o->v_max);
}

static dq_status create(dq_head **out, const dq_agent_config *config, const void *options, int actions,
                        int max_panels, dq_error *error) {
    (void)config, (void)max_panels;
    const c51_options *o = options;
    c51_head *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, "c51 head", "there is no memory for the head");
    self->head.actions = actions;
    self->head.outputs = (int)o->atoms;
    self->head.targets = (int)o->atoms;
    self->v_min = o->v_min;
    self->spacing = (o->v_max - o->v_min) / (double)(o->atoms - 1);
    *out = &self->head;
    return DQ_OK;
}

static void destroy(dq_head *head) {
    free(head);
}

static const float *to_q(const dq_head *head, const float *output, int panels, float *q) {
    const dq_kernels *kernels = dq_kernels_get();
    const c51_head *self = (const c51_head *)head;
    const int atoms = head->outputs;
    const float v_min = (float)self->v_min, spacing = (float)self->spacing;
    float powers[ATOMS_MAX * DQ_LANES], sum[DQ_LANES], max[DQ_LANES];
    for (int k = 0; k < panels * head->actions; k++) {
        kernels->exponentials(output + (size_t)k * (size_t)atoms * DQ_LANES, atoms, powers, sum, max);
        float moment[DQ_LANES] = {0}; // sum of i p_i
        for (int i = 1; i < atoms; i++)
            for (int l = 0; l < DQ_LANES; l++) moment[l] += (float)i * powers[i * DQ_LANES + l];
        for (int l = 0; l < DQ_LANES; l++) q[k * DQ_LANES + l] = v_min + spacing * (moment[l] / sum[l]);
    }
    return q;
}

static bool lower(const dq_head *head, dq_program *program) {
    const c51_head *self = (const c51_head *)head;
    dq_op *op = dq_program_add(program, DQ_OP_EXPECTATION, "c51", head->actions);
    if (!op) return false;
    op->values = head->outputs;
    op->softmax = true;
    op->first = (float)self->v_min;
    op->spacing = (float)self->spacing;
    return true;
}

// next [A][N][16], policy [A][16] -> the mixture of the next distributions, p [N][16].
static void next_distribution(const float *next, const float *policy, int actions, int atoms, float *p) {
    const dq_kernels *kernels = dq_kernels_get();
    float powers[ATOMS_MAX * DQ_LANES], sum[DQ_LANES], max[DQ_LANES];
    for (int i = 0; i < atoms * DQ_LANES; i++) p[i] = 0;
    for (int a = 0; a < actions; a++) {
        float share[DQ_LANES], any = 0;
        for (int l = 0; l < DQ_LANES; l++) any += policy[a * DQ_LANES + l];
        if (any <= 0) continue;
        kernels->exponentials(next + (size_t)a * (size_t)atoms * DQ_LANES, atoms, powers, sum, max);
        for (int l = 0; l < DQ_LANES; l++) share[l] = policy[a * DQ_LANES + l] / sum[l];
        for (int i = 0; i < atoms; i++)
            for (int l = 0; l < DQ_LANES; l++) p[i * DQ_LANES + l] += share[l] * powers[i * DQ_LANES + l];
    }
}

static void target(const dq_head *head, const float *next_output, const float *policy, const float *reward,
                   const float *discount, int panels, float *targets) {
    const c51_head *self = (const c51_head *)head;
    const int atoms = head->outputs, actions = head->actions;
    float p[ATOMS_MAX * DQ_LANES];
    for (int panel = 0; panel < panels; panel++) {
        size_t at = (size_t)panel * DQ_LANES, width = (size_t)actions * (size_t)atoms;
        next_distribution(next_output + at * width, policy + at * (size_t)actions, actions, atoms, p);
        float *m = targets + at * (size_t)atoms; // [N][16]
        for (int i = 0; i < atoms * DQ_LANES; i++) m[i] = 0;
        for (int l = 0; l < DQ_LANES; l++) {
            // atom j moves to place b = (r + discount z_j - v_min) / dz, linear in j
            double step = (double)discount[at + l];
            double start = ((double)reward[at + l] + step * self->v_min - self->v_min) / self->spacing;
            for (int j = 0; j < atoms; j++) {
                double b = start + step * j;
                b = b > 0 ? b : 0;
                b = b < atoms - 1 ? b : atoms - 1;
                int lower = (int)b, upper = lower < atoms - 1 ? lower + 1 : lower;
                float mass = p[j * DQ_LANES + l], above = mass * (float)(b - lower);
                m[lower * DQ_LANES + l] += mass - above;
                m[upper * DQ_LANES + l] += above;
            }
        }
    }
}

static double loss(const dq_head *head, const float *output, const int32_t *action, const float *targets,
                   const float *weight, int batch, float *d_output, float *priority) {
    const dq_kernels *kernels = dq_kernels_get();
    const int atoms = head->outputs, actions = head->actions, panels = (batch + DQ_LANES - 1) / DQ_LANES;
    const float scale = 1.0F / (float)batch;
    float logits[ATOMS_MAX * DQ_LANES], powers[ATOMS_MAX * DQ_LANES], sum[DQ_LANES], max[DQ_LANES];
    float lane_loss[DQ_LANES] = {0};
    for (int panel = 0; panel < panels; panel++) {
        size_t at = (size_t)panel * DQ_LANES, width = (size_t)actions * (size_t)atoms;
        const float *out = output + at * width, *m = targets + at * (size_t)atoms;
        const int32_t *chosen = action + at;
        float *d = d_output + at * width;
        for (int i = 0; i < atoms; i++)
            for (int l = 0; l < DQ_LANES; l++)
                logits[i * DQ_LANES + l] = out[(chosen[l] * atoms + i) * DQ_LANES + l];
        kernels->exponentials(logits, atoms, powers, sum, max);

        float shift[DQ_LANES], cross[DQ_LANES] = {0}, entropy[DQ_LANES] = {0}; // log p = logit - shift
        for (int l = 0; l < DQ_LANES; l++) shift[l] = max[l] + dq_logf(sum[l]);
        for (int i = 0; i < atoms; i++)
            for (int l = 0; l < DQ_LANES; l++) {
                float mass = m[i * DQ_LANES + l];
                cross[l] -= mass * (logits[i * DQ_LANES + l] - shift[l]);
                entropy[l] -= mass * dq_logf(mass > FLT_MIN ? mass : FLT_MIN);
            }
        for (int l = 0; l < DQ_LANES; l++) {
            float divergence = cross[l] - entropy[l];
            priority[at + l] = divergence > 0 ? divergence : 0;
            lane_loss[l] += weight[at + l] * cross[l];
        }
        for (size_t i = 0; i < width * DQ_LANES; i++) d[i] = 0;
        for (int i = 0; i < atoms; i++)
            for (int l = 0; l < DQ_LANES; l++)
                d[(chosen[l] * atoms + i) * DQ_LANES + l] =
                    weight[at + l] * scale * (powers[i * DQ_LANES + l] / sum[l] - m[i * DQ_LANES + l]);
    }
    double total = 0;
    for (int l = 0; l < DQ_LANES; l++) total += (double)lane_loss[l];
    return total / batch;
}

const dq_head_class dq_head_c51 = {
    .about = {.name = "c51",
              .summary = "the return's distribution over fixed values",
              .source =
                  "Bellemare et al. 2017, A distributional perspective on reinforcement learning, eq. 7",
              .options = {rows, sizeof rows / sizeof *rows},
              .options_size = sizeof(c51_options),
              .validate = validate},
    .create = create,
    .destroy = destroy,
    .to_q = to_q,
    .lower = lower,
    .target = target,
    .loss = loss,
};
