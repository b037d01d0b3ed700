// Lambda-returns against the sum they stand for: G = (1 - lambda) sum_n lambda^(n-1) G^(n) + lambda^(N-1)
// G^(N), with G^(n) the n-step returns up to the rollout's or the episode's end (Sutton and Barto 2018,
// equation 12.3).
#include <deepq/rng.h>
#include <replay/lambda.h>
#include <support.h>

#include <math.h>

enum { STEPS = 9, ENVIRONMENTS = 3, ROWS = STEPS * ENVIRONMENTS };

static void check(double lambda, double gamma, bool bootstrap_truncated, uint64_t seed) {
    dq_error error;
    dq_lambda *memory;
    dq_rng rng;
    dq_rng_seed(&rng, seed);
    test_ok(dq_lambda_create(&memory, STEPS, ENVIRONMENTS, sizeof(float), gamma, lambda, bootstrap_truncated,
                             &error),
            &error);
    double reward[ROWS];
    bool terminated[ROWS], truncated[ROWS];
    float values[ROWS];
    for (int t = 0; t < STEPS; t++)
        for (int i = 0; i < ENVIRONMENTS; i++) {
            int row = t * ENVIRONMENTS + i;
            reward[row] = dq_rng_normal(&rng);
            values[row] = (float)dq_rng_normal(&rng);
            terminated[row] = dq_rng_random(&rng) < 0.15;
            truncated[row] = !terminated[row] && dq_rng_random(&rng) < 0.15;
            float here = (float)row, there = (float)row + 0.5F;
            bool full = dq_lambda_push(memory, i, &here, row % 2, reward[row], &there, terminated[row],
                                       truncated[row]);
            assert_true(full == (row == ROWS - 1));
        }
    assert_int_equal(dq_lambda_rows(memory), ROWS);
    for (int row = 0; row < ROWS; row++)
        assert_true(test_floats(dq_lambda_next(memory))[row] == (float)row + 0.5F);
    dq_lambda_returns(memory, values);
    for (int t = 0; t < STEPS; t++)
        for (int i = 0; i < ENVIRONMENTS; i++) {
            double expected = 0, sum = 0, power = 1, share = 1;
            for (int k = t; k < STEPS; k++) {
                int row = k * ENVIRONMENTS + i;
                sum += power * reward[row];
                power *= gamma;
                bool nothing = terminated[row] || (truncated[row] && !bootstrap_truncated);
                double n_step = sum + (nothing ? 0 : power * (double)values[row]);
                bool last = k == STEPS - 1 || terminated[row] || truncated[row];
                expected += share * (last ? 1 : 1 - lambda) * n_step;
                share *= lambda;
                if (last) break;
            }
            dq_transition made = dq_lambda_at(memory, t * ENVIRONMENTS + i);
            assert_true(fabs((double)made.reward - expected) < 1e-5);
            assert_true(made.discount == 0 &&
                        test_floats(made.observation)[0] == (float)(t * ENVIRONMENTS + i));
            assert_int_equal(made.action, (t * ENVIRONMENTS + i) % 2);
        }
    dq_lambda_clear(memory);
    float zero = 0;
    assert_false(dq_lambda_push(memory, 0, &zero, 0, 0, &zero, false, false));
    dq_lambda_destroy(memory);
}

static void returns_are_the_sum_they_stand_for(void **state) {
    (void)state;
    const double lambdas[] = {0, 0.3, 0.65, 1};
    for (uint64_t seed = 0; seed < 50; seed++)
        for (int l = 0; l < 4; l++) check(lambdas[l], seed % 2 ? 0.9 : 1, seed % 3 != 0, seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(returns_are_the_sum_they_stand_for)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
