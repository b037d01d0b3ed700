// Targets and distributional losses against recorded ones (tests/data/targets, float64 NumPy and PyTorch):
// one step, double, several steps, Munchausen, C51's projection, the quantile Huber loss. All within 1e-6.
#include <agent/config.h>
#include <deepq/agent.h>
#include <io/npz.h>
#include <replay/nstep.h>
#include <support.h>

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 * 256 }; // numbers of any array, padded

// Calls `check` for every file that matches.
static void each_file(const char *pattern, void (*check)(const dq_npz *file)) {
    glob_t found;
    dq_error error;
    if (glob(test_reference_path(pattern), 0, NULL, &found)) fail_msg("no file matches %s", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        dq_npz file;
        test_ok(dq_npz_read(&file, found.gl_pathv[i], &error), &error);
        check(&file);
        dq_npz_deinit(&file);
    }
    globfree(&found);
}

static const dq_array *array(const dq_npz *file, const char *name) {
    const dq_array *found = dq_npz_find(file, name);
    if (!found) fail_msg("the file has no array %s", name);
    return found;
}

static double number(const dq_npz *file, const char *name) {
    return dq_array_get(array(file, name), 0);
}

// [B, F...] as panels.
static void panels(const dq_npz *file, const char *name, float *out) {
    const dq_array *a = array(file, name);
    int batch = (int)a->shape[0], features = (int)(a->count / batch);
    float *rows = malloc((size_t)a->count * sizeof *rows);
    dq_array_to_floats(a, rows);
    dq_panels_pack(out, rows, batch, features);
    free(rows);
}

static void check(const char *what, double got, double expected) {
    if (!(fabs(got - expected) <= 1e-6 * fmax(1, fabs(expected))))
        fail_msg("%s: %.9g, not %.9g", what, got, expected);
}

// `words` onto the defaults.
static dq_agent_config config_of(char words[][64], int count) {
    dq_error error;
    dq_agent_config config;
    test_ok(dq_options_defaults(dq_agent_options(), &config, &error), &error);
    for (int i = 0; i < count; i++)
        test_ok(dq_options_assign(dq_agent_options(), &config, words[i], NULL, &error), &error);
    return config;
}

static dq_head *head_of(const dq_agent_config *config, int actions, int most_panels) {
    dq_error error;
    const dq_head_class *kind = dq_head_classes[config->head];
    dq_head *head;
    test_ok(kind->create(&head, config, dq_agent_strategy_options(config, &kind->about), actions, most_panels,
                         &error),
            &error);
    head->head_class = kind;
    return head;
}

// --- scalar targets ---------------------------------------------------------------------------------------

// The target of one backup, sample by sample, against the array `expected`.
static void check_backup(const dq_npz *file, const char *word, const float *reward, const float *discount,
                         const char *expected) {
    char words[4][64] = {""};
    snprintf(words[0], sizeof words[0], "backup=%s", word);
    snprintf(words[1], sizeof words[1], "munchausen_tau=%.9g", number(file, "m_tau"));
    snprintf(words[2], sizeof words[2], "munchausen_alpha=%.9g", number(file, "m_alpha"));
    snprintf(words[3], sizeof words[3], "munchausen_clip=%.9g", number(file, "m_clip"));
    dq_agent_config config = config_of(words, 4);
    const dq_array *next = array(file, "q_target_next");
    const int batch = (int)next->shape[0], actions = (int)next->shape[1], count = (batch + 15) / 16;
    float next_q[1024], next_online[1024], q[1024], policy[1024], rewards[256] = {0}, targets[256];
    int32_t action[256] = {0};
    panels(file, "q_target_next", next_q);
    panels(file, "q_online_next", next_online);
    panels(file, "q_target_s", q);
    for (int b = 0; b < batch; b++)
        action[b] = (int32_t)dq_array_get(array(file, "action"), b), rewards[b] = reward[b];
    dq_backup_inputs in = {.actions = actions,
                           .panels = count,
                           .next_q = next_q,
                           .next_q_online = next_online,
                           .q = q,
                           .action = action,
                           .discount = discount};
    const dq_backup_class *backup = dq_backup_classes[config.backup];
    backup->apply(dq_agent_strategy_options(&config, &backup->about), &in, policy, rewards);
    dq_head *head = head_of(&config, actions, count);
    head->head_class->target(head, next_q, policy, rewards, discount, count, targets);
    for (int b = 0; b < batch; b++)
        check(expected, (double)targets[b], dq_array_get(array(file, expected), b));
    head->head_class->destroy(head);
}

