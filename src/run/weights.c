// Weights files: the parameter array of a plan, tensor by tensor, without the padding of its rows.
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
        const size_t columns = (size_t)t->columns;
        arrays[i] = (dq_stored_tensor){.name = t->name, .type = DQ_STORED_F32, .rank = t->rank, .data = at};
        arrays[i].shape[0] = t->rows;
        arrays[i].shape[t->rank - 1] = t->columns;
        for (int r = 0; r < t->rows; r++, at += columns)
            memcpy(at, params + t->offset + (size_t)r * t->stride, columns * sizeof(float));
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
        const size_t columns = (size_t)t->columns;
        const float *from;
        int64_t shape[2] = {t->rows, t->columns};
        dq_status status =
            dq_safetensors_floats(file, t->name, t->rank, t->rank == 2 ? shape : shape + 1, &from, error);
        if (status) return status;
        for (int r = 0; r < t->rows; r++, from += columns)
            memcpy(params + t->offset + (size_t)r * t->stride, from, columns * sizeof(float));
    }
    return DQ_OK;
}
