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

// Everything an agent is made from. The rows of dq_agent_options() describe each field.
typedef struct dq_agent_config {
    // network
    dq_ints net_arch; // hidden widths
    int activation;   // relu | leaky_relu
    double leaky_slope;
    int normalization;    // none | batch | layer, after each hidden linear layer
    bool normalize_input; // a normalisation layer before the first

    // learning
    double gamma;
    int64_t batch_size;
    int loss;      // mse | huber
    int optimizer; // sgd | rmsprop | adam | adamw
    double momentum, alpha, beta1, beta2, optimizer_epsilon, weight_decay;
    bool centered, amsgrad;
    int learning_rate_schedule; // constant | linear | multiplied, in gradient steps
    double learning_rate, learning_rate_end, learning_rate_factor;
    int64_t learning_rate_period;
    double clip_value, max_grad_norm; // 0: off

    // replay
    int64_t buffer_size;
    bool replacement;
    int64_t learning_starts; // transitions stored before the first gradient step
    int64_t random_steps;    // environment steps with uniformly random actions at the start
    int64_t train_freq;      // environment steps between rounds of gradient steps
    int64_t gradient_steps;  // per round
    bool bootstrap_truncated;

    // target network
    int target_update;              // none | hard | soft
    int target_update_unit;         // steps | episodes | updates
    int64_t target_update_interval; // in that unit
    double tau;

    // exploration
    int epsilon_schedule; // constant | linear | exponential | multiplied
    int epsilon_clock;    // steps | episodes
    double epsilon_start, epsilon_end, epsilon_delay, epsilon_period, epsilon_factor;
} dq_agent_config;

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
DQ_API dq_status dq_agent_create(dq_agent **out, const dq_agent_config *config, int observation_size,
                                 int actions, uint64_t seed, dq_error *error);
DQ_API void dq_agent_destroy(dq_agent *agent);

DQ_API const dq_net *dq_agent_net(const dq_agent *agent);
DQ_API float *dq_agent_params(dq_agent *agent); // the online network's, [dq_net_size]

// q: [A] action values of one observation [D]. Greedy: the first of the largest.
DQ_API void dq_agent_q(dq_agent *agent, const float *observation, float *q);
DQ_API int dq_agent_greedy(dq_agent *agent, const float *observation);

#ifdef __cplusplus
}
#endif
#endif
