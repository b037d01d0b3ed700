// Pong-native: to 21 points against an opponent of limited speed. Our own rules and frames in the style of
// the Atari original; not its program, and no ROM is read.
//
// Lengths are 1/16 of a pixel. A paddle returns the ball the steeper, the farther from its middle it is met,
// up to half the way to its edge, and each return makes the ball faster, to a limit. The opponent follows the
// ball while it comes, at 1.5 pixels a frame, and returns to the middle otherwise: it is beaten by a steep,
// fast ball, and wins against whoever does not move. Its aim is off by up to 4 pixels, drawn anew for each
// ball that comes its way, so that no rally goes round for ever. Whoever won a point is served to.
//
// Pong2-native is the same game with two actions, up and down.
#include "env/native.h"

#include <math.h>
#include <string.h>

enum {
    ONE = 16,
    TOP = 34,
    BOTTOM = 194,
    BALL_WIDTH = 2,
    BALL_HEIGHT = 4,
    PADDLE_WIDTH = 4,
    PADDLE_HEIGHT = 16,
    OPPONENT_X = 16,
    PLAYER_X = 140,
    PLAYER_SPEED = 3 * ONE,
    OPPONENT_SPEED = 24,
    OPPONENT_ERROR = 4 * ONE,
    STEEPEST = 48,
    FIRST_SPEED = 32,
    LAST_SPEED = 56,
    PAUSE = 16, // frames between a point and the next serve; 40 before the first
    POINTS = 21,
};

enum { NOOP, FIRE, RIGHT, LEFT, RIGHT_FIRE, LEFT_FIRE };

enum { GROUND, WHITE, ORANGE, GREEN };
static const dq_palette palette = {{[GROUND] = {144, 72, 17},
                                    [WHITE] = {236, 236, 236},
                                    [ORANGE] = {213, 130, 74},
                                    [GREEN] = {92, 186, 92}}};

typedef struct pong {
    int32_t x, y, vx, vy;     // the ball's upper left corner
    int32_t player, opponent; // upper edges of the paddles
    int32_t won, lost;        // points
    int32_t pause;            // frames until the serve; the ball is not seen
    int32_t towards;          // who is served to: 1 the player, -1 the opponent
    int32_t error;            // of the opponent's aim at this ball
} pong;

enum { MIDDLE = (TOP + BOTTOM - PADDLE_HEIGHT) / 2 * ONE };

static void start(void *game, dq_rng *rng) {
    pong *g = game;
    *g = (pong){.player = MIDDLE, .opponent = MIDDLE, .pause = 40};
    g->towards = dq_rng_integers(rng, 0, 2) ? 1 : -1;
}

static int lives(const void *game) {
    (void)game;
    return 0;
}

