// CSV: whatever parses has rows times columns numbers, and every column is found by its name.
#include "replay.h"

#include "io/csv.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dq_csv table;
    dq_error error = {0};
    dq_status status = dq_csv_parse(&table, (const char *)data, size, "input", &error);
    if (status != DQ_OK) {
        MUST_EXPLAIN(status, error);
    } else {
        MUST(table.columns > 0);
        double *column = malloc((size_t)table.rows * sizeof *column + 1);
        for (int c = 0; c < table.columns; c++) {
            int found = dq_csv_column(&table, table.names[c]);
            MUST(found >= 0 && !strcmp(table.names[found], table.names[c]));
            dq_csv_copy(&table, c, column);
        }
        free(column);
    }
    dq_csv_deinit(&table);
    return 0;
}