// Reward sums and discounts of several steps, as the n-step memory makes them.
static void several_steps(const dq_npz *file, float *reward, float *discount) {
    const dq_array *rewards = array(file, "r_seq"), *ends = array(file, "terminal_seq");
    const int batch = (int)rewards->shape[0], n = (int)rewards->shape[1];
    dq_error error;
    for (int b = 0; b < batch; b++) {
        dq_nstep *memory;
        dq_transition complete[16];
        float observation = 0;
        test_ok(dq_nstep_create(&memory, n, 1, sizeof(float), number(file, "gamma"), true, &error), &error);
        for (int k = 0, made = 0; k < n && made == 0; k++) {
            bool end = dq_array_get(ends, b * n + k) > 0;
            made = dq_nstep_push(memory, 0, &observation, 0, dq_array_get(rewards, b * n + k), &observation,
                                 end, false, complete);
        }
        reward[b] = complete[0].reward;
        discount[b] = complete[0].discount;
        dq_nstep_destroy(memory);
    }
}

static void check_td_targets(const dq_npz *file) {
    const int batch = (int)array(file, "reward")->shape[0];
    float reward[256] = {0}, discount[256] = {0};
    for (int b = 0; b < batch; b++) {
        reward[b] = (float)dq_array_get(array(file, "reward"), b);
        discount[b] = dq_array_get(array(file, "done"), b) > 0 ? 0 : (float)number(file, "gamma");
    }
    check_backup(file, "max", reward, discount, "dqn");
    check_backup(file, "double", reward, discount, "double_dqn");
    check_backup(file, "munchausen", reward, discount, "munchausen");
    several_steps(file, reward, discount);
    check_backup(file, "max", reward, discount, "nstep5");
}

static void td_targets(void **state) {
    (void)state;
    each_file("targets/td_targets*.npz", check_td_targets);
}

// --- distributions ----------------------------------------------------------------------------------------

static void check_projection(const dq_npz *file) {
    const dq_array *logits = array(file, "logits");
    const int batch = (int)logits->shape[0], actions = (int)logits->shape[1], atoms = (int)logits->shape[2];
    const int count = (batch + 15) / 16;
    char words[4][64] = {"head=c51"};
    snprintf(words[1], sizeof words[1], "c51_atoms=%d", atoms);
    snprintf(words[2], sizeof words[2], "c51_v_min=%.17g", number(file, "v_min"));
    snprintf(words[3], sizeof words[3], "c51_v_max=%.17g", number(file, "v_max"));
    dq_agent_config config = config_of(words, 4);
    dq_head *head = head_of(&config, actions, count);
    static float next[MOST], targets[MOST], policy[MOST], rows[MOST];
    float reward[256] = {0}, discount[256] = {0};
    panels(file, "logits", next);
    memset(policy, 0, sizeof policy);
    for (int b = 0; b < batch; b++) {
        int best = (int)dq_array_get(array(file, "best_action"), b);
        policy[(b / DQ_LANES * actions + best) * DQ_LANES + b % DQ_LANES] = 1;
        reward[b] = (float)dq_array_get(array(file, "reward"), b);
        discount[b] = dq_array_get(array(file, "done"), b) > 0 ? 0 : (float)number(file, "gamma");
    }
    head->head_class->target(head, next, policy, reward, discount, count, targets);
    dq_panels_unpack(rows, targets, batch, atoms);
    for (int i = 0; i < batch * atoms; i++) check("m", (double)rows[i], dq_array_get(array(file, "m"), i));
    head->head_class->destroy(head);
}

static void c51_projection(void **state) {
    (void)state;
    each_file("targets/c51_projection*.npz", check_projection);
}

static void check_quantile_huber(const dq_npz *file) {
    const dq_array *shape = array(file, "theta");
    const int batch = (int)shape->shape[0], n = (int)shape->shape[1], count = (batch + 15) / 16;
    char words[3][64] = {"head=qr", "qr_kappa=1"};
    snprintf(words[2], sizeof words[2], "qr_quantiles=%d", n);
    dq_agent_config config = config_of(words, 3);
    dq_head *head = head_of(&config, 1, count);
    static float theta[MOST], targets[MOST], slope[MOST], rows[MOST];
    float weight[256] = {0}, priority[256];
    int32_t action[256] = {0};
    panels(file, "theta", theta);
    panels(file, "target", targets);
    for (int b = 0; b < batch; b++) weight[b] = 1;
    check("loss", head->head_class->loss(head, theta, action, targets, weight, batch, slope, priority),
          number(file, "loss"));
    dq_panels_unpack(rows, slope, batch, n);
    for (int i = 0; i < batch * n; i++)
        check("g_theta", (double)rows[i], dq_array_get(array(file, "g_theta"), i));
    head->head_class->destroy(head);
}

static void quantile_huber(void **state) {
    (void)state;
    each_file("targets/quantile_huber*.npz", check_quantile_huber);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(td_targets),
        cmocka_unit_test(c51_projection),
        cmocka_unit_test(quantile_huber),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
