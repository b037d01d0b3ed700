// Dueling and noisy layers: gradients against finite differences, noise where it belongs and nowhere else.
#include "gradient_support.h"

#include <math.h>

enum { INPUTS = 5, BATCH = 19 };

static test_gradients make(const dq_layer_spec *layers, int count, uint64_t seed) {
    test_gradients g;
    dq_error error;
    dq_net *net;
    float rows[BATCH * INPUTS];
    test_ok(dq_net_create(&net, INPUTS, layers, count, &error), &error);
    test_gradients_init(&g, net, BATCH, BATCH, seed);
    for (int i = 0; i < BATCH * INPUTS; i++) rows[i] = (float)dq_rng_normal(&g.rng);
    dq_panels_pack(dq_workspace_input(g.workspace), rows, BATCH, INPUTS);
    test_gradients_weigh(&g);
    return g;
}

static void check_gradients(test_gradients *f) {
    test_gradients_objective(f, DQ_TRAIN);
    dq_net_backward(f->net, f->params, f->workspace, BATCH, f->d_output, f->gradient);
    double largest = 0;
    for (size_t i = 0; i < dq_net_trainable(f->net); i++)
        largest = fmax(largest, fabs((double)f->gradient[i]));
    for (int t = 0; t < dq_net_tensor_count(f->net); t++) {
        const dq_tensor *tensor = dq_net_tensor(f->net, t);
        if (!tensor->trainable) continue;
        int count = tensor->rows * tensor->columns;
        for (int k = 0; k<count; k += count> 40 ? 7 : 1) {
            size_t i = tensor->offset + (size_t)(k / tensor->columns) * tensor->stride +
                       (size_t)(k % tensor->columns);
            float kept = f->params[i], step = 1e-3F;
            f->params[i] = kept + step;
            double above = test_gradients_objective(f, DQ_TRAIN), from = (double)f->params[i];
            f->params[i] = kept - step;
            double below = test_gradients_objective(f, DQ_TRAIN),
                   slope = (above - below) / (from - (double)f->params[i]);
            f->params[i] = kept;
            if (fabs(slope - (double)f->gradient[i]) > 5e-3 * largest)
                fail_msg("%s[%d]: finite difference %g, gradient %g (largest %g)", tensor->name, k, slope,
                         (double)f->gradient[i], largest);
        }
    }
}

static void dueling_gradients(void **state) {
    (void)state;
    const dq_layer_spec layers[] = {{.kind = "linear", .name = "a", .out = 12},
                                    {.kind = "leaky_relu", .name = "b", .slope = 0.3},
                                    {.kind = "linear", .name = "c", .out = 4 * 5},
                                    {.kind = "dueling", .name = "d", .out = 3 * 5}};
    test_gradients f = make(layers, 4, 1);
    check_gradients(&f);
    test_gradients_deinit(&f);
}

static void noisy_gradients(void **state) {
    (void)state;
    const dq_layer_spec layers[] = {{.kind = "noisy", .name = "a", .out = 12, .sigma = 2},
                                    {.kind = "leaky_relu", .name = "b", .slope = 0.3},
                                    {.kind = "noisy", .name = "c", .out = 4},
                                    {.kind = "dueling", .name = "d", .out = 3}};
    test_gradients f = make(layers, 4, 2);
    dq_rng rng;
    dq_rng_seed(&rng, 3);
    dq_net_resample(f.net, f.params, &rng);
    check_gradients(&f);
    test_gradients_deinit(&f);
}

