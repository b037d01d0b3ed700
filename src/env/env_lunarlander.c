// LunarLander: bring a lander with two legs and three engines down on the pad between the flags.
//
// Observation: position from the pad (1 is half the screen), velocity, angle [rad], angular velocity, and
// whether each leg touches the ground. Constants, random draws and their order, rewards and ends follow
// Gymnasium 1.4 (box2d/lunar_lander.py) after Oleg Klimov; lander_world.h simulates the bodies.
//
// The bodies' world is not plain memory, the state is: beside what an observer sees it holds the episode's
// beginning and the actions since. A world found not to fit its state (a snapshot was restored) is built
// again by replaying those, to the same bits. Every HISTORY steps the world is built anew from the bodies'
// places, so that the history is bounded; episodes within the step limit never come there.
#include "env/keep.h"
#include "env/lander_world.h"

#include <assert.h>
#include <deepq/draw.h>
#include <deepq/env.h>
#include <math.h>
#include <string.h>

#define FPS                50
#define SCALE              LANDER_SCALE
#define W                  (600 / SCALE) // m, the screen
#define H                  (400 / SCALE)
#define PAD_Y              (H / 4)
#define MAIN_ENGINE_POWER  13.0
#define SIDE_ENGINE_POWER  0.6
#define INITIAL_RANDOM     1000.0 // N
#define LEG_AWAY           20
#define LEG_DOWN           18
#define SIDE_ENGINE_HEIGHT 14
#define SIDE_ENGINE_AWAY   12
#define SIDE_ENGINE_BACK   17 // Gymnasium's, where SIDE_ENGINE_HEIGHT seems to be meant
#define MAIN_ENGINE_Y      4
#define WIND_INDEX         9999

enum { NOTHING, LEFT_ENGINE, MAIN_ENGINE, RIGHT_ENGINE, ACTIONS };
enum { POINTS = LANDER_GROUND_POINTS, BODIES = LANDER_BODIES, HISTORY = 4096 };

typedef struct lunar_options {
    double gravity, wind_power, turbulence_power;
    bool wind, enable_wind;
} lunar_options;

// Where the wind's two patterns have come to.
typedef struct wind {
    int64_t index, torque_index;
} wind;

// All that the bodies' motion follows from.
typedef struct history {
    float gravity;
    bool windy;
    double wind_power, turbulence_power;
    float ground[POINTS]; // m, height at x = i W / (POINTS - 1)
    lander_body body[BODIES];
    float push_x, push_y; // N, on the lander during the first step
    wind wind;
    dq_rng rng;                   // the stream before the first action
    int32_t length;               // actions since
    uint8_t actions[HISTORY / 4]; // two bits each, the lowest first; 0 beyond the length
} history;

typedef struct lunar {
    lander_body body[BODIES];
    bool leg_touches[2];
    wind wind;
    double shaping; // of the last step
    history history;
} lunar;

// Kept beside a state: its world, and the history that the world has gone through.
typedef struct kept {
    lander_world *world;
    history history;
} kept;

static dq_keep keep = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const dq_option option_rows[] = {
    {.name = "gravity",
     .type = DQ_OPTION_REAL,
     .offset = offsetof(lunar_options, gravity),
     .default_text = "-10",
     .min = -12,
     .max = 0,
     .unit = "m/s^2",
     .help = "acceleration along y"},
    {.name = "wind",
     .type = DQ_OPTION_BOOL,
     .offset = offsetof(lunar_options, wind),
     .default_text = "false",
     .help = "wind and turbulence act on the lander until a leg touches the ground"},
    {.name = "enable_wind",
     .type = DQ_OPTION_BOOL,
     .offset = offsetof(lunar_options, enable_wind),
     .default_text = "false",
     .help = "Gymnasium's name for wind; either switches it on"},
    {.name = "wind_power",
     .type = DQ_OPTION_REAL,
     .offset = offsetof(lunar_options, wind_power),
     .default_text = "15",
     .min = 0,
     .max = 1000,
     .unit = "N",
     .help = "largest force of the wind; 0 to 20 is usual"},
    {.name = "turbulence_power",
     .type = DQ_OPTION_REAL,
     .offset = offsetof(lunar_options, turbulence_power),
     .default_text = "1.5",
     .min = 0,
     .max = 1000,
     .unit = "N m",
     .help = "largest torque of the wind; 0 to 2 is usual"},
};

