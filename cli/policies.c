// Policies from a run's folder, a weights file, or a PyTorch file whose layers are all fully connected.
#include "policies.h"

#include "io/pth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A tensor's name without ".weight" or ".bias", as a length; 0 where it ends in neither.
static size_t stem(const char *name, const char *ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && !strcmp(name + length - tail, ending) ? length - tail : 0;
}

static dq_status refuse(const dq_pth *file, int i, const char *where, dq_error *error) {
    char shape[96];
    dq_array_describe(&file->arrays[i], shape, sizeof shape);
    return dq_fail(
        error, DQ_UNSUPPORTED, where,
        "the tensor '%.100s' (%s) belongs to no fully connected layer; such layers have NAME.weight "
        "[out, in] and NAME.bias [out]",
        file->names[i], shape);
}

// The layers in the file's order, for networks are written as they are run. *count: how many.
static dq_status find_layers(const dq_pth *file, dq_dense_layer *layers, int *count, const char *where,
                             dq_error *error) {
    *count = 0;
    size_t open = 0; // length of the name of the layer that waits for its bias
    for (int i = 0; i < file->count; i++) {
        const char *name = file->names[i];
        const dq_array *a = &file->arrays[i];
        size_t weight = stem(name, ".weight"), bias = stem(name, ".bias");
        dq_dense_layer *last = *count ? &layers[*count - 1] : NULL;
        if (weight && a->rank == 2 && a->shape[0] <= 1 << 20 && a->shape[1] <= 1 << 20) {
            layers[(*count)++] = (dq_dense_layer){(int)a->shape[1], (int)a->shape[0], a->data, NULL};
            open = weight;
        } else if (last && bias && bias == open && a->rank == 1 && a->shape[0] == last->outputs &&
                   !strncmp(name, file->names[i - 1], bias)) {
            last->bias = a->data;
            open = 0;
        } else {
            return refuse(file, i, where, error);
        }
    }
    return DQ_OK;
}

static dq_status load_pth(dq_policy **policy, const char *path, dq_error *error) {
    dq_pth file;
    dq_status status = dq_pth_read(&file, path, error);
    if (status) return status;
    int count;
    dq_dense_layer *layers = calloc((size_t)file.count + 1, sizeof *layers);
    if (!layers) status = dq_fail(error, DQ_MEMORY, path, "out of memory");
    if (!status) status = find_layers(&file, layers, &count, path, error);
    if (!status) status = dq_policy_from_layers(policy, layers, count, path, error);
    free(layers);
    dq_pth_deinit(&file);
    return status;
}

dq_status cli_policy_load(dq_policy **policy, const char *path, dq_error *error) {
    *policy = NULL;
    unsigned char start[16];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(start, 1, sizeof start, file) : 0;
    if (file) fclose(file);
    return dq_pth_recognize(start, size) ? load_pth(policy, path, error)
                                         : dq_policy_load(policy, path, error);
}

// --- environments ------------------------------------------------------------------------------------------

dq_status cli_env_words(dq_run_config *config, const char *const *words, int word_count, dq_error *error) {
    for (int i = 0; i < word_count; i++) {
        if (strncmp(words[i], "env.", 4) != 0 && strncmp(words[i], "step_limit=", 11) != 0)
            return dq_fail(error, DQ_USAGE, words[i],
                           "playing an agent takes env.NAME=value and step_limit=N alone");
        const dq_status status = dq_run_config_assign(config, words[i], "command line", error);
        if (status) return status;
    }
    return DQ_OK;
}

dq_status cli_policy_env(dq_run_config *config, const dq_policy *policy, const char *path, const char *env,
                         const char *const *words, int word_count, dq_error *error) {
    *config = *dq_policy_config(policy);
    if (!env && !config->env[0])
        return dq_fail(error, DQ_USAGE, "--env",
                       "these weights do not say which environment they play; "
                       "name it, such as --env LunarLander-v3");
    if (env && strcmp(env, config->env) != 0) {
        char agent[sizeof config->agent];
        memcpy(agent, config->agent, sizeof agent);
        const dq_status status = dq_run_config_init(config, env, NULL, error);
        if (status) return status;
        memcpy(config->agent, agent, sizeof agent);
    }
    const dq_status status = cli_env_words(config, words, word_count, error);
    if (status) return status;
    const dq_env_class *env_class = dq_env_find(config->env, error);
    if (!env_class) return error->code;
    const dq_space shown = dq_env_observation(env_class, config->env_options);
    if (dq_space_same(&shown, dq_policy_observation(policy)) &&
        env_class->actions == dq_policy_actions(policy))
        return DQ_OK;
    char wanted[48], there[48];
    return dq_fail(error, DQ_USAGE, path,
                   "these weights look at %s and choose among %d actions, but %s shows %s and has %d",
                   dq_space_describe(dq_policy_observation(policy), wanted), dq_policy_actions(policy),
                   env_class->id, dq_space_describe(&shown, there), env_class->actions);
}
