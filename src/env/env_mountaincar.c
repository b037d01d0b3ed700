// MountainCar: a car too weak for the hill it must climb swings up by rocking.
//
// State: position, velocity (per step), in double precision; the observation is the state as f32. Ends at
// position 0.5; the reward is -1 on every step. Dynamics, constants and resets follow Gymnasium 1.4
// (classic_control/mountain_car.py), after Moore (1990), "Efficient memory-based learning for robot
// control", in the form of Sutton and Barto, "Reinforcement Learning", example 10.1.
#include <deepq/draw.h>
#include <deepq/env.h>

#include <math.h>

#define MIN_POSITION  (-1.2)
#define MAX_POSITION  0.6
#define MAX_SPEED     0.07
#define GOAL_POSITION 0.5
#define FORCE         0.001
#define GRAVITY       0.0025
#define START_LOW     (-0.6)
#define START_HIGH    (-0.4)

typedef struct mountaincar {
    double position, velocity;
} mountaincar;

typedef struct mountaincar_options {
    double goal_velocity;
} mountaincar_options;

static const dq_option option_rows[] = {
    {.name = "goal_velocity",
     .type = DQ_OPTION_REAL,
     .offset = offsetof(mountaincar_options, goal_velocity),
     .default_text = "0",
     .min = 0,
     .max = MAX_SPEED,
     .help = "the speed the car must have at the flag"},
};

static double clip(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

static void observe(const mountaincar *s, float *observation) {
    observation[0] = (float)s->position;
    observation[1] = (float)s->velocity;
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options;
    mountaincar *s = state;
    s->position = dq_rng_uniform(rng, START_LOW, START_HIGH);
    s->velocity = 0;
    observe(s, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)rng;
    const mountaincar_options *o = options;
    mountaincar *s = state;
    const double acceleration = (action - 1) * FORCE + cos(3 * s->position) * -GRAVITY;
    s->velocity = clip(s->velocity + acceleration, -MAX_SPEED, MAX_SPEED);
    s->position = clip(s->position + s->velocity, MIN_POSITION, MAX_POSITION);
    if (s->position == MIN_POSITION && s->velocity < 0) s->velocity = 0; // the wall takes all speed
    observe(s, observation);
    *reward = -1;
    return s->position >= GOAL_POSITION && s->velocity >= o->goal_velocity;
}

static double height(double position) {
    return 0.55 + 0.45 * sin(3 * position);
}

// After Gymnasium's picture: the hill, the car on it and the flag.
static void draw(const void *state, const void *options, dq_canvas *canvas) {
    (void)options;
    const mountaincar *s = state;
    dq_draw_view(canvas, MIN_POSITION, 0, MAX_POSITION, 1.2, dq_rgb(0xf4f8fc));
    enum { SEGMENTS = 90 };
    dq_point hill[SEGMENTS + 3];
    for (int i = 0; i <= SEGMENTS; i++) {
        const double x = MIN_POSITION + (MAX_POSITION - MIN_POSITION) * i / SEGMENTS;
        hill[i] = dq_at(x, height(x));
    }
    hill[SEGMENTS + 1] = dq_at(MAX_POSITION, 0);
    hill[SEGMENTS + 2] = dq_at(MIN_POSITION, 0);
    dq_draw_polygon(canvas, hill, SEGMENTS + 3, dq_rgb(0xdfe8d8));
    dq_draw_line(canvas, hill, SEGMENTS + 1, 0.008, dq_rgb(0x3d4a3a));

    const double foot = height(GOAL_POSITION), top = foot + 0.15;
    const dq_point flag[3] = {
        {GOAL_POSITION, top}, {GOAL_POSITION, top - 0.06}, {GOAL_POSITION + 0.08, top - 0.03}};
    dq_draw_segment(canvas, dq_at(GOAL_POSITION, foot), dq_at(GOAL_POSITION, top), 0.007, dq_rgb(0x23272e));
    dq_draw_polygon(canvas, flag, 3, dq_rgb(0xe2b714));

    const dq_point at = {s->position, height(s->position)};
    const double slope = atan(1.35 * cos(3 * s->position)); // of the curve: dy/dx = 3 * 0.45 cos(3 x)
    static const double outline[][2] = {{-0.062, 0.022}, {0.062, 0.022},  {0.062, 0.05},  {0.03, 0.056},
                                        {0.014, 0.086},  {-0.036, 0.086}, {-0.058, 0.056}};
    enum { CORNERS = sizeof outline / sizeof *outline };
    dq_point body[CORNERS];
    for (int i = 0; i < CORNERS; i++) body[i] = dq_turned(at, slope, outline[i][0], outline[i][1]);
    const int push = dq_canvas_action(canvas) - 1;
    if (push == -1 || push == 1)
        dq_draw_arrow(canvas, dq_turned(at, slope, push * 0.08, 0.04),
                      dq_turned(at, slope, push * 0.17, 0.04), 0.014, dq_rgb(0xf0a030));
    dq_draw_polygon(canvas, body, CORNERS, dq_rgb(0x2d333b));
    for (int side = -1; side <= 1; side += 2) {
        const dq_point wheel = dq_turned(at, slope, side * 0.036, 0.02);
        dq_draw_circle(canvas, wheel, 0.021, dq_rgb(0x7d8590));
        dq_draw_circle(canvas, wheel, 0.008, dq_rgb(0xe4e7eb));
    }
}

static const float observation_low[] = {MIN_POSITION, -MAX_SPEED};
static const float observation_high[] = {MAX_POSITION, MAX_SPEED};
static const char *const observation_names[] = {"position", "velocity"};
static const char *const action_names[] = {"push left", "no push", "push right"};

static const float scale[] = {-MIN_POSITION, MAX_SPEED};
static const dq_features features = {.scale = scale};

static const dq_env_class v0 = {
    .id = "MountainCar-v0",
    .summary = "rock a weak car up a hill",
    .source = "Gymnasium 1.4 classic_control/mountain_car.py; Moore 1990",
    .observation = DQ_VECTOR(2),
    .observation_low = observation_low,
    .observation_high = observation_high,
    .observation_names = observation_names,
    .features = &features,
    .actions = 3,
    .action_names = action_names,
    .step_limit = 200,
    .reward_threshold = -110,
    .state_size = sizeof(mountaincar),
    .options = {option_rows, sizeof option_rows / sizeof *option_rows},
    .options_size = sizeof(mountaincar_options),
    .reset = reset,
    .step = step,
    .draw = draw,
    .hand_keys = "<.>",
    .frame_rate = 30,
};

extern const dq_env_class *const dq_env_mountaincar_classes[];
const dq_env_class *const dq_env_mountaincar_classes[] = {&v0, NULL};
