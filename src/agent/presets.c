// Named agents: lists of option assignments, nothing else. Names and papers live here alone.
#include <deepq/agent.h>

#include <stdio.h>
#include <string.h>

// Values of CartPole size; the tuned ones of an environment come before a preset and fill what it leaves.
static const char *const as_tuned[] = {NULL};

static const char *const naive[] = {
    "head=scalar",  "backup=max",       "sampler=uniform",    "explorer=epsilon_greedy",
    "n_step=1",     "buffer_size=1",    "batch_size=1",       "learning_starts=1",
    "train_freq=1", "gradient_steps=1", "target_update=none", NULL};

static const char *const dqn2013[] = {
    "head=scalar",        "backup=max", "sampler=uniform", "explorer=epsilon_greedy", "n_step=1",
    "target_update=none", NULL};

static const char *const dqn2015[] = {
    "head=scalar",        "backup=max", "sampler=uniform", "explorer=epsilon_greedy", "n_step=1",
    "target_update=hard", NULL};

static const dq_agent_preset presets[] = {
    {"default", "the values tuned for the environment", "presets/", as_tuned},
    {"naive", "learns from the newest transition alone: no replay, no target network",
     "Tesauro 1995, Temporal difference learning and TD-Gammon", naive},
    {"dqn2013", "experience replay, no target network",
     "Mnih et al. 2013, Playing Atari with deep reinforcement learning", dqn2013},
    {"dqn2015", "experience replay and a target network copied every so often",
     "Mnih et al. 2015, Human-level control through deep reinforcement learning", dqn2015},
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
    char known[300] = "";
    for (int i = 0; i < COUNT; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", presets[i].name);
    }
    dq_fail(error, DQ_NOT_FOUND, name, "there is no agent called %s; the agents are %s", name, known);
    return NULL;
}
