// A network as a list of plain operations with their numbers: what exporters read instead of layers.
//
// Each kind of layer, and each head, says what it does in evaluation as one or more of these (`lower` in
// nn/layer.h and agent/head.h), so that a writer of another format knows the operations and no layer kinds.
// Operation i takes what i - 1 gave, [in] features, and gives [out]; `activation` follows it.
#ifndef DQ_NN_PROGRAM_H
#define DQ_NN_PROGRAM_H

#include "kernel/kernel.h"

#include <deepq/net.h>

typedef enum dq_op_kind {
    DQ_OP_FEATURES,    // y_f = (kind_f(x[from_f]) - shift_f) / scale_f
    DQ_OP_NORMALIZE,   // y = (x - center) scale, cut to +-clip
    DQ_OP_AFFINE,      // y = x scale + bias
    DQ_OP_LINEAR,      // y = weight x + bias
    DQ_OP_LAYER_NORM,  // y = (x - mean) / sqrt(variance + epsilon) scale + bias, over the features
    DQ_OP_DUELING,     // y(a, i) = x(i) + x(n + a n + i) - mean over a of x(n + a n + i)
    DQ_OP_EXPECTATION, // y(a) = mean over i of x(a n + i), or first + spacing sum_i i softmax_i(x(a, .))
    DQ_OP_ACTIVATION,  // nothing but its activation
    DQ_OP_UNIT,        // bytes to y = x (1/255), or x / 255 where `divides`
    DQ_OP_CONV,        // images; weight: [kernel kernel channels][out channels]
    DQ_OP_MAX_POOL,    // images; padding is left out
    DQ_OP_ADD,         // y = x + what operation `other` gave
} dq_op_kind;

typedef struct dq_op {
    dq_op_kind kind;
    char name[48]; // of the layer it came from
    int in, out;
    dq_nonlinearity activation;
    float *weight;                 // [out][in]
    float *bias, *scale, *center;  // [out]
    float clip;                    // normalize; 0: none
    double epsilon;                // layer norm
    dq_feature *features;          // [out]
    int values;                    // dueling, expectation: n
    bool softmax;                  // expectation: over fixed values, else a mean
    bool divides;                  // unit
    int in_image[3], out_image[3]; // height, width, channels, the last one fastest
    int kernel, stride, padding;
    int terms;            // conv: of a running sum in one go; the sums of these blocks are added up
    int other;            // add
    float first, spacing; // of these values
} dq_op;

#define DQ_PROGRAM_OPS 64

typedef struct dq_program {
    bool bytes;   // the input is an image of bytes
    int image[3]; // its height, width, channels
    int inputs, outputs;
    int count;
    dq_op ops[DQ_PROGRAM_OPS];
} dq_program;

void dq_program_deinit(dq_program *program); // a zeroed one is fine

// Appends an operation that gives `out` features, with arrays for what its kind needs (zeros). NULL: no
// memory, or more than DQ_PROGRAM_OPS. The program owns the arrays.
dq_op *dq_program_add(dq_program *program, dq_op_kind kind, const char *name, int out);

// The operations of every layer of `net`, with the numbers of params, behind what the program holds.
dq_status dq_net_lower(const dq_net *net, const float *params, dq_program *program, dq_error *error);

// Puts every affine operation that follows a linear one (and no activation) into its weights.
void dq_program_fold(dq_program *program);

// Where the program ends in means of what a linear operation gives (dueling streams, quantiles), puts them
// into its weights: it then gives the Q values itself, with a row for each instead of one for each quantile,
// and sums in another order. False: no memory; the program is whole.
bool dq_program_fold_values(dq_program *program);

#endif
