// Weights files: safetensors, with the run's configuration as text inside.
#ifndef RUN_WEIGHTS_H
#define RUN_WEIGHTS_H

#include "base/safetensors.h"
#include <deepq/net.h>

// Writes every tensor of the plan as F32, and __metadata__ {"format":"deepq","config":config}. The file is
// replaced atomically.
dq_status dq_weights_write(const char *path, const dq_net *net, const float *params, const char *config,
                           dq_error *error);

// Copies a file's tensors into params [dq_net_size]; each tensor of the plan must be there in its shape.
dq_status dq_weights_fill(const dq_safetensors *file, const dq_net *net, float *params, dq_error *error);

// Starts a network from a weights file or a run's folder: every tensor but those that fit the patterns
// `reinit`, which keep their random start, and drawn noise. One that is not there in its shape fails with a
// sentence.
dq_status dq_weights_start(const char *path, const char *reinit, const dq_net *net, float *params,
                           dq_error *error);

#endif
