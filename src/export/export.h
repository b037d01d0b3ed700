// Writing a policy in formats of other programs.
//
// The writers of networks (ONNX, C) read the policy's program (nn/program.h); the writers of weights read a
// list of named tensors. Every file is written under a temporary name and renamed when it is whole.
#ifndef DQ_EXPORT_EXPORT_H
#define DQ_EXPORT_EXPORT_H

#include "nn/program.h"

// ONNX, opset 17: "observation" [batch, D] -> "q" [batch, A] and "action" [batch]. Affine operations behind
// linear ones are folded into them.
dq_status dq_onnx_write(const char *path, dq_program *program, dq_error *error);

typedef struct dq_c99_options {
    const char *name;   // of the functions: NAME_q, NAME_act
    const char *origin; // a line for the opening comment: where the policy comes from
    bool
        int8; // weights in 8 bits with one scale a row; a linear operation that ends the program keeps floats
} dq_c99_options;

// One C99 file without allocation. Unless int8 it gives the bits of dq_policy_q; with int8 the values' means
// are folded into the program (dq_program_fold_values).
dq_status dq_c99_write(const char *path, dq_program *program, const dq_c99_options *options, dq_error *error);

// A C name out of a file's: "runs/a-b.c" -> "a_b". Returns name.
char *dq_c99_name(const char *path, char *name, size_t size);

#endif