// Nothing below the first linear layer is trained: backward stops there.
static void gradients_above_what_observes(void **state) {
    (void)state;
    static const dq_feature list[] = {{DQ_FEATURE_SIN, 0, 0, 1},
                                      {DQ_FEATURE_COS, 0, 0, 1},
                                      {DQ_FEATURE_LOG, 3, 1, 2},
                                      {DQ_FEATURE_COPY, 4, 0, 3}};
    const dq_layer_spec layers[] = {{.kind = "features", .name = "a", .out = 4, .features = list},
                                    {.kind = "running_norm", .name = "b"},
                                    {.kind = "linear", .name = "c", .out = 12},
                                    {.kind = "leaky_relu", .name = "d", .slope = 0.3},
                                    {.kind = "linear", .name = "e", .out = 3}};
    test_gradients f = make(layers, 5, 4);
    double moments[1 + 2 * 4] = {0};
    assert_int_equal(dq_net_moments(f.net), 1 + 2 * 4);
    for (int i = -3; i <= 3; i++) {
        const float t = (float)i;
        dq_net_observe(f.net, f.params, f.workspace, moments, (const float[]){t, 2, 3, t + 3, -t});
    }
    check_gradients(&f);
    test_gradients_deinit(&f);
}

static void quantile_gradients(void **state) {
    (void)state;
    const dq_layer_spec layers[] = {
        {.kind = "linear", .name = "a", .out = 16},
        {.kind = "leaky_relu", .name = "b", .slope = 0.3},
        {.kind = "quantile", .name = "c", .out = 3 * 4, .samples = 4, .cosines = 6},
        {.kind = "dueling", .name = "d", .out = 2 * 4}};
    test_gradients f = make(layers, 4, 8);
    dq_rng rng;
    dq_rng_seed(&rng, 9);
    dq_net_resample(f.net, f.params, &rng);
    check_gradients(&f);
    test_gradients_deinit(&f);
}

// Fixed fractions run as a linear layer; the same numbers come from the formula, and one sample at a time.
static void quantiles_at_fixed_fractions_follow_the_formula(void **state) {
    (void)state;
    enum { SAMPLES = 20, COSINES = 5, ROWS = 2 };
    const dq_layer_spec layers[] = {
        {.kind = "quantile", .name = "c", .out = ROWS * SAMPLES, .samples = SAMPLES, .cosines = COSINES}};
    test_gradients f = make(layers, 1, 10);
    const float *w = f.params + dq_net_tensor(f.net, 0)->offset,
                *b = f.params + dq_net_tensor(f.net, 1)->offset;
    const float *v = f.params + dq_net_tensor(f.net, 2)->offset,
                *c = f.params + dq_net_tensor(f.net, 3)->offset;
    const float x[INPUTS] = {1, -2, 0.5F, 3, -1};
    float y[ROWS * SAMPLES], rows[INPUTS * BATCH], many[BATCH * ROWS * SAMPLES];
    for (int i = 0; i < INPUTS * BATCH; i++) rows[i] = x[i % INPUTS];
    dq_panels_pack(dq_workspace_input(f.workspace), rows, BATCH, INPUTS);
    dq_panels_unpack(many, dq_net_forward(f.net, f.params, f.workspace, BATCH, DQ_EVAL), BATCH,
                     ROWS * SAMPLES);
    dq_net_apply(f.net, f.params, f.workspace, x, y);
    for (int k = 0; k < ROWS; k++)
        for (int i = 0; i < SAMPLES; i++) {
            double tau = (i + 0.5) / SAMPLES, sum = (double)c[k];
            for (int j = 0; j < INPUTS; j++) {
                double phi = (double)b[j];
                for (int q = 0; q < COSINES; q++)
                    phi += (double)w[j * COSINES + q] * cos(3.14159265358979 * q * tau);
                sum += (double)v[k * INPUTS + j] * (double)x[j] * fmax(phi, 0);
            }
            assert_true(fabs((double)y[k * SAMPLES + i] - sum) < 1e-5);
            for (int s = 0; s < BATCH; s++)
                assert_true(fabs((double)many[(s * ROWS + k) * SAMPLES + i] - sum) < 1e-5);
        }
    test_gradients_deinit(&f);
}

