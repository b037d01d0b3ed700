// Bicycle: balance a bicycle by turning its handlebar and leaning, and ride it to a goal.
//
// Randløv and Alstrøm (1998), "Learning to drive a bicycle using reinforcement learning and shaping", with
// the five actions and the shaped reward of Lagoudakis and Parr (2003), "Least-squares policy iteration",
// section 9.3. A step draws one uniform(-1, 1) number, the lean's noise. The goal lies 1000 m east, radius 10
// m. The observation is the whole state: `heading` is 0 to the north and grows to the west, `angle_to_goal`
// is the heading seen from the goal's direction, `psi_goal_legacy` the first authors' measure of it.
// Constants, order of evaluation and the correction of the wheelbase follow the recorded simulator
// (tests/data).
#include <deepq/env.h>

#include <math.h>
#include <string.h>

#define GRAVITY        9.81       // m/s^2
#define DT             0.01       // s between states
#define SPEED          (10 / 3.6) // m/s
#define SADDLE         0.66       // m, horizontal distance of the front wheel's contact and the saddle
#define CYCLIST_HEIGHT 0.30       // m, the cyclist's centre of mass above the bicycle's
#define HEIGHT         0.94       // m, the common centre of mass above the ground
#define WHEELBASE      1.11       // m between the wheels' contacts with the ground
#define MASS_BICYCLE   15.0       // kg
#define MASS_TYRE      1.7
#define MASS_CYCLIST   60.0
#define MASS           (MASS_BICYCLE + MASS_CYCLIST)
#define TYRE_RADIUS    0.34 // m
#define WHEEL_SPIN     (SPEED / TYRE_RADIUS)
#define INERTIA                                                                                              \
    (13.0 / 3 * MASS_BICYCLE * HEIGHT * HEIGHT +                                                             \
     MASS_CYCLIST * (HEIGHT + CYCLIST_HEIGHT) * (HEIGHT + CYCLIST_HEIGHT))
#define INERTIA_DC       (MASS_TYRE * TYRE_RADIUS * TYRE_RADIUS)
#define INERTIA_DV       (1.5 * MASS_TYRE * TYRE_RADIUS * TYRE_RADIUS)
#define INERTIA_DL       (0.5 * MASS_TYRE * TYRE_RADIUS * TYRE_RADIUS)
#define THETA_LIMIT      1.3963      // rad, the handlebar turns 80 degrees
#define OMEGA_LIMIT      (M_PI / 15) // rad, the bicycle has fallen
#define LENGTH_TOLERANCE 0.001       // m, rounding lets the wheels drift apart
#define STRAIGHT_RADIUS  1e8         // m, of the circles ridden with a straight handlebar
#define GOAL_X           1000.0      // m
#define GOAL_Y           0.0
#define GOAL_RADIUS      10.0
#define OMEGA_WEIGHT     (15 / M_PI) // reward of the lean, LSPI section 9.3
#define DISTANCE_WEIGHT  0.01        // reward of a metre

typedef struct bicycle {
    double theta, theta_dot; // rad, rad/s: the handlebar from straight
    double omega, omega_dot; // rad, rad/s: the bicycle from upright
    double xb, yb, xf, yf;   // m: where the rear and the front wheel touch the ground
    double psi_goal_legacy;  // 0 to 2: 1 - cos of the angle to the goal; below 0 on the other side
    double dist_to_goal;     // m, from the front wheel to the edge of the goal
    double heading;          // rad
    double angle_to_goal;    // rad in [-pi, pi]
} bicycle;

_Static_assert(sizeof(bicycle) == 12 * sizeof(double), "the observation is the state, member by member");

typedef struct bicycle_options {
    double max_noise;
    bool goal_ends;
} bicycle_options;

static const dq_option option_rows[] = {
    {.name = "max_noise",
     .type = DQ_OPTION_REAL,
     .offset = offsetof(bicycle_options, max_noise),
     .default_text = "0.02",
     .min = 0,
     .max = 1,
     .unit = "m",
     .help = "uniform noise of at most this size on the cyclist's displacement"},
    {.name = "goal_ends",
     .type = DQ_OPTION_BOOL,
     .offset = offsetof(bicycle_options, goal_ends),
     .default_text = "false",
     .help = "reaching the goal ends the episode"},
};

