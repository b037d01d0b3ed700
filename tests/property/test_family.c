// What the papers promise of heads and backups, and the arithmetic below them.
#include <agent/config.h>
#include <deepq/agent.h>
#include <kernel/exp_log.h>
#include <support.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACTIONS = 4, PANELS = 3, PADDED = PANELS * DQ_LANES };

static dq_agent_config config_of(const char *const *words, int count) {
    dq_error error;
    dq_agent_config config;
    test_ok(dq_options_defaults(dq_agent_options(), &config, &error), &error);
    for (int i = 0; i < count; i++)
        test_ok(dq_options_assign(dq_agent_options(), &config, words[i], NULL, &error), &error);
    return config;
}

static dq_head *head_of(const dq_agent_config *config) {
    dq_error error;
    const dq_head_class *kind = dq_head_classes[config->head];
    dq_head *head;
    test_ok(
        kind->create(&head, config, dq_agent_strategy_options(config, &kind->about), ACTIONS, PANELS, &error),
        &error);
    head->head_class = kind;
    return head;
}

static const dq_backup_class *backup_named(const char *name) {
    for (int i = 0; dq_backup_classes[i]; i++)
        if (!strcmp(dq_backup_classes[i]->about.name, name)) return dq_backup_classes[i];
    fail_msg("there is no backup %s", name);
    return NULL;
}

static void fill(dq_rng *rng, float *x, size_t n, double scale) {
    for (size_t i = 0; i < n; i++) x[i] = (float)(scale * dq_rng_normal(rng));
}

static void exp_and_log_are_accurate(void **state) {
    (void)state;
    double worst = 0;
    for (float x = -86; x < 87; x += 0.00917F)
        worst = fmax(worst, fabs((double)dq_expf(x) / exp((double)x) - 1));
    assert_true(worst < 2e-7);
    worst = 0;
    for (float x = 2e-38F; x < 1e38F; x *= 1.00317F)
        worst = fmax(worst, fabs((double)dq_logf(x) - log((double)x)) / fmax(1, fabs(log((double)x))));
    assert_true(worst < 2e-7);
    assert_true(dq_expf(0) == 1 && dq_logf(1) == 0 && dq_expf(-1000) > 0 && isfinite(dq_expf(1000)));
}

static void double_equals_max_when_the_networks_are_equal(void **state) {
    (void)state;
    dq_rng rng;
    dq_rng_seed(&rng, 1);
    float q[ACTIONS * PADDED], other[ACTIONS * PADDED], a[ACTIONS * PADDED], b[ACTIONS * PADDED];
    fill(&rng, q, ACTIONS * PADDED, 1);
    fill(&rng, other, ACTIONS * PADDED, 1);
    for (int i = 0; i < 100; i++) q[i] = 0.5F; // ties
    dq_backup_inputs in = {.actions = ACTIONS, .panels = PANELS, .next_q = q, .next_q_online = q};
    backup_named("max")->apply(NULL, &in, a, NULL);
    backup_named("double")->apply(NULL, &in, b, NULL);
    assert_memory_equal(a, b, sizeof a);
    in.next_q_online = other;
    backup_named("double")->apply(NULL, &in, b, NULL);
    assert_memory_not_equal(a, b, sizeof a);
}

// Policies are probabilities, whatever the backup.
static void every_backup_gives_probabilities(void **state) {
    (void)state;
    dq_rng rng;
    dq_rng_seed(&rng, 2);
    dq_agent_config config = config_of(NULL, 0);
    float q[ACTIONS * PADDED], online[ACTIONS * PADDED], here[ACTIONS * PADDED], policy[ACTIONS * PADDED];
    float reward[PADDED], discount[PADDED];
    int32_t action[PADDED];
    for (int k = 0; dq_backup_classes[k]; k++)
        for (int round = 0; round < 20; round++) {
            const dq_backup_class *kind = dq_backup_classes[k];
            fill(&rng, q, ACTIONS * PADDED, pow(10, round % 5 - 2));
            fill(&rng, online, ACTIONS * PADDED, 1);
            fill(&rng, here, ACTIONS * PADDED, 100);
            fill(&rng, reward, PADDED, 1);
            for (int b = 0; b < PADDED; b++) action[b] = b % ACTIONS, discount[b] = 0.9F;
            dq_backup_inputs in = {.actions = ACTIONS,
                                   .panels = PANELS,
                                   .next_q = q,
                                   .next_q_online = online,
                                   .q = here,
                                   .action = action,
                                   .discount = discount};
            kind->apply(dq_agent_strategy_options(&config, &kind->about), &in, policy, reward);
            for (int p = 0; p < PANELS; p++)
                for (int l = 0; l < DQ_LANES; l++) {
                    double sum = 0;
                    for (int a = 0; a < ACTIONS; a++) {
                        float share = policy[(p * ACTIONS + a) * DQ_LANES + l];
                        assert_true(share >= 0 && share <= 1.00001F);
                        sum += (double)share;
                    }
                    assert_true(fabs(sum - 1) < 1e-5);
                    assert_true(isfinite(reward[p * DQ_LANES + l]));
                }
        }
}

