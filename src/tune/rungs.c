// Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning" (ASHA), algorithm 2, in the form of
// Optuna's SuccessiveHalvingPruner: trials are not paused, so that one that reaches a rung climbs on at once
// if it is among the best 1/factor of those that have reached it so far (among fewer than `factor`: if it is
// the best), or ends.
#include "tune/rungs.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void rung_key(char key[64], int rung) {
    snprintf(key, 64, "completed_rung_%d", rung);
}

// JSON numbers, and Infinity and -Infinity as Python's json module writes them.
static bool read_value(const dq_trial *trial, const char *key, double *value) {
    const char *json = dq_attributes_find(&trial->system, key);
    char *end;
    if (!json) return false;
    *value = strtod(json, &end);
    return end != json;
}

static void note_value(dq_note *note, double value) {
    if (isinf(value)) {
        snprintf(note->json, sizeof note->json, "%sInfinity", value < 0 ? "-" : "");
    } else {
        dq_text_from_real(value, note->json, sizeof note->json);
    }
}

// Is `value` among the best 1/factor of the rung's values, itself included?
static bool climbs(const dq_rungs *rungs, const dq_study *study, const dq_trial *trial, const char *key,
                   double value) {
    bool maximize = study->directions[0] == DQ_MAXIMIZE;
    int64_t competing = 1, better = 0;
    for (int i = 0; i < study->trial_count; i++) {
        const dq_trial *other = study->trials[i];
        double its;
        if (other == trial || (rungs->same_group && !rungs->same_group(rungs->group, study, trial, other)) ||
            !read_value(other, key, &its))
            continue;
        competing++;
        better += maximize ? its > value : its < value;
    }
    if (competing <= rungs->bootstrap) return false;
    int64_t places = competing / rungs->factor;
    return better < (places > 1 ? places : 1);
}

bool dq_rungs_prune(const dq_rungs *rungs, const dq_study *study, const dq_trial *trial, dq_notes *notes) {
    char key[64];
    int64_t step;
    double before, value = dq_trial_last(trial, &step);
    int rung = 0;
    for (rung_key(key, rung); read_value(trial, key, &before); rung_key(key, rung)) rung++;
    for (; notes->count < DQ_NOTES_MAX; rung++) { // with the notes full it goes on when it is asked again
        double needed =
            (double)rungs->min_resource * pow((double)rungs->factor, (double)(rungs->skipped + rung));
        if ((double)step < needed) return false;
        if (isnan(value)) return true;
        dq_note *note = &notes->at[notes->count++];
        rung_key(note->key, rung);
        note_value(note, value);
        if (!climbs(rungs, study, trial, note->key, value)) return true;
    }
    return false;
}