// --- the world and its history
// ------------------------------------------------------------------------------

// A world where the history begins.
static lander_world *build(const history *h) {
    float ground_x[POINTS];
    for (int i = 0; i < POINTS; i++) ground_x[i] = (float)(W / (POINTS - 1) * i);
    lander_world *world = lander_world_create(h->gravity, ground_x, h->ground, h->body);
    assert(world && "no memory for LunarLander's bodies");
    lander_world_push(world, h->push_x, h->push_y);
    return world;
}

// "tanh(sin(2 k x) + sin(pi k x)), which is proven to never be periodic, k = 0.01"
static double gust(int64_t index) {
    return tanh(sin(0.02 * (double)index) + sin(M_PI * 0.01 * (double)index));
}

static void kick(lander_world *world, double x, double y, double power, double at_x, double at_y) {
    lander_world_kick(world, (float)(-x * power), (float)(-y * power), (float)at_x, (float)at_y);
}

// One step of the bodies.
static void move(lander_world *world, lunar *s, dq_rng *rng, int action) {
    const history *h = &s->history;
    if (h->windy && !s->leg_touches[0] && !s->leg_touches[1]) {
        lander_world_push(world, (float)(gust(s->wind.index++) * h->wind_power), 0);
        lander_world_twist(world, (float)(gust(s->wind.torque_index++) * h->turbulence_power));
    }
    const double angle = (double)s->body[0].angle, x = (double)s->body[0].x, y = (double)s->body[0].y;
    const double tip[2] = {sin(angle), cos(angle)}, side[2] = {-tip[1], tip[0]};
    const double first = dq_rng_uniform(rng, -1, 1) / SCALE, second = dq_rng_uniform(rng, -1, 1) / SCALE;

    if (action == MAIN_ENGINE) {
        const double down = MAIN_ENGINE_Y / SCALE + 2 * first;
        const double ox = tip[0] * down + side[0] * second, oy = -tip[1] * down - side[1] * second;
        kick(world, ox, oy, MAIN_ENGINE_POWER, x + ox, y + oy);
    } else if (action != NOTHING) {
        const int direction = action - MAIN_ENGINE;
        const double away = 3 * second + direction * SIDE_ENGINE_AWAY / SCALE;
        const double ox = tip[0] * first + side[0] * away, oy = -tip[1] * first - side[1] * away;
        kick(world, ox, oy, SIDE_ENGINE_POWER, x + ox - tip[0] * SIDE_ENGINE_BACK / SCALE,
             y + oy + tip[1] * SIDE_ENGINE_HEIGHT / SCALE);
    }
    lander_world_step(world, s->body);
    for (int leg = 0; leg < 2; leg++) s->leg_touches[leg] = lander_world_leg_touches(world, leg);
}

// Puts the state, and nothing of the history, where the history begins.
static void go_to_beginning(lunar *s) {
    memcpy(s->body, s->history.body, sizeof s->body);
    s->wind = s->history.wind;
    s->leg_touches[0] = s->leg_touches[1] = false;
}

static void begin(kept *k, lunar *s) {
    s->history.length = 0;
    memset(s->history.actions, 0, sizeof s->history.actions);
    go_to_beginning(s);
    lander_world_destroy(k->world);
    k->world = build(&s->history);
    memcpy(&k->history, &s->history, sizeof k->history);
}

static void append(history *h, int action) {
    h->actions[h->length / 4] |= (uint8_t)(action << h->length % 4 * 2);
    h->length++;
}

// Replays the state's history in a fresh world.
static void replay(kept *k, const lunar *state) {
    lunar s;
    memcpy(&s, state, sizeof s);
    dq_rng rng = s.history.rng;
    go_to_beginning(&s);
    lander_world_destroy(k->world);
    k->world = build(&s.history);
    for (int i = 0; i < s.history.length; i++) {
        move(k->world, &s, &rng, s.history.actions[i / 4] >> i % 4 * 2 & 3);
    }
    memcpy(&k->history, &state->history, sizeof k->history);
}

