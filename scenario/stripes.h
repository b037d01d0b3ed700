// A look and an answer: somewhere in a 40x40 image is a patch of stripes, and the action names their
// direction. Ten looks are a game, each right answer is a point; chance comes to a third of them.
//
// Filters that see stripes anywhere and a dense layer that says what they mean: what a pretrained network is
// good for.
#ifndef SCENARIO_STRIPES_H
#define SCENARIO_STRIPES_H

#include <deepq/env.h>

enum { STRIPES_SIDE = 40, STRIPES_PATCH = 16, STRIPES_KINDS = 3, STRIPES_LOOKS = 10 };

extern const dq_env_class scenario_stripes;

#endif
