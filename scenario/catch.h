// A game of pixels with a known best play: a fruit falls down a 10x8 field and a basket catches it.
//
// Which way the fruit drifts cannot be told from one frame, so that two stacked ones know more than one.
// Three fruits missed end the game; a missed one costs a life. A game ends after ten fruits.
#ifndef SCENARIO_CATCH_H
#define SCENARIO_CATCH_H

#include <deepq/env.h>

enum { CATCH_HEIGHT = 10, CATCH_WIDTH = 8, CATCH_LIVES = 3, CATCH_FRUITS = 10 };

extern const dq_env_class scenario_catch;

#endif
