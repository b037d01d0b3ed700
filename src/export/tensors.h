// Named tensors: the weights of a network outside of it, in the order of its layers.
#ifndef DQ_EXPORT_TENSORS_H
#define DQ_EXPORT_TENSORS_H

#include "io/npy.h"
#include "run/policy.h"

typedef struct dq_tensors {
    char **names;     // [count]
    dq_array *arrays; // [count]; of numbers, DQ_ARRAY_F4 where they are weights
    int count;
} dq_tensors;

void dq_tensors_deinit(dq_tensors *tensors); // a zeroed one is fine

typedef enum dq_naming {
    DQ_NAMES_OWN,        // hidden1.weight, norm1.running_mean, output.bias
    DQ_NAMES_SEQUENTIAL, // 0.weight, 1.running_mean, 6.bias: as torch.nn.Sequential of the same modules has
                         // them
} dq_naming;

// Copies of all tensors of a policy. In a Sequential's names BatchNorm layers get the num_batches_tracked
// (0) that PyTorch expects, and the drawn noise of layers is left out.
dq_status dq_tensors_of(dq_tensors *tensors, const dq_policy *policy, dq_naming naming, dq_error *error);

// The name that tensor `index` of the network has in a Sequential; its own where no torch.nn class has it.
void dq_tensor_sequential_name(const dq_net *net, int index, char *name, size_t size);

// Renames by rules "FROM=TO,FROM=TO": the first that fits a name counts. FROM is a pattern (base/pattern.h);
// what it leaves open is kept behind TO, or put in for the '*' of TO. A rule that fits no name is an error.
dq_status dq_tensors_rename(dq_tensors *tensors, const char *rules, dq_error *error);

// What else a file says of its network.
typedef struct dq_foreign {
    char format[32];     // "PyTorch", "Stable-Baselines3", "safetensors", "NumPy"
    char activation[64]; // the class of the activation, such as "ReLU"; "": not said
    char *config;        // the configuration that deepq wrote into it, or NULL; malloc
} dq_foreign;

void dq_foreign_deinit(dq_foreign *foreign);

// Reads the tensors of a .pth, Stable-Baselines3 .zip, safetensors or .npz file; what it is shows in its
// bytes. A run's folder stands for its weights.safetensors. Left out are Stable-Baselines3's target network
// and PyTorch's counters of batches.
dq_status dq_tensors_read(dq_tensors *tensors, dq_foreign *foreign, const char *path, dq_error *error);

#endif
