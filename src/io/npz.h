// NumPy's .npz files: named arrays, each a .npy file inside one zip.
#ifndef DQ_IO_NPZ_H
#define DQ_IO_NPZ_H

#include "io/npy.h"

typedef struct dq_npz {
    char **names;     // [count], without ".npy"
    dq_array *arrays; // [count], in the file's order
    int count;
} dq_npz;

// Reads every array of a file (stored or deflated, checksums verified). Free with dq_npz_deinit; on failure
// *file is empty.
dq_status dq_npz_read(dq_npz *file, const char *path, dq_error *error);
// The same from memory. `where` names it in errors.
dq_status dq_npz_parse(dq_npz *file, const void *bytes, size_t size, const char *where, dq_error *error);
void dq_npz_deinit(dq_npz *file); // a zeroed one is fine

// The array called `name`, or NULL.
const dq_array *dq_npz_find(const dq_npz *file, const char *name);

// Writes arrays (at least one) as numpy.savez does (uncompressed), replacing `path` atomically. The same
// arrays give the same bytes.
dq_status dq_npz_write(const char *path, const char *const *names, const dq_array *arrays, int count,
                       dq_error *error);

#endif
