// Stable-Baselines3 files: whatever parses has a policy of named arrays. The input is taken as a whole file,
// as the JSON beside a policy, and as the policy beside a JSON, for a mutated zip seldom gets past its
// checksums.
#include "replay.h"

#include "io/archive.h"
#include "io/sb3.h"

#include <stdlib.h>
#include <string.h>

static void parse(const void *data, size_t size) {
    dq_sb3 file;
    dq_error error = {0};
    const dq_status status = dq_sb3_parse(&file, data, size, "input", &error);
    if (status != DQ_OK) {
        MUST_EXPLAIN(status, error);
        MUST(file.policy.count == 0 && !file.policy.names);
        return;
    }
    MUST(file.policy.count > 0);
    MUST(memchr(file.activation, 0, sizeof file.activation));
    dq_sb3_deinit(&file);
}

static void add(zip_t *archive, const char *name, const void *bytes, size_t size) {
    zip_source_t *source = zip_source_buffer(archive, bytes, size, 0);
    const zip_int64_t index = zip_file_add(archive, name, source, 0);
    MUST(index >= 0);
    zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0);
}

static void parse_pair(const void *json, size_t json_size, const void *policy, size_t policy_size) {
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *archive = zip_open_from_source(source, ZIP_TRUNCATE, NULL);
    MUST(archive);
    zip_source_keep(source);
    add(archive, "data", json, json_size);
    add(archive, "policy.pth", policy, policy_size);
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
    static const char json[] = "{\"policy_kwargs\": {\"activation_fn\": \"<class 'torch.nn.ReLU'>\"}}";
    parse(data, size);
    parse_pair(data, size, json, sizeof json - 1);
    parse_pair(json, sizeof json - 1, data, size);
    return 0;
}
