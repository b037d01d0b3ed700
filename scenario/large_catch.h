// The game of catch.h, five times as large, with a border: trunks of convolutions need some pixels, and
// windows that do not reach the lower and right edge would not show the basket.
#ifndef SCENARIO_LARGE_CATCH_H
#define SCENARIO_LARGE_CATCH_H

#include "catch.h"

enum {
    LARGE_CATCH_ZOOM = 5,
    LARGE_CATCH_HEIGHT = CATCH_HEIGHT * LARGE_CATCH_ZOOM + 2,
    LARGE_CATCH_WIDTH = CATCH_WIDTH * LARGE_CATCH_ZOOM + 4
};

// "LargeCatch"; a lost life is no end in it. To be registered before it is looked for.
dq_status scenario_register_large_catch(dq_error *error);

#endif
