// Bicycle: balance a bicycle by turning its handlebar and leaning, and ride it to a goal.
//
// Randløv and Alstrøm (1998), "Learning to drive a bicycle using reinforcement learning and shaping", with
// the five actions and the shaped reward of Lagoudakis and Parr (2003), "Least-squares policy iteration",
// section 9.3. A step draws one uniform(-1, 1) number, the lean's noise. The goal lies 1000 m east, radius 10
// m. The observation is the whole state: `heading` is 0 to the north and grows to the west, `angle_to_goal`
// is the heading seen from the goal's direction, `psi_goal_legacy` the first authors' measure of it.
// Constants, order of evaluation and the correction of the wheelbase follow the recorded simulator
// (tests/data).
#include "env/inset.h"

#include <deepq/env.h>

#include <math.h>
#include <stdio.h>
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
static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
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

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    const double noise = dq_rng_uniform(rng, -1, 1);
    return step_with_noise(state, options, &noise, action, observation, reward);
}

// --- its picture: the course with the track, the surroundings from above, the bicycle from behind
// ------------------

#define INK    0x2d333b
#define TRACK  0x0b6cb0
#define ACCENT 0xf0a030

enum { XF = offsetof(bicycle, xf) / sizeof(double), YF = offsetof(bicycle, yf) / sizeof(double) };

static bool inside(const inset *in, dq_point p) {
    return p.x >= in->left && p.x <= in->right && p.y >= in->bottom && p.y <= in->top;
}

// The way of the front wheel since the start, every `stride` steps, as far as it lies inside.
static void draw_track(const bicycle *s, const inset *in, int stride, double width, dq_canvas *canvas) {
    const dq_trail *trail = canvas->trail;
    inset_line line = {.canvas = canvas, .width = width, .color = dq_rgb(TRACK)};
    for (int t = 0; trail && t < trail->count; t += stride) {
        const float *row = trail->observations + (size_t)t * (size_t)trail->width;
        const dq_point at = inset_at(in, (double)row[XF], (double)row[YF]);
        if (inside(in, at)) {
            inset_line_to(&line, at);
        } else {
            inset_line_flush(&line);
            line.count = 0;
        }
    }
    const dq_point now = inset_at(in, s->xf, s->yf);
    if (inside(in, now)) inset_line_to(&line, now);
    inset_line_flush(&line);
}

static void draw_grid(const inset *in, double apart, dq_canvas *canvas) {
    dq_draw_rectangle(canvas, in->left, in->bottom, in->right, in->top, dq_rgb(0xf1f4ee));
    for (double x = ceil(in->x_low / apart) * apart; x <= in->x_high; x += apart)
        dq_draw_segment(canvas, inset_at(in, x, in->y_low), inset_at(in, x, in->y_high), 0.01,
                        dq_rgb(0xdde3d8));
    for (double y = ceil(in->y_low / apart) * apart; y <= in->y_high; y += apart)
        dq_draw_segment(canvas, inset_at(in, in->x_low, y), inset_at(in, in->x_high, y), 0.01,
                        dq_rgb(0xdde3d8));
}

// The whole course, in the largest scale that holds start, goal and track.
static void draw_course(const bicycle *s, dq_canvas *canvas) {
    const dq_trail *trail = canvas->trail;
    inset in = {0.25, 3.25, 11.75, 7.75, fmin(s->xf, -30), s->yf, fmax(s->xf, GOAL_X + 30), s->yf};
    int stride = 1;
    while (trail && trail->count / stride > 2000) stride *= 2;
    for (int t = 0; trail && t < trail->count; t += stride) {
        const float *row = trail->observations + (size_t)t * (size_t)trail->width;
        in.x_low = fmin(in.x_low, (double)row[XF] - 10);
        in.x_high = fmax(in.x_high, (double)row[XF] + 10);
        in.y_low = fmin(in.y_low, (double)row[YF] - 10);
        in.y_high = fmax(in.y_high, (double)row[YF] + 10);
    }
    const double ratio = (in.right - in.left) / (in.top - in.bottom);
    const double width = fmax(in.x_high - in.x_low, ratio * (in.y_high - in.y_low)), height = width / ratio;
    const double x = (in.x_low + in.x_high) / 2,
                 y = fmin(fmax(0, in.y_high - height / 2), in.y_low + height / 2);
    in.x_low = x - width / 2;
    in.x_high = x + width / 2;
    in.y_low = y - height / 2;
    in.y_high = y + height / 2;

    draw_grid(&in, 100, canvas);
    const dq_point start = inset_at(&in, 0, 0), goal = inset_at(&in, GOAL_X, GOAL_Y),
                   now = inset_at(&in, s->xf, s->yf);
    dq_draw_circle(canvas, goal, fmax(GOAL_RADIUS * (in.right - in.left) / width, 0.14), dq_rgb(0x45a35f));
    dq_draw_text(canvas, dq_at(goal.x, goal.y + 0.3), 0.3, DQ_TEXT_CENTER, "goal", dq_rgb(0x2f7d46));
    dq_draw_circle(canvas, start, 0.07, dq_rgb(0x7d8590));
    dq_draw_text(canvas, dq_at(start.x, start.y + 0.3), 0.3, DQ_TEXT_CENTER, "start", dq_rgb(0x59626d));
    draw_track(s, &in, stride, 0.045, canvas);
    // heading 0 is north, pi/2 west
    const dq_point ahead = dq_turned(now, s->heading + M_PI / 2, 0.32, 0);
    dq_draw_arrow(canvas, dq_turned(now, s->heading + M_PI / 2, -0.05, 0), ahead, 0.1, dq_rgb(INK));
}

