// What several suggesters ask of the history.
#ifndef TUNE_HISTORY_H
#define TUNE_HISTORY_H

#include "tune/suggest.h"

// Complete with all its values or, where `with_pruned`, pruned. (Other programs' studies may hold anything.)
bool dq_trial_tells(const dq_study *study, const dq_trial *trial, bool with_pruned);

// The parameter, if it has a value that can be worked with: finite, one of the choices, positive on a log
// scale. It may lie outside of its range. NULL: none.
const dq_trial_param *dq_trial_sound_param(const dq_trial *trial, const char *name);

int dq_history_told(const dq_history *history, bool with_pruned); // how many such trials there are

// Did every such trial, and at least one, draw the parameter from this distribution? Only then may it be
// decided together with others.
bool dq_history_shares(const dq_history *history, const dq_trial_param *param, bool with_pruned);

// A distribution's values on [0, 1], and back to the nearest value: logarithms where it is on a log scale,
// and half a step more at either end where it has steps, so that all its values are equally wide. Not for
// single values.
double dq_distribution_to_unit(const dq_distribution *distribution, double value);
double dq_distribution_from_unit(const dq_distribution *distribution, double unit);

// Uniformly on that scale.
double dq_distribution_draw(const dq_distribution *distribution, dq_rng *rng);

#endif
