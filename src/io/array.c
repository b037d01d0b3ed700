// Arrays in memory: element types, conversion, description.
#include "io/npy.h"

#include <stdio.h>
#include <stdlib.h>

size_t dq_array_element_size(dq_array_type type) {
    static const unsigned char sizes[] = {4, 8, 4, 8, 1, 4, 8, 1};
    return sizes[type];
}

int64_t dq_array_count(const dq_array *array) {
    int64_t count = 1;
    for (int i = 0; i < array->rank; i++)
        if (array->shape[i] == 0) return 0; // first, for the other dimensions may then be anything
    for (int i = 0; i < array->rank; i++) count *= array->shape[i];
    return count;
}

void dq_array_deinit(dq_array *array) {
    free(array->data);
    *array = (dq_array){0};
}

double dq_array_get(const dq_array *array, int64_t index) {
    const void *data = array->data;
    switch (array->type) {
    case DQ_ARRAY_F4:
        return (double)((const float *)data)[index];
    case DQ_ARRAY_F8:
        return ((const double *)data)[index];
    case DQ_ARRAY_I4:
        return ((const int32_t *)data)[index];
    case DQ_ARRAY_I8:
        return (double)((const int64_t *)data)[index];
    case DQ_ARRAY_U1:
        return ((const uint8_t *)data)[index];
    case DQ_ARRAY_U4:
        return ((const uint32_t *)data)[index];
    case DQ_ARRAY_U8:
        return (double)((const uint64_t *)data)[index];
    case DQ_ARRAY_BOOL:
        return ((const uint8_t *)data)[index] != 0;
    }
    return 0;
}

void dq_array_to_doubles(const dq_array *array, double *out) {
    for (int64_t i = 0; i < array->count; i++) out[i] = dq_array_get(array, i);
}

void dq_array_to_floats(const dq_array *array, float *out) {
    for (int64_t i = 0; i < array->count; i++) out[i] = (float)dq_array_get(array, i);
}

void dq_array_describe(const dq_array *array, char *text, size_t size) {
    static const char *const names[] = {"float32", "float64", "int32",  "int64",
                                        "uint8",   "uint32",  "uint64", "bool"};
    size_t used = (size_t)snprintf(text, size, "%s [", names[array->type]);
    for (int i = 0; i < array->rank && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%lld", i ? ", " : "", (long long)array->shape[i]);
    if (used < size) snprintf(text + used, size - used, "]");
}
