// deepq import: weights from PyTorch, Stable-Baselines3, safetensors or NumPy as a weights file of deepq.
#include "cli.h"
#include "export/import.h"
#include "run/config.h"

#include <stdlib.h>
#include <string.h>

enum { words_max = 64 };

typedef struct arguments {
    const char *file, *out, *env, *agent, *map;
    const char *words[words_max];
    int word_count;
    bool partial;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'o':
        a->out = text;
        break;
    case 'e':
        a->env = text;
        break;
    case 'a':
        a->agent = text;
        break;
    case 'm':
        a->map = text;
        break;
    case 'p':
        a->partial = true;
        break;
    case ARGP_KEY_ARG:
        if (strchr(text, '=')) {
            if (a->word_count == words_max) argp_error(state, "more than %d options", words_max);
            a->words[a->word_count++] = text;
        } else if (a->file) {
            argp_error(state, "'%s' is one word too many", text);
        } else {
            a->file = text;
        }
        break;
    case ARGP_KEY_END:
        if (!a->file) argp_error(state, "which file? Give a .pth, .zip, .safetensors or .npz");
        if (!a->out) argp_error(state, "where to? Give -o FILE.safetensors");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// The network: as the file's own configuration, an agent or the tensors' shapes say, changed by the words.
static dq_status configure(const arguments *a, const dq_tensors *tensors, const dq_foreign *foreign,
                           dq_run_config *config, dq_error *error) {
    dq_status status;
    if (foreign->config && !a->env) {
        status = dq_run_config_parse(config, foreign->config, a->file, error);
    } else if (!a->env) {
        return dq_fail(error, DQ_USAGE, "--env",
                       "the file does not say which environment its network plays; name it, such as --env "
                       "CartPole-v1");
    } else if (a->agent) {
        status = dq_run_config_init(config, a->env, a->agent, error);
    } else {
        char text[128];
        snprintf(text, sizeof text, "env: %.100s\n", a->env);
        status = dq_run_config_parse(config, text, "--env", error);
        strcpy(config->agent, "imported");
    }
    if (!status && !foreign->config) status = dq_import_describe(config, tensors, foreign, a->file, error);
    for (int i = 0; !status && i < a->word_count; i++)
        status = dq_run_config_assign(config, a->words[i], "command line", error);
    return status;
}

// One line a tensor of the network, then those of the file that nobody took. *missing: of the network's.
static dq_status report(const dq_tensors *tensors, const dq_net *net, const int *from, int *missing,
                        dq_error *error) {
    bool *taken = calloc((size_t)tensors->count + 1, sizeof *taken);
    if (!taken) return dq_fail(error, DQ_MEMORY, "import", "out of memory");
    *missing = 0;
    for (int i = 0; i < dq_net_tensor_count(net); i++) {
        const char *name = dq_net_tensor(net, i)->name;
        char shape[96];
        if (from[i] >= 0) {
            dq_array_describe(&tensors->arrays[from[i]], shape, sizeof shape);
            printf("%-28s %-20s from %s\n", name, shape, tensors->names[from[i]]);
            taken[from[i]] = true;
        } else if (dq_import_needed(net, i)) {
            printf("%-28s %-20s MISSING in the file\n", name, "");
            ++*missing;
        }
    }
    for (int i = 0; i < tensors->count; i++) {
        char shape[96];
        if (taken[i]) continue;
        dq_array_describe(&tensors->arrays[i], shape, sizeof shape);
        printf("%-28s %-20s LEFT OUT: %s\n", "", shape, tensors->names[i]);
    }
    free(taken);
    return DQ_OK;
}

static dq_status import(const arguments *a, const dq_tensors *tensors, dq_policy *policy, dq_error *error) {
    const dq_net *net = dq_policy_net(policy);
    int *from = calloc((size_t)dq_net_tensor_count(net) + 1, sizeof *from), missing = 0;
    dq_status status = from ? DQ_OK : dq_fail(error, DQ_MEMORY, a->file, "out of memory");
    if (!status) status = dq_import_match(tensors, net, from, error);
    if (!status) status = report(tensors, net, from, &missing, error);
    if (!status && missing > 0 && !a->partial)
        status =
            dq_fail(error, DQ_FORMAT, a->file,
                    "%d of the network's tensors are not in the file, and nothing was written; say with "
                    "--map what belongs where, describe the network with options such as dueling=true, or "
                    "let --partial start them at random",
                    missing);
    if (!status) status = dq_import_fill(tensors, from, net, dq_policy_params(policy), error);
    if (!status) status = dq_policy_save(policy, a->out, error);
    free(from);
    return status;
}

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"output", 'o', "FILE", 0, "Where to: a weights file, FILE.safetensors", 0},
        {"env", 'e', "ENV", 0, "The environment that the network plays", 0},
        {"agent", 'a', "NAME", 0, "The named agent that the network is of; default: as the shapes say", 0},
        {"map", 'm', "FROM=TO,...", 0,
         "What belongs where: 'fc1=hidden1,head=output'; one '*' stands for any letters", 0},
        {"partial", 'p', NULL, 0, "Start tensors that the file lacks at random, instead of failing", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "FILE.pth|.zip|.safetensors|.npz [key=value...]",
        "Reads the weights of PyTorch (state_dict or module), of "
        "Stable-Baselines3's DQN, of safetensors or NumPy files, and writes a "
        "weights file for eval, watch, train init=FILE and the others. Nothing in "
        "the file is executed.",
        NULL,
        NULL,
        NULL};
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    dq_error error = {0};
    dq_tensors tensors = {0};
    dq_foreign foreign = {0};
    dq_run_config config;
    dq_policy *policy = NULL;
    dq_status status = dq_tensors_read(&tensors, &foreign, a.file, &error);
    if (!status && a.map) status = dq_tensors_rename(&tensors, a.map, &error);
    if (!status) status = configure(&a, &tensors, &foreign, &config, &error);
    if (!status) status = dq_policy_create(&policy, &config, &error);
    if (!status) status = import(&a, &tensors, policy, &error);
    if (!status) printf("%s: %s, from %s\n", a.out, config.env, foreign.format);
    dq_policy_destroy(policy);
    dq_tensors_deinit(&tensors);
    dq_foreign_deinit(&foreign);
    return status ? cli_fail(&error) : 0;
}

const cli_verb cli_verb_import = {"import", 51, "FILE --env ENV -o FILE.safetensors [--map FROM=TO,...]",
                                  "takes over weights of PyTorch, SB3, safetensors, NumPy", run};
