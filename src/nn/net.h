// The insides of a plan and of a workspace, shared by plan.c (builds) and net.c (runs).
#ifndef DQ_NN_NET_H
#define DQ_NN_NET_H

#include "base/arena.h"
#include "nn/layer.h"

struct dq_net {
    int inputs, outputs;
    dq_layout layout; // of the input
    int layer_count;
    dq_layer *layers;
    int tensor_count;
    dq_tensor *tensors;
    size_t size, trainable; // floats
    size_t widest_panel;    // floats of the largest panel between layers
    int widest;             // features of the widest activation between layers
    int first_trained;      // the first layer with anything to train; backward stops there
};

struct dq_workspace {
    const dq_net *net;
    int max_batch;
    dq_arena arena;        // the one block behind everything below
    float *input;          // [P][inputs][16], or NULL and
    unsigned char *images; // [B][inputs]
    float **kept_output;   // [layers] each layer's [P][out][16], from a DQ_TRAIN forward to backward
    float **keep;          // [layers]
    float *passing[2];     // [P][widest][16], DQ_EVAL activations and gradients on their way back
    float *eval_output;    // [P][outputs][16]
    float *scratch;
    float *worker_scratch; // [threads][worker_room]
    size_t worker_room;
    dq_pool *pool; // the owner's, or NULL
    float *row[2]; // [widest, inputs] for one sample
};

#endif