// What is kept beside the state, with the world that fits it.
static kept *kept_of(const lunar *s) {
    kept *k = dq_keep_find(&keep, s, sizeof *k);
    assert(k && "no memory for LunarLander's bodies");
    const history *h = &s->history;
    const size_t size = offsetof(history, actions) + ((size_t)h->length + 3) / 4;
    if (!k->world || memcmp(&k->history, h, size) != 0) replay(k, s);
    return k;
}

static void drop(void *room) {
    lander_world_destroy(((kept *)room)->world);
}

static void release(const void *state) {
    dq_keep_release(&keep, state, drop);
}

// --- episodes
// -----------------------------------------------------------------------------------------------

// Moves, writes the observation, and returns the change of the shaping potential.
static double act(kept *k, lunar *s, dq_rng *rng, int action, float *observation) {
    if (s->history.length == HISTORY) {
        memcpy(s->history.body, s->body, sizeof s->body);
        s->history.push_x = s->history.push_y = 0;
        s->history.wind = s->wind;
        s->history.rng = *rng;
        begin(k, s);
    }
    append(&s->history, action);
    append(&k->history, action);
    move(k->world, s, rng, action);

    const lander_body *b = &s->body[0];
    const double o[] = {
        ((double)b->x - W / 2) / (W / 2),
        ((double)b->y - (PAD_Y + LEG_DOWN / SCALE)) / (H / 2),
        (double)b->vx * (W / 2) / FPS,
        (double)b->vy * (H / 2) / FPS,
        (double)b->angle,
        20.0 * (double)b->spin / FPS,
        s->leg_touches[0],
        s->leg_touches[1],
    };
    for (int i = 0; i < 8; i++) observation[i] = (float)o[i];
    const double shaping = -100 * sqrt(o[0] * o[0] + o[1] * o[1]) - 100 * sqrt(o[2] * o[2] + o[3] * o[3]) -
                           100 * fabs(o[4]) + 10 * o[6] + 10 * o[7];
    const double change = shaping - s->shaping;
    s->shaping = shaping;
    return change;
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    const lunar_options *o = options;
    lunar *s = state;
    kept *k = dq_keep_find(&keep, s, sizeof *k);
    assert(k && "no memory for LunarLander's bodies");
    memset(s, 0, sizeof *s); // the padding too: histories are compared as bytes
    history *h = &s->history;
    h->gravity = (float)o->gravity;
    h->windy = o->wind || o->enable_wind;
    h->wind_power = o->wind_power;
    h->turbulence_power = o->turbulence_power;

    double height[POINTS + 1];
    for (int i = 0; i <= POINTS; i++) height[i] = dq_rng_uniform(rng, 0, H / 2);
    for (int i = POINTS / 2 - 2; i <= POINTS / 2 + 2; i++) height[i] = PAD_Y;
    for (int i = 0; i < POINTS; i++) {
        h->ground[i] = (float)(0.33 * (height[i > 0 ? i - 1 : POINTS] + height[i] + height[i + 1]));
    }
    h->body[0] = (lander_body){.x = (float)(W / 2), .y = (float)H};
    for (int i = 0; i < 2; i++) {
        const int sign = i ? 1 : -1;
        h->body[1 + i] = (lander_body){
            .x = (float)(W / 2 - sign * LEG_AWAY / SCALE), .y = (float)H, .angle = (float)(sign * 0.05)};
    }
    h->push_x = (float)dq_rng_uniform(rng, -INITIAL_RANDOM, INITIAL_RANDOM);
    h->push_y = (float)dq_rng_uniform(rng, -INITIAL_RANDOM, INITIAL_RANDOM);
    if (h->windy) {
        h->wind.index = dq_rng_integers(rng, -WIND_INDEX, WIND_INDEX);
        h->wind.torque_index = dq_rng_integers(rng, -WIND_INDEX, WIND_INDEX);
    }
    h->rng = *rng;
    begin(k, s);
    act(k, s, rng, NOTHING, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)options; // an episode keeps those it began with
    lunar *s = state;
    kept *k = kept_of(s);
    *reward = act(k, s, rng, action, observation);
    if (action == MAIN_ENGINE) *reward -= 0.30;
    if (action == LEFT_ENGINE || action == RIGHT_ENGINE) *reward -= 0.03;

    bool terminated = false;
    if (lander_world_crashed(k->world) || fabs(((double)s->body[0].x - W / 2) / (W / 2)) >= 1.0) {
        terminated = true;
        *reward = -100;
    }
    if (lander_world_asleep(k->world)) {
        terminated = true;
        *reward = 100;
    }
    return terminated;
}

