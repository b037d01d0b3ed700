// PyTorch files: whatever parses has named arrays with the elements their shapes say. The input is taken as a
// whole file, and as the pickle of a file made around it, for a mutated zip seldom gets past its checksums.
#include "replay.h"

#include "io/pth.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

static void parse(const void *data, size_t size) {
    dq_pth file;
    dq_error error = {0};
    dq_status status = dq_pth_parse(&file, data, size, "input", &error);
    if (status != DQ_OK) {
        MUST_EXPLAIN(status, error);
        MUST(file.count == 0 && !file.names && !file.arrays);
        return;
    }
    MUST(file.count > 0);
    double sum = 0;
    for (int i = 0; i < file.count; i++) {
        MUST(file.names[i]);
        MUST(dq_array_count(&file.arrays[i]) == file.arrays[i].count);
        for (int64_t j = 0; j < file.arrays[i].count; j++) sum += dq_array_get(&file.arrays[i], j);
    }
    volatile double used = sum;
    (void)used;
    dq_pth_deinit(&file);
}

static void add(zip_t *archive, const char *name, const void *bytes, size_t size) {
    zip_source_t *source = zip_source_buffer(archive, bytes, size, 0);
    zip_int64_t index = zip_file_add(archive, name, source, 0);
    MUST(index >= 0);
    zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0);
}

static void parse_around(const uint8_t *data, size_t size) {
    static const char numbers[80] = "\0\0\200?\0\0\0@\0\0@@these are forty-odd bytes of numbers";
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *archive = zip_open_from_source(source, ZIP_TRUNCATE, NULL);
    MUST(archive);
    zip_source_keep(source);
    add(archive, "x/data.pkl", data, size);
    const char *const members[] = {"x/data/0", "x/data/1", "x/data/2", "x/data/3"};
    for (size_t i = 0; i < 4; i++) add(archive, members[i], numbers, 20 * (i + 1));
    MUST(zip_close(archive) == 0);
    zip_stat_t about;
    MUST(zip_source_stat(source, &about) == 0 && zip_source_open(source) == 0);
    char *bytes = malloc(about.size);
    MUST(bytes && zip_source_read(source, bytes, about.size) == (zip_int64_t)about.size);
    zip_source_close(source);
    zip_source_free(source);
    parse(bytes, about.size);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    parse(data, size);
    parse_around(data, size);
    return 0;
}
