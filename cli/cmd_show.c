// deepq show: a network as a table, one JSON document or a drawing.
#include "base/pattern.h"
#include "cli.h"
#include "network_draw.h"
#include "nn/net.h"
#include "policies.h"
#include "run/policy.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *who, *out, *freeze;
    bool json;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'j':
        a->json = true;
        break;
    case 'o':
        a->out = text;
        break;
    case 'f':
        a->freeze = text;
        break;
    case ARGP_KEY_ARG:
        if (a->who) argp_error(state, "'%s' is one word too many", text);
        a->who = text;
        break;
    case ARGP_KEY_END:
        if (!a->who) argp_error(state, "which network? Give a run's folder or a weights file");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// --- what there is to say ----------------------------------------------------------------------------------

typedef struct statistics {
    double mean, deviation, least, most;
} statistics;

static statistics measure(const float *values, size_t count) {
    statistics s = {.least = INFINITY, .most = -INFINITY};
    double square = 0;
    for (size_t i = 0; i < count; i++) {
        const double v = (double)values[i];
        s.mean += v / (double)count;
        s.least = fmin(s.least, v);
        s.most = fmax(s.most, v);
    }
    for (size_t i = 0; i < count; i++) square += ((double)values[i] - s.mean) * ((double)values[i] - s.mean);
    s.deviation = sqrt(square / (double)count);
    return s;
}

static size_t elements(const dq_tensor *t) {
    return (size_t)t->rows * (size_t)t->columns;
}

// "trained", "frozen", or what an untrainable tensor is.
static const char *state_of(const dq_tensor *t) {
    if (t->frozen) return "frozen";
    if (t->trainable) return "trained";
    return dq_patterns_fit("*.noise_in, *.noise_out, *.seed", t->name) ? "drawn" : "statistics";
}

static char *shape_text(const dq_tensor *t, char text[64]) {
    size_t used = (size_t)snprintf(text, 64, "[");
    for (int d = 0; d < t->rank; d++)
        used += (size_t)snprintf(text + used, 64 - used, "%s%d", d ? ", " : "", t->shape[d]);
    snprintf(text + used, 64 - used, "]");
    return text;
}

// --- the table ---------------------------------------------------------------------------------------------

static void print_tensor(const dq_tensor *t, const statistics *s) {
    char shape[64], count[32];
    cli_count(count, sizeof count, (int64_t)elements(t));
    printf("  %-28s %-18s %11s  %-10s %10.3g %10.3g %10.3g %10.3g\n", t->name, shape_text(t, shape), count,
           state_of(t), s->mean, s->deviation, s->least, s->most);
}

static void print_table(const dq_policy *policy, const dq_net *net, float *values) {
    const dq_run_config *config = dq_policy_config(policy);
    const float *params = dq_policy_params((dq_policy *)policy);
    int64_t trained = 0, frozen = 0;
    char text[64];
    printf("%s, agent %s: %d observations, %d actions\n\n", config->env[0] ? config->env : "no environment",
           config->agent, dq_policy_input(policy)->size, dq_policy_actions(policy));
    printf("  %-28s %-18s %11s  %-10s %10s %10s %10s %10s\n", "tensor", "shape", "parameters", "", "mean",
           "deviation", "least", "largest");
    for (int i = 0; i < net->layer_count; i++) {
        const dq_layer *layer = &net->layers[i];
        network_describe(layer, text, sizeof text);
        printf("%s: %s\n", layer->name, text);
        for (int k = 0; k < layer->tensor_count; k++) {
            const dq_tensor *t = &net->tensors[layer->tensor[k]];
            dq_tensor_get(t, params, values);
            const statistics s = measure(values, elements(t));
            print_tensor(t, &s);
            if (t->trainable) *(t->frozen ? &frozen : &trained) += (int64_t)elements(t);
        }
    }
    printf("\n%s parameters trained", cli_count(text, sizeof text, trained));
    if (frozen) printf(", %s frozen", cli_count(text, sizeof text, frozen));
    putchar('\n');
}

// --- JSON --------------------------------------------------------------------------------------------------

