// A network as a drawing.
#ifndef DEEPQ_CLI_NETWORK_DRAW_H
#define DEEPQ_CLI_NETWORK_DRAW_H

#include "nn/layer.h"
#include "run/policy.h"

// "linear 64 -> 128, relu", "conv 8x8/4, 84x84x4 -> 20x20x32, relu". Returns text.
char *network_describe(const dq_layer *layer, char *text, size_t size);

// An SVG: one box a layer from the observation to the actions, its height after the logarithm of its outputs,
// frozen layers hatched. Replaces `path` atomically.
dq_status network_draw(const char *path, const dq_policy *policy, dq_error *error);

#endif