static double sign(double x) {
    return x > 0 ? 1 : x < 0 ? -1 : 0;
}

static double wrap(double angle) {
    if (angle > M_PI) return angle - 2 * M_PI;
    if (angle < -M_PI) return angle + 2 * M_PI;
    return angle;
}

// The quantities that follow from where the wheels are.
static void look_around(bicycle *s) {
    const double goal_x = GOAL_X - s->xf, goal_y = GOAL_Y - s->yf, goal = hypot(goal_x, goal_y);
    const double along = ((s->xf - s->xb) * goal_x + (s->yf - s->yb) * goal_y) / (WHEELBASE * goal);
    const double across = -(s->yf - s->yb) * goal_x + (s->xf - s->xb) * goal_y;
    s->psi_goal_legacy = across <= 0 ? along - 1 : 1 - along;
    s->dist_to_goal = goal - GOAL_RADIUS;
    s->heading = atan2(-(s->xf - s->xb), s->yf - s->yb);
    s->angle_to_goal = wrap(s->heading - atan2(-(GOAL_X - s->xb), GOAL_Y - s->yb));
}

// Moves a wheel along its circle: `direction` is where it points, `radius` that of the circle.
static void roll(double *x, double *y, double direction, double radius) {
    const double chord = fmin(SPEED * DT / (2 * radius), 1);
    const double turned = direction + sign(direction) * asin(chord);
    *x -= SPEED * DT * sin(turned);
    *y += SPEED * DT * cos(turned);
}

static void move(bicycle *s, double torque, double displacement) {
    const double theta = s->theta;
    double front = STRAIGHT_RADIUS, rear = STRAIGHT_RADIUS, center = STRAIGHT_RADIUS;
    if (theta != 0) {
        const double tangent = tan(theta);
        front = WHEELBASE / fabs(sin(theta));
        rear = WHEELBASE / fabs(tangent);
        center =
            sqrt((WHEELBASE - SADDLE) * (WHEELBASE - SADDLE) + WHEELBASE * WHEELBASE / (tangent * tangent));
    }
    // Randløv and Alstrøm's equations of motion: the lean and the handlebar accelerate.
    const double phi = s->omega + atan(displacement / HEIGHT);
    const double omega_acceleration =
        (MASS * HEIGHT * GRAVITY * sin(phi) -
         cos(phi) * (INERTIA_DC * WHEEL_SPIN * s->theta_dot +
                     sign(theta) * SPEED * SPEED *
                         (MASS_TYRE * TYRE_RADIUS * (1 / front + 1 / rear) + MASS * HEIGHT / center))) /
        INERTIA;
    const double theta_acceleration = (torque - INERTIA_DV * s->omega_dot * WHEEL_SPIN) / INERTIA_DL;

    s->omega += DT * s->omega_dot;
    s->omega_dot += DT * omega_acceleration;
    s->theta += DT * s->theta_dot;
    s->theta_dot += DT * theta_acceleration;
    if (fabs(s->theta) > THETA_LIMIT) s->theta = sign(s->theta) * THETA_LIMIT;

    roll(&s->xf, &s->yf, s->heading + theta, front);
    roll(&s->xb, &s->yb, s->heading, rear);
    const double length = hypot(s->xf - s->xb, s->yf - s->yb);
    if (fabs(length - WHEELBASE) > LENGTH_TOLERANCE) {
        const double stretch = (WHEELBASE - length) / length;
        s->xb += (s->xb - s->xf) * stretch;
        s->yb += (s->yb - s->yf) * stretch;
    }
    look_around(s);
}

static void observe(const void *state, const void *options, double *observation) {
    (void)options;
    memcpy(observation, state, sizeof(bicycle));
}

static void restore(void *state, const void *options, const double *observation) {
    (void)options;
    memcpy(state, observation, sizeof(bicycle));
}

