// Gradients of every head under every loss against finite differences of the loss it returns.
#include <agent/config.h>
#include <deepq/agent.h>
#include <support.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ACTIONS = 3, BATCH = 21, PANELS = 2, PADDED = PANELS * DQ_LANES };

static float normal(dq_rng *rng) {
    return (float)dq_rng_normal(rng);
}

static void check_head(const char *const *words, int count) {
    dq_error error;
    dq_agent_config config;
    test_ok(dq_options_defaults(dq_agent_options(), &config, &error), &error);
    for (int i = 0; i < count; i++)
        test_ok(dq_options_assign(dq_agent_options(), &config, words[i], NULL, &error), &error);
    const dq_head_class *kind = dq_head_classes[config.head];
    dq_head *head;
    test_ok(kind->create(&head, &config, dq_agent_strategy_options(&config, &kind->about), ACTIONS, PANELS,
                         &error),
            &error);
    head->head_class = kind;
    const size_t width = (size_t)(ACTIONS * head->outputs), outputs = width * PADDED;
    float *output = calloc(outputs, sizeof *output), *next = calloc(outputs, sizeof *next);
    float *d_output = calloc(outputs, sizeof *d_output), *ignored = calloc(outputs, sizeof *ignored);
    float *targets = calloc((size_t)head->targets * PADDED, sizeof *targets);
    float policy[ACTIONS * PADDED] = {0}, reward[PADDED] = {0}, discount[PADDED] = {0}, weight[PADDED] = {0};
    float priority[PADDED];
    int32_t action[PADDED] = {0};
    dq_rng rng;
    dq_rng_seed(&rng, 11);
    for (size_t i = 0; i < outputs; i++) output[i] = normal(&rng), next[i] = normal(&rng);
    for (int b = 0; b < PADDED; b++) {
        int best = (int)dq_rng_integers(&rng, 0, ACTIONS);
        policy[(b / DQ_LANES * ACTIONS + best) * DQ_LANES + b % DQ_LANES] = 1;
        if (b >= BATCH) continue;
        action[b] = (int32_t)dq_rng_integers(&rng, 0, ACTIONS);
        reward[b] = normal(&rng);
        discount[b] = b % 5 ? 0.9F : 0;
        weight[b] = (float)dq_rng_uniform(&rng, 0.2, 1);
    }
    kind->target(head, next, policy, reward, discount, PANELS, targets);
    double loss = kind->loss(head, output, action, targets, weight, BATCH, d_output, priority);
    assert_true(isfinite(loss) && loss > 0);

    double largest = 0;
    for (size_t i = 0; i < outputs; i++) largest = fmax(largest, fabs((double)d_output[i]));
    for (size_t i = 0; i < outputs; i++) {
        size_t panel = i / (width * DQ_LANES), sample = panel * DQ_LANES + i % DQ_LANES;
        if (sample >= BATCH) {
            assert_true(d_output[i] == 0); // padding has no say
            continue;
        }
        if (dq_rng_random(&rng) > 400 / (double)outputs) continue;
        float kept = output[i], step = 4e-3F, points[2];
        output[i] = kept + step;
        points[0] = output[i];
        double above = kind->loss(head, output, action, targets, weight, BATCH, ignored, priority);
        output[i] = kept - step;
        points[1] = output[i];
        double below = kind->loss(head, output, action, targets, weight, BATCH, ignored, priority);
        output[i] = kept;
        double slope = (above - below) / ((double)points[0] - (double)points[1]);
        if (fabs(slope - (double)d_output[i]) > 0.02 * largest)
            fail_msg("%s: output %zu: finite difference %g, gradient %g (largest %g)", kind->about.name, i,
                     slope, (double)d_output[i], largest);
    }
    for (int b = 0; b < BATCH; b++) assert_true(isfinite(priority[b]) && priority[b] >= 0);
    kind->destroy(head);
    free(targets), free(ignored), free(d_output), free(next), free(output);
}

// Each head as it comes, under both values of `loss`.
static void every_head_and_loss(void **state) {
    (void)state;
    for (int h = 0; dq_head_classes[h]; h++)
        for (int l = 0; l < 2; l++) {
            char head[64];
            snprintf(head, sizeof head, "head=%s", dq_head_classes[h]->about.name);
            const char *words[] = {head, l ? "loss=mse" : "loss=huber"};
            check_head(words, 2);
        }
}

static void other_sizes_and_thresholds(void **state) {
    (void)state;
    const char *c51[] = {"head=c51", "c51_atoms=7", "c51_v_min=-2", "c51_v_max=3"};
    const char *sharp[] = {"head=qr", "qr_quantiles=9", "qr_kappa=0.2"};
    const char *plain[] = {"head=qr", "qr_quantiles=50", "qr_kappa=0"};
    const char *one[] = {"head=qr", "qr_quantiles=1"};
    check_head(c51, 4);
    check_head(sharp, 3);
    check_head(plain, 3);
    check_head(one, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_head_and_loss),
        cmocka_unit_test(other_sizes_and_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