// Adding the same number to all advantages changes nothing; adding it to the value moves every action.
static void dueling_ignores_the_mean_advantage(void **state) {
    (void)state;
    enum { ACTIONS = 4 };
    const dq_layer_spec layers[] = {{.kind = "linear", .name = "a", .out = ACTIONS + 1},
                                    {.kind = "dueling", .name = "d", .out = ACTIONS}};
    test_gradients f = make(layers, 2, 4);
    float x[INPUTS] = {1, -2, 3, -4, 5}, before[ACTIONS], after[ACTIONS];
    size_t bias = dq_net_tensor(f.net, 1)->offset;
    dq_net_apply(f.net, f.params, f.workspace, x, before);
    for (int a = 1; a <= ACTIONS; a++) f.params[bias + (size_t)a] += 10;
    dq_net_apply(f.net, f.params, f.workspace, x, after);
    for (int a = 0; a < ACTIONS; a++) assert_true(fabsf(before[a] - after[a]) < 1e-4F);
    f.params[bias] += 10;
    dq_net_apply(f.net, f.params, f.workspace, x, after);
    for (int a = 0; a < ACTIONS; a++) assert_true(fabsf(before[a] + 10 - after[a]) < 1e-4F);
    dq_error error;
    dq_net *refused;
    const dq_layer_spec wrong[] = {{.kind = "linear", .name = "a", .out = 7},
                                   {.kind = "dueling", .name = "d", .out = ACTIONS}};
    assert_int_equal(dq_net_create(&refused, INPUTS, wrong, 2, &error), DQ_USAGE);
    test_gradients_deinit(&f);
}

// DQ_EVAL and dq_net_apply never see noise; DQ_NOISY and DQ_TRAIN see the same; a fresh draw changes them.
static void noise_is_where_it_belongs(void **state) {
    (void)state;
    const dq_layer_spec layers[] = {{.kind = "noisy", .name = "a", .out = 8},
                                    {.kind = "noisy", .name = "b", .out = 2}};
    test_gradients f = make(layers, 2, 5);
    dq_rng rng;
    dq_rng_seed(&rng, 6);
    double quiet = test_gradients_objective(&f, DQ_EVAL);
    assert_true(test_gradients_objective(&f, DQ_NOISY) == quiet); // nothing drawn yet
    dq_net_resample(f.net, f.params, &rng);
    double first = test_gradients_objective(&f, DQ_NOISY);
    assert_true(test_gradients_objective(&f, DQ_EVAL) == quiet && first != quiet);
    assert_true(test_gradients_objective(&f, DQ_TRAIN) == first);
    dq_net_resample(f.net, f.params, &rng);
    assert_true(test_gradients_objective(&f, DQ_NOISY) != first);

    // E[noisy output] = quiet output for one layer: the mean over draws comes near
    const dq_layer_spec one[] = {{.kind = "noisy", .name = "a", .out = 1}};
    test_gradients g = make(one, 1, 7);
    enum { DRAWS = 20000 };
    double sum = 0, squares = 0;
    quiet = test_gradients_objective(&g, DQ_EVAL);
    for (int i = 0; i < DRAWS; i++) {
        dq_net_resample(g.net, g.params, &rng);
        double value = test_gradients_objective(&g, DQ_NOISY);
        sum += value - quiet;
        squares += (value - quiet) * (value - quiet);
    }
    assert_true(fabs(sum / DRAWS) < 5 * sqrt(squares / DRAWS / DRAWS));
    test_gradients_deinit(&g);
    test_gradients_deinit(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dueling_gradients),
        cmocka_unit_test(noisy_gradients),
        cmocka_unit_test(gradients_above_what_observes),
        cmocka_unit_test(quantile_gradients),
        cmocka_unit_test(quantiles_at_fixed_fractions_follow_the_formula),
        cmocka_unit_test(dueling_ignores_the_mean_advantage),
        cmocka_unit_test(noise_is_where_it_belongs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