// A few metres around, from above, north up.
static void draw_above(const bicycle *s, dq_canvas *canvas) {
    const double x = (s->xf + s->xb) / 2, y = (s->yf + s->yb) / 2, half = 3.6;
    const double left = 0.25, bottom = 0.25, right = 5.9, top = 3,
                 high = half * (top - bottom) / (right - left);
    const inset in = {left, bottom, right, top, x - half, y - high, x + half, y + high};
    draw_grid(&in, 1, canvas);
    const int count = canvas->trail ? canvas->trail->count : 0;
    draw_track(s, &in, count > 20000 ? 8 : count > 4000 ? 2 : 1, 0.03, canvas);
    const double scale = (right - left) / (2 * half);
    const dq_point rear = inset_at(&in, s->xb, s->yb), front = inset_at(&in, s->xf, s->yf);
    const double ahead = s->heading + M_PI / 2, steered = ahead + s->theta;
    const dq_point middle = {(rear.x + front.x) / 2, (rear.y + front.y) / 2};
    const double to_goal = ahead - s->angle_to_goal;
    dq_draw_arrow(canvas, dq_turned(middle, to_goal, 0.75, 0), dq_turned(middle, to_goal, 1.15, 0), 0.07,
                  dq_rgb(0x45a35f));
    dq_draw_segment(canvas, dq_turned(rear, ahead, -0.3 * scale, 0), dq_turned(rear, ahead, 0.3 * scale, 0),
                    0.1, dq_rgb(INK));
    dq_draw_segment(canvas, rear, front, 0.05, dq_rgb(0xb02a37));
    dq_draw_segment(canvas, dq_turned(front, steered, -0.3 * scale, 0),
                    dq_turned(front, steered, 0.3 * scale, 0), 0.1, dq_rgb(INK));
    dq_draw_segment(canvas, dq_turned(front, steered, -0.12 * scale, -0.32 * scale),
                    dq_turned(front, steered, -0.12 * scale, 0.32 * scale), 0.05, dq_rgb(0x59626d));
}

