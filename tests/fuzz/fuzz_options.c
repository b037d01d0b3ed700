// Option lines: what was read, written out and read again is the same to the bit, and every value is in
// range.
#include "replay.h"

#include "options_table.h"

#include <string.h>

static void set_defaults(struct fuzz_values *values) {
    memset(values, 0, sizeof *values);
    MUST(dq_options_defaults(fuzz_table, values, NULL) == DQ_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;

    struct fuzz_values values, again;
    dq_error error = {0};
    set_defaults(&values);
    dq_status status = dq_options_read(fuzz_table, &values, text, "input", &error);
    if (status != DQ_OK) {
        MUST_EXPLAIN(status, error);
        MUST(!strncmp(error.where, "input:", 6));
    }
    MUST(isnan(values.off) || (values.off >= -1 && values.off <= 1));
    MUST(!isnan(values.real) && values.choice >= 0 && values.choice < 3);
    MUST(values.list.count >= 0 && values.list.count <= DQ_INTS_MAX && memchr(values.text, 0, 16));

    for (int comments = 0; comments < 2; comments++) {
        char *written = NULL;
        size_t length;
        FILE *out = open_memstream(&written, &length);
        dq_options_write(fuzz_table, &values, comments, out);
        fclose(out);
        set_defaults(&again);
        MUST(dq_options_read(fuzz_table, &again, written, "again", &error) == DQ_OK);
        if (isnan(values.off)) again.off = values.off; // any NAN is "off"
        MUST(!memcmp(&values, &again, sizeof values));
        free(written);
    }
    (void)dq_options_assign(fuzz_table, &values, text, "word", &error);
    free(text);
    return 0;
}
