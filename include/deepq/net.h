// Networks: a plan of layers, its parameters as one flat array, and a workspace for its activations.
//
// The plan is constant after creation and may be shared by threads. Parameters are the caller's: the
// online and the target network are two arrays behind one plan, and a snapshot is one memcpy. A
// workspace belongs to one thread.
//
// Batches travel as panels: [ceil(B/16)][F][16] f32, sample b of feature f at ((b/16)*F + f)*16 + b%16,
// so that 16 samples are the vector dimension of every kernel. Samples past B in the last panel are
// padding: finite, and without influence on any result.
//
// Networks on images take bytes [B][height][width][channels] (NHWC, 0..255; the first layer divides by 255).
// Convolutions keep that order, one sample after another, until a flatten layer makes panels.
#ifndef DEEPQ_NET_H
#define DEEPQ_NET_H

#include <deepq/base.h>
#include <deepq/feature.h>
#include <deepq/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_LANES 16 // samples in a panel

// The instruction set that the kernels of this process use: "ref", "avx2" or "avx512". It is the highest
// that the processor has; the environment variable DQ_CPU masks downwards (a level that the processor lacks
// gives the next one below; an unknown value is ignored with a warning to the log). Every level gives the
// same bits.
DQ_API const char *dq_cpu_level_name(void);

typedef struct dq_net dq_net;
typedef struct dq_workspace dq_workspace;

// One layer of a plan. `kind` is one of "linear" (out features), "relu", "leaky_relu" (slope),
// "batch_norm" (eps, momentum), "layer_norm" (eps), "features" (features), "running_norm" (eps), and for
// images "conv" (out channels, kernel, stride, padding), "max_pool" (kernel, stride, padding), "residual" and
// "flatten"; more kinds are one file each in src/nn.
typedef struct dq_layer_spec {
    const char *kind;
    const char *name;           // tensor names become name.weight, name.bias, ...
    int out;                    // linear: output features; conv: channels; others keep their input's width
    double slope;               // leaky_relu; 0 means PyTorch's default of 0.01
    double epsilon;             // normalisation layers; 0 means PyTorch's default of 1e-5
    double momentum;            // batch_norm's running statistics; 0 means PyTorch's default of 0.1
    double sigma;               // noisy: sigma_0; 0 means the paper's 0.5
    int samples;                // quantile: fractions per sample; out is a multiple of it
    int cosines;                // quantile: features of a fraction
    const dq_feature *features; // features: a list of `out`, which must stay alive
    const float *scale;         // features without a list: what each input is divided by; must stay alive
    int kernel;                 // conv, max_pool: the window is kernel x kernel
    int stride;                 // 0 means 1
    int padding;                // zeros on each side (max_pool: nothing), less than the kernel
} dq_layer_spec;

// One named tensor of the parameter array. As stored it is a matrix whose rows may be padded: element (r, c)
// is at offset + r*stride + c. To the world it has PyTorch's shape and order of elements, which differ from
// that for convolutions (out, in, height, width; stored height, width, in, out) and for what follows a
// flatten layer (features in order channel, height, width; stored height, width, channel).
typedef struct dq_tensor {
    char name[64];
    int rows, columns; // as stored; vectors have one row
    size_t offset, stride;
    int rank;       // PyTorch's: 1, 2 or 4
    int shape[4];   // PyTorch's, [rank]
    int extent[4];  // a walk through PyTorch's order: indices i < extent, the last one fastest, lie at
    size_t step[4]; // offset + sum of i * step
    bool trainable; // false: running statistics, behind all trainable ones
    bool frozen;    // see dq_net_freeze
} dq_tensor;

// A tensor's values in PyTorch's order: out of params, and into params.
DQ_API void dq_tensor_get(const dq_tensor *tensor, const float *params, float *values);
DQ_API void dq_tensor_set(const dq_tensor *tensor, float *params, const float *values);

// Plans a network of `count` layers on `inputs` features; the specs are copied.
DQ_API dq_status dq_net_create(dq_net **out, int inputs, const dq_layer_spec *layers, int count,
                               dq_error *error);

// The same on images of bytes.
DQ_API dq_status dq_net_create_on_images(dq_net **out, int height, int width, int channels,
                                         const dq_layer_spec *layers, int count, dq_error *error);
DQ_API void dq_net_destroy(dq_net *net);

DQ_API int dq_net_inputs(const dq_net *net);
DQ_API int dq_net_outputs(const dq_net *net);
DQ_API size_t dq_net_size(const dq_net *net);      // floats in the parameter array, a multiple of 16
DQ_API size_t dq_net_trainable(const dq_net *net); // the first of them that an optimizer may touch
DQ_API int dq_net_tensor_count(const dq_net *net);
DQ_API const dq_tensor *dq_net_tensor(const dq_net *net, int index);

// Freezes the tensors whose names fit `patterns`: "hidden1, *.bias", where a pattern fits a whole name or its
// leading parts, and '*' stands for any letters. Their gradients are 0 and their running statistics stay;
// backward stops behind the last layer in front that is wholly frozen. Call it before workspaces and
// gradients are used. A pattern that fits no tensor fails with a sentence. Drawn noise is not frozen.
DQ_API dq_status dq_net_freeze(dq_net *net, const char *patterns, dq_error *error);

// Fills params with PyTorch's default initialisation: Linear weights and biases uniform in
// +-1/sqrt(inputs), normalisation layers 1 and 0.
DQ_API void dq_net_init(const dq_net *net, float *params, dq_rng *rng);

