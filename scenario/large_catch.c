// The enlarged game of the falling fruit. large_catch.h tells of it.
#include "large_catch.h"

#include <string.h>

static void enlarge(const unsigned char *small, unsigned char *image) {
    memset(image, 0, LARGE_CATCH_HEIGHT * LARGE_CATCH_WIDTH);
    for (int y = 0; y < CATCH_HEIGHT * LARGE_CATCH_ZOOM; y++)
        for (int x = 0; x < CATCH_WIDTH * LARGE_CATCH_ZOOM; x++)
            image[(y + 1) * LARGE_CATCH_WIDTH + x + 2] =
                small[y / LARGE_CATCH_ZOOM * CATCH_WIDTH + x / LARGE_CATCH_ZOOM];
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    unsigned char small[CATCH_HEIGHT * CATCH_WIDTH];
    scenario_catch.reset(state, options, rng, small);
    enlarge(small, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    unsigned char small[CATCH_HEIGHT * CATCH_WIDTH];
    double nothing = 0;
    bool over = scenario_catch.step(state, options, rng, action, small, reward);
    if (!over && scenario_catch.life_lost(state)) scenario_catch.resume(state, options, rng, small, &nothing);
    enlarge(small, observation);
    return over;
}

dq_status scenario_register_large_catch(dq_error *error) {
    static dq_env_class large;
    large = scenario_catch;
    large.id = "LargeCatch";
    large.observation = (dq_space)DQ_IMAGE(LARGE_CATCH_HEIGHT, LARGE_CATCH_WIDTH, 1);
    large.reset = reset;
    large.step = step;
    large.life_lost = NULL;
    large.resume = NULL;
    return dq_env_register(&large, error);
}