// Mass always; the mean where nothing was cut off: sum_i m_i z_i = r + discount sum_i p_i z_i.
static void a_c51_projection_keeps_mass_and_mean(void **state) {
    (void)state;
    dq_rng rng;
    dq_rng_seed(&rng, 3);
    const char *sizes[] = {"c51_atoms=2", "c51_atoms=51", "c51_atoms=256"};
    for (int s = 0; s < 3; s++)
        for (int round = 0; round < 30; round++) {
            const char *words[] = {"head=c51", sizes[s], "c51_v_min=-5", "c51_v_max=15"};
            dq_agent_config config = config_of(words, 4);
            dq_head *head = head_of(&config);
            const dq_head_class *kind = head->head_class;
            const int atoms = head->outputs;
            const double spacing = 20.0 / (atoms - 1), spread = round % 3 == 0 ? 0.3 : 30;
            float *next = calloc((size_t)(ACTIONS * atoms * PADDED), sizeof *next);
            float *m = calloc((size_t)(atoms * PADDED), sizeof *m);
            float policy[ACTIONS * PADDED], reward[PADDED], discount[PADDED], q[ACTIONS * PADDED];
            fill(&rng, next, (size_t)(ACTIONS * atoms * PADDED), 2);
            fill(&rng, reward, PADDED, spread);
            for (int b = 0; b < PADDED; b++) {
                discount[b] = b % 4 == 0 ? 0 : b % 4 == 1 ? 1 : (float)dq_rng_random(&rng);
                if (b % 4 == 1) reward[b] = 0;
                double left = 1; // a policy that mixes in half the rounds
                for (int a = 0; a < ACTIONS; a++) {
                    double share = round % 2          ? (a == b % ACTIONS ? 1 : 0)
                                   : a == ACTIONS - 1 ? left
                                                      : left / 2;
                    policy[(b / DQ_LANES * ACTIONS + a) * DQ_LANES + b % DQ_LANES] = (float)share;
                    left -= share;
                }
            }
            const float *values = kind->to_q(head, next, PANELS, q);
            kind->target(head, next, policy, reward, discount, PANELS, m);
            for (int b = 0; b < PADDED; b++) {
                double mass = 0, mean = 0, expected = (double)reward[b];
                for (int i = 0; i < atoms; i++) {
                    double share = (double)m[(b / DQ_LANES * atoms + i) * DQ_LANES + b % DQ_LANES];
                    assert_true(share >= -1e-9);
                    mass += share;
                    mean += share * (-5 + i * spacing);
                }
                assert_true(fabs(mass - 1) < 1e-5);
                for (int a = 0; a < ACTIONS; a++) {
                    int at = (b / DQ_LANES * ACTIONS + a) * DQ_LANES + b % DQ_LANES;
                    expected += (double)(discount[b] * policy[at] * values[at]);
                }
                bool inside = (double)reward[b] - 5 * (double)discount[b] >= -5 &&
                              (double)reward[b] + 15 * (double)discount[b] <= 15;
                if (inside) assert_true(fabs(mean - expected) < 1e-4);
                assert_true(mean >= -5.0001 && mean <= 15.0001);
            }
            kind->destroy(head);
            free(m), free(next);
        }
}

// With nothing after the step, every head's target is worth the reward: one learned step leads there.
static void every_head_learns_a_reward(void **state) {
    (void)state;
    for (int k = 0; dq_head_classes[k]; k++) {
        char word[64];
        snprintf(word, sizeof word, "head=%s", dq_head_classes[k]->about.name);
        const char *words[] = {word};
        dq_agent_config config = config_of(words, 1);
        dq_head *head = head_of(&config);
        const dq_head_class *kind = head->head_class;
        const size_t outputs = (size_t)(ACTIONS * head->outputs * PADDED);
        float *output = calloc(outputs, sizeof *output), *next = calloc(outputs, sizeof *next);
        float *d = calloc(outputs, sizeof *d),
              *targets = calloc((size_t)(head->targets * PADDED), sizeof *targets);
        float policy[ACTIONS * PADDED] = {0}, reward[PADDED], discount[PADDED] = {0}, weight[PADDED],
                               q[PADDED * ACTIONS];
        float priority[PADDED];
        int32_t action[PADDED];
        for (int b = 0; b < PADDED; b++) {
            reward[b] = (float)(b % 7) - 3;
            weight[b] = 1;
            action[b] = b % ACTIONS;
            policy[(b / DQ_LANES * ACTIONS) * DQ_LANES + b % DQ_LANES] = 1;
        }
        kind->target(head, next, policy, reward, discount, PANELS, targets);
        for (int step = 0; step < 4000; step++) { // gradient descent on the outputs themselves
            kind->loss(head, output, action, targets, weight, PADDED, d, priority);
            for (size_t i = 0; i < outputs; i++) output[i] -= 20 * d[i];
        }
        const float *values = kind->to_q(head, output, PANELS, q);
        for (int b = 0; b < PADDED; b++) {
            float value = values[(b / DQ_LANES * ACTIONS + action[b]) * DQ_LANES + b % DQ_LANES];
            if (fabsf(value - reward[b]) > 0.05F)
                fail_msg("%s: reward %g learned as %g", kind->about.name, (double)reward[b], (double)value);
        }
        kind->destroy(head);
        free(targets), free(d), free(next), free(output);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_and_log_are_accurate),
        cmocka_unit_test(double_equals_max_when_the_networks_are_equal),
        cmocka_unit_test(every_backup_gives_probabilities),
        cmocka_unit_test(a_c51_projection_keeps_mass_and_mean),
        cmocka_unit_test(every_head_learns_a_reward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
