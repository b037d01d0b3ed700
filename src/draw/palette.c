// Colours of charts, one palette a theme.
#include "draw/palette.h"

#define RGB(hex)                                                                                             \
    { ((hex) >> 16 & 255) / 255.0, ((hex) >> 8 & 255) / 255.0, ((hex)&255) / 255.0 }

static const dq_palette palettes[] = {
    [DQ_CHART_LIGHT] =
        {
            .paper = RGB(0xffffff),
            .ink = RGB(0x1b1f24),
            .quiet = RGB(0x59626d),
            .axis = RGB(0xa4abb3),
            .grid = RGB(0xe7eaee),
            .grey = RGB(0x8a929c),
            .series = {RGB(0x0b6cb0), RGB(0xd1560d), RGB(0x00916b), RGB(0xb44f93), RGB(0xd49200),
                       RGB(0x3f9fd8), RGB(0x7a5c3e), RGB(0x4b4f8f)},
        },
    [DQ_CHART_DARK] =
        {
            .paper = RGB(0x15181c),
            .ink = RGB(0xeef1f4),
            .quiet = RGB(0xa9b2bc),
            .axis = RGB(0x5a636d),
            .grid = RGB(0x2a3037),
            .grey = RGB(0x7d8690),
            .series = {RGB(0x4ba3e3), RGB(0xf0813a), RGB(0x2bc397), RGB(0xda85bd), RGB(0xf0b429),
                       RGB(0x86cdf5), RGB(0xb99673), RGB(0x9a9fe0)},
        },
};

const dq_palette *dq_palette_of(dq_chart_theme theme) {
    return &palettes[theme];
}
