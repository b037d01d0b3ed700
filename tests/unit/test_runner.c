// The runner: stop rules, rows of metrics.csv, evaluation, step limits, several environments at once.
#include "run_support.h"

#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 4000 };

typedef struct rows {
    dq_metrics row[MOST_ROWS];
    int count;
} rows;

static void collect(void *user, const dq_run *run, const dq_metrics *metrics) {
    (void)run;
    rows *r = user;
    assert_true(r->count < MOST_ROWS);
    r->row[r->count++] = *metrics;
}

// Trains and collects the rows; returns the steps made.
static int64_t train(const char *const *words, rows *r) {
    dq_error error;
    dq_run *run;
    dq_run_config config = test_run_config(words);
    r->count = 0;
    test_ok(dq_run_create(&run, &config, NULL, &error), &error);
    dq_run_on_progress(run, collect, r);
    test_ok(dq_run_train(run, &error), &error);
    int64_t steps = dq_run_steps(run);
    dq_run_destroy(run);
    return steps;
}

static rows r;

static void stops_by_steps(void **state) {
    (void)state;
    assert_int_equal(train((const char *[]){"total_steps=777", NULL}, &r), 777);
}

static void stops_by_episodes(void **state) {
    (void)state;
    int64_t steps = train((const char *[]){"total_steps=0", "total_episodes=12", NULL}, &r);
    assert_int_equal(r.count, 12);
    assert_int_equal(r.row[11].episode, 12);
    assert_int_equal(r.row[11].step, steps);
}

static void stops_by_seconds(void **state) {
    (void)state;
    train((const char *[]){"total_steps=0", "max_seconds=0.2", "metrics_every_steps=100", NULL}, &r);
    assert_true(r.count > 0);
    assert_true(r.row[r.count - 1].seconds < 5);
}

static void stops_at_a_mean_return(void **state) {
    (void)state;
    train((const char *[]){"total_steps=100000", "stop_return=30", "stop_window=5", NULL}, &r);
    for (int last = 4; last < r.count; last++) {
        double sum = 0;
        for (int i = 0; i < 5; i++) sum += r.row[last - i].episode_return;
        assert_true((sum / 5 >= 30) == (last == r.count - 1)); // at the first window that reaches it
    }
}

static void one_row_an_episode(void **state) {
    (void)state;
    train(NULL, &r);
    int64_t steps = 0;
    double sum = 0;
    assert_true(r.count > 20);
    for (int i = 0; i < r.count; i++) {
        const dq_metrics *row = &r.row[i];
        steps += row->episode_length;
        sum += row->episode_return;
        assert_int_equal(row->episode, i + 1);
        assert_int_equal(row->step, steps);
        assert_true(row->episode_return == (double)row->episode_length); // CartPole pays 1 a step
        if (i < 100) assert_true(fabs(row->mean_return - sum / (i + 1)) < 1e-9);
        assert_int_equal(row->updates, steps < 100 ? 0 : steps - 99); // learning_starts=100
        assert_true(isnan(row->loss) == (steps < 100));
        assert_true(isnan(row->eval_return));
        assert_true(fabs(row->epsilon - fmax(0.02, 1 - 0.98 * (double)steps / 1000)) < 1e-9);
    }
}

static void one_row_every_so_many_steps(void **state) {
    (void)state;
    train((const char *[]){"metrics_every_steps=100", NULL}, &r);
    assert_int_equal(r.count, 25);
    for (int i = 0; i < r.count; i++) assert_int_equal(r.row[i].step, 100 * (i + 1));
}

// With gamma=0 a target is the reward, 1 in CartPole, and values go there, whatever the head.
static void values_and_their_targets(void **state) {
    (void)state;
    static const char *const heads[][3] = {
        {"head=scalar"}, {"head=qr"}, {"head=iqn"}, {"head=c51", "c51_v_min=-2", "c51_v_max=2"}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        train((const char *[]){"metrics_every_steps=50", "gamma=0", "learning_rate=0.01", heads[i][0],
                               heads[i][1], heads[i][2], NULL},
              &r);
        for (int k = 0; k < r.count; k++) {
            const dq_metrics *row = &r.row[k];
            assert_true(isnan(row->q_mean) == (row->step < 100)); // learning_starts=100
            if (isnan(row->q_mean)) continue;
            assert_true(row->target_mean == 1 && row->target_min == 1 && row->target_max == 1);
            assert_true(row->q_min < row->q_mean && row->q_mean < row->q_max);
        }
        const double first = fabs(r.row[2].q_mean - 1), last = fabs(r.row[r.count - 1].q_mean - 1);
        if (!(last < 0.1 && last < first))
            fail_msg("%s: values are off by %g, then %g", heads[i][0], first, last);
    }
    train((const char *[]){"metrics_every_steps=50", "gamma=0.5", "optimizer=sgd", "learning_rate=0", NULL},
          &r);
    assert_true(r.row[5].target_min < r.row[5].target_mean && r.row[5].target_mean < r.row[5].target_max);
}

