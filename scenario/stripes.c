// The patches of stripes. stripes.h tells of them.
#include "stripes.h"

#include <math.h>
#include <string.h>

typedef struct looks {
    int kind, made;
} looks;

static void show(looks *s, dq_rng *rng, unsigned char *image) {
    const int left = (int)dq_rng_integers(rng, 0, STRIPES_SIDE - STRIPES_PATCH + 1);
    const int top = (int)dq_rng_integers(rng, 0, STRIPES_SIDE - STRIPES_PATCH + 1);
    s->kind = (int)dq_rng_integers(rng, 0, STRIPES_KINDS);
    memset(image, 0, STRIPES_SIDE * STRIPES_SIDE);
    for (int y = 0; y < STRIPES_PATCH; y++)
        for (int x = 0; x < STRIPES_PATCH; x++) {
            const int along[STRIPES_KINDS] = {x, y, x + y};
            image[(top + y) * STRIPES_SIDE + left + x] = along[s->kind] / 2 % 2 ? 255 : 0;
        }
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options;
    looks *s = state;
    s->made = 0;
    show(s, rng, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)options;
    looks *s = state;
    *reward = action == s->kind;
    show(s, rng, observation);
    return ++s->made == STRIPES_LOOKS;
}

static const char *const action_names[] = {"upright", "level", "slanted"};

const dq_env_class scenario_stripes = {
    .id = "Stripes",
    .summary = "name the stripes' direction",
    .source = "our own",
    .observation = DQ_IMAGE(STRIPES_SIDE, STRIPES_SIDE, 1),
    .actions = STRIPES_KINDS,
    .action_names = action_names,
    .reward_threshold = NAN,
    .state_size = sizeof(looks),
    .reset = reset,
    .step = step,
};
