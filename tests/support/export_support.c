#include "export_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 12 };

// Tiles of one colour, so that a convolution sees edges and not a mean.
static void tiles(dq_rng *rng, int height, int width, int channels, unsigned char *out) {
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < height; y += TILE)
            for (int x = 0; x < width; x += TILE) {
                const unsigned char value = (unsigned char)(dq_rng_next32(rng) >> 24);
                for (int v = y; v < y + TILE && v < height; v++)
                    for (int u = x; u < x + TILE && u < width; u++)
                        out[(v * width + u) * channels + c] = value;
            }
}

// The side of the pictures is the environment's one option.
static const dq_option rows[] = {
    {"side", "env", DQ_OPTION_INT, 0, 0, "36", 36, 84, false, NULL, "pixels", "of the pictures"}};

static dq_space observation_with(const void *options) {
    const int side = (int)*(const int64_t *)options;
    return (dq_space)DQ_IMAGE(side, side, 1);
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    const int side = (int)*(const int64_t *)options;
    *(int *)state = 0;
    tiles(rng, side, side, 1, observation);
}

static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    const int side = (int)*(const int64_t *)options;
    *reward = action == 0;
    tiles(rng, side, side, 1, observation);
    return ++*(int *)state == 20;
}

static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
static const dq_env_class noise = {
    .id = TEST_NOISE,
    .summary = "tiles of noise",
    .source = "a test",
    .observation = DQ_IMAGE(36, 36, 1),
    .observation_with = observation_with,
    .actions = 6,
    .action_names = names,
    .reward_threshold = NAN,
    .state_size = sizeof(int),
    .options = {rows, 1},
    .options_size = sizeof(int64_t),
    .reset = reset,
    .step = step,
};

dq_policy *test_policy(const char *env, const char *const *words) {
    static bool registered;
    dq_error error = {0};
    dq_run_config config;
    dq_policy *policy = NULL;
    if (!registered) test_ok(dq_env_register(&noise, &error), &error);
    registered = true;
    test_ok(dq_run_config_init(&config, env, NULL, &error), &error);
    for (int i = 0; words[i]; i++) test_ok(dq_run_config_assign(&config, words[i], "test", &error), &error);
    test_ok(dq_policy_create(&policy, &config, &error), &error);
    const dq_net *net = dq_policy_net(policy);
    float *params = dq_policy_params(policy);
    dq_rng rng;
    dq_rng_seed(&rng, 5);
    for (int i = 0; i < dq_net_tensor_count(net); i++) {
        const dq_tensor *t = dq_net_tensor(net, i);
        const bool positive = strstr(t->name, "running_var") || strstr(t->name, ".scale");
        // deep networks would grow out of all bounds
        const float size = t->rank == 4 || t->columns > 255 ? 0.01F : 0.1F;
        for (int r = 0; r < t->rows; r++)
            for (int c = 0; c < t->columns; c++) {
                float *at = &params[t->offset + (size_t)r * t->stride + (size_t)c];
                *at += size * (float)dq_rng_normal(&rng);
                if (positive) *at = fabsf(*at) + 0.05F;
            }
    }
    return policy;
}

void test_policy_input(const dq_policy *policy, dq_rng *rng, void *input) {
    const dq_space *space = dq_policy_input(policy);
    if (space->element == DQ_U8) {
        tiles(rng, space->shape[0], space->shape[1], space->shape[2], input);
        return;
    }
    const bool concentrations = !strcmp(dq_policy_config(policy)->env, "HIVPatient");
    float *numbers = input;
    for (int d = 0; d < space->size; d++) {
        numbers[d] = (float)dq_rng_normal(rng);
        if (concentrations) numbers[d] = powf(10, 2 + 2 * numbers[d]);
    }
}

int test_observations(int usual) {
    const char *wanted = getenv("DQ_OBSERVATIONS");
    const int count = wanted ? atoi(wanted) : usual;
    if (count < 1) fail_msg("DQ_OBSERVATIONS is %s, not a count", wanted);
    return count;
}
