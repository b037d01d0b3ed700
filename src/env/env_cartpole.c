// CartPole: a pole on a cart, kept upright by pushing left or right.
//
// The state is in double precision; the observation is the same four numbers as f32. An episode ends beyond
// |x| = 2.4 or |theta| = 12 degrees; the reward is 1 on every step, the last one included. Rewards and resets
// follow Gymnasium 1.4 (classic_control/cartpole.py), after Barto, Sutton and Anderson (1983), "Neuronlike
// adaptive elements that can solve difficult learning control problems".
#include "env/cartpole_draw.h"
#include "env/cartpole_dynamics.h"

#include <deepq/env.h>

enum { EULER, SEMI_IMPLICIT };

typedef struct cartpole_options {
    bool sutton_barto_reward;
    int kinematics_integrator;
} cartpole_options;

static const dq_option option_rows[] = {
    {.name = "sutton_barto_reward",
     .type = DQ_OPTION_BOOL,
     .offset = offsetof(cartpole_options, sutton_barto_reward),
     .default_text = "false",
     .help = "reward 0 on every step and -1 on the one that ends the episode"},
    {.name = "kinematics_integrator",
     .type = DQ_OPTION_CHOICE,
     .offset = offsetof(cartpole_options, kinematics_integrator),
     .default_text = "euler",
     .choices = "euler|semi-implicit",
     .help = "how positions follow: with the old velocities (euler) or the new ones"},
};

static void observe(const cartpole_state *s, float *observation) {
    observation[0] = (float)s->x;
    observation[1] = (float)s->x_dot;
    observation[2] = (float)s->theta;
    observation[3] = (float)s->theta_dot;
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options;
    cartpole_state *s = state;
    s->x = dq_rng_uniform(rng, -CARTPOLE_START, CARTPOLE_START);
    s->x_dot = dq_rng_uniform(rng, -CARTPOLE_START, CARTPOLE_START);
    s->theta = dq_rng_uniform(rng, -CARTPOLE_START, CARTPOLE_START);
    s->theta_dot = dq_rng_uniform(rng, -CARTPOLE_START, CARTPOLE_START);
    observe(s, observation);
}

// What follows from the state after a step.
static bool judge(const cartpole_state *s, const cartpole_options *o, float *observation, double *reward) {
    observe(s, observation);
    const bool terminated = (fabs(s->x) > CARTPOLE_X_LIMIT) | (fabs(s->theta) > CARTPOLE_THETA_LIMIT);
    *reward = o->sutton_barto_reward ? (terminated ? -1.0 : 0.0) : 1.0;
    return terminated;
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)rng;
    const cartpole_options *o = options;
    cartpole_state *s = state;
    *s = cartpole_move(*s, action, o->kinematics_integrator == EULER);
    return judge(s, o, observation, reward);
}

// --- several at a time -------------------------------------------------------------------------------------

enum { CARTS = 8 };

typedef struct carts {
    double x[CARTS], x_dot[CARTS], theta[CARTS], theta_dot[CARTS], force[CARTS], sine[CARTS], cosine[CARTS];
} carts;

static inline __attribute__((always_inline)) void push_each(carts *c, bool euler) {
    for (int i = 0; i < CARTS; i++) {
        const cartpole_state s =
            cartpole_pushed((cartpole_state){c->x[i], c->x_dot[i], c->theta[i], c->theta_dot[i]}, c->force[i],
                            c->sine[i], c->cosine[i], euler);
        c->x[i] = s.x, c->x_dot[i] = s.x_dot, c->theta[i] = s.theta, c->theta_dot[i] = s.theta_dot;
    }
}

static void push_all(carts *c, bool euler) {
    push_each(c, euler);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void push_all_avx2(carts *c, bool euler) {
    push_each(c, euler);
}
#endif

// Each stage for all of them: one cart's divisions wait for each other, those of several overlap. The
// arithmetic is that of `step`, to the bit.
static void step_many(void *states, size_t stride, const void *options, dq_rng *rng, int count,
                      const int32_t *actions, void *observation, double *reward, bool *terminated) {
    (void)rng;
    const cartpole_options *o = options;
    void (*push)(carts *, bool) = push_all;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) push = push_all_avx2;
#endif
    for (int first = 0; first < count; first += CARTS) {
        const int here = count - first < CARTS ? count - first : CARTS;
        carts c = {0};
        for (int i = 0; i < here; i++) {
            const cartpole_state *s =
                (cartpole_state *)((unsigned char *)states + (size_t)(first + i) * stride);
            c.x[i] = s->x, c.x_dot[i] = s->x_dot, c.theta[i] = s->theta, c.theta_dot[i] = s->theta_dot;
            c.force[i] = cartpole_forces[actions[first + i]];
            sincos(s->theta, &c.sine[i], &c.cosine[i]);
        }
        push(&c, o->kinematics_integrator == EULER);
        for (int i = 0; i < here; i++) {
            const int k = first + i;
            cartpole_state *s = (cartpole_state *)((unsigned char *)states + (size_t)k * stride);
            *s = (cartpole_state){c.x[i], c.x_dot[i], c.theta[i], c.theta_dot[i]};
            terminated[k] = judge(s, o, (float *)observation + 4 * (size_t)k, &reward[k]);
        }
    }
}

static void draw(const void *state, const void *options, dq_canvas *canvas) {
    (void)options;
    cartpole_draw(state, canvas, 0.75, 1.95, CARTPOLE_THETA_LIMIT);
}

static const float observation_low[] = {-2 * CARTPOLE_X_LIMIT, -INFINITY, -2 * CARTPOLE_THETA_LIMIT,
                                        -INFINITY};
static const float observation_high[] = {2 * CARTPOLE_X_LIMIT, INFINITY, 2 * CARTPOLE_THETA_LIMIT, INFINITY};
static const char *const observation_names[] = {"cart_position", "cart_velocity", "pole_angle",
                                                "pole_angular_velocity"};
static const char *const action_names[] = {"push left", "push right"};

static const float scale[] = {CARTPOLE_X_LIMIT, 2, CARTPOLE_THETA_LIMIT, 2};
static const dq_features features = {.scale = scale};

#define CARTPOLE                                                                                             \
    .summary = "balance a pole on a cart",                                                                   \
    .source = "Gymnasium 1.4 classic_control/cartpole.py; Barto, Sutton and Anderson 1983",                  \
    .observation = DQ_VECTOR(4), .observation_low = observation_low, .observation_high = observation_high,   \
    .observation_names = observation_names, .features = &features, .actions = 2,                             \
    .action_names = action_names, .state_size = sizeof(cartpole_state),                                      \
    .options = {option_rows, sizeof option_rows / sizeof *option_rows},                                      \
    .options_size = sizeof(cartpole_options), .reset = reset, .step = step, .step_many = step_many,          \
    .draw = draw, .hand_keys = "<>", .frame_rate = 1 / CARTPOLE_TAU

static const dq_env_class v0 = {CARTPOLE, .id = "CartPole-v0", .step_limit = 200, .reward_threshold = 195};
static const dq_env_class v1 = {CARTPOLE, .id = "CartPole-v1", .step_limit = 500, .reward_threshold = 475};

extern const dq_env_class *const dq_env_cartpole_classes[];
const dq_env_class *const dq_env_cartpole_classes[] = {&v0, &v1, NULL};
