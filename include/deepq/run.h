// Runs: one training loop, what hooks on it, and the folder it leaves.
//
// A run's folder holds config.yml, metrics.csv, weights.safetensors, best.safetensors and checkpoint/.
// Everything that decides a run's course is in dq_run_config; the same config, build and CPU level give
// the same bits, whatever the number of threads and however often the run was stopped and resumed.
#ifndef DEEPQ_RUN_H
#define DEEPQ_RUN_H

#include <deepq/agent.h>
#include <deepq/env.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dq_run_config {
    char env[64];
    char agent[32]; // the preset it started from; the values below are what counts
    int64_t seed;
    int64_t n_envs;
    int64_t step_limit;       // -1: the environment's own; 0: none
    int64_t train_step_limit; // the same for the training episodes alone; -1: step_limit

    char init[512];   // a weights file or a run's folder that the network starts from; "": at random
    char reinit[256]; // patterns of tensors that start at random all the same

    // stop rules; 0 switches one off, the first that fires ends the run
    int64_t total_steps, total_episodes;
    double max_seconds;
    double stop_return; // mean return of the last stop_window episodes; NAN: off
    int64_t stop_window;

    // evaluation during training (greedy, own environments and streams)
    int64_t eval_every_steps, eval_every_episodes; // 0: off
    int64_t eval_episodes;

    int64_t metrics_every_steps; // 0: one row per episode
    bool tensorboard;            // the program writes TensorBoard's event files into the run's folder
    double checkpoint_seconds;   // at most one checkpoint in this time; stretched to keep its cost small
    int64_t checkpoint_steps;    // 0: by time alone

    dq_agent_config learner;
    double env_options[32]; // the environment's own options struct; read and written through its rows
} dq_run_config;

// The rows of dq_run_config, agent options included. Keys env.NAME belong to the environment's own table.
// Built on the first call; any thread.
DQ_API dq_option_table dq_run_options(void);

// Defaults, then the tuned values for that environment where there are any, then the preset `agent`
// (NULL: "default", the tuned values as they are).
DQ_API dq_status dq_run_config_init(dq_run_config *config, const char *env, const char *agent,
                                    dq_error *error);

// One "key=value" word; env.KEY reaches the environment's options.
DQ_API dq_status dq_run_config_assign(dq_run_config *config, const char *word, const char *where,
                                      dq_error *error);
DQ_API dq_status dq_run_config_validate(const dq_run_config *config, dq_error *error);
// "name: value" lines, which is YAML, to a file; replaces it atomically.
DQ_API dq_status dq_run_config_write(const dq_run_config *config, const char *path, dq_error *error);
DQ_API dq_status dq_run_config_read(dq_run_config *config, const char *path, dq_error *error);

// What one row of metrics.csv tells.
typedef struct dq_metrics {
    int64_t step, episode, updates;
    int64_t episode_length;
    double episode_return;
    double mean_return, mean_length; // of the last 100 episodes
    double loss;                     // mean since the row before
    double epsilon, learning_rate;
    double eval_return;            // greedy, undiscounted, mean over eval_episodes; NAN when not measured
    double eval_discounted_return; // the same with gamma
    double eval_q_start;           // mean max Q at the start states
    double eval_length;            // mean length of these episodes
    double q_mean, q_min, q_max;   // of the actions in batches since the row before (dq_agent_report)
    double target_mean, target_min, target_max; // of what they are moved towards
    double seconds, steps_per_second;
} dq_metrics;

typedef struct dq_run dq_run;

// Called after each metrics row, on the thread that trains.
typedef void dq_progress_fn(void *user, const dq_run *run, const dq_metrics *metrics);

// `folder` may be NULL: nothing is written. Otherwise it is made, and must not hold a run already.
DQ_API dq_status dq_run_create(dq_run **out, const dq_run_config *config, const char *folder,
                               dq_error *error);
// Goes on from the folder's last checkpoint.
DQ_API dq_status dq_run_resume(dq_run **out, const char *folder, dq_error *error);
DQ_API void dq_run_destroy(dq_run *run);

DQ_API void dq_run_on_progress(dq_run *run, dq_progress_fn *callback, void *user);

// Called on the thread that trains before each checkpoint: what a caller has buffered of the rows so far
// belongs on the disk by then, for a resumed run does not tell them again.
typedef void dq_before_checkpoint_fn(void *user);
DQ_API void dq_run_before_checkpoint(dq_run *run, dq_before_checkpoint_fn *callback, void *user);

// Trains until a stop rule fires (DQ_OK) or dq_run_interrupt was called (DQ_INTERRUPTED); either way
// weights and checkpoint are on disk when it returns.
DQ_API dq_status dq_run_train(dq_run *run, dq_error *error);

// Ends this training after its current round, as a stop rule does; for the callback of dq_run_on_progress.
DQ_API void dq_run_stop(dq_run *run);

// Asks every training of this process to stop after its current step. Safe in a signal handler.
DQ_API void dq_run_interrupt(void);

DQ_API const dq_run_config *dq_run_get_config(const dq_run *run);
DQ_API dq_agent *dq_run_agent(dq_run *run);
DQ_API int64_t dq_run_steps(const dq_run *run);

// --- policies: what a finished run leaves, without the learner ------------------------------------------

typedef struct dq_policy dq_policy;

// Loads a run's folder (its final weights) or a weights file. The file names its environment and network.
DQ_API dq_status dq_policy_load(dq_policy **out, const char *path, dq_error *error);

// One fully connected layer of somebody else's network, row-major.
typedef struct dq_dense_layer {
    int inputs, outputs;
    const float *weight; // [outputs, inputs]
    const float *bias;   // [outputs], or NULL: zeros
} dq_dense_layer;

// A policy out of such layers with ReLU between them; the last one gives the Q values. The weights are
// copied. It belongs to no environment: evaluating it needs one named, and its configuration's `env` is
// empty.
DQ_API dq_status dq_policy_from_layers(dq_policy **out, const dq_dense_layer *layers, int count,
                                       const char *where, dq_error *error);

// The policy that a run has learned so far, for a look at it during training, from the thread that trains. It
// is a copy: neither it nor the run knows of the other.
DQ_API dq_status dq_policy_from_run(dq_policy **out, const dq_run *run, dq_error *error);
DQ_API void dq_policy_destroy(dq_policy *policy);
DQ_API const dq_run_config *dq_policy_config(const dq_policy *policy);
DQ_API const dq_space *dq_policy_observation(const dq_policy *policy); // what its environment shows
DQ_API const dq_space *dq_policy_input(const dq_policy *policy); // what it looks at: frame_stack of them
DQ_API int dq_policy_frame_stack(const dq_policy *policy);
DQ_API int dq_policy_actions(const dq_policy *policy);
// `input`: an observation, or with a frame_stack above 1 a stack of them (deepq/frames.h).
DQ_API void dq_policy_q(dq_policy *policy, const void *input, float *q);
DQ_API int dq_policy_act(dq_policy *policy, const void *input);

// Greedy episodes: episode i resets its environment with seed + i. returns: [episodes]; total_steps may be
// NULL. `env_class` NULL: the policy's own, if it has one. The result does not depend on `threads`.
DQ_API dq_status dq_policy_evaluate(const dq_policy *policy, const dq_env_class *env_class,
                                    const dq_run_config *env_config, int episodes, uint64_t seed, int threads,
                                    double *returns, int64_t *total_steps, dq_error *error);

#ifdef __cplusplus
}
#endif
#endif
