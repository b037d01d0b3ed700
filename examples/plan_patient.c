// How good can a treatment of HIVPatient be? A search over plans with the exact simulator, guided by a
// trained network. Build with: cc plan_patient.c -ldeepq -lm -pthread
//
//   plan_patient [WEIGHTS|RUN [WIDTH]]      without a network: one that a second of training made
//
// Beam search: all four actions from WIDTH states, then the WIDTH best by the rewards so far and the
// network's value of what follows; states that differ by less than a few percent count once, so that the beam
// holds different plans. Prints the best plan's sum of rewards and its actions: no proof that none is better,
// but a policy that comes near has little left to learn. Deterministic.
#include <deepq/run.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 200, ACTIONS = 4, VARIABLES = 6, SLOTS = 1 << 20 };

// Natural logarithms below which states count as one: of E finer than of the others.
static const double resolution[VARIABLES] = {0.1, 0.3, 0.3, 0.3, 0.3, 0.05};

typedef struct candidate {
    double earned, score;
    int index; // of the state before times ACTIONS, plus the action
} candidate;

typedef struct beam {
    int width, count;
    char *states;   // [width] of the environment's states
    double *earned; // [width]
    int *from;      // [STEPS][width] index of the candidate behind each state
} beam;

static int better_first(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return x->index - y->index;
}

// Whether a state like this one was met before in this round.
static bool known(uint64_t *table, const float *observation) {
    uint64_t hash = 14695981039346656037U; // FNV-1a
    for (int v = 0; v < VARIABLES; v++) {
        const long cell = lround(floor(log((double)observation[v] + 0.01) / resolution[v]));
        hash = (hash ^ (uint64_t)(cell + 1000)) * 1099511628211U;
        hash ^= hash >> 29;
    }
    for (uint64_t slot = hash % SLOTS;; slot = (slot + 1) % SLOTS) {
        if (table[slot] == hash) return true;
        if (table[slot]) continue;
        table[slot] = hash;
        return false;
    }
}

static void advance(beam *b, dq_vecenv *env, dq_policy *policy, double reward_unit, int step,
                    int32_t *actions, candidate *candidates, uint64_t *table) {
    const size_t stride = env->state_stride;
    char *states = env->state;
    for (int i = 0; i < env->count; i++) { // the surplus steps along unused
        const int parent = i < b->count * ACTIONS ? i / ACTIONS : 0;
        memcpy(states + (size_t)i * stride, b->states + (size_t)parent * stride, stride);
        actions[i] = i % ACTIONS;
    }
    dq_vecenv_step(env, actions);
    const float *reached = env->final_observation; // [width*ACTIONS][VARIABLES]
    const int count = b->count * ACTIONS;
    for (int i = 0; i < count; i++) {
        float q[ACTIONS];
        dq_policy_q(policy, reached + i * VARIABLES, q);
        const double value = (double)fmaxf(fmaxf(q[0], q[1]), fmaxf(q[2], q[3]));
        const double earned = b->earned[i / ACTIONS] + env->reward[i];
        candidates[i] = (candidate){earned, earned + value / reward_unit, i};
    }
    qsort(candidates, (size_t)count, sizeof *candidates, better_first);
    memset(table, 0, SLOTS * sizeof *table);
    b->count = 0;
    for (int k = 0; k < count && b->count < b->width; k++) {
        const int i = candidates[k].index;
        if (known(table, reached + i * VARIABLES)) continue;
        memcpy(b->states + (size_t)b->count * stride, states + (size_t)i * stride, stride);
        b->earned[b->count] = candidates[k].earned;
        b->from[(size_t)step * (size_t)b->width + (size_t)b->count++] = i;
    }
}

static void print_plan(const beam *b) {
    char plan[STEPS + 1] = "";
    int at = 0;
    for (int i = 1; i < b->count; i++)
        if (b->earned[i] > b->earned[at]) at = i;
    printf("sum of rewards %.6g\n", b->earned[at]);
    for (int step = STEPS - 1; step >= 0; step--) {
        const int i = b->from[(size_t)step * (size_t)b->width + (size_t)at];
        plan[step] = (char)('0' + i % ACTIONS);
        at = i / ACTIONS;
    }
    printf("%s\n", plan);
}

// A policy that has learned for a second: not a good guide, but one to try this program with.
static dq_status train_a_little(dq_policy **policy, dq_error *error) {
    dq_run_config config;
    dq_run *run = NULL;
    dq_status status = dq_run_config_init(&config, "HIVPatient", NULL, error);
    if (!status) status = dq_run_config_assign(&config, "total_steps=4000", "here", error);
    if (!status) status = dq_run_create(&run, &config, NULL, error);
    if (!status) status = dq_run_train(run, error);
    if (!status) status = dq_policy_from_run(policy, run, error);
    dq_run_destroy(run);
    return status;
}

int main(int argc, char **argv) {
    dq_error error;
    dq_policy *policy = NULL;
    dq_vecenv *env = NULL;
    const int width = argc > 2 ? atoi(argv[2]) : argc > 1 ? 4096 : 16;
    if (argc > 3 || width < 1 || width > 1 << 16) {
        fprintf(stderr, "plan_patient [WEIGHTS|RUN [WIDTH 1 to 65536]]\n");
        return 2;
    }
    dq_status status = argc > 1 ? dq_policy_load(&policy, argv[1], &error) : train_a_little(&policy, &error);
    if (!status && strcmp(dq_policy_config(policy)->env, "HIVPatient") != 0)
        status = dq_fail(&error, DQ_USAGE, argv[1], "%s was not trained on HIVPatient", argv[1]);
    // No step limit: a reset would overwrite the state that the last step led to.
    if (!status)
        status =
            dq_vecenv_create(&env, dq_env_find("HIVPatient", &error), NULL, width * ACTIONS, 0, 0, &error);
    if (status) {
        fprintf(stderr, "%s\n", error.message);
        return status == DQ_USAGE ? 2 : 1;
    }
    beam b = {.width = width, .count = 1};
    b.states = calloc((size_t)width, env->state_stride);
    b.earned = calloc((size_t)width, sizeof *b.earned);
    b.from = calloc((size_t)width * STEPS, sizeof *b.from);
    int32_t *actions = calloc((size_t)env->count, sizeof *actions);
    candidate *candidates = calloc((size_t)env->count, sizeof *candidates);
    uint64_t *table = calloc(SLOTS, sizeof *table);
    if (!b.states || !b.earned || !b.from || !actions || !candidates || !table) {
        fprintf(stderr, "there is no memory for a beam of %d\n", width);
        return 1;
    }
    memcpy(b.states, env->state, env->state_stride);
    const double unit = dq_policy_config(policy)->learner.reward_scale;
    for (int step = 0; step < STEPS; step++) advance(&b, env, policy, unit, step, actions, candidates, table);
    print_plan(&b);
    free(b.states), free(b.earned), free(b.from);
    free(actions), free(candidates), free(table);
    dq_vecenv_destroy(env);
    dq_policy_destroy(policy);
    return 0;
}
