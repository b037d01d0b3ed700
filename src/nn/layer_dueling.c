// Dueling: joins a value stream and an advantage stream. x: [P][N + A*N][16] -> y: [P][A*N][16].
//
// Features 0..N-1 are the state's value, N + a*N + i the advantage of action a (N = 1; N outputs per action
// for distributional heads, each joined by itself):
//   y(a, i) = v(i) + adv(a, i) - mean over a' of adv(a', i)       Wang et al. 2016, equation 9
// N is the difference between inputs and outputs. It has no parameters: the linear layer before has them.
#include "nn/layer.h"
#include "nn/program.h"

static dq_status plan_dueling(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    (void)plan;
    int out = layer->spec.out, values = layer->in - out;
    if (out < 1 || values < 1 || out % values != 0)
        return dq_fail(
            error, DQ_USAGE, layer->name,
            "a dueling layer of %d outputs per action and A actions has (A+1) times as many inputs, not %d "
            "inputs and %d outputs",
            values, layer->in, out);
    layer->out_shape = (dq_shape){1, 1, out};
    return DQ_OK;
}

// Joins `lanes` samples that lie side by side.
static void join(const dq_layer *layer, const float *x, float *y, int lanes) {
    const int n = layer->in - layer->out, actions = layer->out / n;
    const float share = 1.0F / (float)actions;
    for (int i = 0; i < n; i++) {
        float base[DQ_LANES] = {0};
        for (int a = 0; a < actions; a++)
            for (int l = 0; l < lanes; l++) base[l] += x[(n + a * n + i) * lanes + l];
        for (int l = 0; l < lanes; l++) base[l] = x[i * lanes + l] - base[l] * share;
        for (int a = 0; a < actions; a++)
            for (int l = 0; l < lanes; l++)
                y[(a * n + i) * lanes + l] = base[l] + x[(n + a * n + i) * lanes + l];
    }
}

static void forward_dueling(const dq_layer *layer, const dq_pass *pass) {
    for (int p = 0; p < pass->panels; p++)
        join(layer, pass->x + (size_t)p * layer->in_panel, pass->y + (size_t)p * layer->out_panel, DQ_LANES);
}

static void backward_dueling(const dq_layer *layer, const dq_pass *pass) {
    const int n = layer->in - layer->out, actions = layer->out / n;
    const float share = 1.0F / (float)actions;
    if (!pass->d_x) return;
    for (int p = 0; p < pass->panels; p++) {
        const float *d_y = pass->d_y + (size_t)p * layer->out_panel;
        float *d_x = pass->d_x + (size_t)p * layer->in_panel;
        for (int i = 0; i < n; i++) {
            float sum[DQ_LANES] = {0};
            for (int a = 0; a < actions; a++)
                for (int l = 0; l < DQ_LANES; l++) sum[l] += d_y[(a * n + i) * DQ_LANES + l];
            for (int l = 0; l < DQ_LANES; l++) d_x[i * DQ_LANES + l] = sum[l];
            for (int a = 0; a < actions; a++)
                for (int l = 0; l < DQ_LANES; l++)
                    d_x[(n + a * n + i) * DQ_LANES + l] = d_y[(a * n + i) * DQ_LANES + l] - sum[l] * share;
        }
    }
}

static void apply_dueling(const dq_layer *layer, const dq_pass *pass) {
    join(layer, pass->x, pass->y, 1);
}

static bool lower_dueling(const dq_layer *layer, const float *params, dq_program *program) {
    (void)params;
    dq_op *op = dq_program_add(program, DQ_OP_DUELING, layer->name, layer->out);
    if (!op) return false;
    op->values = layer->in - layer->out;
    return true;
}

extern const dq_layer_class dq_layer_dueling;
const dq_layer_class dq_layer_dueling = {
    .kind = "dueling",
    .plan = plan_dueling,
    .forward = forward_dueling,
    .backward = backward_dueling,
    .apply = apply_dueling,
    .lower = lower_dueling,
};
