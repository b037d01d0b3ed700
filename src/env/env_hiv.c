// HIVPatient: choose which of two drugs an HIV patient takes, five days at a time.
//
// State: six concentrations, see `patient`. Dynamics, parameters and steady states: Adams, Banks, Kwon and
// Tran (2004), "Dynamic multidrug therapies for HIV: optimal and STI control approaches". Actions and
// rewards: Ernst, Stan, Goncalves and Wehenkel (2006), "Clinical data based optimal STI strategies for HIV: a
// reinforcement learning approach". Euler's method with steps of 0.001 day; the recorded simulator
// (tests/data) takes floor(5 / 0.001) of them, which in doubles is 4999. An episode never terminates.
#include "env/inset.h"

#include <deepq/env.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EULER_STEPS = 4999 };
#define DT 1e-3 // day

// Parameters of Adams et al.; type 1 are CD4+ T-lymphocytes, type 2 macrophages.
#define LAMBDA_1 1e4   // cells/ml/day, production
#define D_1      0.01  // 1/day, death of healthy cells
#define K_1      8e-7  // ml/virion/day, infection
#define M_1      1e-5  // ml/cell/day, clearance by the immune system
#define LAMBDA_2 31.98 // the same for type 2
#define D_2      0.01
#define F        0.34 // the drug is less efficient on type 2
#define K_2      1e-4
#define M_2      1e-5
#define DELTA    0.7   // 1/day, death of infected cells
#define N_T      100.0 // virions produced by an infected cell
#define C        13.0  // 1/day, death of the virus
#define LAMBDA_E 1.0   // cells/ml/day, production of immune effectors
#define B_E      0.3   // 1/day, their largest birth rate
#define K_B      100.0 // cells/ml, saturation of their birth
#define D_E      0.25  // 1/day, their largest death rate
#define K_D      500.0 // cells/ml, saturation of their death
#define DELTA_E  0.1   // 1/day, their natural death

// Ernst et al., the reward of one step.
#define COST_VIRUS       0.1
#define COST_DRUG        20000.0
#define REWARD_EFFECTORS 1000.0

static const double TRANSCRIPTASE[] = {0, 0, 0.7, 0.7}, PROTEASE[] = {0, 0.3, 0, 0.3}; // efficacy by action

typedef struct patient {
    double T1, T1star; // cells/ml: healthy and infected type 1
    double T2, T2star; // cells/ml: healthy and infected type 2
    double V;          // virions/ml
    double E;          // immune effectors, cells/ml
} patient;

typedef struct hiv_state {
    patient patient;
    double k1, k2, f; // this patient's
} hiv_state;

enum { PATIENT_SIZE = sizeof(patient) / sizeof(double) };
enum { UNHEALTHY, UNINFECTED, HEALTHY };

typedef struct hiv_options {
    int start;
    bool domain_randomization;
} hiv_options;

static const dq_option option_rows[] = {
    {.name = "start",
     .type = DQ_OPTION_CHOICE,
     .offset = offsetof(hiv_options, start),
     .default_text = "unhealthy",
     .choices = "unhealthy|uninfected|healthy",
     .help = "the state an episode starts in"},
    {.name = "domain_randomization",
     .type = DQ_OPTION_BOOL,
     .offset = offsetof(hiv_options, domain_randomization),
     .default_text = "false",
     .help = "every episode has a patient of its own: k1, k2 and f are drawn"},
};

// The three steady states of Adams et al., rounded.
static const patient starts[] = {
    [UNHEALTHY] = {163573, 11945, 5, 46, 63919, 24},
    [UNINFECTED] = {1e6, 0, 3198, 0, 0, 10},
    [HEALTHY] = {967839, 76, 621, 6, 415, 353108},
};

