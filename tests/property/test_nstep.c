// n-step returns: n = 1 is the identity; every n equals the sums written out over whole episodes.
#include "replay/nstep.h"
#include "support.h"

#include <deepq/rng.h>
#include <math.h>

enum { STEPS = 500, MOST_N = 7, ENVIRONMENTS = 3 };

static const double gamma_ = 0.9;

typedef struct step {
    float observation[2], next[2];
    double reward;
    bool terminated, truncated;
} step;

// One environment's steps in a row, with episodes of 1 to 12 steps that end either way.
static void make_steps(step *steps, uint64_t seed) {
    dq_rng rng;
    dq_rng_seed(&rng, seed);
    int64_t left = 1;
    for (int t = 0; t < STEPS; t++) {
        steps[t] = (step){.observation = {(float)t, 1}, .next = {(float)t, 2}};
        steps[t].reward = dq_rng_uniform(&rng, -1, 1);
        if (--left > 0) continue;
        bool terminated = dq_rng_random(&rng) < 0.5;
        steps[t].terminated = terminated;
        steps[t].truncated = !terminated;
        left = dq_rng_integers(&rng, 1, 13);
    }
}

static void check(const step *steps, int t, int n, bool bootstrap_truncated, const dq_transition *got) {
    double sum = 0, power = 1;
    int k = 0;
    for (;; k++) {
        sum += power * steps[t + k].reward;
        power *= gamma_;
        if (k + 1 == n || steps[t + k].terminated || steps[t + k].truncated) break;
    }
    bool follows = !steps[t + k].terminated && (bootstrap_truncated || !steps[t + k].truncated);
    assert_true(test_floats(got->observation)[0] == (float)t && test_floats(got->observation)[1] == 1);
    assert_true(test_floats(got->next_observation)[0] == (float)(t + k) &&
                test_floats(got->next_observation)[1] == 2);
    assert_int_equal(got->action, t % 4);
    assert_true(got->reward == (float)sum);
    assert_true(got->discount == (follows ? (float)power : 0.0F));
}

static void run(int n, bool bootstrap_truncated) {
    static step steps[ENVIRONMENTS][STEPS];
    dq_error error;
    dq_nstep *nstep;
    test_ok(dq_nstep_create(&nstep, n, ENVIRONMENTS, 2 * sizeof(float), gamma_, bootstrap_truncated, &error),
            &error);
    int next[ENVIRONMENTS] = {0};
    for (int i = 0; i < ENVIRONMENTS; i++) make_steps(steps[i], (uint64_t)(10 * n + i));
    for (int t = 0; t < STEPS; t++)
        for (int i = 0; i < ENVIRONMENTS; i++) {
            const step *s = &steps[i][t];
            dq_transition out[MOST_N];
            int count = dq_nstep_push(nstep, i, s->observation, t % 4, s->reward, s->next, s->terminated,
                                      s->truncated, out);
            if (n == 1) assert_int_equal(count, 1);
            for (int k = 0; k < count; k++) check(steps[i], next[i]++, n, bootstrap_truncated, &out[k]);
            if (s->terminated || s->truncated)
                assert_int_equal(next[i], t + 1); // nothing waits behind an end
            else
                assert_in_range(t + 1 - next[i], 0, n - 1);
        }
    dq_nstep_destroy(nstep);
}

static void sums_equal_those_written_out(void **state) {
    (void)state;
    for (int n = 1; n <= MOST_N; n++) {
        run(n, true);
        run(n, false);
    }
}

static void one_step_is_the_identity(void **state) {
    (void)state;
    dq_error error;
    dq_nstep *nstep;
    test_ok(dq_nstep_create(&nstep, 1, 1, sizeof(float), 0.99, true, &error), &error);
    float s = 3, t = 4;
    dq_transition out;
    assert_int_equal(dq_nstep_push(nstep, 0, &s, 2, -1.25, &t, false, false, &out), 1);
    assert_true(test_floats(out.observation)[0] == 3 && test_floats(out.next_observation)[0] == 4 &&
                out.action == 2);
    assert_true(out.reward == -1.25F && out.discount == 0.99F);
    dq_nstep_destroy(nstep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_equal_those_written_out),
        cmocka_unit_test(one_step_is_the_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
