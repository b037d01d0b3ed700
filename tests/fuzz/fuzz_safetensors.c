// Safetensors: whatever parses has tensors with distinct names whose bytes add up to the file's.
#include "replay.h"

#include "base/safetensors.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dq_safetensors file;
    dq_error error = {0};
    dq_status status = dq_safetensors_parse(&file, data, size, "input", &error);
    if (status != DQ_OK) {
        MUST_EXPLAIN(status, error);
        MUST(file.count == 0 && !file.tensors);
        return 0;
    }
    size_t total = 0;
    unsigned sum = 0;
    for (int i = 0; i < file.count; i++) {
        const dq_stored_tensor *tensor = &file.tensors[i];
        MUST(dq_safetensors_find(&file, tensor->name) == tensor);
        MUST((uintptr_t)tensor->data % 64 == 0);
        size_t bytes = dq_stored_type_size(tensor->type);
        for (int j = 0; j < tensor->rank; j++) bytes *= (size_t)tensor->shape[j];
        MUST(tensor->type == DQ_STORED_OTHER || bytes == tensor->size);
        for (size_t j = 0; j < tensor->size; j++) sum += ((const unsigned char *)tensor->data)[j];
        total += tensor->size;
    }
    MUST(total <= size);
    MUST(!total || !memcmp(file.tensors[0].data, data + size - total, file.tensors[0].size));
    for (int i = 0; i < file.metadata_count; i++) {
        MUST(dq_safetensors_metadata(&file, file.metadata[i].key));
        sum += (unsigned)strlen(file.metadata[i].text);
    }
    volatile unsigned used = sum;
    (void)used;
    dq_safetensors_deinit(&file);
    return 0;
}
