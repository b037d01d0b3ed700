// Heads: what the network's outputs mean, how a target is made from them, and the loss between the two.
//
// Shapes are panels, [P][F][16] with P = ceil(B/16) and sample b of feature f at ((b/16)*F + f)*16 + b%16.
// The network has A*N outputs, output i of action a at feature a*N + i; N = 1 is the plain action value.
// Per-sample values ([P][16]) are flat arrays of 16*P. Samples past B (padding) hold finite values and a
// weight of 0; the loss must leave their d_output at 0.
#ifndef AGENT_HEAD_H
#define AGENT_HEAD_H

#include "base/strategy.h"
#include <deepq/agent.h>

typedef struct dq_head_class dq_head_class;
struct dq_program;

// The first member of every head's struct.
typedef struct dq_head {
    const dq_head_class *head_class;
    int actions; // A
    int outputs; // N, outputs per action
    int targets; // numbers per sample that `target` makes and `loss` reads; often N
    int cosines; // > 0: the network ends in a quantile layer (nn/layer_quantile.c) with so many features
} dq_head;

struct dq_head_class {
    dq_strategy about;

    // `options` is the class's options struct. max_panels: the largest P of any call. All memory is
    // allocated here.
    dq_status (*create)(dq_head **out, const dq_agent_config *config, const void *options, int actions,
                        int max_panels, dq_error *error);
    void (*destroy)(dq_head *head);

    // output [P][A*N][16] -> action values [P][A][16]. Returns `q` filled, or `output` itself where they are
    // the same thing. Many threads may call it at once.
    const float *(*to_q)(const dq_head *head, const float *output, int panels, float *q);

    // next_output [P][A*N][16]: the target network at s'; policy [P][A][16]: probabilities of the next
    // actions (one-hot for max and double); reward, discount [P][16] -> target [P][targets][16].
    void (*target)(const dq_head *head, const float *next_output, const float *policy, const float *reward,
                   const float *discount, int panels, float *target);

    // to_q as a plain operation behind the network's (nn/program.h). False: no memory. NULL: the outputs are
    // the action values.
    bool (*lower)(const dq_head *head, struct dq_program *program);

    // The noise in the online network's params was just drawn anew; the next `loss` is of a DQ_TRAIN forward
    // with it. NULL: the head does not care.
    void (*resampled)(dq_head *head, const dq_net *net, const float *params);

    // The mean over the batch of weight * loss(output of `action`, target). output [P][A*N][16], action,
    // weight [P][16] -> d_output [P][A*N][16] (all written), priority [P][16]: |td error| or what stands
    // for it, unweighted.
    double (*loss)(const dq_head *head, const float *output, const int32_t *action, const float *target,
                   const float *weight, int batch, float *d_output, float *priority);
};

// Made from the names of src/agent/head_*.c: dq_head_NAME; ends with NULL.
extern const dq_head_class *const dq_head_classes[];

#endif
