// HIVPatient: choose which of two drugs an HIV patient takes, five days at a time.
//
// State: six concentrations, see `patient`. Dynamics, parameters and steady states: Adams, Banks, Kwon and
// Tran (2004), "Dynamic multidrug therapies for HIV: optimal and STI control approaches". Actions and
// rewards: Ernst, Stan, Goncalves and Wehenkel (2006), "Clinical data based optimal STI strategies for HIV: a
// reinforcement learning approach". Euler's method with steps of 0.001 day; the recorded simulator
// (tests/data) takes floor(5 / 0.001) of them, which in doubles is 4999. An episode never terminates.
#include <deepq/env.h>

#include <math.h>
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

// Five days under a drug efficacy of `e1` (transcriptase inhibitor) and `e2` (protease inhibitor).
static patient treat(patient s, const hiv_state *own, double e1, double e2) {
    const double k1 = own->k1 * (1 - e1), k2 = own->k2 * (1 - own->f * e1), shed = N_T * DELTA * (1 - e2);
    for (int i = 0; i < EULER_STEPS; i++) {
        const double infected = s.T1star + s.T2star;
        const double infect_1 = k1 * s.V * s.T1, infect_2 = k2 * s.V * s.T2;
        const patient rate = {
            .T1 = LAMBDA_1 - D_1 * s.T1 - infect_1,
            .T1star = infect_1 - DELTA * s.T1star - M_1 * s.E * s.T1star,
            .T2 = LAMBDA_2 - D_2 * s.T2 - infect_2,
            .T2star = infect_2 - DELTA * s.T2star - M_2 * s.E * s.T2star,
            .V = shed * infected - C * s.V - (k1 * s.T1 + k2 * s.T2) * s.V,
            .E = LAMBDA_E + B_E * infected * s.E / (infected + K_B) -
                 D_E * infected * s.E / (infected + K_D) - DELTA_E * s.E,
        };
        s.T1 += DT * rate.T1;
        s.T1star += DT * rate.T1star;
        s.T2 += DT * rate.T2;
        s.T2star += DT * rate.T2star;
        s.V += DT * rate.V;
        s.E += DT * rate.E;
    }
    return s;
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

static void reset(void *state, const void *options, dq_rng *rng, float *observation) {
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

static bool step(void *state, const void *options, dq_rng *rng, int action, float *observation,
                 double *reward) {
    (void)options;
    (void)rng;
    static const double transcriptase[] = {0, 0, 0.7, 0.7}, protease[] = {0, 0.3, 0, 0.3};
    hiv_state *s = state;
    const double e1 = transcriptase[action], e2 = protease[action];
    const double cost = COST_VIRUS * s->patient.V + COST_DRUG * (e1 * e1) + COST_DRUG * (e2 * e2);
    *reward = REWARD_EFFECTORS * s->patient.E - cost; // of the state before the step
    s->patient = treat(s->patient, s, e1, e2);
    observe_single(s, observation);
    return false;
}

static const float observation_low[] = {0, 0, 0, 0, 0, 0};
static const float observation_high[] = {INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
static const char *const observation_names[] = {"T1", "T1star", "T2", "T2star", "V", "E"};
static const char *const action_names[] = {"no drug", "protease inhibitor", "transcriptase inhibitor",
                                           "both drugs"};

static const dq_env_class hiv_class = {
    .id = "HIVPatient",
    .summary = "treat an HIV patient with two drugs, five days a step",
    .source = "Adams, Banks, Kwon and Tran 2004; Ernst, Stan, Goncalves and Wehenkel 2006",
    .observation_size = PATIENT_SIZE,
    .observation_low = observation_low,
    .observation_high = observation_high,
    .observation_names = observation_names,
    .actions = 4,
    .action_names = action_names,
    .step_limit = 200,
    .reward_threshold = 5e10,
    .state_size = sizeof(hiv_state),
    .options = {option_rows, sizeof option_rows / sizeof *option_rows},
    .options_size = sizeof(hiv_options),
    .reset = reset,
    .step = step,
    .observe = observe,
    .restore = restore,
};

extern const dq_env_class *const dq_env_hiv_classes[];
const dq_env_class *const dq_env_hiv_classes[] = {&hiv_class, NULL};
