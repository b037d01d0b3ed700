// What the network sees and what it learns from: features, running normalisation, scaled and clipped rewards.
// Numbers of Gymnasium 1.4's NormalizeObservation and of NumPy are recorded here.
#include "run_support.h"

#include "agent/agent.h"
#include "replay/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct small_net {
    dq_net *net;
    dq_workspace *workspace;
    float *params;
    double *moments;
} small_net;

static small_net make(int inputs, const dq_layer_spec *layers, int count) {
    small_net n;
    dq_error error;
    dq_rng rng;
    dq_rng_seed(&rng, 0);
    test_ok(dq_net_create(&n.net, inputs, layers, count, &error), &error);
    test_ok(dq_workspace_create(&n.workspace, n.net, 20, &error), &error);
    n.params = aligned_alloc(64, dq_net_size(n.net) * sizeof(float));
    n.moments = calloc(dq_net_moments(n.net) + 1, sizeof(double));
    dq_net_init(n.net, n.params, &rng);
    return n;
}

static void done(small_net *n) {
    dq_workspace_destroy(n->workspace);
    dq_net_destroy(n->net);
    free(n->params);
    free(n->moments);
}

// One observation alone and as the last of 20 gives the same bits.
static void see(small_net *n, const float *observation, float *seen) {
    const int inputs = dq_net_inputs(n->net), outputs = dq_net_outputs(n->net);
    float rows[20 * 16], out[20 * 16];
    for (int b = 0; b < 20; b++)
        for (int i = 0; i < inputs; i++) rows[b * inputs + i] = observation[i] + (float)(19 - b);
    dq_panels_pack(dq_workspace_input(n->workspace), rows, 20, inputs);
    dq_panels_unpack(out, dq_net_forward(n->net, n->params, n->workspace, 20, DQ_EVAL), 20, outputs);
    dq_net_apply(n->net, n->params, n->workspace, observation, seen);
    assert_memory_equal(seen, out + 19 * outputs, (size_t)outputs * sizeof(float));
}

static void expect(const float *got, const double *wanted, int count, double tolerance) {
    for (int i = 0; i < count; i++)
        if (!(fabs((double)got[i] - wanted[i]) <= tolerance))
            fail_msg("number %d is %.9g, not %.9g", i, (double)got[i], wanted[i]);
}

// --- features
// ------------------------------------------------------------------------------------------------

static small_net features_of(const char *env) {
    dq_error error;
    const dq_env_class *c = dq_env_find(env, &error);
    if (!c) fail_msg("%s", error.message);
    const dq_layer_spec layer = {
        .kind = "features", .out = c->features->count, .features = c->features->list};
    return make(c->observation.size, &layer, 1);
}

static void a_patient_is_seen_on_a_log_scale(void **state) {
    (void)state;
    small_net n = features_of("HIVPatient");
    const float unhealthy[] = {163573, 11945, 5, 46, 63919, 24}, uninfected[] = {1e6f, 0, 3198, 0, 0, 10};
    // (numpy.log10(x) - shift) / scale; nothing is below 1e-3
    const double seen[] = {-0.4089834015671328, 0.5385930770429486, -0.5340199971093208,
                           0.44183855445438275, 0.9028149859542887, -0.809894379144197};
    const double nothing[] = {0.5 / 0.7, -3, 1.3366, -4 / 1.5, -3, -1};
    float got[6];
    see(&n, unhealthy, got);
    expect(got, seen, 6, 1e-6);
    see(&n, uninfected, got);
    expect(got, nothing, 6, 1e-4);
    done(&n);
}

static void angles_are_seen_as_points_on_the_circle(void **state) {
    (void)state;
    small_net n = features_of("CartPoleSwingUp");
    const float hanging[] = {1.2f, -1, (float)M_PI, 0.5f}, leaning[] = {0, 0, 0.5f, 0};
    const double seen[] = {0.5, -0.5, 0, -1, 0.25 / M_PI};
    const double beside[] = {0, 0, 0.479425538604203, 0.8775825618903728, 0}; // numpy.sin, numpy.cos of 0.5
    float got[6];
    see(&n, hanging, got);
    expect(got, seen, 5, 2e-7);
    see(&n, leaning, got);
    expect(got, beside, 5, 1e-7);
    done(&n);
    n = features_of("Bicycle");
    const float rider[] = {0.1f, -1.5f, 0.05f, 0.1f, 1, 2, 3, 4, 0.5f, 900, 0.25f, -0.5f};
    const double ridden[] = {0.2, -0.5, 0.75 / M_PI, 0.2, -0.479425538604203, 0.8775825618903728};
    see(&n, rider, got);
    expect(got, ridden, 6, 1e-6);
    done(&n);
}