static json_object *tensor_json(const dq_tensor *t, const statistics *s) {
    json_object *o = json_object_new_object(), *shape = json_object_new_array();
    json_object_object_add(o, "name", json_object_new_string(t->name));
    for (int d = 0; d < t->rank; d++) json_object_array_add(shape, json_object_new_int(t->shape[d]));
    json_object_object_add(o, "shape", shape);
    json_object_object_add(o, "parameters", json_object_new_int64((int64_t)elements(t)));
    json_object_object_add(o, "state", json_object_new_string(state_of(t)));
    json_object_object_add(o, "mean", cli_json_number(s->mean));
    json_object_object_add(o, "deviation", cli_json_number(s->deviation));
    json_object_object_add(o, "least", cli_json_number(s->least));
    json_object_object_add(o, "largest", cli_json_number(s->most));
    return o;
}

static int print_json(const arguments *a, const dq_policy *policy, const dq_net *net, float *values) {
    const dq_run_config *config = dq_policy_config(policy);
    json_object *o = json_object_new_object(), *layers = json_object_new_array();
    json_object_object_add(o, "path", json_object_new_string(a->who));
    json_object_object_add(o, "env", json_object_new_string(config->env));
    json_object_object_add(o, "agent", json_object_new_string(config->agent));
    json_object_object_add(o, "observations", json_object_new_int(dq_policy_input(policy)->size));
    json_object_object_add(o, "actions", json_object_new_int(dq_policy_actions(policy)));
    for (int i = 0; i < net->layer_count; i++) {
        const dq_layer *layer = &net->layers[i];
        json_object *l = json_object_new_object(), *tensors = json_object_new_array();
        char text[64];
        json_object_object_add(l, "name", json_object_new_string(layer->name));
        json_object_object_add(l, "kind", json_object_new_string(layer->class->kind));
        json_object_object_add(l, "about",
                               json_object_new_string(network_describe(layer, text, sizeof text)));
        json_object_object_add(l, "inputs", json_object_new_int(layer->in));
        json_object_object_add(l, "outputs", json_object_new_int(layer->out));
        for (int k = 0; k < layer->tensor_count; k++) {
            const dq_tensor *t = &net->tensors[layer->tensor[k]];
            dq_tensor_get(t, dq_policy_params((dq_policy *)policy), values);
            const statistics s = measure(values, elements(t));
            json_object_array_add(tensors, tensor_json(t, &s));
        }
        json_object_object_add(l, "tensors", tensors);
        json_object_array_add(layers, l);
    }
    json_object_object_add(o, "layers", layers);
    return cli_json_print(o);
}

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"json", 'j', NULL, 0, "One JSON document on standard output", 0},
        {"output", 'o', "FILE.svg", 0, "A drawing of the network", 0},
        {"freeze", 'f', "PATTERN", 0, "Show as frozen what freeze=PATTERN would; default: the run's own", 0},
        {0},
    };
    static const struct argp argp = {options,
                                     parse,
                                     "RUN|WEIGHTS|FILE.pth",
                                     "Shows a network: its layers and tensors with their names, shapes, "
                                     "numbers of parameters, whether they "
                                     "are frozen, and statistics of their weights.",
                                     NULL,
                                     NULL,
                                     NULL};
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    dq_error error = {0};
    dq_policy *policy = NULL;
    float *values = NULL;
    dq_status status = cli_policy_load(&policy, a.who, &error);
    if (!status) {
        dq_net *net = (dq_net *)dq_policy_net(policy); // ours alone
        status = dq_net_freeze(net, a.freeze ? a.freeze : dq_policy_config(policy)->learner.freeze, &error);
        values = malloc((dq_net_size(net) + 1) * sizeof *values);
        if (!status && !values) status = dq_fail(&error, DQ_MEMORY, a.who, "out of memory");
        if (!status && a.json)
            failed = print_json(&a, policy, net, values);
        else if (!status)
            print_table(policy, net, values);
        if (!status && a.out) status = network_draw(a.out, policy, &error);
    }
    free(values);
    dq_policy_destroy(policy);
    return status ? cli_fail(&error) : failed;
}

const cli_verb cli_verb_show = {"show", 49, "RUN|WEIGHTS [--json] [-o net.svg]",
                                "shows a network's layers, shapes and weights", run};
