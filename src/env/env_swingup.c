// CartPoleSwingUp: CartPole's pole starts hanging and must be swung up and kept there.
//
// The motion is CartPole-v1's; the start is CartPole-v1's with half a turn added to the pole's angle, which
// is then kept in [-pi, pi). An episode ends beyond |x| = 2.4 or when the pole turns faster than 4 pi rad/s,
// with reward -10; otherwise the reward is 1 within 12 degrees of upright and 0 elsewhere. The state is
// rounded to f32 after every step, as in the recorded simulator of the course (tests/data), so observation =
// state.
#include "env/cartpole_draw.h"
#include "env/cartpole_dynamics.h"

#include <deepq/env.h>

#define TURN_LIMIT (4 * M_PI) // rad/s
#define END_REWARD (-10.0)

typedef struct swingup_state {
    float x, x_dot, theta, theta_dot;
} swingup_state;

static void observe(const swingup_state *s, float *observation) {
    observation[0] = s->x;
    observation[1] = s->x_dot;
    observation[2] = s->theta;
    observation[3] = s->theta_dot;
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options;
    swingup_state *s = state;
    s->x = (float)dq_rng_uniform(rng, -CARTPOLE_START, CARTPOLE_START);
    s->x_dot = (float)dq_rng_uniform(rng, -CARTPOLE_START, CARTPOLE_START);
    s->theta = (float)(dq_rng_uniform(rng, -CARTPOLE_START, CARTPOLE_START) + M_PI);
    s->theta_dot = (float)dq_rng_uniform(rng, -CARTPOLE_START, CARTPOLE_START);
    observe(s, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)options;
    (void)rng;
    swingup_state *s = state;
    const cartpole_state before = {(double)s->x, (double)s->x_dot, (double)s->theta, (double)s->theta_dot};
    cartpole_state after = cartpole_move(before, action, true);
    // At 4 pi rad/s a step turns the pole by a quarter of a radian: one turn back is enough.
    if (after.theta >= M_PI) after.theta -= 2 * M_PI;
    if (after.theta < -M_PI) after.theta += 2 * M_PI;
    *s = (swingup_state){(float)after.x, (float)after.x_dot, (float)after.theta, (float)after.theta_dot};
    observe(s, observation);

    const bool terminated = fabs((double)s->x) > CARTPOLE_X_LIMIT || fabs((double)s->theta_dot) > TURN_LIMIT;
    const bool upright = fabs((double)s->theta) < CARTPOLE_THETA_LIMIT;
    *reward = terminated ? END_REWARD : upright ? 1 : 0;
    return terminated;
}

static void draw(const void *state, const void *options, dq_canvas *canvas) {
    (void)options;
    const swingup_state *s = state;
    const cartpole_state exact = {(double)s->x, (double)s->x_dot, (double)s->theta, (double)s->theta_dot};
    cartpole_draw(&exact, canvas, 1.8, 1.8, CARTPOLE_THETA_LIMIT);
}

static const float observation_low[] = {-2 * CARTPOLE_X_LIMIT, -INFINITY, -M_PI, -INFINITY};
static const float observation_high[] = {2 * CARTPOLE_X_LIMIT, INFINITY, M_PI, INFINITY};
static const char *const observation_names[] = {"cart_position", "cart_velocity", "pole_angle",
                                                "pole_angular_velocity"};
static const char *const action_names[] = {"push left", "push right"};

// The usual sizes; the pole's angle as a point on the circle.
static const float scale[] = {CARTPOLE_X_LIMIT, 2, M_PI, 2 * M_PI};
static const dq_feature feature_list[] = {{DQ_FEATURE_COPY, 0, 0, CARTPOLE_X_LIMIT},
                                          {DQ_FEATURE_COPY, 1, 0, 2},
                                          {DQ_FEATURE_SIN, 2, 0, 1},
                                          {DQ_FEATURE_COS, 2, 0, 1},
                                          {DQ_FEATURE_COPY, 3, 0, 2 * M_PI}};
static const dq_features features = {scale, feature_list, sizeof feature_list / sizeof *feature_list};

static const dq_env_class swingup = {
    .id = "CartPoleSwingUp",
    .summary = "swing a hanging pole up on its cart and keep it up",
    .source = "CartPole-v1's dynamics, started hanging",
    .observation = DQ_VECTOR(4),
    .observation_low = observation_low,
    .observation_high = observation_high,
    .observation_names = observation_names,
    .features = &features,
    .actions = 2,
    .action_names = action_names,
    .step_limit = 500,
    .reward_threshold = 350,
    .state_size = sizeof(swingup_state),
    .reset = reset,
    .step = step,
    .draw = draw,
    .hand_keys = "<>",
    .frame_rate = 1 / CARTPOLE_TAU,
};

extern const dq_env_class *const dq_env_swingup_classes[];
const dq_env_class *const dq_env_swingup_classes[] = {&swingup, NULL};
