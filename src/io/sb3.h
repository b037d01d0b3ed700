// Stable-Baselines3's .zip files: `data`, a JSON document about the algorithm, and `policy.pth`, its weights.
//
// Nothing in it is executed; the JSON's serialized Python objects are not looked at. Source:
// stable_baselines3.common.save_util.
#ifndef DQ_IO_SB3_H
#define DQ_IO_SB3_H

#include "io/pth.h"
#include <zip.h>

typedef struct dq_sb3 {
    dq_pth policy;
    char activation[64]; // policy_kwargs["activation_fn"], its class alone: "Tanh"; "": not said
} dq_sb3;

dq_status dq_sb3_parse(dq_sb3 *file, const void *bytes, size_t size, const char *where, dq_error *error);
void dq_sb3_deinit(dq_sb3 *file); // a zeroed one is fine

// Is this zip one of them?
bool dq_sb3_recognize(zip_t *archive);

#endif
