// Whole agents on a chain whose action values are known: presets come near value iteration, and every legal
// pair of options trains without a value that is not finite.
#include <chain.h>
#include <deepq/agent.h>
#include <support.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assign(dq_agent_config *config, const char *word) {
    dq_error error;
    test_ok(dq_options_assign(dq_agent_options(), config, word, NULL, &error), &error);
}

static dq_agent_config config_of(const char *const *words) {
    dq_error error;
    dq_agent_config config;
    test_ok(dq_options_defaults(dq_agent_options(), &config, &error), &error);
    for (int i = 0; words[i]; i++) {
        char copy[128], *rest = copy;
        snprintf(copy, sizeof copy, "%s", words[i]);
        for (char *word; (word = strsep(&rest, " "));) assign(&config, word);
    }
    return config;
}

// Shows the agent a walk from a random state that starts with a random action and goes on as well as
// possible, so that returns over several steps are what value iteration says. Returns its steps, at most
// `most`.
static int64_t show_walk(dq_agent *agent, dq_rng *rng, double q[CHAIN_STATES][CHAIN_ACTIONS], int64_t most) {
    int state = (int)dq_rng_integers(rng, 0, CHAIN_STATES),
        action = (int)dq_rng_integers(rng, 0, CHAIN_ACTIONS);
    float here[CHAIN_STATES], there[CHAIN_STATES];
    for (int64_t steps = 1;; steps++) {
        int next;
        double reward = chain_step(state, action, &next);
        chain_observe(state, here);
        chain_observe(next < 0 ? state : next, there);
        dq_agent_observe(agent, 0, here, action, reward, there, next < 0, false);
        if (next < 0 || steps == most) return steps;
        state = next;
        action = q[state][1] > q[state][0];
    }
}

static void check_preset(const char *name, int updates) {
    dq_error error;
    const dq_agent_preset *preset = dq_agent_preset_find(name, &error);
    assert_non_null(preset);
    static const char *const common[] = {"net_arch=[32]",
                                         "gamma=0.9",
                                         "batch_size=32",
                                         "learning_starts=100",
                                         "buffer_size=2000",
                                         "loss=mse",
                                         "learning_rate=0.01",
                                         "learning_rate_end=0.0001",
                                         "learning_rate_schedule=linear",
                                         "target_update_interval=20",
                                         "c51_v_min=-0.2",
                                         "c51_v_max=1.2",
                                         "qr_quantiles=11",
                                         NULL};
    dq_agent_config config = config_of(common);
    char period[64];
    snprintf(period, sizeof period, "learning_rate_period=%d", updates);
    for (int i = 0; preset->assignments[i]; i++) // the run's own options, such as n_envs, are not the agent's
        if (strncmp(preset->assignments[i], "n_envs=", 7)) assign(&config, preset->assignments[i]);
    assign(&config, period);
    if (config.rollout > 0) assign(&config, "rollout=64"); // of one environment
    bool replay = config.buffer_size > 1 && config.rollout == 0;
    if (config.buffer_size == 1) { // one transition at a time: plain gradient descent forgets less than Adam
        assign(&config, "optimizer=sgd");
        assign(&config, "learning_rate=0.1");
    }

    double best[CHAIN_STATES][CHAIN_ACTIONS], expected[CHAIN_STATES][CHAIN_ACTIONS];
    chain_solve(0.9, 0, 0, 0, best);
    chain_solve(0.9, 0, 0, 0, expected);
    if (!strcmp(name, "munchausen")) chain_solve(0.9, 0.03, 0.9, -1, expected); // its own fixed point

    dq_agent *agent;
    test_ok(dq_agent_create(&agent, &config, &scenario_chain.observation, CHAIN_ACTIONS, 1, 3, &error),
            &error);
    int64_t step = 0;
    dq_rng rng;
    dq_rng_seed(&rng, 4);
    for (int made = 0; made < updates;) {
        if (!replay || step < 1500)
            step += show_walk(agent, &rng, best, config.buffer_size > 1 ? INT64_MAX : 1);
        else
            step++;
        if (!replay || step >= 1500) made += dq_agent_learn(agent, 1, step, 0);
    }
    double largest = 0, worst = 0;
    for (int s = 0; s < CHAIN_STATES; s++) {
        float observation[CHAIN_STATES], q[CHAIN_ACTIONS];
        chain_observe(s, observation);
        dq_agent_q(agent, observation, q);
        for (int a = 0; a < CHAIN_ACTIONS; a++) {
            largest = fmax(largest, fabs(expected[s][a]));
            worst = fmax(worst, fabs((double)q[a] - expected[s][a]));
        }
    }
    print_message("%-13s worst error %.2f%%\n", name, 100 * worst / largest);
    if (!(worst <= 0.02 * largest)) fail_msg("%s: off by %g of %g", name, worst, largest);
    dq_agent_destroy(agent);
}

static void presets_come_near_value_iteration(void **state) {
    (void)state;
    for (int i = 0; i < dq_agent_preset_count(); i++) {
        const char *name = dq_agent_preset_at(i)->name;
        check_preset(name, strcmp(name, "naive") ? 5000 : 50000);
    }
}

// --- pairs ------------------------------------------------------------------------------------------------