// Defines what Euler's method works on, with one patient in a double or several in a vector, and its step.
// No operation mixes lanes, so both give the same bits. k1, k2 and shed are the rates of infection and of
// virus production that the drugs leave.
#define DEFINE_EULER(name, real)                                                                             \
    typedef struct name {                                                                                    \
        real T1, T1star, T2, T2star, V, E;                                                                   \
        real k1, k2, shed;                                                                                   \
    } name;                                                                                                  \
    __attribute__((always_inline)) static inline void euler_##name(name *s) {                                \
        const real infected = s->T1star + s->T2star;                                                         \
        const real infect_1 = s->k1 * s->V * s->T1, infect_2 = s->k2 * s->V * s->T2;                         \
        const real T1_rate = LAMBDA_1 - D_1 * s->T1 - infect_1;                                              \
        const real T1star_rate = infect_1 - DELTA * s->T1star - M_1 * s->E * s->T1star;                      \
        const real T2_rate = LAMBDA_2 - D_2 * s->T2 - infect_2;                                              \
        const real T2star_rate = infect_2 - DELTA * s->T2star - M_2 * s->E * s->T2star;                      \
        const real V_rate = s->shed * infected - C * s->V - (s->k1 * s->T1 + s->k2 * s->T2) * s->V;          \
        const real E_rate = LAMBDA_E + B_E * infected * s->E / (infected + K_B) -                            \
                            D_E * infected * s->E / (infected + K_D) - DELTA_E * s->E;                       \
        s->T1 += DT * T1_rate;                                                                               \
        s->T1star += DT * T1star_rate;                                                                       \
        s->T2 += DT * T2_rate;                                                                               \
        s->T2star += DT * T2star_rate;                                                                       \
        s->V += DT * V_rate;                                                                                 \
        s->E += DT * E_rate;                                                                                 \
    }

enum { LANES = 4, WARD = 2 * LANES };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));

DEFINE_EULER(one, double)
DEFINE_EULER(several, lanes)

// Five days of one patient: bound by the latency of the operations.
static void treat(one *s) {
    one local = *s;
    for (int i = 0; i < EULER_STEPS; i++) euler_one(&local);
    *s = local;
}

// Five days of two vectors of patients: each fills the other's latencies.
__attribute__((always_inline)) static inline void treat_two(several w[2]) {
    several a = w[0], b = w[1];
    for (int i = 0; i < EULER_STEPS; i++) {
        euler_several(&a);
        euler_several(&b);
    }
    w[0] = a;
    w[1] = b;
}

static void treat_ward(several w[2]) {
    treat_two(w);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void treat_ward_avx2(several w[2]) {
    treat_two(w);
}
#endif

// A patient with what the drugs of an action leave of the rates.
static one prescribe(const hiv_state *s, int action) {
    const patient *p = &s->patient;
    const double e1 = TRANSCRIPTASE[action], e2 = PROTEASE[action];
    return (one){p->T1,
                 p->T1star,
                 p->T2,
                 p->T2star,
                 p->V,
                 p->E,
                 s->k1 * (1 - e1),
                 s->k2 * (1 - s->f * e1),
                 N_T * DELTA * (1 - e2)};
}

static void observe(const void *state, const void *options, double *observation) {
    (void)options;
    memcpy(observation, state, sizeof(patient));
}

// A standard patient with these concentrations.
static void restore(void *state, const void *options, const double *observation) {
    (void)options;
    hiv_state *s = state;
    *s = (hiv_state){.k1 = K_1, .k2 = K_2, .f = F};
    memcpy(&s->patient, observation, sizeof s->patient);
}

static void observe_single(const hiv_state *s, float *observation) {
    double exact[PATIENT_SIZE];
    observe(s, NULL, exact);
    for (int i = 0; i < PATIENT_SIZE; i++) observation[i] = (float)exact[i];
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    const hiv_options *o = options;
    hiv_state *s = state;
    *s = (hiv_state){.patient = starts[o->start], .k1 = K_1, .k2 = K_2, .f = F};
    if (o->domain_randomization) {
        s->k1 = dq_rng_uniform(rng, 5e-7, 8e-7);
        s->k2 = dq_rng_uniform(rng, 0.1e-4, 1e-4);
        s->f = dq_rng_uniform(rng, 0.29, 0.34);
    }
    observe_single(s, observation);
}

static double reward_of(const patient *s, int action) {
    const double e1 = TRANSCRIPTASE[action], e2 = PROTEASE[action];
    return REWARD_EFFECTORS * s->E - (COST_VIRUS * s->V + COST_DRUG * (e1 * e1) + COST_DRUG * (e2 * e2));
}

// Takes over the concentrations after a treatment.
static void discharge(hiv_state *s, const one *after, float *observation) {
    s->patient = (patient){after->T1, after->T1star, after->T2, after->T2star, after->V, after->E};
    observe_single(s, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)options;
    (void)rng;
    hiv_state *s = state;
    *reward = reward_of(&s->patient, action); // of the state before the step
    one treated = prescribe(s, action);
    treat(&treated);
    discharge(s, &treated, observation);
    return false;
}

static void step_many(void *states, size_t stride, const void *options, dq_rng *rng, int count,
                      const int32_t *actions, void *observation, double *reward, bool *terminated) {
    (void)options;
    (void)rng;
    enum { VARIABLES = sizeof(one) / sizeof(double) };
    void (*treat_all)(several *) = treat_ward;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) treat_all = treat_ward_avx2;
#endif
    for (int first = 0; first < count; first += WARD) {
        const int here = count - first < WARD ? count - first : WARD;
        one bed[WARD];
        union {
            several pair[2];
            double variable[2][VARIABLES][LANES];
        } ward;
        for (int i = 0; i < WARD; i++) {
            const int k = first + (i < here ? i : 0); // empty beds hold copies of the first patient
            const hiv_state *s = (const hiv_state *)((unsigned char *)states + (size_t)k * stride);
            bed[i] = prescribe(s, actions[k]);
            if (i < here) reward[k] = reward_of(&s->patient, actions[k]);
        }
        for (int i = 0; i < WARD; i++) {
            double row[VARIABLES];
            memcpy(row, &bed[i], sizeof row);
            for (int v = 0; v < VARIABLES; v++) ward.variable[i / LANES][v][i % LANES] = row[v];
        }
        treat_all(ward.pair);
        for (int i = 0; i < here; i++) {
            const int k = first + i;
            double row[VARIABLES];
            for (int v = 0; v < VARIABLES; v++) row[v] = ward.variable[i / LANES][v][i % LANES];
            memcpy(&bed[i], row, sizeof row);
            discharge((hiv_state *)((unsigned char *)states + (size_t)k * stride), &bed[i],
                      (float *)observation + (size_t)k * PATIENT_SIZE);
            terminated[k] = false;
        }
    }
}