static void every_declaration_fits_its_environment(void **state) {
    (void)state;
    for (int e = 0; e < dq_env_count(); e++) {
        const dq_env_class *c = dq_env_at(e);
        if (!c->features) continue;
        for (int i = 0; c->features->scale && i < c->observation.size; i++)
            assert_true(c->features->scale[i] > 0);
        if (!c->features->list) continue;
        small_net n = features_of(c->id); // its plan checks the list
        assert_int_equal(dq_net_outputs(n.net), c->features->count);
        done(&n);
    }
}

static void a_scale_divides(void **state) {
    (void)state;
    const float scale[] = {2, 0.5f, 10}, x[] = {3, 3, -3};
    const dq_layer_spec layer = {.kind = "features", .scale = scale};
    small_net n = make(3, &layer, 1);
    float got[3];
    see(&n, x, got);
    expect(got, (const double[]){1.5, 6, -0.3}, 3, 1e-7);
    done(&n);
    dq_error error;
    dq_net *net;
    const dq_feature lost = {DQ_FEATURE_COPY, 3, 0, 1};
    const dq_layer_spec wrong = {.kind = "features", .out = 1, .features = &lost};
    assert_int_equal(dq_net_create(&net, 3, &wrong, 1, &error), DQ_USAGE);
    assert_non_null(strstr(error.message, "dimension 3 of 3"));
}

// --- running normalisation
// -------------------------------------------------------------------------------------

// 60 steps of CartPole-v1 through Gymnasium's NormalizeObservation, which counts every observation that it
// hands out: 60 of steps and 3 of resets.
static void statistics_are_gymnasiums(void **state) {
    (void)state;
    const double mean[] = {-0.027733901515603065, -0.049131494015455246, -0.002271594014018774,
                           0.026141706854104996},
                 variance[] = {0.0006481071468442678, 0.05921807885169983, 0.010250811465084553,
                               0.30853527784347534},
                 last[] = {-1.340734839439392, 1.1870503425598145, 0.6088414788246155, -0.4118000566959381};
    dq_error error;
    dq_vecenv *env;
    test_ok(dq_vecenv_create(&env, dq_env_find("CartPole-v1", &error), NULL, 1, -1, 5, &error), &error);
    const dq_layer_spec layer = {.kind = "running_norm", .name = "norm"};
    small_net n = make(4, &layer, 1);
    float got[4];
    see(&n, env->observation, got); // the start is mean 0 and variance 1
    for (int i = 0; i < 4; i++) assert_float_equal(got[i], test_floats(env->observation)[i], 1e-8f);
    dq_net_observe(n.net, n.params, n.workspace, n.moments, env->observation);
    for (int t = 0; t < 60; t++) {
        const int32_t action = t / 3 % 2;
        dq_vecenv_step(env, &action);
        dq_net_observe(n.net, n.params, n.workspace, n.moments, env->final_observation);
        if (env->terminated[0]) dq_net_observe(n.net, n.params, n.workspace, n.moments, env->observation);
    }
    assert_float_equal((float)n.moments[0], 63.0001f, 1e-4f);
    // Gymnasium keeps its statistics in single precision
    for (int i = 0; i < 2; i++) {
        const dq_tensor *t = dq_net_tensor(n.net, i);
        assert_string_equal(t->name, i ? "norm.running_var" : "norm.running_mean");
        assert_false(t->trainable);
        expect(n.params + t->offset, i ? variance : mean, 4, 1e-6);
    }
    see(&n, env->observation, got);
    expect(got, last, 4, 1e-4);
    const float far[] = {1000, -1000, 0, 0};
    see(&n, far, got);
    assert_true(got[0] == 10 && got[1] == -10);
    done(&n);
    dq_vecenv_destroy(env);
}

// What a run learned with is in its weights, and looking at it changes nothing.
static void statistics_are_saved_and_frozen(void **state) {
    (void)state;
    dq_error error;
    dq_run *run;
    dq_policy *policy;
    dq_run_config config = test_run_config((const char *[]){"env=CartPole-v1", "observation=scaled",
                                                            "normalize_observation=true", "total_steps=600",
                                                            "eval_every_steps=200", "n_envs=2", NULL});
    const char *folder = test_folder();
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    test_ok(dq_run_train(run, &error), &error);
    dq_agent *agent = dq_run_agent(run);
    const dq_net *net = dq_agent_net(agent);
    float *params = dq_agent_params(agent);
    float mean = 0, variance = 1;
    for (int i = 0; i < dq_net_tensor_count(net); i++) {
        const dq_tensor *t = dq_net_tensor(net, i);
        if (!strcmp(t->name, "norm_observation.running_mean")) mean = params[t->offset + 2];
        if (!strcmp(t->name, "norm_observation.running_var")) variance = params[t->offset + 2];
    }
    assert_true(mean != 0 && variance > 0 && variance < 1); // of an angle as a share of its limit

    test_ok(dq_policy_load(&policy, folder, &error), &error);
    float *before = malloc(dq_net_size(net) * sizeof(float));
    memcpy(before, params, dq_net_size(net) * sizeof(float));
    for (int k = 0; k < 20; k++) {
        const float observation[] = {0.1f * (float)k, -0.5f, 0.01f * (float)k, 0.3f};
        float of_run[2], of_policy[2];
        dq_agent_q(agent, observation, of_run);
        dq_policy_q(policy, observation, of_policy);
        assert_memory_equal(of_run, of_policy, sizeof of_run);
    }
    assert_memory_equal(before, params, dq_net_size(net) * sizeof(float));
    free(before);
    dq_policy_destroy(policy);
    dq_run_destroy(run);
    test_remove_folder(folder);
}

