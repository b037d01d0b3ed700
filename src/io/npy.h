// NumPy's .npy files: one array of numbers, row-major, little-endian.
//
// Source: numpy.lib.format, versions 1.0 to 3.0: "\x93NUMPY", version, header length (u16, from 2.0 on u32),
// a Python dict {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } padded with spaces, the elements.
#ifndef DQ_IO_NPY_H
#define DQ_IO_NPY_H

#include <deepq/base.h>

#define DQ_ARRAY_RANK_MAX 8

typedef enum dq_array_type {
    DQ_ARRAY_F4, // float
    DQ_ARRAY_F8, // double
    DQ_ARRAY_I4, // int32_t
    DQ_ARRAY_I8, // int64_t
    DQ_ARRAY_U1, // uint8_t
    DQ_ARRAY_U4, // uint32_t
    DQ_ARRAY_U8, // uint64_t, eight bytes
    DQ_ARRAY_BOOL,
} dq_array_type;

typedef struct dq_array {
    dq_array_type type;
    int rank; // 0: one number
    int64_t shape[DQ_ARRAY_RANK_MAX];
    int64_t count; // elements: the product of shape
    void *data;    // [count], heap, never NULL once read
} dq_array;

// Reads a file. Sizes are checked against it before anything is allocated; a Fortran-order, big-endian or
// structured array is refused with a sentence. Free with dq_array_deinit; on failure *array is empty.
dq_status dq_npy_read(dq_array *array, const char *path, dq_error *error);
// The same from memory, which is copied. `where` names it in errors.
dq_status dq_npy_parse(dq_array *array, const void *bytes, size_t size, const char *where, dq_error *error);
void dq_array_deinit(dq_array *array); // an empty one is fine

// Writes a file as numpy.save does, replacing it atomically. `count` need not be set: the shape says it.
dq_status dq_npy_write(const char *path, const dq_array *array, dq_error *error);
// The header that numpy.save puts before the elements, for the array's type and shape. Returns its length.
#define DQ_NPY_HEADER_MAX 256
size_t dq_npy_header(const dq_array *array, char header[DQ_NPY_HEADER_MAX]);

// Elements of any type as doubles or floats: out [count].
double dq_array_get(const dq_array *array, int64_t index);
void dq_array_to_doubles(const dq_array *array, double *out);
void dq_array_to_floats(const dq_array *array, float *out);

size_t dq_array_element_size(dq_array_type type);
int64_t dq_array_count(const dq_array *array); // the product of the shape
// "float32 [3, 4]", for sentences.
void dq_array_describe(const dq_array *array, char *text, size_t size);

#endif
