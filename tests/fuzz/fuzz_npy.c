// .npy: whatever parses has as many elements as its shape says, and its own header parses to the same array.
#include "replay.h"

#include "io/npy.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dq_array array, again;
    dq_error error = {0};
    dq_status status = dq_npy_parse(&array, data, size, "input", &error);
    if (status != DQ_OK) {
        MUST_EXPLAIN(status, error);
        MUST(!array.data);
        return 0;
    }
    MUST(dq_array_count(&array) == array.count);
    double sum = 0;
    for (int64_t i = 0; i < array.count; i++) sum += dq_array_get(&array, i);
    volatile double used = sum;
    (void)used;

    size_t bytes = (size_t)array.count * dq_array_element_size(array.type);
    char *file = malloc(DQ_NPY_HEADER_MAX + bytes);
    size_t length = dq_npy_header(&array, file);
    memcpy(file + length, array.data, bytes);
    MUST(dq_npy_parse(&again, file, length + bytes, "again", &error) == DQ_OK);
    MUST(again.type == array.type && again.rank == array.rank && again.count == array.count);
    MUST(!memcmp(again.data, array.data, bytes));
    dq_array_deinit(&again);
    dq_array_deinit(&array);
    free(file);
    return 0;
}
