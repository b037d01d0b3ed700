// The option rows of dq_agent_config: its own, one choice row per kind of strategy, and every strategy's.
//
// The strategies' rows are appended once, at the first call; the options struct of the k-th class lies in
// `strategy_options` behind those of the classes before it, in the order of the lists.
#include "agent/config.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ROW(field, group, type, text, low, high, log, choices, unit, help)                                   \
    { #field, group, type, offsetof(dq_agent_config, field), 0, text, low, high, log, choices, unit, help }
#define INT(field, group, text, low, high, log, unit, help)                                                  \
    ROW(field, group, DQ_OPTION_INT, text, low, high, log, NULL, unit, help)
#define REAL(field, group, text, low, high, log, unit, help)                                                 \
    ROW(field, group, DQ_OPTION_REAL, text, low, high, log, NULL, unit, help)
#define BOOL(field, group, text, help) ROW(field, group, DQ_OPTION_BOOL, text, 0, 1, false, NULL, NULL, help)
#define CHOICE(field, group, text, choices, help)                                                            \
    ROW(field, group, DQ_OPTION_CHOICE, text, 0, 0, false, choices, NULL, help)
#define BIG 1e15

static const dq_option own_rows[] = {
    CHOICE(observation, "observation", "raw", "raw|scaled|features",
           "what the network sees: as it is, each number divided by the environment's scale, its features"),
    BOOL(normalize_observation, "observation", "false",
         "the network sees it normalised by the mean and variance of all met so far, clipped to +-10"),

    INT(frame_stack, "observation", "1", 1, 64, false, "observations",
        "the network sees this many of the newest at once"),

    CHOICE(network, "network", "mlp", "mlp|dqn2013|dqn2015|impala",
           "dense layers, or a published network on images"),
    ROW(net_arch, "network", DQ_OPTION_INTS, "[128, 128]", 1, 65536, true, NULL, "units",
        "widths of mlp's hidden layers"),
    CHOICE(activation, "network", "relu", "relu|leaky_relu", "after each hidden layer"),
    REAL(leaky_slope, "network", "0.01", 0, 1, false, NULL, "slope of leaky_relu below zero"),
    CHOICE(normalization, "network", "none", "none|batch|layer",
           "after each hidden linear layer; layer: after a trunk's convolutions too"),
    BOOL(normalize_input, "network", "false", "the same normalization before the first layer"),
    BOOL(dueling, "network", "false", "a state's value and the actions' advantages, joined at the end"),
    CHOICE(noisy, "network", "none", "none|output|all", "linear layers with learned noise (explorer=noisy)"),
    REAL(noisy_sigma, "network", "0.5", 1e-3, 100, true, NULL, "noise at the start, times 1/sqrt(inputs)"),

    {"freeze", "learning", DQ_OPTION_TEXT, offsetof(dq_agent_config, freeze),
     sizeof((dq_agent_config *)NULL)->freeze, "", 0, 0, false, NULL, NULL,
     "tensors that stay as they are, by name: \"hidden1, *.bias\"; deepq show lists the names"},
    REAL(gamma, "learning", "0.99", 0, 1, false, NULL, "discount of the next step's value"),
    REAL(reward_scale, "learning", "1", 1e-30, 1e30, true, NULL,
         "rewards are multiplied by this to learn from; reports show them as they are"),
    REAL(reward_clip, "learning", "0", 0, BIG, false, NULL, "and then cut to +- this; 0: off"),
    INT(n_step, "learning", "1", 1, 1000, true, "steps", "rewards summed before the bootstrap"),
    INT(rollout, "learning", "0", 0, 1e6, false, "steps",
        "of every environment, learned from at once by lambda-returns, with no replay memory; 0: off"),
    REAL(lambda, "learning", "0.65", 0, 1, false, NULL, "rollout: share of the later return in the return"),
    INT(batch_size, "learning", "128", 1, 65536, true, "transitions", "transitions per gradient step"),
    CHOICE(loss, "learning", "huber", "mse|huber", "of the scalar head: squared or smooth L1"),
    CHOICE(optimizer, "learning", "adam", "sgd|rmsprop|adam|adamw|radam", "how gradients change parameters"),
    REAL(momentum, "learning", "0", 0, 1, false, NULL, "sgd, rmsprop: momentum"),
    REAL(alpha, "learning", "0.99", 0, 1, false, NULL, "rmsprop: smoothing of squared gradients"),
    REAL(beta1, "learning", "0.9", 0, 0.999999, false, NULL, "adam, adamw: smoothing of gradients"),
    REAL(beta2, "learning", "0.999", 0, 0.999999999, false, NULL,
         "adam, adamw: smoothing of squared gradients"),
    REAL(optimizer_epsilon, "learning", "1e-8", 1e-30, 1, true, NULL, "added to the divisor"),
    REAL(weight_decay, "learning", "0", 0, 1, false, NULL, "pull of parameters towards zero"),
    BOOL(centered, "learning", "false", "rmsprop: divide by the variance, not the second moment"),
    BOOL(amsgrad, "learning", "false", "adam, adamw: divide by the largest second moment so far"),
    INT(threads, "learning", "1", 0, 256, false, NULL,
        "that share a gradient step; pays for networks on images; 0: one per core; results are the same"),
    CHOICE(learning_rate_schedule, "learning", "constant", "constant|linear|exponential|multiplied",
           "over gradient steps"),
    REAL(learning_rate, "learning", "0.001", 0, 100, true, NULL, "at the start"),
    REAL(learning_rate_end, "learning", "0", 0, 100, false, NULL, "where the schedule ends"),
    REAL(learning_rate_factor, "learning", "0.99", 0, 1, false, NULL, "multiplied: per gradient step"),
    REAL(learning_rate_delay, "learning", "0", 0, BIG, false, "updates",
         "gradient steps before the schedule starts"),
    REAL(learning_rate_period, "learning", "10000", 1, BIG, true, "updates",
         "linear: its length; exponential: its time constant"),
    REAL(clip_value, "learning", "0", 0, BIG, false, NULL, "each gradient is cut to +- this; 0: off"),
    REAL(max_grad_norm, "learning", "10", 0, BIG, false, NULL,
         "the gradient is scaled down to this norm; 0: off"),

    INT(buffer_size, "replay", "10000", 1, 1e9, true, "transitions", "the newest this many are kept"),
    INT(frame_compression, "replay", "1", 1, 100, true, "times",
        "frames are kept packed by LZ4 in this much less memory, the oldest go early where they do not fit; "
        "1: off"),
    INT(learning_starts, "replay", "1000", 1, 1e9, true, "transitions",
        "stored before the first gradient step"),
    INT(random_steps, "replay", "0", 0, BIG, false, "steps", "uniformly random actions at the start"),
    INT(train_freq, "replay", "1", 1, 1e9, true, "steps",
        "environment steps between rounds of gradient steps"),
    INT(gradient_steps, "replay", "1", 1, 1e6, true, "updates", "gradient steps per round"),
    BOOL(bootstrap_truncated, "replay", "true",
         "an episode cut by a time limit keeps the value of what would have followed"),

    CHOICE(target_update, "target network", "hard", "none|hard|soft",
           "copied, moved by tau, or no target network"),
    CHOICE(target_update_unit, "target network", "steps", "steps|episodes|updates",
           "hard: what target_update_interval counts"),
    INT(target_update_interval, "target network", "500", 1, 1e9, true, NULL,
        "hard: steps, episodes or updates between copies"),
    REAL(tau, "target network", "0.005", 0, 1, true, NULL,
         "soft: share of the online network, after each gradient step"),

    CHOICE(epsilon_schedule, "exploration", "linear", "constant|linear|exponential|multiplied",
           "how the exploration rate falls"),
    CHOICE(epsilon_clock, "exploration", "steps", "steps|episodes", "what the epsilon schedule counts"),
    REAL(epsilon_start, "exploration", "1", 0, 1, false, NULL, "probability of a random action at the start"),
    REAL(epsilon_end, "exploration", "0.02", 0, 1, false, NULL, "and where the schedule ends"),
    REAL(epsilon_delay, "exploration", "0", 0, BIG, false, NULL,
         "ticks of the clock before the schedule starts"),
    REAL(epsilon_period, "exploration", "10000", 1, BIG, true, NULL,
         "linear: its length; exponential: its time constant; in ticks"),
    REAL(epsilon_factor, "exploration", "0.99", 0, 1, false, NULL, "multiplied: per tick"),
};

enum { OWN = sizeof own_rows / sizeof *own_rows, MOST = OWN + 80, KINDS = 4, MOST_CLASSES = 64 };

static dq_option rows[MOST];
static int row_count;
static const dq_strategy *placed[MOST_CLASSES]; // every class, in the order of its place
static size_t place[MOST_CLASSES];              // of its options, in bytes of strategy_options
static int placed_count;
static char choices[KINDS][512];

static void add_class(const dq_strategy *about, char *names) {
    size_t used = strlen(names);
    snprintf(names + used, sizeof choices[0] - used, "%s%s", used ? "|" : "", about->name);
    size_t behind = 0;
    if (placed_count > 0)
        behind = place[placed_count - 1] + (placed[placed_count - 1]->options_size + 7) / 8 * 8;
    assert(placed_count < MOST_CLASSES);
    assert(behind + about->options_size <= sizeof((dq_agent_config *)NULL)->strategy_options);
    placed[placed_count] = about;
    place[placed_count++] = behind;
    for (int i = 0; i < about->options.count; i++) {
        assert(row_count < MOST);
        rows[row_count] = about->options.rows[i];
        rows[row_count++].offset += offsetof(dq_agent_config, strategy_options) + behind;
    }
}

static void add_choice(const char *name, size_t offset, const char *text, const char *names,
                       const char *help) {
    rows[row_count++] = (dq_option){.name = name,
                                    .group = "parts",
                                    .type = DQ_OPTION_CHOICE,
                                    .offset = offset,
                                    .default_text = text,
                                    .choices = names,
                                    .help = help};
}

static void build(void) {
    add_choice("head", offsetof(dq_agent_config, head), "scalar", choices[0],
               "what the network's outputs mean");
    add_choice("backup", offsetof(dq_agent_config, backup), "max", choices[1],
               "the policy whose next value a target takes");
    add_choice("sampler", offsetof(dq_agent_config, sampler), "uniform", choices[2],
               "which stored transitions are learned from");
    add_choice("explorer", offsetof(dq_agent_config, explorer), "epsilon_greedy", choices[3],
               "how actions are chosen while training");
    memcpy(rows + row_count, own_rows, sizeof own_rows);
    row_count += OWN;
    for (int i = 0; dq_head_classes[i]; i++) add_class(&dq_head_classes[i]->about, choices[0]);
    for (int i = 0; dq_backup_classes[i]; i++) add_class(&dq_backup_classes[i]->about, choices[1]);
    for (int i = 0; dq_sampler_classes[i]; i++) add_class(&dq_sampler_classes[i]->about, choices[2]);
    for (int i = 0; dq_explorer_classes[i]; i++) add_class(&dq_explorer_classes[i]->about, choices[3]);
}

dq_option_table dq_agent_options(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build);
    return (dq_option_table){rows, row_count};
}