// --- its picture: a curve a variable over the days, and the drugs given below
// ----------------------------------

typedef struct hiv_curve {
    const char *label;
    double low, high; // powers of ten
    uint32_t color;
} hiv_curve;

static const hiv_curve curves[PATIENT_SIZE] = {
    {"T1  healthy CD4+ cells /ml", 3, 6.5, 0x0b6cb0}, {"T1*  infected CD4+ cells /ml", 0, 6, 0xd1560d},
    {"T2  healthy macrophages /ml", -1, 4, 0x3f9fd8}, {"T2*  infected macrophages /ml", -2, 3, 0xd49200},
    {"V  free virions /ml", 0, 7, 0xb02a37},          {"E  immune effector cells /ml", 0, 6.5, 0x00916b},
};

static void draw_curve(const hiv_curve *curve, int variable, const double *now, const inset *in,
                       dq_canvas *canvas) {
    const dq_trail *trail = canvas->trail;
    const double size = 0.17;
    char value[32];
    dq_draw_rectangle(canvas, in->left, in->bottom, in->right, in->top, dq_rgb(0xf3f5f7));
    for (double power = ceil(in->y_low); power <= in->y_high; power++) {
        const dq_point left = inset_at(in, in->x_low, power), right = inset_at(in, in->x_high, power);
        dq_draw_segment(canvas, left, right, 0.008, dq_rgb(0xdfe3e8));
    }
    snprintf(value, sizeof value, "%.3g", now[variable]);
    dq_draw_text(canvas, dq_at(in->left, in->top + 0.07), size, DQ_TEXT_LEFT, curve->label, dq_rgb(0x404852));
    dq_draw_text(canvas, dq_at(in->right, in->top + 0.07), size, DQ_TEXT_RIGHT, value, dq_rgb(curve->color));

    inset_line line = {.canvas = canvas, .width = 0.035, .color = dq_rgb(curve->color)};
    const int count = trail ? trail->count : 1;
    dq_point at = {0};
    for (int t = 0; t < count; t++) {
        const double x = trail ? (double)trail->observations[t * PATIENT_SIZE + variable] : now[variable];
        at = inset_at(in, t, fmin(fmax(log10(fmax(x, 1e-9)), in->y_low), in->y_high));
        inset_line_to(&line, at);
    }
    inset_line_flush(&line);
    dq_draw_circle(canvas, at, 0.06, dq_rgb(curve->color));
}

