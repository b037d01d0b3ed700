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

static dq_status wrong_array(const dq_array *array, const dq_space *input, const char *where,
                             dq_error *error) {
    char shape[96];
    dq_array_describe(array, shape, sizeof shape);
    if (input->element == DQ_F32)
        return dq_fail(error, DQ_USAGE, where, "the array is %s; observations are float32 or float64 [B, %d]",
                       shape, input->size);
    return dq_fail(error, DQ_USAGE, where, "the array is %s; observations are uint8 [B, %d, %d, %d]", shape,
                   input->shape[0], input->shape[1], input->shape[2]);
}

// observations: [B,D] of f32 or f64, or [D]; of images [B,H,W,C] of u8, or [H,W,C]; out: [B,A] f32, or [A].
static dq_status predict(dq_policy *policy, const dq_array *observations, const char *where, dq_array *out,
                         dq_error *error) {
    const dq_space *input = dq_policy_input(policy);
    const int actions = dq_policy_actions(policy), rank = observations->rank;
    const bool image = input->element == DQ_U8, one = rank == input->rank;
    bool fits = image ? observations->type == DQ_ARRAY_U1
                      : observations->type == DQ_ARRAY_F4 || observations->type == DQ_ARRAY_F8;
    fits &= one || rank == input->rank + 1;
    for (int i = 1; fits && i <= input->rank; i++)
        fits = observations->shape[rank - i] == input->shape[input->rank - i];
    if (!fits) return wrong_array(observations, input, where, error);
    int64_t batch = one ? 1 : observations->shape[0];
    *out = (dq_array){.type = DQ_ARRAY_F4, .rank = one ? 1 : 2, .shape = {batch, actions}};
    if (one) out->shape[0] = actions;
    float *rows = image ? NULL : calloc((size_t)observations->count + 1, sizeof *rows);
    out->data = calloc((size_t)(batch * actions) + 1, sizeof(float));
    if ((!image && !rows) || !out->data) {
        free(rows);
        return dq_fail(error, DQ_MEMORY, where, "out of memory for %lld observations", (long long)batch);
    }
    if (!image) dq_array_to_floats(observations, rows);
    const unsigned char *from = image ? observations->data : (void *)rows;
    for (int64_t b = 0; b < batch; b++)
        dq_policy_q(policy, from + (size_t)b * dq_space_bytes(input), (float *)out->data + b * actions);
    free(rows);
    return DQ_OK;
}

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"input", 'i', "FILE", 0,
         "Observations: a .npy of [B, D] float32 or float64, or of images [B, H, W, C] uint8", 0},
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