static int bound(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

static int inside(int paddle) {
    return bound(paddle, TOP * ONE, (BOTTOM - PADDLE_HEIGHT) * ONE);
}

static void draw_error(pong *g, dq_rng *rng) {
    g->error = (int32_t)dq_rng_integers(rng, -OPPONENT_ERROR, OPPONENT_ERROR + 1);
}

static void serve(pong *g, dq_rng *rng) {
    g->x = (DQ_SCREEN_WIDTH - BALL_WIDTH) / 2 * ONE;
    g->y = (int32_t)dq_rng_integers(rng, TOP + 20, BOTTOM - 20 - BALL_HEIGHT) * ONE;
    g->vx = g->towards * FIRST_SPEED;
    g->vy = (int32_t)dq_rng_integers(rng, -20, 21);
    draw_error(g, rng);
}

static void move_paddles(pong *g, int action) {
    if (action == RIGHT || action == RIGHT_FIRE) g->player -= PLAYER_SPEED;
    if (action == LEFT || action == LEFT_FIRE) g->player += PLAYER_SPEED;
    g->player = inside(g->player);
    const bool comes = g->pause == 0 && g->vx < 0;
    const int meeting = g->y + (BALL_HEIGHT - PADDLE_HEIGHT) * ONE / 2 + g->error;
    const int way = (comes ? meeting : MIDDLE) - g->opponent;
    g->opponent = inside(g->opponent + bound(way, -OPPONENT_SPEED, OPPONENT_SPEED));
}

// Whether a paddle at this height meets the ball; sends it back.
static bool returns(pong *g, int paddle) {
    const int off = g->y + BALL_HEIGHT * ONE / 2 - (paddle + PADDLE_HEIGHT * ONE / 2);
    const int reach = (PADDLE_HEIGHT + BALL_HEIGHT) * ONE / 2;
    if (off <= -reach || off >= reach) return false;
    const int fast = bound((g->vx < 0 ? -g->vx : g->vx) + 4, 0, LAST_SPEED);
    g->vx = g->vx < 0 ? fast : -fast;
    g->vy = bound(off * STEEPEST / (reach / 2), -STEEPEST, STEEPEST);
    return true;
}

static bool crosses(int before, int after, int line) {
    return before < line ? after >= line : before > line && after <= line;
}

static void move_ball(pong *g, dq_rng *rng) {
    const int before = g->x;
    g->x += g->vx;
    g->y += g->vy;
    const int low = TOP * ONE, high = (BOTTOM - BALL_HEIGHT) * ONE;
    if (g->y < low) g->y = 2 * low - g->y, g->vy = -g->vy;
    if (g->y > high) g->y = 2 * high - g->y, g->vy = -g->vy;
    const int right = (PLAYER_X - BALL_WIDTH) * ONE, left = (OPPONENT_X + PADDLE_WIDTH) * ONE;
    if (g->vx > 0 && crosses(before, g->x, right) && returns(g, g->player)) {
        g->x = right;
        draw_error(g, rng);
    }
    if (g->vx < 0 && crosses(before, g->x, left) && returns(g, g->opponent)) g->x = left;
}

static bool frame(void *game, dq_rng *rng, int action, double *reward) {
    pong *g = game;
    *reward = 0;
    move_paddles(g, action);
    if (g->pause > 0) {
        if (--g->pause == 0) serve(g, rng);
        return false;
    }
    move_ball(g, rng);
    if (g->x >= 0 && g->x <= (DQ_SCREEN_WIDTH - BALL_WIDTH) * ONE) return false;
    const bool point = g->x < 0;
    *reward = point ? 1 : -1;
    g->won += point;
    g->lost += !point;
    g->towards = point ? 1 : -1;
    g->pause = PAUSE;
    return g->won == POINTS || g->lost == POINTS;
}

static void show(const void *game, dq_picture *picture) {
    const pong *g = game;
    dq_picture_add_number(picture, 36 - 16 * (g->lost > 9), 4, 1 + (g->lost > 9), g->lost, ORANGE);
    dq_picture_add_number(picture, 116 - 16 * (g->won > 9), 4, 1 + (g->won > 9), g->won, GREEN);
    dq_picture_add(picture, 0, 24, DQ_SCREEN_WIDTH, TOP - 24, WHITE);
    dq_picture_add(picture, 0, BOTTOM, DQ_SCREEN_WIDTH, DQ_SCREEN_HEIGHT - BOTTOM, WHITE);
    picture->still = picture->count;
    dq_picture_add(picture, OPPONENT_X, g->opponent / ONE, PADDLE_WIDTH, PADDLE_HEIGHT, ORANGE);
    dq_picture_add(picture, PLAYER_X, g->player / ONE, PADDLE_WIDTH, PADDLE_HEIGHT, GREEN);
    if (g->pause == 0) dq_picture_add(picture, g->x / ONE, g->y / ONE, BALL_WIDTH, BALL_HEIGHT, WHITE);
}

static const dq_native_game game = {sizeof(pong), &palette, start, frame, lives, show, FIRE};

// --- the classes -------------------------------------------------------------------------------------------

DQ_NATIVE_FUNCTIONS(&game)

static bool step_two(void *state, const void *options, dq_rng *rng, int action, void *observation,
                     double *reward) {
    return dq_native_step(&game, state, options, rng, action == 0 ? RIGHT : LEFT, observation, reward);
}

static const char *const action_names[] = {"NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"};
static const char *const two_names[] = {"RIGHT (up)", "LEFT (down)"};

static const dq_env_class pong_class = {
    DQ_NATIVE,
    .step = step,
    .id = "Pong-native",
    .summary = "win at table tennis to 21, from pixels",
    .source = "our own, in the style of the Atari 2600 game; wrappers as in Stable-Baselines3's AtariWrapper",
    .actions = 6,
    .action_names = action_names,
    .reward_threshold = 18,
    .hand_keys = ".@^v@@",
};

static const dq_env_class two_class = {
    DQ_NATIVE,
    .step = step_two,
    .id = "Pong2-native",
    .summary = "Pong-native with two actions, up and down",
    .source = "our own, in the style of the Atari 2600 game; the actions of a published exercise",
    .actions = 2,
    .action_names = two_names,
    .reward_threshold = 18,
    .hand_keys = "^v",
};

extern const dq_env_class *const dq_env_pong_classes[];
const dq_env_class *const dq_env_pong_classes[] = {&pong_class, &two_class, NULL};
