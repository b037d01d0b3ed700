// YAML options: names and values come out as ended texts of bounded length, with a line; failures explain.
#include "replay.h"

#include "io/yaml.h"
#include "options_table.h"

#include <string.h>

static dq_status take(void *user, const char *name, const char *text, const char *where, dq_error *error) {
    MUST(strlen(name) < 128 && strlen(text) < 4096 && !strncmp(where, "input:", 6));
    dq_options_set(fuzz_table, user, name, text, where, error);
    return DQ_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_values values;
    memset(&values, 0, sizeof values);
    MUST(dq_options_defaults(fuzz_table, &values, NULL) == DQ_OK);
    dq_error error = {0};
    dq_status status = dq_yaml_scan((const char *)data, size, "input", take, &values, &error);
    if (status != DQ_OK) MUST_EXPLAIN(status, error);
    return 0;
}