// --- its picture, after Gymnasium's colours
// -----------------------------------------------------------------

static dq_point on_body(const lander_body *b, double x, double y) {
    return dq_turned(dq_at((double)b->x, (double)b->y), (double)b->angle, x / SCALE, y / SCALE);
}

static void draw_ground(const history *h, dq_canvas *canvas) {
    static const double stars[][2] = {{0.06, 0.91}, {0.13, 0.74}, {0.21, 0.96}, {0.29, 0.83},
                                      {0.35, 0.66}, {0.43, 0.93}, {0.55, 0.79}, {0.62, 0.95},
                                      {0.69, 0.70}, {0.77, 0.88}, {0.86, 0.76}, {0.95, 0.92}};
    dq_draw_view(canvas, 0, 0, W, H, dq_rgb(0x0c0e14));
    for (size_t i = 0; i < sizeof stars / sizeof *stars; i++)
        dq_draw_circle(canvas, dq_at(stars[i][0] * W, stars[i][1] * H), i % 3 ? 0.03 : 0.05,
                       dq_rgb(0x8a90a0));
    dq_point ground[POINTS + 2];
    for (int i = 0; i < POINTS; i++) ground[i] = dq_at(W / (POINTS - 1) * i, (double)h->ground[i]);
    ground[POINTS] = dq_at(W, 0);
    ground[POINTS + 1] = dq_at(0, 0);
    dq_draw_polygon(canvas, ground, POINTS + 2, dq_rgb(0xe6e7ea));
    const double left = ground[POINTS / 2 - 1].x, right = ground[POINTS / 2 + 1].x;
    dq_draw_rectangle(canvas, left, PAD_Y - 0.12, right, PAD_Y, dq_rgb(0xb9bcc4));
    for (int side = 0; side < 2; side++) {
        const double x = side ? right : left, top = PAD_Y + 50 / SCALE;
        const dq_point flag[3] = {{x, top}, {x, top - 10 / SCALE}, {x + 25 / SCALE, top - 5 / SCALE}};
        dq_draw_segment(canvas, dq_at(x, PAD_Y), dq_at(x, top), 0.05, dq_rgb(0xffffff));
        dq_draw_polygon(canvas, flag, 3, dq_rgb(0xd8c400));
    }
}

// Where the lander has been.
static void draw_way(dq_canvas *canvas) {
    const dq_trail *trail = canvas->trail;
    for (int t = 0; trail && t < trail->count; t += 4) {
        const float *o = trail->observations + (size_t)t * (size_t)trail->width;
        const dq_point at = {W / 2 * (1 + (double)o[0]), PAD_Y + LEG_DOWN / SCALE + H / 2 * (double)o[1]};
        dq_draw_circle(canvas, at, 0.03, dq_rgb(0x565b80));
    }
}

// What streams out of an engine: from (x, y) on the lander, away from it.
static void draw_flame(const lander_body *b, double x, double y, double away_x, double away_y, double width,
                       dq_canvas *canvas) {
    const double across_x = away_y != 0 ? width : 0, across_y = away_x != 0 ? width : 0;
    for (int core = 0; core < 2; core++) {
        const double size = core ? 0.55 : 1;
        const dq_point flame[3] = {on_body(b, x + size * across_x, y + size * across_y),
                                   on_body(b, x - size * across_x, y - size * across_y),
                                   on_body(b, x + size * away_x, y + size * away_y)};
        dq_draw_polygon(canvas, flame, 3, dq_rgb(core ? 0xffe27a : 0xf08c2e));
    }
}

