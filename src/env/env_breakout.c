// Breakout-native: a wall of 6 rows of 18 bricks, a ball, a paddle, five lives. Our own rules and frames in
// the style of the Atari original; not its program, and no ROM is read.
//
// Lengths are 1/16 of a pixel. The ball's angle depends on where the paddle meets it; it is faster after 4
// and after 12 hits of the paddle and after the first brick of the upper three rows. Behind the first wall is
// a second one; whoever clears both has won all 864 points.
#include "env/native.h"

#include <math.h>
#include <string.h>

enum {
    ONE = 16,
    LEFT = 8,
    RIGHT = 152,
    CEILING = 32,
    ROWS = 6,
    COLUMNS = 18,
    BRICK_TOP = 57,
    BRICK_WIDTH = 8,
    BRICK_HEIGHT = 6,
    BALL_WIDTH = 2,
    BALL_HEIGHT = 4,
    PADDLE_TOP = 189,
    PADDLE_WIDTH = 16,
    PADDLE_HEIGHT = 4,
    PADDLE_SPEED = 4,
    FLOOR = 208,
    LIVES = 5,
    WALLS = 2,
};

enum { NOOP, FIRE, GO_RIGHT, GO_LEFT };

enum { BLACK, GREY, RED, ORANGE, BROWN, YELLOW, GREEN, BLUE };
static const dq_palette palette = {{[GREY] = {142, 142, 142},
                                    [RED] = {200, 72, 72},
                                    [ORANGE] = {198, 108, 58},
                                    [BROWN] = {180, 122, 48},
                                    [YELLOW] = {162, 162, 42},
                                    [GREEN] = {72, 160, 72},
                                    [BLUE] = {66, 72, 200}}};
static const int row_points[ROWS] = {7, 7, 4, 4, 1, 1};

typedef struct breakout {
    uint32_t bricks[ROWS]; // a bit a column
    int32_t x, y, vx, vy;  // the ball's upper left corner; vy 0: it waits for FIRE
    int32_t paddle;        // its left edge, pixels
    int32_t lives, score, walls, hits;
    int32_t upper; // a brick of the upper rows has been hit since the ball was served
} breakout;

static void build_wall(breakout *g) {
    for (int row = 0; row < ROWS; row++) g->bricks[row] = (1U << COLUMNS) - 1;
}

static void start(void *game, dq_rng *rng) {
    (void)rng;
    breakout *g = game;
    *g = (breakout){.paddle = (LEFT + RIGHT - PADDLE_WIDTH) / 2, .lives = LIVES};
    build_wall(g);
}

static int lives(const void *game) {
    return ((const breakout *)game)->lives;
}

static int speed(const breakout *g) { // vertical, a frame
    if (g->upper || g->hits >= 12) return 46;
    return g->hits >= 4 ? 36 : 26;
}

static void serve(breakout *g, dq_rng *rng) {
    g->hits = g->upper = 0;
    g->x = (int32_t)dq_rng_integers(rng, LEFT + 16, RIGHT - 16) * ONE;
    g->y = 110 * ONE;
    g->vy = speed(g);
    g->vx = dq_rng_integers(rng, 0, 2) ? 14 : -14;
}

// The brick over a point, or false.
static bool find_brick(const breakout *g, int x, int y, int *row, int *column) {
    if (y < BRICK_TOP * ONE || x < LEFT * ONE || x >= RIGHT * ONE) return false;
    *row = (y / ONE - BRICK_TOP) / BRICK_HEIGHT;
    *column = (x / ONE - LEFT) / BRICK_WIDTH;
    return *row < ROWS && g->bricks[*row] >> *column & 1;
}

// Breaks the brick over a point, if there is one.
static bool hit(breakout *g, int x, int y, double *reward) {
    int row, column;
    if (!find_brick(g, x, y, &row, &column)) return false;
    g->bricks[row] &= ~(1U << column);
    g->score += row_points[row];
    g->upper |= row < ROWS / 2;
    *reward += row_points[row];
    return true;
}

static void move_across(breakout *g, double *reward) {
    g->x += g->vx;
    const int lead = g->vx > 0 ? g->x + BALL_WIDTH * ONE - 1 : g->x;
    if (g->x < LEFT * ONE || g->x + BALL_WIDTH * ONE > RIGHT * ONE ||
        hit(g, lead, g->y + BALL_HEIGHT * ONE / 2, reward)) {
        g->x -= g->vx;
        g->vx = -g->vx;
    }
}