// Room for batches of up to `max_batch` samples.
DQ_API dq_status dq_workspace_create(dq_workspace **out, const dq_net *net, int max_batch, dq_error *error);

// The same with threads that share out large layers. A result never depends on their number. The pool is the
// caller's and outlives the workspace; NULL: one thread.
struct dq_pool;
DQ_API dq_status dq_workspace_create_on(dq_workspace **out, const dq_net *net, int max_batch,
                                        struct dq_pool *pool, dq_error *error);
DQ_API void dq_workspace_destroy(dq_workspace *workspace);

// Where a batch's input panels go: [ceil(max_batch/16)][inputs][16]. They stay as they are until backward
// has used them. NULL for a network on images.
DQ_API float *dq_workspace_input(dq_workspace *workspace);

// The same for a network on images: [max_batch][height][width][channels]. NULL for others.
DQ_API unsigned char *dq_workspace_images(dq_workspace *workspace);

// rows: [B,F] row-major <-> panels
DQ_API void dq_panels_pack(float *panels, const float *rows, int batch, int features);
DQ_API void dq_panels_unpack(float *rows, const float *panels, int batch, int features);

typedef enum dq_mode {
    DQ_EVAL,  // running statistics, no noise
    DQ_TRAIN, // batch statistics; updates the running ones in params; keeps what backward needs; noise
    DQ_NOISY, // DQ_EVAL with the noise of noisy layers
} dq_mode;

// Draws the noise of noisy layers anew, into the untrainable part of params.
DQ_API void dq_net_resample(const dq_net *net, float *params, dq_rng *rng);

// Runs the network on the workspace's input panels; returns output panels [ceil(B/16)][outputs][16] that
// stay valid until the next forward in this workspace. A DQ_EVAL forward leaves what an earlier DQ_TRAIN
// forward kept for backward in place, its input excepted. params is written only in DQ_TRAIN mode, and only
// in its untrainable part.
DQ_API const float *dq_net_forward(const dq_net *net, float *params, dq_workspace *workspace, int batch,
                                   dq_mode mode);

// Gradients of the trainable parameters for d_output (panels, zero in the padding), after a DQ_TRAIN
// forward of the same batch. gradient: [trainable], overwritten.
DQ_API void dq_net_backward(const dq_net *net, const float *params, dq_workspace *workspace, int batch,
                            const float *d_output, float *gradient);

// One observation [inputs] -> output [outputs], eval mode, the quick way.
DQ_API void dq_net_apply(const dq_net *net, const float *params, dq_workspace *workspace,
                         const float *observation, float *output);

// The same for a network on images: observation [height][width][channels].
DQ_API void dq_net_apply_image(const dq_net *net, const float *params, dq_workspace *workspace,
                               const unsigned char *observation, float *output);

// Layers that keep statistics of what the agent meets (running_norm) count one more observation [inputs],
// into the untrainable part of params. `moments` is what they count in, [dq_net_moments] doubles of the
// caller's that start as zeros; 0: there is no such layer.
DQ_API size_t dq_net_moments(const dq_net *net);
DQ_API void dq_net_observe(const dq_net *net, float *params, dq_workspace *workspace, double *moments,
                           const float *observation);

// --- optimizers ---------------------------------------------------------------------------------------

typedef enum dq_optimizer_kind {
    DQ_SGD,     // momentum (PyTorch's form, no dampening)
    DQ_RMSPROP, // PyTorch's form: eps outside the root; centered as an option
    DQ_ADAM,    // Kingma and Ba 2015, with PyTorch's bias correction
    DQ_ADAMW,   // Loshchilov and Hutter 2019: decoupled weight decay
    DQ_RADAM,   // Liu et al. 2020: Adam with a rectified step
} dq_optimizer_kind;

typedef struct dq_optimizer_config {
    dq_optimizer_kind kind;
    double momentum;     // SGD, RMSprop
    double alpha;        // RMSprop smoothing
    double beta1, beta2; // Adam
    double epsilon;
    double weight_decay;
    bool centered; // RMSprop
    bool amsgrad;  // Adam, AdamW
} dq_optimizer_config;

// PyTorch's defaults of that kind.
DQ_API dq_optimizer_config dq_optimizer_defaults(dq_optimizer_kind kind);

// Optimizer state is the caller's plain memory: how many floats `count` parameters need (start with zeros).
DQ_API size_t dq_optimizer_state_size(const dq_optimizer_config *config, size_t count);

// One update of params[count] from gradient[count]; `step` counts from 1.
DQ_API void dq_optimizer_step(const dq_optimizer_config *config, float *state, int64_t step,
                              double learning_rate, float *params, const float *gradient, size_t count);

// The same with the threads of a pool; the bits do not depend on them.
DQ_API void dq_optimizer_step_on(struct dq_pool *pool, const dq_optimizer_config *config, float *state,
                                 int64_t step, double learning_rate, float *params, const float *gradient,
                                 size_t count);

// torch.nn.utils.clip_grad_value_ and clip_grad_norm_ over one flat gradient. The norm before is returned.
DQ_API void dq_clip_value(float *gradient, size_t count, double limit);
DQ_API double dq_clip_norm(float *gradient, size_t count, double limit);
DQ_API double dq_clip_norm_on(struct dq_pool *pool, float *gradient, size_t count, double limit);

// Soft target update: target = (1 - tau) target + tau online.
DQ_API void dq_params_blend(float *target, const float *online, size_t count, double tau);
DQ_API void dq_params_blend_on(struct dq_pool *pool, float *target, const float *online, size_t count,
                               double tau);

#ifdef __cplusplus
}
#endif
#endif
