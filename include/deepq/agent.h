// The one agent: a Q-network and the orthogonal parts that make it any member of the DQN family.
//
// There is one learner. A named agent is a preset of dq_agent_config, and every improvement is a strategy
// chosen once at creation (src/agent/head_*.c, backup_*.c, explore_*.c; src/replay) or plain data.
#ifndef DEEPQ_AGENT_H
#define DEEPQ_AGENT_H

#include <deepq/net.h>
#include <deepq/options.h>
#include <deepq/replay.h>
#include <deepq/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

// A value over time. With t = clock ticks (environment steps, episodes or gradient steps) after `delay`:
typedef enum dq_schedule_kind {
    DQ_SCHEDULE_CONSTANT,    // start
    DQ_SCHEDULE_LINEAR,      // from start to end in `period` ticks, then end
    DQ_SCHEDULE_EXPONENTIAL, // end + (start - end) exp(-t / period)
    DQ_SCHEDULE_MULTIPLIED,  // max(end, start * factor^t)
} dq_schedule_kind;

typedef struct dq_schedule {
    dq_schedule_kind kind;
    double start, end;
    double delay, period;
    double factor;
} dq_schedule;

DQ_API double dq_schedule_at(const dq_schedule *schedule, int64_t ticks);

// Values of the choice options below, in the order of their names.
typedef enum dq_observation_kind {
    DQ_OBSERVE_RAW,
    DQ_OBSERVE_SCALED,
    DQ_OBSERVE_FEATURES
} dq_observation_kind;
typedef enum dq_network_kind {
    DQ_NETWORK_MLP,
    DQ_NETWORK_DQN2013, // and the other trunks of src/nn/trunk.c in their order
    DQ_NETWORK_DQN2015,
    DQ_NETWORK_IMPALA,
} dq_network_kind;
typedef enum dq_activation_kind { DQ_RELU, DQ_LEAKY_RELU } dq_activation_kind;
typedef enum dq_normalization_kind { DQ_NORM_NONE, DQ_NORM_BATCH, DQ_NORM_LAYER } dq_normalization_kind;
typedef enum dq_noisy_kind { DQ_NOISY_NONE, DQ_NOISY_OUTPUT, DQ_NOISY_ALL } dq_noisy_kind;
typedef enum dq_loss_kind { DQ_LOSS_MSE, DQ_LOSS_HUBER } dq_loss_kind;
typedef enum dq_target_kind { DQ_TARGET_NONE, DQ_TARGET_HARD, DQ_TARGET_SOFT } dq_target_kind;
typedef enum dq_clock { DQ_CLOCK_STEPS, DQ_CLOCK_EPISODES, DQ_CLOCK_UPDATES } dq_clock;

// Everything an agent is made from. The rows of dq_agent_options() describe each field; they include the
// rows of every strategy's own options, whose values live in `strategy_options`.
typedef struct dq_agent_config {
    // what the network sees of an observation
    int observation; // dq_observation_kind
    bool normalize_observation;
    const dq_features *features; // the environment's, or NULL; no row: a run fills it in

    int64_t frame_stack; // the newest observations it sees at once

    // network
    int network;      // dq_network_kind
    dq_ints net_arch; // mlp: hidden widths
    int activation;   // dq_activation_kind
    double leaky_slope;
    int normalization;    // dq_normalization_kind, after each hidden linear layer
    bool normalize_input; // the same before the first
    bool dueling;         // value and advantage streams
    int noisy;            // dq_noisy_kind, which linear layers carry noise
    double noisy_sigma;

    // parts, each the position in its list of classes
    int head, backup, sampler, explorer;

    // learning
    char freeze[256]; // patterns of tensors that are not trained (dq_net_freeze)
    double gamma;
    double reward_scale, reward_clip; // of what is learned from, never of what is reported; clip 0: off
    int64_t n_step;                   // rewards summed before the bootstrap
    int64_t
        rollout; // > 0: lambda-returns over so many steps of every environment, instead of a replay memory
    double lambda;
    int64_t batch_size;
    int loss;      // dq_loss_kind
    int optimizer; // dq_optimizer_kind
    double momentum, alpha, beta1, beta2, optimizer_epsilon, weight_decay;
    bool centered, amsgrad;
    int64_t threads;            // that share a gradient step; 0: one per core
    int learning_rate_schedule; // dq_schedule_kind, in gradient steps
    double learning_rate, learning_rate_end, learning_rate_factor, learning_rate_delay, learning_rate_period;
    double clip_value, max_grad_norm; // 0: off

    // replay
    int64_t buffer_size;
    int64_t frame_compression; // frames lie packed in so much less memory; 1: off
    int64_t learning_starts;   // transitions stored before the first gradient step
    int64_t random_steps;      // environment steps with uniformly random actions at the start
    int64_t train_freq;        // environment steps between rounds of gradient steps
    int64_t gradient_steps;    // per round
    bool bootstrap_truncated;

    // target network
    int target_update;              // dq_target_kind
    int target_update_unit;         // dq_clock
    int64_t target_update_interval; // hard: in that unit
    double tau;                     // soft: after each gradient step

    // exploration
    int epsilon_schedule; // dq_schedule_kind
    int epsilon_clock;    // dq_clock, steps or episodes
    double epsilon_start, epsilon_end, epsilon_delay, epsilon_period, epsilon_factor;

    double strategy_options[64]; // read and written through the rows alone
} dq_agent_config;