// The nearer to the paddle's edge, the flatter the way up.
static void return_ball(breakout *g) {
    static const int slant[8] = {-32, -24, -16, -8, 8, 16, 24, 32};
    int zone = (g->x + BALL_WIDTH * ONE / 2 - g->paddle * ONE) * 8 / (PADDLE_WIDTH * ONE);
    zone = zone < 0 ? 0 : zone > 7 ? 7 : zone;
    g->hits++;
    g->vx = slant[zone];
    g->y = PADDLE_TOP * ONE - BALL_HEIGHT * ONE;
    g->vy = -speed(g);
    bool left = false;
    for (int row = 0; row < ROWS; row++) left |= g->bricks[row] != 0;
    if (!left && g->walls + 1 < WALLS) {
        g->walls++;
        build_wall(g);
    }
}

static void move_along(breakout *g, double *reward) {
    const int sign = g->vy > 0 ? 1 : -1, before = g->y + BALL_HEIGHT * ONE;
    g->y += g->vy;
    const int lead = g->vy > 0 ? g->y + BALL_HEIGHT * ONE - 1 : g->y;
    if (g->y < CEILING * ONE || hit(g, g->x + BALL_WIDTH * ONE / 2, lead, reward)) {
        g->y -= g->vy;
        g->vy = -sign * speed(g);
        return;
    }
    const bool over = g->x + BALL_WIDTH * ONE > g->paddle * ONE && g->x < (g->paddle + PADDLE_WIDTH) * ONE;
    if (sign > 0 && over && before <= (PADDLE_TOP + PADDLE_HEIGHT) * ONE &&
        g->y + BALL_HEIGHT * ONE >= PADDLE_TOP * ONE)
        return_ball(g);
}

static bool frame(void *game, dq_rng *rng, int action, double *reward) {
    breakout *g = game;
    *reward = 0;
    if (action == GO_RIGHT) g->paddle += PADDLE_SPEED;
    if (action == GO_LEFT) g->paddle -= PADDLE_SPEED;
    g->paddle = g->paddle < LEFT ? LEFT : g->paddle > RIGHT - PADDLE_WIDTH ? RIGHT - PADDLE_WIDTH : g->paddle;
    if (g->vy == 0) {
        if (action == FIRE) serve(g, rng);
        return false;
    }
    move_across(g, reward);
    move_along(g, reward);
    if (g->y + BALL_HEIGHT * ONE > FLOOR * ONE) {
        g->vx = g->vy = 0;
        g->lives--;
    }
    uint32_t left = 0;
    for (int row = 0; row < ROWS; row++) left |= g->bricks[row];
    return g->lives == 0 || (left == 0 && g->walls + 1 == WALLS);
}

static void show_bricks(const breakout *g, dq_picture *picture) {
    for (int row = 0; row < ROWS; row++)
        for (int column = 0, end; column < COLUMNS; column = end) {
            const uint32_t rest = g->bricks[row] >> column;
            end = column + 1;
            if (!(rest & 1)) continue;
            while (end < COLUMNS && g->bricks[row] >> end & 1) end++;
            dq_picture_add(picture, LEFT + column * BRICK_WIDTH, BRICK_TOP + row * BRICK_HEIGHT,
                           (end - column) * BRICK_WIDTH, BRICK_HEIGHT, RED + row);
        }
}

static void show(const void *game, dq_picture *picture) {
    const breakout *g = game;
    dq_picture_add_number(picture, 36, 5, 3, g->score, GREY);
    dq_picture_add_number(picture, 100, 5, 1, g->lives, GREY);
    dq_picture_add_number(picture, 132, 5, 1, g->walls + 1, GREY);
    dq_picture_add(picture, 0, 17, DQ_SCREEN_WIDTH, CEILING - 17, GREY);
    dq_picture_add(picture, 0, CEILING, LEFT, 196 - CEILING, GREY);
    dq_picture_add(picture, RIGHT, CEILING, DQ_SCREEN_WIDTH - RIGHT, 196 - CEILING, GREY);
    show_bricks(g, picture);
    picture->still = picture->count;
    dq_picture_add(picture, g->paddle, PADDLE_TOP, PADDLE_WIDTH, PADDLE_HEIGHT, RED);
    if (g->vy != 0) dq_picture_add(picture, g->x / ONE, g->y / ONE, BALL_WIDTH, BALL_HEIGHT, RED);
}

static const dq_native_game game = {sizeof(breakout), &palette, start, frame, lives, show, FIRE};

// --- the class ---------------------------------------------------------------------------------------------

DQ_NATIVE_FUNCTIONS(&game)

static const char *const action_names[] = {"NOOP", "FIRE", "RIGHT", "LEFT"};

static const dq_env_class breakout_class = {
    DQ_NATIVE,
    .step = step,
    .id = "Breakout-native",
    .summary = "break two walls of bricks, from pixels",
    .source = "our own, in the style of the Atari 2600 game; wrappers as in Stable-Baselines3's AtariWrapper",
    .actions = 4,
    .action_names = action_names,
    .reward_threshold = NAN,
    .hand_keys = ".^><",
};

extern const dq_env_class *const dq_env_breakout_classes[];
const dq_env_class *const dq_env_breakout_classes[] = {&breakout_class, NULL};