// --- rewards
// -----------------------------------------------------------------------------------------------------

static void stored_rewards(const char *const *words, float reward[5]) {
    static const double rewards[] = {-300, -0.5, 0, 2, 1e10};
    dq_error error;
    dq_agent *agent;
    dq_run_config config = test_run_config(words);
    test_ok(dq_agent_create(&agent, &config.learner, &(dq_space)DQ_VECTOR(1), 2, 1, 0, &error), &error);
    const float o[] = {0};
    for (int i = 0; i < 5; i++) dq_agent_observe(agent, 0, o, 0, rewards[i], o, false, false);
    float observation[DQ_LANES], discount[DQ_LANES], all[DQ_LANES];
    int32_t action[DQ_LANES];
    dq_replay_gather(dq_agent_replay(agent), (const int64_t[]){0, 1, 2, 3, 4}, 5, observation, action, all,
                     discount);
    memcpy(reward, all, 5 * sizeof(float));
    dq_agent_destroy(agent);
}

static void rewards_are_scaled_then_clipped(void **state) {
    (void)state;
    float got[5];
    stored_rewards(NULL, got);
    expect(got, (const double[]){-300, -0.5, 0, 2, 1e10}, 5, 0);
    stored_rewards((const char *[]){"reward_scale=0.01", NULL}, got);
    expect(got, (const double[]){-3, -0.005, 0, 0.02, 1e8}, 5, 1e-9);
    stored_rewards((const char *[]){"reward_scale=0.1", "reward_clip=1", NULL}, got);
    expect(got, (const double[]){-1, -0.05, 0, 0.2, 1}, 5, 1e-8);
}

// A power of two changes no bit but exponents, so a linear learner makes the same decisions and its reports
// show the returns as they are.
static void reports_show_rewards_as_they_are(void **state) {
    (void)state;
    dq_error error;
    for (int scaled = 0; scaled < 2; scaled++) {
        dq_run *run;
        const dq_run_config config = test_run_config(
            (const char *[]){"total_steps=400", scaled ? "reward_scale=0.0625" : "reward_scale=1", NULL});
        const char *folder = test_folder();
        test_ok(dq_run_create(&run, &config, folder, &error), &error);
        test_ok(dq_run_train(run, &error), &error);
        dq_run_destroy(run);
        dq_policy *policy;
        double returns[4];
        int64_t steps;
        test_ok(dq_policy_load(&policy, folder, &error), &error);
        test_ok(dq_policy_evaluate(policy, NULL, NULL, 4, 0, 1, returns, &steps, &error), &error);
        assert_true(returns[0] + returns[1] + returns[2] + returns[3] == (double)steps); // CartPole pays 1
        dq_policy_destroy(policy);
        test_remove_folder(folder);
    }
}

// --- wrong usage
// -------------------------------------------------------------------------------------------------

static void refuses_what_an_environment_does_not_declare(void **state) {
    (void)state;
    dq_error error;
    dq_run_config config = test_run_config((const char *[]){"observation=features", NULL});
    assert_int_equal(dq_run_config_validate(&config, &error), DQ_USAGE);
    assert_string_equal(error.where, "observation");
    assert_non_null(strstr(error.message, "declares features"));
    config = test_run_config((const char *[]){"observation=scaled", NULL});
    assert_int_equal(dq_run_config_validate(&config, &error), DQ_OK);
    assert_null(config.learner.features); // nobody looked it up
    assert_int_equal(dq_agent_validate(&config.learner, &error), DQ_USAGE);
    assert_non_null(strstr(error.message, "declares a scale"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patient_is_seen_on_a_log_scale),
        cmocka_unit_test(angles_are_seen_as_points_on_the_circle),
        cmocka_unit_test(every_declaration_fits_its_environment),
        cmocka_unit_test(a_scale_divides),
        cmocka_unit_test(statistics_are_gymnasiums),
        cmocka_unit_test(statistics_are_saved_and_frozen),
        cmocka_unit_test(rewards_are_scaled_then_clipped),
        cmocka_unit_test(reports_show_rewards_as_they_are),
        cmocka_unit_test(refuses_what_an_environment_does_not_declare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
