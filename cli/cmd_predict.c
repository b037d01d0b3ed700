// deepq predict: the Q values of a batch of observations, from .npy to .npy.
#include "cli.h"
#include "io/npy.h"
#include "policies.h"

#include <deepq/run.h>
#include <stdlib.h>

typedef struct arguments {
    const char *weights, *input, *output;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'i':
        a->input = text;
        break;
    case 'o':
        a->output = text;
        break;
    case ARGP_KEY_ARG:
        if (a->weights) argp_error(state, "'%s' is one word too many", text);
        a->weights = text;
        break;
    case ARGP_KEY_END:
        if (!a->weights) argp_error(state, "which agent? Give a weights file or a run's folder");
        if (!a->input) argp_error(state, "which observations? Give --input FILE.npy");
        if (!a->output) argp_error(state, "where to? Give --output FILE.npy");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// observations: [B,D] of f32 or f64, or [D]; out: [B,A] f32, or [A].
static dq_status predict(dq_policy *policy, const dq_array *observations, const char *where, dq_array *out,
                         dq_error *error) {
    int width = dq_policy_observation_size(policy), actions = dq_policy_actions(policy);
    int rank = observations->rank;
    char shape[96];
    dq_array_describe(observations, shape, sizeof shape);
    bool real = observations->type == DQ_ARRAY_F4 || observations->type == DQ_ARRAY_F8;
    if (!real || rank < 1 || rank > 2 || observations->shape[rank - 1] != width)
        return dq_fail(error, DQ_USAGE, where, "the array is %s; observations are float32 or float64 [B, %d]",
                       shape, width);
    int64_t batch = rank == 2 ? observations->shape[0] : 1;
    *out = (dq_array){.type = DQ_ARRAY_F4, .rank = rank, .shape = {batch, actions}};
    if (rank == 1) out->shape[0] = actions;
    float *rows = calloc((size_t)observations->count + 1, sizeof *rows);
    out->data = calloc((size_t)(batch * actions) + 1, sizeof(float));
    if (!rows || !out->data) {
        free(rows);
        return dq_fail(error, DQ_MEMORY, where, "out of memory for %lld observations", (long long)batch);
    }
    dq_array_to_floats(observations, rows);
    for (int64_t b = 0; b < batch; b++)
        dq_policy_q(policy, rows + b * width, (float *)out->data + b * actions);
    free(rows);
    return DQ_OK;
}

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"input", 'i', "FILE", 0, "Observations: a .npy of [B, D] float32 or float64", 0},
        {"output", 'o', "FILE", 0, "Q values: a .npy of [B, A] float32", 0},
        {0},
    };
    static const struct argp argp = {options,
                                     parse,
                                     "WEIGHTS|RUN|FILE.pth",
                                     "Computes the Q values of observations, one row a sample.",
                                     NULL,
                                     NULL,
                                     NULL};
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    dq_error error = {0};
    dq_policy *policy = NULL;
    dq_array observations = {0}, q = {0};
    dq_status status = cli_policy_load(&policy, a.weights, &error);
    if (!status) status = dq_npy_read(&observations, a.input, &error);
    if (!status) status = predict(policy, &observations, a.input, &q, &error);
    if (!status) status = dq_npy_write(a.output, &q, &error);
    dq_array_deinit(&observations);
    dq_array_deinit(&q);
    dq_policy_destroy(policy);
    return status ? cli_fail(&error) : 0;
}

const cli_verb cli_verb_predict = {"predict", 31, "WEIGHTS --input obs.npy -o q.npy",
                                   "computes the Q values of observations", run};