static void observe_single(const bicycle *s, float *observation) {
    double exact[sizeof *s / sizeof(double)];
    observe(s, NULL, exact);
    for (size_t i = 0; i < sizeof *s / sizeof(double); i++) observation[i] = (float)exact[i];
}

// Near upright, heading anywhere, as the recorded episodes start.
static void reset(void *state, const void *options, dq_rng *rng, float *observation) {
    (void)options;
    bicycle *s = state;
    *s = (bicycle){0};
    s->theta = dq_rng_uniform(rng, -0.02, 0.02);
    s->theta_dot = dq_rng_uniform(rng, -0.1, 0.1);
    s->omega = dq_rng_uniform(rng, -0.0025, 0.0025);
    s->omega_dot = dq_rng_uniform(rng, -0.025, 0.025);
    const double heading = dq_rng_uniform(rng, -M_PI, M_PI);
    s->xf = -WHEELBASE * sin(heading);
    s->yf = WHEELBASE * cos(heading);
    look_around(s);
    observe_single(s, observation);
}

static bool step_with_noise(void *state, const void *options, const double *noise, int action,
                            float *observation, double *reward) {
    static const double torques[] = {0, -2, 2, 0, 0}, displacements[] = {0, 0, 0, -0.02, 0.02};
    const bicycle_options *o = options;
    bicycle *s = state;
    const double lean = OMEGA_WEIGHT * s->omega, distance = s->dist_to_goal;
    move(s, torques[action], displacements[action] + o->max_noise * noise[0]);
    observe_single(s, observation);

    const double new_lean = OMEGA_WEIGHT * s->omega;
    const bool fallen = fabs(s->omega) > OMEGA_LIMIT;
    *reward = lean * lean - new_lean * new_lean;
    if (!fallen) *reward += DISTANCE_WEIGHT * (distance - s->dist_to_goal); // a fall earns no way
    return fallen || (o->goal_ends && s->dist_to_goal <= 0);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, float *observation,
                 double *reward) {
    const double noise = dq_rng_uniform(rng, -1, 1);
    return step_with_noise(state, options, &noise, action, observation, reward);
}

static const float observation_low[] = {-THETA_LIMIT, -INFINITY, -M_PI, -INFINITY,    -INFINITY, -INFINITY,
                                        -INFINITY,    -INFINITY, -2,    -GOAL_RADIUS, -M_PI,     -M_PI};
static const float observation_high[] = {THETA_LIMIT, INFINITY, M_PI, INFINITY, INFINITY, INFINITY,
                                         INFINITY,    INFINITY, 2,    INFINITY, M_PI,     M_PI};
static const char *const observation_names[] = {
    "theta", "theta_dot", "omega",           "omega_dot",    "xb",      "yb",
    "xf",    "yf",        "psi_goal_legacy", "dist_to_goal", "heading", "angle_to_goal"};
static const char *const action_names[] = {"nothing", "torque -2 N m", "torque +2 N m", "lean -2 cm",
                                           "lean +2 cm"};

static const dq_env_class bicycle_class = {
    .id = "Bicycle",
    .summary = "balance a bicycle and ride it to a goal 1 km east",
    .source = "Randløv and Alstrøm 1998; Lagoudakis and Parr 2003",
    .observation_size = 12,
    .observation_low = observation_low,
    .observation_high = observation_high,
    .observation_names = observation_names,
    .actions = 5,
    .action_names = action_names,
    .step_limit = 72000, // 12 minutes, twice what the straight way takes
    .reward_threshold = NAN,
    .state_size = sizeof(bicycle),
    .options = {option_rows, sizeof option_rows / sizeof *option_rows},
    .options_size = sizeof(bicycle_options),
    .reset = reset,
    .step = step,
    .observe = observe,
    .restore = restore,
    .step_with_noise = step_with_noise,
    .noise_size = 1,
};

extern const dq_env_class *const dq_env_bicycle_classes[];
const dq_env_class *const dq_env_bicycle_classes[] = {&bicycle_class, NULL};
