// A run's configuration: where values come from, its text form, and combinations that are rejected.
#include "run/config.h"
#include "run_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_run_config fresh(const char *env, const char *agent) {
    dq_run_config config;
    dq_error error;
    test_ok(dq_run_config_init(&config, env, agent, &error), &error);
    return config;
}

static void agents_are_assignments(void **state) {
    (void)state;
    dq_run_config naive = fresh("CartPole-v1", "naive"), dqn2013 = fresh("CartPole-v1", "dqn2013");
    dq_run_config dqn2015 = fresh("CartPole-v1", "dqn2015");
    assert_int_equal(naive.learner.buffer_size, 1);
    assert_int_equal(naive.learner.batch_size, 1);
    assert_int_equal(naive.learner.target_update, DQ_TARGET_NONE);
    assert_int_equal(dqn2013.learner.target_update, DQ_TARGET_NONE);
    assert_true(dqn2013.learner.buffer_size > 1);
    assert_int_equal(dqn2015.learner.target_update, DQ_TARGET_HARD);
    assert_string_equal(dqn2015.agent, "dqn2015");
    assert_string_equal(fresh("CartPole-v1", NULL).agent, "default");
}

// Whatever an environment is tuned for, every named agent can be trained on it.
static void every_agent_fits_every_environment(void **state) {
    (void)state;
    for (int e = 0; e < dq_env_count(); e++)
        for (int i = 0; i < dq_agent_preset_count(); i++) {
            dq_error error;
            dq_run_config config = fresh(dq_env_at(e)->id, dq_agent_preset_at(i)->name);
            test_ok(dq_run_config_validate(&config, &error), &error);
        }
}

static void presets_set_the_environments_own_options(void **state) {
    (void)state;
    dq_run_config config = fresh("Bicycle", NULL);
    dq_error error;
    char text[16];
    const dq_option_table table = dq_env_find("Bicycle", &error)->options;
    dq_options_format(dq_options_find(table, "goal_ends"), config.env_options, text, sizeof text);
    assert_string_equal(text, "true"); // the default is false
    dq_options_format(dq_options_find(table, "max_noise"), config.env_options, text, sizeof text);
    assert_string_equal(text, "0.02");
}

static void unknown_names_get_a_hint(void **state) {
    (void)state;
    dq_run_config config = fresh("CartPole-v1", NULL);
    dq_error error;
    assert_int_equal(dq_run_config_assign(&config, "learning_rat=0.1", "command line", &error), DQ_USAGE);
    assert_non_null(strstr(error.message, "learning_rate"));
    assert_int_equal(dq_run_config_assign(&config, "gamma=1.5", "command line", &error), DQ_USAGE);
    assert_non_null(strstr(error.message, "gamma"));
    assert_int_equal(dq_run_config_assign(&config, "env.nothing=1", "command line", &error), DQ_USAGE);
    assert_int_equal(dq_run_config_assign(&config, "head=scalr", "command line", &error), DQ_USAGE);
    assert_int_not_equal(dq_run_config_init(&config, "CartPole-v9", NULL, &error), DQ_OK);
    assert_non_null(strstr(error.message, "CartPole-v"));
    assert_int_equal(dq_run_config_init(&config, "CartPole-v1", "dqn2016", &error), DQ_USAGE);
    assert_non_null(strstr(error.message, "dqn2015"));
}

static void text_reads_back_to_the_same_values(void **state) {
    (void)state;
    dq_error error;
    for (int i = 0; i < dq_env_count(); i++) {
        dq_run_config config = fresh(dq_env_at(i)->id, "dqn2015"), back;
        test_ok(dq_run_config_assign(&config, "learning_rate=0.1234567890123", "test", &error), &error);
        test_ok(dq_run_config_assign(&config, "stop_return=-3.25", "test", &error), &error);
        test_ok(dq_run_config_assign(&config, "net_arch=[7, 9, 11]", "test", &error), &error);
        char *text = dq_run_config_text(&config);
        test_ok(dq_run_config_parse(&back, text, "test", &error), &error);
        char *again = dq_run_config_text(&back);
        assert_string_equal(text, again);
        assert_memory_equal(&config.learner, &back.learner, sizeof config.learner);
        assert_memory_equal(config.env_options, back.env_options, sizeof config.env_options);
        assert_true(back.stop_return == -3.25);
        free(text);
        free(again);
    }
}

static void errors_name_the_line(void **state) {
    (void)state;
    dq_run_config config;
    dq_error error;
    assert_int_equal(
        dq_run_config_parse(&config, "env: CartPole-v1\nseed: 3\ngama: 0.9\n", "run/config.yml", &error),
        DQ_USAGE);
    assert_non_null(strstr(error.where, "config.yml"));
    assert_non_null(strstr(error.where, "3"));
}

static void impossible_combinations_are_rejected(void **state) {
    (void)state;
    static const char *const bad[][3] = {
        {"learning_starts=5000", "buffer_size=4000", "learning_starts"},
        {"normalization=batch", "batch_size=1", "batch"},
        {"normalize_input=true", "normalization=none", "normalization"},
        {"epsilon_schedule=linear", "epsilon_end=1", "epsilon_end"},
        {"learning_rate_schedule=linear", "learning_rate_end=1", "learning_rate_end"},
        {"replacement=false", "batch_size=20000", "batch"},
        {"total_steps=0", "total_episodes=0", "stop"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dq_run_config config = test_run_config(NULL);
        dq_error error = {0};
        config.learner.epsilon_start = 0.9;
        for (int k = 0; k < 2; k++) test_ok(dq_run_config_assign(&config, bad[i][k], "test", &error), &error);
        assert_int_equal(dq_run_config_validate(&config, &error), DQ_USAGE);
        if (!strstr(error.message, bad[i][2])) fail_msg("%s", error.message);
    }
}

static void every_row_says_what_it_is(void **state) {
    (void)state;
    dq_option_table table = dq_run_options();
    for (int i = 0; i < table.count; i++) {
        const dq_option *row = &table.rows[i];
        assert_non_null(row->help);
        assert_non_null(row->group);
        assert_true(strlen(row->help) > 5);
        assert_ptr_equal(dq_options_find(table, row->name), row); // names are distinct
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agents_are_assignments),
        cmocka_unit_test(every_agent_fits_every_environment),
        cmocka_unit_test(presets_set_the_environments_own_options),
        cmocka_unit_test(unknown_names_get_a_hint),
        cmocka_unit_test(text_reads_back_to_the_same_values),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(impossible_combinations_are_rejected),
        cmocka_unit_test(every_row_says_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
