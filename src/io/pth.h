// PyTorch's .pth and .pt files: the named tensors of a state_dict or of a whole module, as f32 arrays.
//
// The file is a zip of members that are not compressed: NAME/data.pkl, a pickle that says which tensors there
// are, and NAME/data/KEY, the bytes of their storages. Nothing in it is executed. Source: torch.serialization
// and torch._utils.
#ifndef DQ_IO_PTH_H
#define DQ_IO_PTH_H

#include "io/npy.h"

typedef struct dq_pth {
    char **names;     // [count]: "q_net.0.weight"; nested dictionaries and modules joined by points
    dq_array *arrays; // [count], DQ_ARRAY_F4, in the file's order
    int count;
} dq_pth;

// Reads every tensor of the file: floating point of 16, 32 and 64 bits, whole numbers, truth values. On
// failure *file is empty. Free with dq_pth_deinit.
dq_status dq_pth_read(dq_pth *file, const char *path, dq_error *error);
// The same from memory. `where` names it in errors.
dq_status dq_pth_parse(dq_pth *file, const void *bytes, size_t size, const char *where, dq_error *error);
void dq_pth_deinit(dq_pth *file); // a zeroed one is fine

// Writes a state_dict of float32 and int64 arrays, at least one, that torch.load(weights_only=True) opens;
// replaces `path` atomically.
dq_status dq_pth_write(const char *path, const char *const *names, const dq_array *arrays, int count,
                       dq_error *error);

// Does a file that begins with these bytes look like PyTorch's: a zip, or its format before version 1.6?
bool dq_pth_recognize(const void *bytes, size_t size);

#endif
