// Policies from any file that the program reads.
#ifndef DEEPQ_CLI_POLICIES_H
#define DEEPQ_CLI_POLICIES_H

#include <deepq/run.h>

// Loads a run's folder, a weights file, or a PyTorch file (.pth, .pt) of fully connected layers; the latter
// names no environment: its configuration's `env` is empty.
dq_status cli_policy_load(dq_policy **policy, const char *path, dq_error *error);

#endif