// Options that meet each other; every strategy of the four lists joins them.
static const char *const words[] = {
    "n_step=3",
    "dueling=true",
    "noisy=all explorer=noisy",
    "normalization=layer normalize_input=true",
    "noisy=output",
    "noisy=all",
    "normalization=batch",
    "normalization=layer",
    "activation=leaky_relu",
    "net_arch=[]",
    "net_arch=[8,8,8]",
    "loss=mse",
    "optimizer=sgd",
    "optimizer=rmsprop",
    "optimizer=adamw",
    "optimizer=radam",
    "rollout=8 target_update=none",
    "centered=true",
    "amsgrad=true",
    "clip_value=1",
    "learning_rate_schedule=exponential",
    "target_update=none",
    "target_update=soft",
    "target_update_unit=updates",
    "bootstrap_truncated=false",
    "replacement=false",
    "priority_stratified=false",
    "batch_size=1",
    "gamma=1",
    "train_freq=4",
    "gradient_steps=2",
    "epsilon_schedule=multiplied",
};

static char parts[64][64];
static const char *all[128];
static int all_count;

static void collect(void) {
    int count = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) all[all_count++] = words[i];
    static const char *const choices[] = {"head", "backup", "sampler", "explorer"};
    for (int i = 0; i < 4; i++) {
        char names[512];
        snprintf(names, sizeof names, "%s", dq_options_find(dq_agent_options(), choices[i])->choices);
        for (char *rest = names, *name; (name = strsep(&rest, "|"));) {
            snprintf(parts[count], sizeof parts[count], "%s=%s", choices[i], name);
            all[all_count++] = parts[count++];
        }
    }
}

// Whether both words set the same option; a word may hold two assignments.
static bool same_option(const char *a, const char *b) {
    for (const char *at = a; *at; at += strcspn(at, " ") + (at[strcspn(at, " ")] != 0))
        for (const char *other = b; *other; other += strcspn(other, " ") + (other[strcspn(other, " ")] != 0))
            if (strncmp(at, other, strcspn(at, "=") + 1) == 0) return true;
    return false;
}

// 200 environment steps at least, in three environments; returns whether the pair was legal.
static bool train(const char *a, const char *b) {
    enum { ENVIRONMENTS = 3 };
    dq_error error = {0};
    const char *common[] = {"net_arch=[16]",
                            "batch_size=8",
                            "learning_starts=8",
                            "buffer_size=100",
                            "epsilon_period=100",
                            "target_update_interval=10",
                            "c51_atoms=11",
                            "qr_quantiles=7",
                            "learning_rate_end=0.0001",
                            "learning_rate=0.01",
                            a,
                            b,
                            NULL};
    dq_agent_config config = config_of(common);
    if (dq_agent_validate(&config, &error) != DQ_OK) {
        assert_int_equal(error.code, DQ_USAGE);
        assert_true(strlen(error.message) > 20);
        return false;
    }
    dq_agent *agent;
    dq_vecenv *env;
    test_ok(dq_vecenv_create(&env, &scenario_chain, NULL, ENVIRONMENTS, -1, 5, &error), &error);
    test_ok(
        dq_agent_create(&agent, &config, &scenario_chain.observation, CHAIN_ACTIONS, ENVIRONMENTS, 6, &error),
        &error);
    int64_t step = 0, episode = 0, updates = 0;
    float before[ENVIRONMENTS * CHAIN_STATES];
    int32_t actions[ENVIRONMENTS];
    while (updates < 200) {
        memcpy(before, env->observation, sizeof before);
        dq_agent_act(agent, env->observation, ENVIRONMENTS, step, episode, actions);
        dq_vecenv_step(env, actions);
        for (int i = 0; i < ENVIRONMENTS; i++) {
            assert_true(actions[i] >= 0 && actions[i] < CHAIN_ACTIONS);
            dq_agent_observe(agent, i, before + i * CHAIN_STATES, actions[i], env->reward[i],
                             dq_vecenv_final_observation(env, i), env->terminated[i], env->truncated[i]);
            episode += env->terminated[i] || env->truncated[i];
        }
        step += ENVIRONMENTS;
        updates += dq_agent_learn(agent, ENVIRONMENTS, step, episode);
        assert_true(step < 20000);
    }
    dq_agent_report report = dq_agent_take_report(agent, step, episode);
    bool finite = isfinite(report.loss_sum);
    for (size_t i = 0; i < dq_net_size(dq_agent_net(agent)); i++)
        finite &= isfinite(dq_agent_params(agent)[i]) != 0;
    float q[CHAIN_ACTIONS];
    dq_agent_q(agent, env->observation, q);
    for (int i = 0; i < CHAIN_ACTIONS; i++) finite &= isfinite(q[i]) != 0;
    if (!finite) fail_msg("%s with %s: not finite after %lld updates", a, b, (long long)updates);
    dq_agent_destroy(agent);
    dq_vecenv_destroy(env);
    return true;
}

static void every_legal_pair_of_options_stays_finite(void **state) {
    (void)state;
    int legal = 0, illegal = 0;
    collect();
    for (int i = 0; i < all_count; i++)
        for (int j = i + 1; j < all_count; j++)
            if (!same_option(all[i], all[j])) *(train(all[i], all[j]) ? &legal : &illegal) += 1;
    print_message("%d options: %d pairs train, %d are refused\n", all_count, legal, illegal);
    assert_true(legal > 600 && illegal < 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_come_near_value_iteration),
        cmocka_unit_test(every_legal_pair_of_options_stays_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
