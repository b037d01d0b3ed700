// Policies from any file that the program reads.
#ifndef DEEPQ_CLI_POLICIES_H
#define DEEPQ_CLI_POLICIES_H

#include <deepq/run.h>

// Loads a run's folder, a weights file, or a PyTorch file (.pth, .pt) of fully connected layers; the latter
// names no environment: its configuration's `env` is empty.
dq_status cli_policy_load(dq_policy **policy, const char *path, dq_error *error);

// The environment that a policy is to play: its own as it was trained on, or `env` (NULL: its own), with the
// words' changes, env.NAME=value and step_limit=N. `path` is where the policy comes from, for sentences.
dq_status cli_policy_env(dq_run_config *config, const dq_policy *policy, const char *path, const char *env,
                         const char *const *words, int word_count, dq_error *error);

// Those words applied to a configuration.
dq_status cli_env_words(dq_run_config *config, const char *const *words, int word_count, dq_error *error);

#endif
