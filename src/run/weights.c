// Weights files: the parameter array of a plan, tensor by tensor, in PyTorch's shapes and order.
#include "run/weights.h"

#include <stdlib.h>
#include <string.h>

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

dq_status dq_weights_fill(const dq_safetensors *file, const dq_net *net, float *params, dq_error *error) {
    for (int i = 0; i < dq_net_tensor_count(net); i++) {
        const dq_tensor *t = dq_net_tensor(net, i);
        const float *from;
        int64_t shape[4];
        for (int d = 0; d < t->rank; d++) shape[d] = t->shape[d];
        dq_status status = dq_safetensors_floats(file, t->name, t->rank, shape, &from, error);
        if (status) return status;
        dq_tensor_set(t, params, from);
    }
    return DQ_OK;
}