static void draw_drugs(const char *name, const double *efficacy, double bottom, int steps, uint32_t color,
                       dq_canvas *canvas) {
    const dq_trail *trail = canvas->trail;
    const inset in = {2.3, bottom, 8.7, bottom + 0.22, 0, 0, steps, 1};
    dq_draw_text(canvas, dq_at(2.2, bottom + 0.05), 0.17, DQ_TEXT_RIGHT, name, dq_rgb(0x404852));
    dq_draw_rectangle(canvas, in.left, in.bottom, in.right, in.top, dq_rgb(0xf3f5f7));
    for (int t = 1, first = 1; trail && t <= trail->count; t++) {
        const bool given = t < trail->count && efficacy[trail->actions[t]] > 0;
        if (!given && first < t) {
            const dq_point from = inset_at(&in, first - 1, 0), to = inset_at(&in, t - 1, 1);
            dq_draw_rectangle(canvas, from.x, from.y, to.x, to.y, dq_rgb(color));
        }
        if (!given) first = t + 1;
    }
}

static void draw(const void *state, const void *options, dq_canvas *canvas) {
    (void)options;
    const hiv_state *s = state;
    double now[PATIENT_SIZE];
    char day[32];
    observe(s, NULL, now);
    const dq_trail *trail = canvas->trail;
    const int last = trail ? trail->count - 1 : 0;
    int steps = trail && trail->step_limit > 0 ? trail->step_limit : 200;
    if (last > steps) steps = last;
    dq_draw_view(canvas, 0, 0, 9, 6, dq_rgb(0xffffff));
    for (int i = 0; i < PATIENT_SIZE; i++) {
        const double left = i % 2 ? 4.65 : 0.3, top = 5.65 - i / 2 * 1.6;
        const inset in = {left, top - 1.2, left + 4.05, top, 0, curves[i].low, steps, curves[i].high};
        draw_curve(&curves[i], i, now, &in, canvas);
    }
    draw_drugs("RT inhibitor", TRANSCRIPTASE, 0.62, steps, 0x7a52b3, canvas);
    draw_drugs("protease inhibitor", PROTEASE, 0.32, steps, 0xb44f93, canvas);
    snprintf(day, sizeof day, "day %d of %d", 5 * last, 5 * steps);
    dq_draw_text(canvas, dq_at(8.7, 0.08), 0.17, DQ_TEXT_RIGHT, day, dq_rgb(0x404852));
}

static const float observation_low[] = {0, 0, 0, 0, 0, 0};
static const float observation_high[] = {INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
static const char *const observation_names[] = {"T1", "T1star", "T2", "T2star", "V", "E"};
static const char *const action_names[] = {"no drug", "protease inhibitor", "transcriptase inhibitor",
                                           "both drugs"};

// Steady states as sizes; logarithms, as the concentrations run over powers of ten, each about within +-1.
static const float scale[] = {1e6f, 1e5f, 3200, 100, 1e6f, 1e5f};
static const dq_feature feature_list[] = {
    {DQ_FEATURE_LOG, 0, 5.5f, 0.7f}, {DQ_FEATURE_LOG, 1, 3, 2}, {DQ_FEATURE_LOG, 2, 1.5f, 1.5f},
    {DQ_FEATURE_LOG, 3, 1, 1.5f},    {DQ_FEATURE_LOG, 4, 3, 2}, {DQ_FEATURE_LOG, 5, 3, 2},
};
static const dq_features features = {scale, feature_list, sizeof feature_list / sizeof *feature_list};

static const dq_env_class hiv_class = {
    .id = "HIVPatient",
    .summary = "treat an HIV patient with two drugs, five days a step",
    .source = "Adams, Banks, Kwon and Tran 2004; Ernst, Stan, Goncalves and Wehenkel 2006",
    .observation = DQ_VECTOR(PATIENT_SIZE),
    .observation_low = observation_low,
    .observation_high = observation_high,
    .observation_names = observation_names,
    .features = &features,
    .actions = 4,
    .action_names = action_names,
    .step_limit = 200,
    .reward_threshold = 5e10,
    .state_size = sizeof(hiv_state),
    .options = {option_rows, sizeof option_rows / sizeof *option_rows},
    .options_size = sizeof(hiv_options),
    .reset = reset,
    .step = step,
    .draw = draw,
    .hand_keys = ".<>^",
    .frame_rate = 15, // 75 days a second
    .step_many = step_many,
    .observe = observe,
    .restore = restore,
};

extern const dq_env_class *const dq_env_hiv_classes[];
const dq_env_class *const dq_env_hiv_classes[] = {&hiv_class, NULL};