const void *dq_agent_strategy_options(const dq_agent_config *config, const dq_strategy *about) {
    dq_agent_options();
    for (int i = 0; i < placed_count; i++)
        if (placed[i] == about) return (const unsigned char *)config->strategy_options + place[i];
    assert(!"every class is in a list");
    return NULL;
}

dq_schedule dq_agent_epsilon_schedule(const dq_agent_config *config) {
    return (dq_schedule){.kind = (dq_schedule_kind)config->epsilon_schedule,
                         .start = config->epsilon_start,
                         .end = config->epsilon_end,
                         .delay = config->epsilon_delay,
                         .period = config->epsilon_period,
                         .factor = config->epsilon_factor};
}

dq_schedule dq_agent_learning_rate_schedule(const dq_agent_config *config) {
    return (dq_schedule){.kind = (dq_schedule_kind)config->learning_rate_schedule,
                         .start = config->learning_rate,
                         .end = config->learning_rate_end,
                         .delay = config->learning_rate_delay,
                         .period = config->learning_rate_period,
                         .factor = config->learning_rate_factor};
}

dq_optimizer_config dq_agent_optimizer(const dq_agent_config *config) {
    return (dq_optimizer_config){.kind = (dq_optimizer_kind)config->optimizer,
                                 .momentum = config->momentum,
                                 .alpha = config->alpha,
                                 .beta1 = config->beta1,
                                 .beta2 = config->beta2,
                                 .epsilon = config->optimizer_epsilon,
                                 .weight_decay = config->weight_decay,
                                 .centered = config->centered,
                                 .amsgrad = config->amsgrad};
}
