// .npz: whatever parses has arrays with the elements their shapes say, each found by its name.
#include "replay.h"

#include "io/npz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dq_npz file;
    dq_error error = {0};
    dq_status status = dq_npz_parse(&file, data, size, "input", &error);
    if (status != DQ_OK) {
        MUST_EXPLAIN(status, error);
        MUST(file.count == 0);
        return 0;
    }
    double sum = 0;
    for (int i = 0; i < file.count; i++) {
        MUST(dq_npz_find(&file, file.names[i]) == &file.arrays[i]);
        MUST(dq_array_count(&file.arrays[i]) == file.arrays[i].count);
        for (int64_t j = 0; j < file.arrays[i].count; j++) sum += dq_array_get(&file.arrays[i], j);
    }
    volatile double used = sum;
    (void)used;
    dq_npz_deinit(&file);
    return 0;
}
