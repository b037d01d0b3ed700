// Safetensors: named arrays in one file, as the Python package of that name reads and writes them.
//
// A file is a u64 (little-endian) header length, a JSON header {"name": {"dtype", "shape", "data_offsets"},
// ...,
// "__metadata__": {text: text}}, and the arrays' bytes, little-endian, row-major, without holes.
#ifndef DQ_BASE_SAFETENSORS_H
#define DQ_BASE_SAFETENSORS_H

#include <deepq/base.h>

#define DQ_STORED_RANK_MAX 8

typedef enum dq_stored_type {
    DQ_STORED_F32,
    DQ_STORED_F64,
    DQ_STORED_I32,
    DQ_STORED_I64,
    DQ_STORED_U8,
    DQ_STORED_OTHER, // another type of the format (F16, BF16, ...): its name and bytes are known, no more
} dq_stored_type;

typedef struct dq_stored_tensor {
    const char *name;
    dq_stored_type type;
    int rank;
    int64_t shape[DQ_STORED_RANK_MAX];
    const void *data; // 64-byte aligned when read from a file
    size_t size;      // bytes
} dq_stored_tensor;

typedef struct dq_text_pair {
    const char *key, *text; // UTF-8
} dq_text_pair;

typedef struct dq_safetensors {
    dq_stored_tensor *tensors; // in the order of their bytes in the file
    int count;
    dq_text_pair *metadata;
    int metadata_count;
    void *names, *bytes; // own all of the above
} dq_safetensors;

// Reads and checks the whole file; every name, shape and pointer lives until _deinit. On failure *file is
// empty.
dq_status dq_safetensors_read(dq_safetensors *file, const char *path, dq_error *error);
// The same from memory, which is copied. `where` names it in errors.
dq_status dq_safetensors_parse(dq_safetensors *file, const void *data, size_t size, const char *where,
                               dq_error *error);
void dq_safetensors_deinit(dq_safetensors *file); // a zeroed one is fine

// The tensor called `name`, or NULL.
const dq_stored_tensor *dq_safetensors_find(const dq_safetensors *file, const char *name);
// The text behind a metadata key, or NULL.
const char *dq_safetensors_metadata(const dq_safetensors *file, const char *key);

// The tensor `name` when it is F32 with exactly this shape; otherwise a sentence that says what it is
// instead.
dq_status dq_safetensors_floats(const dq_safetensors *file, const char *name, int rank, const int64_t *shape,
                                const float **data, dq_error *error);

// Writes tensors in the given order (a reader's order), replacing `path` atomically. `size` of every tensor
// must be what its shape and type say (0 stands for that). Names must be distinct and not "__metadata__".
dq_status dq_safetensors_write(const char *path, const dq_stored_tensor *tensors, int count,
                               const dq_text_pair *metadata, int metadata_count, dq_error *error);

// "F32", "U8", ...
const char *dq_stored_type_name(dq_stored_type type);
// Bytes of one element; 0 for DQ_STORED_OTHER.
size_t dq_stored_type_size(dq_stored_type type);

#endif
