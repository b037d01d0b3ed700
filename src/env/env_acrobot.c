// Acrobot: two links hanging from a fixed joint; a torque between them must swing the tip up.
//
// State: theta1 [rad, 0 hangs down], theta2 [rad, relative to the first link], theta1', theta2' [rad/s], in
// double precision; observation (f32): cos and sin of both angles, then both speeds. Ends when the tip is
// one link above the joint; the reward is -1 on every step but the last. Dynamics, constants, the fourth
// order Runge-Kutta step and resets follow Gymnasium 1.4 (classic_control/acrobot.py), after Sutton (1996),
// "Generalization in reinforcement learning", in the form of Sutton and Barto's book.
#include <deepq/draw.h>
#include <deepq/env.h>

#include <math.h>

#define DT              0.2 // s between states
#define LENGTH_1        1.0 // m
#define MASS_1          1.0 // kg
#define MASS_2          1.0
#define CENTER_1        0.5 // m from the joint to the centre of mass
#define CENTER_2        0.5
#define INERTIA         1.0 // kg m^2, both links
#define GRAVITY         9.8
#define MAX_SPEED_1     (4 * M_PI)
#define MAX_SPEED_2     (9 * M_PI)
#define START_AMPLITUDE 0.1

enum { BOOK, NIPS };

typedef struct acrobot {
    double theta1, theta2, theta1_dot, theta2_dot;
} acrobot;

typedef struct acrobot_options {
    int book_or_nips;
    double torque_noise_max;
} acrobot_options;

static const dq_option option_rows[] = {
    {.name = "book_or_nips",
     .type = DQ_OPTION_CHOICE,
     .offset = offsetof(acrobot_options, book_or_nips),
     .default_text = "book",
     .choices = "book|nips",
     .help = "equations of motion of the book or of the paper"},
    {.name = "torque_noise_max",
     .type = DQ_OPTION_REAL,
     .offset = offsetof(acrobot_options, torque_noise_max),
     .default_text = "0",
     .min = 0,
     .max = 10,
     .unit = "N m",
     .help = "uniform noise of at most this size on the torque"},
};

static double wrap(double x, double low, double high) {
    while (x > high) x -= high - low;
    while (x < low) x += high - low;
    return x;
}

static double bound(double x, double low, double high) {
    return fmin(fmax(x, low), high);
}

// The time derivative of the state under a torque.
static acrobot derivative(acrobot s, double torque, int form) {
    double sine2, cosine2;
    sincos(s.theta2, &sine2, &cosine2);
    const double d1 =
        MASS_1 * (CENTER_1 * CENTER_1) +
        MASS_2 * (LENGTH_1 * LENGTH_1 + CENTER_2 * CENTER_2 + 2 * LENGTH_1 * CENTER_2 * cosine2) + INERTIA +
        INERTIA;
    const double d2 = MASS_2 * (CENTER_2 * CENTER_2 + LENGTH_1 * CENTER_2 * cosine2) + INERTIA;
    const double phi2 = MASS_2 * CENTER_2 * GRAVITY * cos(s.theta1 + s.theta2 - M_PI / 2);
    const double phi1 = -MASS_2 * LENGTH_1 * CENTER_2 * (s.theta2_dot * s.theta2_dot) * sine2 -
                        2 * MASS_2 * LENGTH_1 * CENTER_2 * s.theta2_dot * s.theta1_dot * sine2 +
                        (MASS_1 * CENTER_1 + MASS_2 * LENGTH_1) * GRAVITY * cos(s.theta1 - M_PI / 2) + phi2;
    const double inertia = MASS_2 * (CENTER_2 * CENTER_2) + INERTIA - d2 * d2 / d1;
    // The paper leaves out the centripetal term that the book has.
    const double centripetal =
        form == NIPS ? 0 : MASS_2 * LENGTH_1 * CENTER_2 * (s.theta1_dot * s.theta1_dot) * sine2;
    const double theta2_acceleration = (torque + d2 / d1 * phi1 - centripetal - phi2) / inertia;
    const double theta1_acceleration = -(d2 * theta2_acceleration + phi1) / d1;
    return (acrobot){s.theta1_dot, s.theta2_dot, theta1_acceleration, theta2_acceleration};
}

static acrobot advance(acrobot s, double dt, acrobot k) {
    return (acrobot){s.theta1 + dt * k.theta1, s.theta2 + dt * k.theta2, s.theta1_dot + dt * k.theta1_dot,
                     s.theta2_dot + dt * k.theta2_dot};
}

// One classical Runge-Kutta step of length DT.
static acrobot runge_kutta(acrobot s, double torque, int form) {
    const acrobot k1 = derivative(s, torque, form);
    const acrobot k2 = derivative(advance(s, DT / 2, k1), torque, form);
    const acrobot k3 = derivative(advance(s, DT / 2, k2), torque, form);
    const acrobot k4 = derivative(advance(s, DT, k3), torque, form);
    const acrobot sum = {k1.theta1 + 2 * k2.theta1 + 2 * k3.theta1 + k4.theta1,
                         k1.theta2 + 2 * k2.theta2 + 2 * k3.theta2 + k4.theta2,
                         k1.theta1_dot + 2 * k2.theta1_dot + 2 * k3.theta1_dot + k4.theta1_dot,
                         k1.theta2_dot + 2 * k2.theta2_dot + 2 * k3.theta2_dot + k4.theta2_dot};
    return advance(s, DT / 6.0, sum);
}

