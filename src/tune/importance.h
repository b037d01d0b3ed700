// How much of an objective's variance each parameter explains by itself: fANOVA.
#ifndef TUNE_IMPORTANCE_H
#define TUNE_IMPORTANCE_H

#include "tune/study.h"

typedef struct dq_importance {
    const char *name; // the study's
    double share;     // 0 .. 1; the shares of all parameters add up to 1
} dq_importance;

// Over the complete trials with a finite value, for the parameters that all of them drew from one
// distribution of more than one value. out: [study->name_count], the most important first; *count becomes
// their number. Deterministic for a seed. Fails with DQ_NOT_FOUND where fewer than two trials or no
// parameters are there.
dq_status dq_study_importance(const dq_study *study, int objective, uint64_t seed, dq_importance *out,
                              int *count, dq_error *error);

#endif
