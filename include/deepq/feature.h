// Features: what a network may be given instead of an environment's plain numbers.
//
// An environment declares a scale for each dimension of its observation and a list of features (deepq/env.h);
// the agent's option `observation` chooses. Environments, their traces and the replay memory stay raw: the
// features are the first layer of the network (src/nn/layer_features.c), so that whoever has the network has
// them.
#ifndef DEEPQ_FEATURE_H
#define DEEPQ_FEATURE_H

#include <deepq/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dq_feature_kind {
    DQ_FEATURE_COPY, // x
    DQ_FEATURE_LOG,  // log10(max(x, DQ_FEATURE_FLOOR))
    DQ_FEATURE_SIN,  // sin(x), x in rad
    DQ_FEATURE_COS,  // cos(x)
} dq_feature_kind;

#define DQ_FEATURE_FLOOR 1e-3f // the smallest number that a logarithm tells from 0

// One input of the network: (kind(observation[from]) - shift) / scale, in f32.
typedef struct dq_feature {
    dq_feature_kind kind;
    int from; // dimension of the observation
    float shift, scale;
} dq_feature;

// What an environment declares; all of it constant and alive while anything uses it.
typedef struct dq_features {
    const float *scale;     // [D] a usual size of each dimension, or NULL
    const dq_feature *list; // [count], or NULL
    int count;
} dq_features;

#ifdef __cplusplus
}
#endif
#endif
