// Weights files: the parameter array of a plan, tensor by tensor, in PyTorch's shapes and order.
#include "run/weights.h"

#include "base/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

dq_status dq_weights_write(const char *path, const dq_net *net, const float *params, const char *config,
                           dq_error *error) {
    const int count = dq_net_tensor_count(net);
    dq_stored_tensor *arrays = calloc((size_t)count, sizeof *arrays);
    float *packed = malloc(dq_net_size(net) * sizeof(float)), *at = packed;
    dq_status status = DQ_OK;
    if (!arrays || !packed) {
        status = dq_fail(error, DQ_MEMORY, path, "there is no memory to write the weights");
        goto done;
    }
    for (int i = 0; i < count; i++) {
        const dq_tensor *t = dq_net_tensor(net, i);
        arrays[i] = (dq_stored_tensor){.name = t->name, .type = DQ_STORED_F32, .rank = t->rank, .data = at};
        for (int d = 0; d < t->rank; d++) arrays[i].shape[d] = t->shape[d];
        dq_tensor_get(t, params, at);
        at += (size_t)t->rows * (size_t)t->columns;
    }
    const dq_text_pair metadata[] = {{"format", "deepq"}, {"config", config}};
    status = dq_safetensors_write(path, arrays, count, metadata, 2, error);
done:
    free(arrays);
    free(packed);
    return status;
}

static dq_status fill_tensor(const dq_safetensors *file, const dq_tensor *t, float *params, dq_error *error) {
    const float *from;
    int64_t shape[4];
    for (int d = 0; d < t->rank; d++) shape[d] = t->shape[d];
    const dq_status status = dq_safetensors_floats(file, t->name, t->rank, shape, &from, error);
    if (!status) dq_tensor_set(t, params, from);
    return status;
}

dq_status dq_weights_fill(const dq_safetensors *file, const dq_net *net, float *params, dq_error *error) {
    dq_status status = DQ_OK;
    for (int i = 0; i < dq_net_tensor_count(net) && !status; i++)
        status = fill_tensor(file, dq_net_tensor(net, i), params, error);
    return status;
}

static dq_status check_reinit(const char *patterns, const dq_net *net, dq_error *error) {
    size_t length, rest, rest_length;
    for (const char *pattern; (pattern = dq_patterns_next(&patterns, &length));) {
        bool fits = false;
        for (int i = 0; i < dq_net_tensor_count(net) && !fits; i++)
            fits = dq_pattern_fits(pattern, length, dq_net_tensor(net, i)->name, &rest, &rest_length);
        if (!fits)
            return dq_fail(error, DQ_NOT_FOUND, "reinit", "no tensor of the network is called '%.*s'",
                           (int)length, pattern);
    }
    return DQ_OK;
}

dq_status dq_weights_start(const char *path, const char *reinit, const dq_net *net, float *params,
                           dq_error *error) {
    struct stat about;
    char file[4096];
    const bool folder = !stat(path, &about) && S_ISDIR(about.st_mode);
    if (snprintf(file, sizeof file, "%s%s", path, folder ? "/weights.safetensors" : "") >= (int)sizeof file)
        return dq_fail(error, DQ_USAGE, "init", "the path is too long");
    dq_safetensors weights;
    dq_status status = dq_safetensors_read(&weights, file, error);
    if (status) return status;
    status = check_reinit(reinit, net, error);
    for (int i = 0; i < dq_net_tensor_count(net) && !status; i++) {
        const dq_tensor *t = dq_net_tensor(net, i);
        if (dq_patterns_fit(reinit, t->name)) continue;
        dq_error reason = {0};
        status = fill_tensor(&weights, t, params, &reason);
        if (status)
            status = dq_fail(error, status, file, "%.250s; reinit=%.60s would start it at random",
                             reason.message, t->name);
    }
    dq_safetensors_deinit(&weights);
    return status;
}
