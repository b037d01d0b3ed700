// The insides of a policy, for those who write it in other formats or fill it from them.
#ifndef RUN_POLICY_H
#define RUN_POLICY_H

#include "nn/program.h"
#include <deepq/run.h>

// A policy of the network that `config` describes for its environment, initialised with seed 0.
dq_status dq_policy_create(dq_policy **out, const dq_run_config *config, dq_error *error);

const dq_net *dq_policy_net(const dq_policy *policy);
float *dq_policy_params(dq_policy *policy);

// Observation to action values as plain operations. Free with dq_program_deinit, whatever the outcome.
dq_status dq_policy_lower(const dq_policy *policy, dq_program *program, dq_error *error);

// Writes a weights file that dq_policy_load reads.
dq_status dq_policy_save(const dq_policy *policy, const char *path, dq_error *error);

#endif
