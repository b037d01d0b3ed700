// The journal: whatever is taken keeps the study's rules, and what is written of it reads back.
#include "replay.h"

#include "tune/journal.h"

#include <string.h>

static void check(const dq_study *study) {
    for (int i = 0; i < study->trial_count; i++) {
        const dq_trial *trial = study->trials[i];
        MUST(trial->number == i);
        for (int k = 0; k < trial->param_count; k++) MUST(strlen(trial->params[k].name) < 1u << 30);
        for (int k = 1; k < trial->intermediate_count; k++)
            MUST(trial->intermediates[k - 1].step < trial->intermediates[k].step);
    }
    const dq_trial **front = calloc((size_t)study->trial_count + 1, sizeof *front);
    MUST(dq_study_front(study, front) <= study->trial_count);
    free(front);
    (void)dq_study_best(study);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dq_journal journal = {0};
    dq_error error = {0};
    size_t used = 0;
    dq_status status = dq_journal_read(&journal, (const char *)data, size, &used, "input", &error);
    MUST(used <= size);
    if (status != DQ_OK) MUST_EXPLAIN(status, error);
    for (int i = 0; i < journal.study_count; i++) {
        dq_study *study = journal.studies[i];
        check(study);
        dq_journal_text text = {.worker = "w"};
        dq_journal again = {0};
        size_t read = 0;
        MUST(dq_journal_put_study(&text, "s", study->directions, study->direction_count));
        const int64_t id = study->id;
        study->id = 0;
        for (int k = 0; k < study->trial_count && k < 16; k++)
            MUST(dq_journal_put_trial(&text, study, study->trials[k]));
        study->id = id;
        status = dq_journal_read(&again, text.at, text.size, &read, "again", &error);
        MUST(status == DQ_OK && read == text.size);
        for (int k = 0; k < study->trial_count && k < 16; k++)
            MUST(again.trials[k].trial->param_count == study->trials[k]->param_count &&
                 again.trials[k].trial->intermediate_count == study->trials[k]->intermediate_count);
        free(text.at);
        dq_journal_deinit(&again);
    }
    dq_journal_deinit(&journal);
    return 0;
}