static void evaluation_by_steps_and_by_episodes(void **state) {
    (void)state;
    const char *const every[][2] = {{"eval_every_steps=500", NULL}, {"eval_every_episodes=10", NULL}};
    for (int way = 0; way < 2; way++) {
        train(every[way], &r);
        int evaluations = 0;
        for (int i = 0; i < r.count; i++) {
            const dq_metrics *row = &r.row[i];
            bool due = way == 0 ? row->step % 500 == 0 : row->episode % 10 == 0;
            if (!isnan(row->eval_return)) {
                assert_true(due);
                assert_in_range((int64_t)row->eval_return, 8, 500);
                // sum of gamma^t for an episode of the mean length bounds the mean of the sums (concave)
                double bound = (1 - pow(0.99, row->eval_return)) / (1 - 0.99);
                assert_true(row->eval_discounted_return <= bound + 1e-9);
                assert_true(row->eval_discounted_return > 0 && isfinite(row->eval_q_start));
                evaluations++;
            }
        }
        assert_true(evaluations >= (way == 0 ? 5 : 2));
    }
    // Looking on does not change the course.
    static rows plain;
    train(NULL, &plain);
    train((const char *[]){"eval_every_episodes=3", NULL}, &r);
    assert_int_equal(plain.count, r.count);
    for (int i = 0; i < r.count; i++) assert_true(plain.row[i].episode_return == r.row[i].episode_return);
}

static void a_step_limit_truncates(void **state) {
    (void)state;
    train((const char *[]){"step_limit=9", NULL}, &r); // CartPole never falls in less
    for (int i = 0; i < r.count; i++) assert_in_range(r.row[i].episode_length, 8, 9);
}

static void training_episodes_may_be_shorter_than_evaluations(void **state) {
    (void)state;
    double best = 0;
    train((const char *[]){"train_step_limit=9", "eval_every_steps=250", NULL}, &r);
    for (int i = 0; i < r.count; i++) {
        assert_true(r.row[i].episode_length <= 9); // 0: a row of an evaluation alone
        if (r.row[i].eval_return > best) best = r.row[i].eval_return;
    }
    assert_true(best > 9);
}

static void several_environments(void **state) {
    (void)state;
    int64_t steps = train(
        (const char *[]){"n_envs=8", "total_steps=2001", "train_freq=16", "gradient_steps=4", NULL}, &r);
    assert_int_equal(steps, 2008);
    for (int i = 0; i < r.count; i++)
        if (r.row[i].step >= 112) assert_int_equal(r.row[i].updates, (r.row[i].step / 16 - 6) * 4);
}

static void files_of_a_run(void **state) {
    (void)state;
    dq_error error;
    dq_run *run;
    dq_policy *policy;
    const char *folder = test_folder(), *const names[] = {"weights.safetensors", "best.safetensors"};
    dq_run_config config = test_run_config((const char *[]){"eval_every_steps=500", NULL});
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    test_ok(dq_run_train(run, &error), &error);
    for (int i = 0; i < 2; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        test_ok(dq_policy_load(&policy, path, &error), &error);
        assert_string_equal(dq_policy_config(policy)->env, "CartPole-v1");
        assert_int_equal(dq_policy_observation(policy)->size, 4);
        assert_int_equal(dq_policy_actions(policy), 2);
        float observation[4] = {0.01F, -0.2F, 0.03F, 0.4F}, q[2], expected[2];
        dq_policy_q(policy, observation, q);
        dq_agent_q(dq_run_agent(run), observation, expected);
        if (i == 0) assert_memory_equal(q, expected, sizeof q);
        assert_int_equal(dq_policy_act(policy, observation), q[1] > q[0]);
        dq_policy_destroy(policy);
    }
    dq_run_destroy(run);
    assert_int_not_equal(dq_policy_load(&policy, "/nowhere", &error), DQ_OK);
    test_remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_by_steps),
        cmocka_unit_test(stops_by_episodes),
        cmocka_unit_test(stops_by_seconds),
        cmocka_unit_test(stops_at_a_mean_return),
        cmocka_unit_test(one_row_an_episode),
        cmocka_unit_test(one_row_every_so_many_steps),
        cmocka_unit_test(values_and_their_targets),
        cmocka_unit_test(evaluation_by_steps_and_by_episodes),
        cmocka_unit_test(a_step_limit_truncates),
        cmocka_unit_test(training_episodes_may_be_shorter_than_evaluations),
        cmocka_unit_test(several_environments),
        cmocka_unit_test(files_of_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
