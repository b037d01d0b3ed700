// What a kind of layer is: one table of functions, one file layer_KIND.c, found by its name.
//
// A plan is a chain of layers. Each layer reads panels [P][in][16] and writes panels [P][out][16], where
// P = ceil(batch/16) and panels lie in_panel and out_panel floats apart. An activation that follows a layer
// is folded into that layer's store when its class says `fuses`; the activation's derivative is folded into
// the next layer's input gradient when that one says `masks`, and is applied by net.c otherwise. A layer kind
// of its own is one new file: the list of classes is made from the file names at configure time.
//
// Layers on images read and write [B][height][width][channels] instead, one sample after another, without
// padding; in_panel and out_panel are then the room of 16 samples. The planner checks that layouts meet.
#ifndef DQ_NN_LAYER_H
#define DQ_NN_LAYER_H

#include "base/threads.h"
#include "kernel/kernel.h"

#include <deepq/net.h>

#define DQ_LAYER_TENSORS 8

// Features as an image: channels fastest, then columns, then rows. Flat features are 1 x 1 x F.
typedef struct dq_shape {
    int height, width, channels;
} dq_shape;

typedef enum dq_layout {
    DQ_LAYOUT_PANELS, // [P][F][16] f32
    DQ_LAYOUT_IMAGES, // [B][height][width][channels] f32
    DQ_LAYOUT_BYTES,  // the same, bytes: only a network's input
} dq_layout;

typedef struct dq_layer_class dq_layer_class;

typedef struct dq_layer {
    const dq_layer_class *class;
    dq_layer_spec spec; // its strings are not kept: name is copied below
    char name[40];
    dq_shape in_shape, out_shape;
    dq_layout in_layout, out_layout;
    size_t in_panel, out_panel;       // floats between panels of x and d_x, of y and d_y; set by the planner
    int in, out;                      // features
    dq_nonlinearity activation;       // of the output; set by the planner
    dq_nonlinearity input_activation; // its derivative at the input goes into d_x; set by the planner
    bool still;                       // its running statistics are frozen
    bool masked;                      // d_y comes with this layer's activation already differentiated
    int tensor[DQ_LAYER_TENSORS];     // which tensors of the plan are this layer's, in order of registration
    int tensor_count;
    size_t offset[DQ_LAYER_TENSORS];     // where they start in the parameter array
    size_t stride[DQ_LAYER_TENSORS];     // floats from row to row
    size_t keep_fixed, keep_panel;       // floats kept from forward to backward: at once, and per panel
    size_t scratch_fixed, scratch_panel; // floats of passing scratch
    size_t moments;                      // doubles that `observe` counts in
    size_t scratch_worker;               // and for each thread
    void *plan;                          // what the class made when planning, from malloc; constant; or NULL
} dq_layer;

// One pass through one layer.
typedef struct dq_pass {
    const dq_kernels *kernels;
    float *params;              // forward in DQ_TRAIN mode may write the untrainable part; backward nothing
    const float *x;             // [P][in][16], or NULL and
    const unsigned char *bytes; // [B][in]
    float *y;                   // [P][out][16]
    const float *d_y;           // backward: [P][out][16], zero in the padding
    float *d_x;                 // backward: [P][in][16], zero in the padding; NULL when nobody asks
    float *gradient;            // backward: [trainable], as params
    float *keep, *scratch;
    float *worker_scratch; // [threads][worker_room]
    size_t worker_room;
    dq_pool *pool; // NULL: one thread
    int batch, panels;
    dq_mode mode;
} dq_pass;

struct dq_plan;    // the network under construction
struct dq_program; // the network as plain operations

struct dq_layer_class {
    const char *kind;
    bool activation; // nothing but layer->activation, so that the layer before may take it over
    bool fuses;      // forward applies layer->activation
    bool masks;      // backward differentiates layer->input_activation
    bool images;     // reads images; false: panels (activations read both)
    bool bytes;      // can be the first layer of a network on images

    // Reads layer->spec and in_shape; sets out_shape and out_layout (start equal to the input's), the keep
    // and scratch sizes, and registers tensors with dq_plan_tensor. An activation sets layer->activation. May
    // be NULL.
    dq_status (*plan)(dq_layer *layer, struct dq_plan *plan, dq_error *error);
    void (*init)(const dq_layer *layer, float *params, dq_rng *rng); // NULL: no tensors
    // Draws the layer's noise anew, into untrainable tensors. NULL: it has none.
    void (*resample)(const dq_layer *layer, float *params, dq_rng *rng);
    // Counts one sample x [in] that the agent met, into moments and untrainable tensors. NULL: it does not.
    void (*observe)(const dq_layer *layer, float *params, double *moments, const float *x);
    void (*forward)(const dq_layer *layer, const dq_pass *pass);
    // May be NULL where no layer up to this one has anything to train.
    void (*backward)(const dq_layer *layer, const dq_pass *pass);
    // One sample: x [in] -> y [out], eval mode.
    void (*apply)(const dq_layer *layer, const dq_pass *pass);

    // The same as plain operations (nn/program.h), without layer->activation. False: no memory.
    // NULL: it cannot be said that way.
    bool (*lower)(const dq_layer *layer, const float *params, struct dq_program *program);
    const char *torch; // the class in torch.nn that has these tensors; NULL: there is none
};

// Adds the tensor "LAYER.suffix" to the plan as the layer's next one. rank 1: rows is ignored. Columns that
// match a flattened image are in PyTorch's order to the world.
dq_status dq_plan_tensor(struct dq_plan *plan, dq_layer *layer, const char *suffix, int rank, int rows,
                         int columns, bool trainable, dq_error *error);

// The same for the weights of a convolution, stored [kernel*kernel*in][out].
dq_status dq_plan_filters(struct dq_plan *plan, dq_layer *layer, const char *suffix, int kernel, int in,
                          int out, dq_error *error);

// NULL-terminated; made from the names of src/nn/layer_*.c.
extern const dq_layer_class *const dq_layer_classes[];

#endif
