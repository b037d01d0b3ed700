// The loops of distributional heads: every level gives the reference's bits, and the reference the formulas'.
#include <deepq/rng.h>
#include <kernel/kernel.h>
#include <support.h>

#include <math.h>
#include <string.h>

enum { MOST = 40 };

static void fill(dq_rng *rng, float *x, int n, double scale) {
    for (int i = 0; i < n; i++) x[i] = (float)(scale * dq_rng_normal(rng));
}

static void every_level_gives_the_same_bits(void **state) {
    (void)state;
    const dq_kernels *ref = dq_kernels_at(DQ_CPU_REF), *here = dq_kernels_get();
    dq_rng rng;
    dq_rng_seed(&rng, 1);
    float x[MOST * 16], y[MOST * 16], tau[MOST * 16], a[MOST * 16], b[MOST * 16], sums[2][16], tops[2][16];
    for (int round = 0; round < 200; round++) {
        int n = (int)dq_rng_integers(&rng, 1, MOST + 1), m = (int)dq_rng_integers(&rng, 1, MOST + 1);
        fill(&rng, x, n * 16, pow(10, round % 4 - 1));
        fill(&rng, y, m * 16, 2);
        for (int i = 0; i < n * 16; i++) tau[i] = (float)dq_rng_random(&rng);
        ref->exponentials(x, n, a, sums[0], tops[0]);
        here->exponentials(x, n, b, sums[1], tops[1]);
        assert_memory_equal(a, b, (size_t)n * 64);
        assert_memory_equal(sums[0], sums[1], 64);
        assert_memory_equal(tops[0], tops[1], 64);
        float kappa = round % 3 == 0 ? 0 : round % 3 == 1 ? 1 : 0.3F;
        ref->quantile_pairs(x, tau, n, y, m, kappa, sums[0], a);
        here->quantile_pairs(x, tau, n, y, m, kappa, sums[1], b);
        assert_memory_equal(a, b, (size_t)n * 64);
        assert_memory_equal(sums[0], sums[1], 64);
    }
}

static void the_formulas_hold(void **state) {
    (void)state;
    const dq_kernels *kernels = dq_kernels_get();
    dq_rng rng;
    dq_rng_seed(&rng, 2);
    enum { N = 13, M = 9 };
    float x[N * 16], y[M * 16], tau[N * 16], out[N * 16], sum[16], top[16];
    fill(&rng, x, N * 16, 3);
    fill(&rng, y, M * 16, 3);
    for (int i = 0; i < N * 16; i++) tau[i] = (float)dq_rng_random(&rng);
    kernels->exponentials(x, N, out, sum, top);
    for (int l = 0; l < 16; l++) {
        double total = 0;
        for (int i = 0; i < N; i++) {
            double power = exp((double)x[i * 16 + l] - (double)top[l]);
            assert_true(power <= 1 && fabs((double)out[i * 16 + l] - power) < 1e-6);
            total += power;
        }
        assert_true(fabs((double)sum[l] - total) < 1e-5);
    }
    for (int k = 0; k < 3; k++) {
        double kappa = k * 0.7;
        kernels->quantile_pairs(x, tau, N, y, M, (float)kappa, sum, out);
        for (int l = 0; l < 16; l++) {
            double loss = 0;
            for (int i = 0; i < N; i++) {
                double pull = 0;
                for (int j = 0; j < M; j++) {
                    double u = (double)y[j * 16 + l] - (double)x[i * 16 + l], size = fabs(u);
                    double weight = fabs((double)tau[i * 16 + l] - (u < 0));
                    double huber = size <= kappa ? 0.5 * u * u / kappa : size - 0.5 * kappa;
                    loss += weight * huber / M;
                    pull += weight * (size <= kappa ? u / kappa : copysign(1, u)) / M;
                }
                assert_true(fabs((double)out[i * 16 + l] + pull) < 1e-5);
            }
            assert_true(fabs((double)sum[l] - loss) < 1e-5 * loss);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_gives_the_same_bits),
        cmocka_unit_test(the_formulas_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
