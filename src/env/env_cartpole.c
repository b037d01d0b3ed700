// CartPole: a pole on a cart, kept upright by pushing left or right.
//
// State: x [m], x' [m/s], theta [rad, 0 is upright], theta' [rad/s], in double precision; the observation
// is the state as f32. Ends beyond |x| = 2.4 or |theta| = 12 degrees; the reward is 1 on every step, the
// last one included. Dynamics, constants and resets follow Gymnasium 1.4 (classic_control/cartpole.py),
// after Barto, Sutton and Anderson (1983), "Neuronlike adaptive elements that can solve difficult learning
// control problems", with the equations of Florian (2007), "Correct equations for the dynamics of the
// cart-pole system", (23) and (24) without friction.
#include <deepq/env.h>

#include <math.h>

#define GRAVITY         9.8
#define MASS_CART       1.0
#define MASS_POLE       0.1
#define MASS            (MASS_CART + MASS_POLE)
#define HALF_LENGTH     0.5 // of the pole
#define MASS_LENGTH     (MASS_POLE * HALF_LENGTH)
#define FORCE           10.0
#define TAU             0.02 // s between states
#define X_LIMIT         2.4
#define THETA_LIMIT     (12 * 2 * M_PI / 360)
#define START_AMPLITUDE 0.05

typedef struct cartpole {
    double x, x_dot, theta, theta_dot;
} cartpole;

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

static void observe(const cartpole *s, float *observation) {
    observation[0] = (float)s->x;
    observation[1] = (float)s->x_dot;
    observation[2] = (float)s->theta;
    observation[3] = (float)s->theta_dot;
}

static void reset(void *state, const void *options, dq_rng *rng, float *observation) {
    (void)options;
    cartpole *s = state;
    s->x = dq_rng_uniform(rng, -START_AMPLITUDE, START_AMPLITUDE);
    s->x_dot = dq_rng_uniform(rng, -START_AMPLITUDE, START_AMPLITUDE);
    s->theta = dq_rng_uniform(rng, -START_AMPLITUDE, START_AMPLITUDE);
    s->theta_dot = dq_rng_uniform(rng, -START_AMPLITUDE, START_AMPLITUDE);
    observe(s, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, float *observation,
                 double *reward) {
    (void)rng;
    const cartpole_options *o = options;
    cartpole *s = state;
    const double force = action == 1 ? FORCE : -FORCE;
    double sine, cosine;
    sincos(s->theta, &sine, &cosine);

    const double push = (force + MASS_LENGTH * (s->theta_dot * s->theta_dot) * sine) / MASS;
    const double theta_acceleration =
        (GRAVITY * sine - cosine * push) / (HALF_LENGTH * (4.0 / 3.0 - MASS_POLE * (cosine * cosine) / MASS));
    const double x_acceleration = push - MASS_LENGTH * theta_acceleration * cosine / MASS;

    const double x_dot = s->x_dot + TAU * x_acceleration;
    const double theta_dot = s->theta_dot + TAU * theta_acceleration;
    const bool euler = o->kinematics_integrator == EULER;
    s->x += TAU * (euler ? s->x_dot : x_dot);
    s->theta += TAU * (euler ? s->theta_dot : theta_dot);
    s->x_dot = x_dot;
    s->theta_dot = theta_dot;
    observe(s, observation);

    const bool terminated = fabs(s->x) > X_LIMIT || fabs(s->theta) > THETA_LIMIT;
    *reward = o->sutton_barto_reward ? (terminated ? -1.0 : 0.0) : 1.0;
    return terminated;
}

static const float observation_low[] = {-2 * X_LIMIT, -INFINITY, -2 * THETA_LIMIT, -INFINITY};
static const float observation_high[] = {2 * X_LIMIT, INFINITY, 2 * THETA_LIMIT, INFINITY};
static const char *const observation_names[] = {"cart_position", "cart_velocity", "pole_angle",
                                                "pole_angular_velocity"};
static const char *const action_names[] = {"push left", "push right"};

#define CARTPOLE                                                                                             \
    .summary = "balance a pole on a cart",                                                                   \
    .source = "Gymnasium 1.4 classic_control/cartpole.py; Barto, Sutton and Anderson 1983",                  \
    .observation_size = 4, .observation_low = observation_low, .observation_high = observation_high,         \
    .observation_names = observation_names, .actions = 2, .action_names = action_names,                      \
    .state_size = sizeof(cartpole), .options = {option_rows, sizeof option_rows / sizeof *option_rows},      \
    .options_size = sizeof(cartpole_options), .reset = reset, .step = step

static const dq_env_class v0 = {CARTPOLE, .id = "CartPole-v0", .step_limit = 200, .reward_threshold = 195};
static const dq_env_class v1 = {CARTPOLE, .id = "CartPole-v1", .step_limit = 500, .reward_threshold = 475};

extern const dq_env_class *const dq_env_cartpole_classes[];
const dq_env_class *const dq_env_cartpole_classes[] = {&v0, &v1, NULL};