static void observe(const acrobot *s, float *observation) {
    observation[0] = (float)cos(s->theta1);
    observation[1] = (float)sin(s->theta1);
    observation[2] = (float)cos(s->theta2);
    observation[3] = (float)sin(s->theta2);
    observation[4] = (float)s->theta1_dot;
    observation[5] = (float)s->theta2_dot;
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options;
    acrobot *s = state;
    // Gymnasium rounds the first state of an episode to single precision.
    s->theta1 = (double)(float)dq_rng_uniform(rng, -START_AMPLITUDE, START_AMPLITUDE);
    s->theta2 = (double)(float)dq_rng_uniform(rng, -START_AMPLITUDE, START_AMPLITUDE);
    s->theta1_dot = (double)(float)dq_rng_uniform(rng, -START_AMPLITUDE, START_AMPLITUDE);
    s->theta2_dot = (double)(float)dq_rng_uniform(rng, -START_AMPLITUDE, START_AMPLITUDE);
    observe(s, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    const acrobot_options *o = options;
    acrobot *s = state;
    double torque = action - 1;
    if (o->torque_noise_max > 0) {
        torque += dq_rng_uniform(rng, -o->torque_noise_max, o->torque_noise_max);
    }
    *s = runge_kutta(*s, torque, o->book_or_nips);
    s->theta1 = wrap(s->theta1, -M_PI, M_PI);
    s->theta2 = wrap(s->theta2, -M_PI, M_PI);
    s->theta1_dot = bound(s->theta1_dot, -MAX_SPEED_1, MAX_SPEED_1);
    s->theta2_dot = bound(s->theta2_dot, -MAX_SPEED_2, MAX_SPEED_2);
    observe(s, observation);

    const bool terminated = -cos(s->theta1) - cos(s->theta2 + s->theta1) > 1.0;
    *reward = terminated ? 0 : -1;
    return terminated;
}

// After Gymnasium's colours: the tip must rise above the line.
static void draw(const void *state, const void *options, dq_canvas *canvas) {
    (void)options;
    const acrobot *s = state;
    const double second = s->theta1 + s->theta2, edge = 2.3;
    const dq_point joint = {LENGTH_1 * sin(s->theta1), -LENGTH_1 * cos(s->theta1)};
    const dq_point tip = {joint.x + sin(second), joint.y - cos(second)};
    dq_draw_view(canvas, -edge, -edge, edge, edge, dq_rgb(0xfdfdfb));
    dq_draw_rectangle(canvas, -edge, 1, edge, edge, dq_rgb(0xe9f3e6));
    dq_draw_segment(canvas, dq_at(-edge, 1), dq_at(edge, 1), 0.025, dq_rgb(0x23272e));
    dq_draw_segment(canvas, dq_at(0, 0), joint, 0.2, dq_rgb(0x00b3b8));
    dq_draw_segment(canvas, joint, tip, 0.2, dq_rgb(0x19cdd1));
    dq_draw_circle(canvas, dq_at(0, 0), 0.1, dq_rgb(0xd8c400));
    dq_draw_circle(canvas, joint, 0.1, dq_rgb(0xd8c400));
    dq_draw_circle(canvas, tip, 0.05, dq_rgb(0xfdfdfb));

    const int torque = dq_canvas_action(canvas) - 1; // anticlockwise where it is 1
    if (torque != -1 && torque != 1) return;
    enum { ARC = 13 };
    dq_point arc[ARC];
    for (int i = 0; i < ARC; i++)
        arc[i] = dq_turned(joint, second - M_PI / 2 + torque * (0.5 + 1.6 * i / (ARC - 1)), 0.3, 0);
    dq_draw_line(canvas, arc, ARC - 2, 0.045, dq_rgb(0xf0a030));
    dq_draw_arrow(canvas, arc[ARC - 3], arc[ARC - 1], 0.05, dq_rgb(0xf0a030));
}

static const float observation_low[] = {-1, -1, -1, -1, -MAX_SPEED_1, -MAX_SPEED_2};
static const float observation_high[] = {1, 1, 1, 1, MAX_SPEED_1, MAX_SPEED_2};
static const char *const observation_names[] = {"cos_theta1", "sin_theta1", "cos_theta2",
                                                "sin_theta2", "theta1_dot", "theta2_dot"};
static const char *const action_names[] = {"torque -1 N m", "no torque", "torque +1 N m"};

static const float scale[] = {1, 1, 1, 1, MAX_SPEED_1, MAX_SPEED_2};
static const dq_features features = {.scale = scale};

static const dq_env_class v1 = {
    .id = "Acrobot-v1",
    .summary = "swing two links up by the joint between them",
    .source = "Gymnasium 1.4 classic_control/acrobot.py; Sutton 1996",
    .observation = DQ_VECTOR(6),
    .observation_low = observation_low,
    .observation_high = observation_high,
    .observation_names = observation_names,
    .features = &features,
    .actions = 3,
    .action_names = action_names,
    .step_limit = 500,
    .reward_threshold = -100,
    .state_size = sizeof(acrobot),
    .options = {option_rows, sizeof option_rows / sizeof *option_rows},
    .options_size = sizeof(acrobot_options),
    .reset = reset,
    .step = step,
    .draw = draw,
    .hand_keys = "<.>",
    .frame_rate = 15, // as in Gymnasium, three times as fast as it is
};

extern const dq_env_class *const dq_env_acrobot_classes[];
const dq_env_class *const dq_env_acrobot_classes[] = {&v1, NULL};
