// The published trunks, as tables. What follows a flatten layer (dense layers, dueling, heads) is the
// agent's.
#include "nn/trunk.h"

#include <string.h>

#define CONV(name_, out_, kernel_, stride_)                                                                  \
    {.kind = "conv", .name = name_, .out = out_, .kernel = kernel_, .stride = stride_}, {                    \
        .kind = "relu"                                                                                       \
    }

// Mnih et al. 2013, section 4.1.
static const dq_trunk dqn2013 = {
    .name = "dqn2013",
    .about = "2 convolutions (16 8x8/4, 32 4x4/2), dense 256",
    .count = 5,
    .layers = {CONV("conv1", 16, 8, 4), CONV("conv2", 32, 4, 2), {.kind = "flatten"}},
    .hidden = 256,
};

// Mnih et al. 2015, methods, "Model architecture".
static const dq_trunk dqn2015 = {
    .name = "dqn2015",
    .about = "3 convolutions (32 8x8/4, 64 4x4/2, 64 3x3/1), dense 512",
    .count = 7,
    .layers = {CONV("conv1", 32, 8, 4),
               CONV("conv2", 64, 4, 2),
               CONV("conv3", 64, 3, 1),
               {.kind = "flatten"}},
    .hidden = 512,
};

#define SECTION(name_, out_)                                                                                 \
    {.kind = "conv", .name = name_ ".conv", .out = out_, .kernel = 3, .padding = 1},                         \
        {.kind = "max_pool", .kernel = 3, .stride = 2, .padding = 1},                                        \
        {.kind = "residual", .name = name_ ".block1"}, {                                                     \
        .kind = "residual", .name = name_ ".block2"                                                          \
    }

// Espeholt et al. 2018, figure 3, the large architecture without its LSTM.
static const dq_trunk impala = {
    .name = "impala",
    .about = "3 sections of a convolution and 2 residual blocks (16, 32, 32 channels), dense 256",
    .count = 14,
    .layers = {SECTION("section1", 16),
               SECTION("section2", 32),
               SECTION("section3", 32),
               {.kind = "relu"},
               {.kind = "flatten"}},
    .hidden = 256,
};

const dq_trunk *const dq_trunks[] = {&dqn2013, &dqn2015, &impala, NULL};

const dq_trunk *dq_trunk_find(const char *name) {
    for (int i = 0; dq_trunks[i]; i++)
        if (strcmp(dq_trunks[i]->name, name) == 0) return dq_trunks[i];
    return NULL;
}
