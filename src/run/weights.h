// Weights files: safetensors, with the run's configuration as text inside.
#ifndef RUN_WEIGHTS_H
#define RUN_WEIGHTS_H

#include <deepq/net.h>

// Writes every tensor of the plan as F32, and __metadata__ {"format":"deepq","config":config}. The file is
// replaced atomically.
dq_status dq_weights_write(const char *path, const dq_net *net, const float *params, const char *config,
                           dq_error *error);

// A weights file in memory.
typedef struct dq_weights_tensor {
    char name[64];
    int rank;
    int64_t shape[2];
    const float *data; // inside `bytes`
} dq_weights_tensor;

typedef struct dq_weights {
    unsigned char *bytes;
    char *config; // the text of __metadata__.config, or NULL
    dq_weights_tensor *tensors;
    int count;
} dq_weights;

// Reads a file of F32 tensors of rank 1 or 2; every size is checked against the file.
dq_status dq_weights_read(dq_weights *weights, const char *path, dq_error *error);
void dq_weights_free(dq_weights *weights);

// Copies the file's tensors into params [dq_net_size]; each tensor of the plan must be there in its shape.
dq_status dq_weights_fill(const dq_weights *weights, const dq_net *net, float *params, const char *path,
                          dq_error *error);

#endif
