// Named agents: lists of option assignments, nothing else. Names and papers live here alone.
#include <deepq/agent.h>

#include <stdio.h>
#include <string.h>

// Values of CartPole size; the tuned ones of an environment come before a preset and fill what it leaves.
static const char *const as_tuned[] = {NULL};

// The parts that tell the members of the family apart; every preset says all of them.
#define PARTS(head, backup, sampler, explorer, n_step, dueling, noisy)                                       \
    "head=" head, "backup=" backup, "sampler=" sampler, "explorer=" explorer, "n_step=" n_step,              \
        "dueling=" dueling, "noisy=" noisy, "rollout=0"
#define GREEDY "epsilon_greedy"
#define HARD   "target_update=hard"

static const char *const naive[] = {PARTS("scalar", "max", "uniform", GREEDY, "1", "false", "none"),
                                    "buffer_size=1",
                                    "batch_size=1",
                                    "learning_starts=1",
                                    "train_freq=1",
                                    "gradient_steps=1",
                                    "target_update=none",
                                    NULL};
static const char *const dqn2013[] = {PARTS("scalar", "max", "uniform", GREEDY, "1", "false", "none"),
                                      "target_update=none", NULL};
static const char *const dqn2015[] = {PARTS("scalar", "max", "uniform", GREEDY, "1", "false", "none"), HARD,
                                      NULL};
static const char *const ddqn[] = {PARTS("scalar", "double", "uniform", GREEDY, "1", "false", "none"), HARD,
                                   NULL};
static const char *const per[] = {PARTS("scalar", "double", "prioritized", GREEDY, "1", "false", "none"),
                                  HARD, NULL};
static const char *const dueling_ddqn[] = {PARTS("scalar", "double", "uniform", GREEDY, "1", "true", "none"),
                                           HARD, NULL};
static const char *const nstep[] = {PARTS("scalar", "max", "uniform", GREEDY, "3", "false", "none"), HARD,
                                    NULL};
static const char *const c51[] = {PARTS("c51", "max", "uniform", GREEDY, "1", "false", "none"), HARD, NULL};
static const char *const qrdqn[] = {PARTS("qr", "max", "uniform", GREEDY, "1", "false", "none"), HARD, NULL};
static const char *const iqn[] = {PARTS("iqn", "max", "uniform", GREEDY, "1", "false", "none"), HARD, NULL};
static const char *const noisy[] = {PARTS("scalar", "max", "uniform", "noisy", "1", "false", "all"), HARD,
                                    NULL};
static const char *const munchausen[] = {
    PARTS("scalar", "munchausen", "uniform", GREEDY, "1", "false", "none"), HARD, NULL};
static const char *const rainbow[] = {PARTS("c51", "double", "prioritized", "noisy", "3", "true", "all"),
                                      HARD, "priority_alpha=0.5", "priority_beta=0.4", NULL};

// Exploration stays high, because what is learned from is only what just happened. Steps and schedule are of
// CartPole size: 256 transitions a round, 64 gradient steps each.
static const char *const pqn[] = {PARTS("scalar", "max", "uniform", GREEDY, "1", "false", "none"),
                                  "target_update=none",
                                  "n_envs=16",
                                  "rollout=16",
                                  "lambda=0.9",
                                  "normalization=layer",
                                  "replacement=false",
                                  "batch_size=32",
                                  "gradient_steps=64",
                                  "optimizer=radam",
                                  "learning_rate_period=19000",
                                  "epsilon_end=0.2",
                                  NULL};

static const dq_agent_preset presets[] = {
    {"default", "the values tuned for the environment", "presets/", as_tuned},
    {"naive", "learns from the newest transition alone: no replay, no target network",
     "Tesauro 1995, Temporal difference learning and TD-Gammon", naive},
    {"dqn2013", "experience replay, no target network",
     "Mnih et al. 2013, Playing Atari with deep reinforcement learning", dqn2013},
    {"dqn2015", "experience replay and a target network copied every so often",
     "Mnih et al. 2015, Human-level control through deep reinforcement learning", dqn2015},
    {"ddqn", "double: the online network chooses the next action, the target network values it",
     "van Hasselt et al. 2016, Deep reinforcement learning with double Q-learning", ddqn},
    {"per", "prioritized replay (on double DQN, as in the paper)",
     "Schaul et al. 2016, Prioritized experience replay", per},
    {"dueling-ddqn", "value and advantage streams (on double DQN, as in the paper)",
     "Wang et al. 2016, Dueling network architectures for deep reinforcement learning", dueling_ddqn},
    {"nstep", "returns over three steps", "Sutton 1988; Hessel et al. 2018, Rainbow", nstep},
    {"c51", "the return's distribution over fixed values",
     "Bellemare et al. 2017, A distributional perspective on reinforcement learning", c51},
    {"qrdqn", "quantiles of the return",
     "Dabney et al. 2018a, Distributional reinforcement learning with quantile regression", qrdqn},
    {"iqn", "the return's whole quantile function",
     "Dabney et al. 2018b, Implicit quantile networks for distributional reinforcement learning", iqn},
    {"noisy", "exploration by learned noise in the weights",
     "Fortunato et al. 2018, Noisy networks for exploration", noisy},
    {"munchausen", "a softmax policy whose log-probability is added to the reward",
     "Vieillard et al. 2020, Munchausen reinforcement learning", munchausen},
    {"rainbow", "double, prioritized, dueling, three-step, C51 and noisy together",
     "Hessel et al. 2018, Rainbow: combining improvements in deep reinforcement learning", rainbow},
    {"pqn", "many environments, lambda-returns, layer normalisation; no replay, no target network",
     "Gallici et al. 2024, Simplifying deep temporal difference learning", pqn},
};

enum { COUNT = sizeof presets / sizeof *presets };

int dq_agent_preset_count(void) {
    return COUNT;
}

const dq_agent_preset *dq_agent_preset_at(int index) {
    return index >= 0 && index < COUNT ? &presets[index] : NULL;
}

const dq_agent_preset *dq_agent_preset_find(const char *name, dq_error *error) {
    for (int i = 0; i < COUNT; i++)
        if (!strcmp(presets[i].name, name)) return &presets[i];
    char known[400] = "";
    for (int i = 0; i < COUNT; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", presets[i].name);
    }
    dq_fail(error, DQ_USAGE, name, "there is no agent called %s; the agents are %s", name, known);
    return NULL;
}