// The rows of dq_agent_config. Built on the first call; any thread.
DQ_API dq_option_table dq_agent_options(void);

// A preset: a named agent as option assignments ("target_update=none"), nothing else.
typedef struct dq_agent_preset {
    const char *name;
    const char *summary;
    const char *source;             // the paper
    const char *const *assignments; // NULL-terminated
} dq_agent_preset;

DQ_API int dq_agent_preset_count(void);
DQ_API const dq_agent_preset *dq_agent_preset_at(int index);
DQ_API const dq_agent_preset *dq_agent_preset_find(const char *name, dq_error *error);

// Rejects impossible combinations with a sentence.
DQ_API dq_status dq_agent_validate(const dq_agent_config *config, dq_error *error);

typedef struct dq_agent dq_agent;

// `seed` is the run's seed: the agent spawns its own streams (initialisation, exploration, sampling) from it.
// `space` is one observation's, `environments` is how many feed it.
DQ_API dq_status dq_agent_create(dq_agent **out, const dq_agent_config *config, const dq_space *space,
                                 int actions, int environments, uint64_t seed, dq_error *error);
DQ_API void dq_agent_destroy(dq_agent *agent);

DQ_API const dq_net *dq_agent_net(const dq_agent *agent);
DQ_API float *dq_agent_params(dq_agent *agent); // the online network's, [dq_net_size]

// q: [A] action values of one observation, or with a frame_stack above 1 of a stack of them (deepq/frames.h).
// Greedy: the first of the largest.
DQ_API void dq_agent_q(dq_agent *agent, const void *observation, float *q);
DQ_API int dq_agent_greedy(dq_agent *agent, const void *observation);

// --- what a training loop calls, in this order, once per round of environment steps ------------------------
// (dq_run is such a loop; a program with an environment of another kind may write its own)

// Actions for observations [count], of environments 0 to count - 1, side by side; `step` and `episode` are
// the clocks so far. The agent stacks frames on its own: it is shown each environment's every observation
// once.
DQ_API void dq_agent_act(dq_agent *agent, const void *observations, int count, int64_t step, int64_t episode,
                         int32_t *actions);

// One transition of environment `index` in [0, environments). `next_observation` is what
// the step led to, before any reset. A life lost counts as terminated.
DQ_API void dq_agent_observe(dq_agent *agent, int index, const void *observation, int action, double reward,
                             const void *next_observation, bool terminated, bool truncated);

// The gradient steps and target updates that are due after `steps` new environment steps up to the clocks
// `step` and `episode`. Returns the number of gradient steps made.
DQ_API int dq_agent_learn(dq_agent *agent, int steps, int64_t step, int64_t episode);

// Numbers that came by; `count` 0: none.
typedef struct dq_spread {
    double sum, least, most;
    int64_t count;
} dq_spread;

// What the last gradient steps told, and the schedules' present values.
typedef struct dq_agent_report {
    int64_t updates; // gradient steps so far
    double loss_sum; // of all gradient steps since the report before
    int64_t loss_count;
    dq_spread q, target; // of one gradient step in 8: values of the batch's actions, and what they aim at
    double epsilon, learning_rate;
} dq_agent_report;
DQ_API dq_agent_report dq_agent_take_report(dq_agent *agent, int64_t step, int64_t episode);

#ifdef __cplusplus
}
#endif
#endif