// From behind: positive angles lean to the left. The cyclist's displacement is drawn ten times as large.
static void draw_behind(const bicycle *s, dq_canvas *canvas) {
    const double left = 6.1, bottom = 0.25, right = 11.75, top = 3;
    const dq_point ground = {left + 1.5, bottom + 0.3};
    dq_draw_rectangle(canvas, left, bottom, right, top, dq_rgb(0xf1f4ee));
    enum { ARC = 9 };
    dq_point fan[ARC + 1] = {ground};
    for (int i = 0; i < ARC; i++)
        fan[1 + i] = dq_turned(ground, OMEGA_LIMIT * (2.0 * i / (ARC - 1) - 1), 0, 2.4);
    dq_draw_polygon(canvas, fan, ARC + 1, dq_rgb(0xe0eed9));
    dq_draw_segment(canvas, dq_at(left, ground.y), dq_at(left + 3, ground.y), 0.02, dq_rgb(0x9aa1ab));

    const int action = dq_canvas_action(canvas);
    const double lean = action == 3 ? 0.2 : action == 4 ? -0.2 : 0; // to the right on the picture
    const bool fallen = fabs(s->omega) > OMEGA_LIMIT;
    const dq_rgba shirt = dq_rgb(fallen ? 0xd9534f : 0x0b6cb0);
    const dq_point hip = dq_turned(ground, s->omega, 0, 1.0), neck = dq_turned(ground, s->omega, lean, 1.75);
    dq_draw_segment(canvas, dq_turned(ground, s->omega, 0, 0.06), dq_turned(ground, s->omega, 0, 0.62), 0.12,
                    dq_rgb(INK));
    dq_draw_segment(canvas, dq_turned(ground, s->omega, 0, 0.6), hip, 0.06, dq_rgb(0xb02a37));
    dq_draw_segment(canvas, dq_turned(ground, s->omega, -0.42, 1.18), dq_turned(ground, s->omega, 0.42, 1.18),
                    0.05, dq_rgb(0x59626d));
    for (int side = -1; side <= 1; side += 2) {
        dq_draw_segment(canvas, hip, dq_turned(ground, s->omega, side * 0.17, 0.42), 0.11, dq_rgb(0x59626d));
        const dq_point arm[3] = {neck, dq_turned(ground, s->omega, side * 0.44 + lean / 2, 1.45),
                                 dq_turned(ground, s->omega, side * 0.4, 1.2)};
        dq_draw_line(canvas, arm, 3, 0.08, shirt);
    }
    dq_draw_segment(canvas, hip, neck, 0.34, shirt);
    dq_draw_circle(canvas, dq_turned(ground, s->omega, 1.2 * lean, 2.12), 0.17, dq_rgb(ACCENT));

    const char *const names[] = {"lean", "handlebar", "off course", "goal in"};
    char values[4][32];
    snprintf(values[0], sizeof values[0], "%+.1f\u00b0", s->omega * 180 / M_PI);
    snprintf(values[1], sizeof values[1], "%+.0f\u00b0", s->theta * 180 / M_PI);
    snprintf(values[2], sizeof values[2], "%+.0f\u00b0", s->angle_to_goal * 180 / M_PI);
    snprintf(values[3], sizeof values[3], "%.0f m", fmax(s->dist_to_goal, 0));
    for (int i = 0; i < 4; i++) {
        const double y = top - 0.6 - 0.55 * i;
        dq_draw_text(canvas, dq_at(left + 3.1, y), 0.27, DQ_TEXT_LEFT, names[i], dq_rgb(0x59626d));
        dq_draw_text(canvas, dq_at(right - 0.2, y), 0.28, DQ_TEXT_RIGHT, values[i], dq_rgb(INK));
    }
}

static void draw(const void *state, const void *options, dq_canvas *canvas) {
    (void)options;
    dq_draw_view(canvas, 0, 0, 12, 8, dq_rgb(0xffffff));
    draw_course(state, canvas);
    draw_above(state, canvas);
    draw_behind(state, canvas);
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

// Angles are divided by the largest they reach, places by the way to the goal. As features: handlebar, lean
// and the direction of the goal as a point on the circle; the dynamics are the same everywhere and in every
// direction.
static const float scale[] = {THETA_LIMIT, 3,      OMEGA_LIMIT, 0.5f,   GOAL_X, GOAL_X,
                              GOAL_X,      GOAL_X, 1,           GOAL_X, M_PI,   M_PI};
static const dq_feature feature_list[] = {
    {DQ_FEATURE_COPY, 0, 0, 0.5f}, {DQ_FEATURE_COPY, 1, 0, 3}, {DQ_FEATURE_COPY, 2, 0, OMEGA_LIMIT},
    {DQ_FEATURE_COPY, 3, 0, 0.5f}, {DQ_FEATURE_SIN, 11, 0, 1}, {DQ_FEATURE_COS, 11, 0, 1},
};
static const dq_features features = {scale, feature_list, sizeof feature_list / sizeof *feature_list};

static const dq_env_class bicycle_class = {
    .id = "Bicycle",
    .summary = "balance a bicycle and ride it to a goal 1 km east",
    .source = "Randløv and Alstrøm 1998; Lagoudakis and Parr 2003",
    .observation = DQ_VECTOR(12),
    .observation_low = observation_low,
    .observation_high = observation_high,
    .observation_names = observation_names,
    .features = &features,
    .actions = 5,
    .action_names = action_names,
    .step_limit = 72000, // 12 minutes, twice what the straight way takes
    .reward_threshold = NAN,
    .state_size = sizeof(bicycle),
    .options = {option_rows, sizeof option_rows / sizeof *option_rows},
    .options_size = sizeof(bicycle_options),
    .reset = reset,
    .step = step,
    .draw = draw,
    .hand_keys = ".><v^",
    .frame_rate = 1 / DT,
    .observe = observe,
    .restore = restore,
    .step_with_noise = step_with_noise,
    .noise_size = 1,
};

extern const dq_env_class *const dq_env_bicycle_classes[];
const dq_env_class *const dq_env_bicycle_classes[] = {&bicycle_class, NULL};
