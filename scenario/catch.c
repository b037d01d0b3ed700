// The falling fruit. catch.h tells of it.
#include "catch.h"

#include <math.h>
#include <string.h>

typedef struct field {
    int row, column, drift, basket, lives, fruits;
    bool lost; // the last step cost a life
} field;

static void look(const field *f, unsigned char *image) {
    memset(image, 0, CATCH_HEIGHT * CATCH_WIDTH);
    image[f->row * CATCH_WIDTH + f->column] = 255;
    image[(CATCH_HEIGHT - 1) * CATCH_WIDTH + f->basket] = 128;
}

static void drop(field *f, dq_rng *rng) {
    f->row = 0;
    f->column = (int)dq_rng_integers(rng, 0, CATCH_WIDTH);
    f->drift = (int)dq_rng_integers(rng, -1, 2);
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options;
    field *f = state;
    *f = (field){.basket = CATCH_WIDTH / 2, .lives = CATCH_LIVES};
    drop(f, rng);
    look(f, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)options;
    field *f = state;
    const int basket = f->basket + action - 1;
    if (basket >= 0 && basket < CATCH_WIDTH) f->basket = basket;
    f->column += f->drift;
    if (f->column < 0 || f->column >= CATCH_WIDTH) {
        f->drift = -f->drift;
        f->column += 2 * f->drift;
    }
    f->row++;
    f->lost = false;
    *reward = 0;
    if (f->row == CATCH_HEIGHT - 1) {
        *reward = f->column == f->basket ? 1 : -1;
        f->fruits++;
        f->lives -= *reward < 0;
        const bool over = f->lives == 0 || f->fruits == CATCH_FRUITS;
        f->lost = *reward < 0 && !over;
        look(f, observation);
        if (!f->lost && !over) drop(f, rng);
        return over;
    }
    look(f, observation);
    return false;
}

static bool life_lost(const void *state) {
    return ((const field *)state)->lost;
}

static bool resume(void *state, const void *options, dq_rng *rng, void *observation, double *reward) {
    (void)options, (void)reward;
    field *f = state;
    f->lost = false;
    drop(f, rng);
    look(f, observation);
    return false;
}

static const char *const action_names[] = {"left", "stay", "right"};

const dq_env_class scenario_catch = {
    .id = "Catch",
    .summary = "catch the falling fruit",
    .source = "the bsuite's catch, with lives and drift",
    .observation = DQ_IMAGE(CATCH_HEIGHT, CATCH_WIDTH, 1),
    .actions = 3,
    .action_names = action_names,
    .reward_threshold = NAN,
    .state_size = sizeof(field),
    .reset = reset,
    .step = step,
    .life_lost = life_lost,
    .resume = resume,
    .hand_keys = "<.>",
};
