// Somebody else's tensors into a policy's network: which belongs where, and what is left over.
#ifndef DQ_EXPORT_IMPORT_H
#define DQ_EXPORT_IMPORT_H

#include "export/tensors.h"

// What the tensors' shapes say of their network: widths of the hidden layers, and normalisation between them;
// and what the file says of its activation. The rest of the configuration stays as it is.
dq_status dq_import_describe(dq_run_config *config, const dq_tensors *tensors, const dq_foreign *foreign,
                             const char *where, dq_error *error);

// For each tensor of the network the index of the file's tensor that belongs there, or -1: by the network's
// own names, else by a Sequential's, else, where no name is known, layer by layer in the file's order.
// from: [dq_net_tensor_count].
dq_status dq_import_match(const dq_tensors *tensors, const dq_net *net, int *from, dq_error *error);

// Must a file bring this tensor? Not what the environment declares or what is drawn.
bool dq_import_needed(const dq_net *net, int index);

// Copies the tensors so matched into the parameters.
dq_status dq_import_fill(const dq_tensors *tensors, const int *from, const dq_net *net, float *params,
                         dq_error *error);

#endif