static void draw(const void *state, const void *options, dq_canvas *canvas) {
    (void)options;
    const lunar *s = state;
    const lander_body *b = &s->body[0];
    draw_ground(&s->history, canvas);
    draw_way(canvas);
    const int action = dq_canvas_action(canvas);
    if (action == MAIN_ENGINE) draw_flame(b, 0, -10, 0, -26, 6, canvas);
    if (action == LEFT_ENGINE)
        draw_flame(b, 16, 8, 18, 0, 3, canvas); // it stands on the right and pushes left
    if (action == RIGHT_ENGINE) draw_flame(b, -16, 8, -18, 0, 3, canvas);
    for (int i = 0; i < 2; i++) {
        const lander_body *leg = &s->body[1 + i];
        const double inner = i ? -13 : 13; // the first leg stands on the right
        dq_draw_segment(canvas, on_body(b, inner, -8), on_body(leg, 0, 4), 3 / SCALE, dq_rgb(0x4d4d80));
        dq_draw_segment(canvas, on_body(leg, 0, 8), on_body(leg, 0, -8), 4 / SCALE, dq_rgb(0x8066e6));
        dq_draw_segment(canvas, on_body(leg, -3, -8), on_body(leg, 3, -8), 3 / SCALE,
                        dq_rgb(s->leg_touches[i] ? 0x5fd38a : 0x8066e6));
    }
    static const double outline[][2] = {{-14, 17}, {-17, 0}, {-17, -10}, {17, -10}, {17, 0}, {14, 17}};
    enum { CORNERS = sizeof outline / sizeof *outline };
    dq_point hull[CORNERS + 1];
    for (int i = 0; i <= CORNERS; i++) hull[i] = on_body(b, outline[i % CORNERS][0], outline[i % CORNERS][1]);
    dq_draw_polygon(canvas, hull, CORNERS, dq_rgb(0x8066e6));
    dq_draw_line(canvas, hull, CORNERS + 1, 0.06, dq_rgb(0x4d4d80));
    dq_draw_circle(canvas, on_body(b, 0, 5), 5 / SCALE, dq_rgb(0xc9d8ff));
}

#define PI_F   3.14159274f
#define PI_2_F 6.28318548f
static const float v3_low[] = {-2.5f, -2.5f, -10, -10, -PI_2_F, -10, 0, 0};
static const float v3_high[] = {2.5f, 2.5f, 10, 10, PI_2_F, 10, 1, 1};
static const float v2_low[] = {-1.5f, -1.5f, -5, -5, -PI_F, -5, 0, 0};
static const float v2_high[] = {1.5f, 1.5f, 5, 5, PI_F, 5, 1, 1};
static const char *const observation_names[] = {"x",     "y",    "x_velocity", "y_velocity",
                                                "angle", "spin", "left_leg",   "right_leg"};
static const char *const action_names[] = {"nothing", "left engine", "main engine", "right engine"};

#define LUNAR                                                                                                \
    .source = "Gymnasium 1.4 box2d/lunar_lander.py, Box2D 2.4.1", .observation = DQ_VECTOR(8),               \
    .observation_names = observation_names, .actions = ACTIONS, .action_names = action_names,                \
    .step_limit = 1000, .reward_threshold = 200, .state_size = sizeof(lunar),                                \
    .options = {option_rows, sizeof option_rows / sizeof *option_rows},                                      \
    .options_size = sizeof(lunar_options), .reset = reset, .step = step, .release = release, .draw = draw,   \
    .hand_keys = ".<^>", .frame_rate = FPS

static const dq_env_class v3 = {LUNAR, .id = "LunarLander-v3",
                                .summary = "land between two flags with three engines",
                                .observation_low = v3_low, .observation_high = v3_high};
// The same dynamics within version 2's observation bounds.
static const dq_env_class v2 = {LUNAR, .id = "LunarLander-v2",
                                .summary = "LunarLander-v3 with the older observation bounds",
                                .observation_low = v2_low, .observation_high = v2_high};

extern const dq_env_class *const dq_env_lunarlander_classes[];
const dq_env_class *const dq_env_lunarlander_classes[] = {&v3, &v2, NULL};
