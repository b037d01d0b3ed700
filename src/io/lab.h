// Labs: recipes of a comparison, agents by seeds, as labs/*.yml hold them.
//
// A lab names an environment, how many trainings each agent gets, options that all agents share and, for
// each agent, a preset with options of its own. Reading keeps option values as text with their lines; what
// an option means is the business of its row, when a training is configured from the lab.
#ifndef DEEPQ_IO_LAB_H
#define DEEPQ_IO_LAB_H

#include <deepq/options.h>
#include <stdio.h>

typedef enum dq_lab_axis { DQ_LAB_STEPS, DQ_LAB_EPISODES } dq_lab_axis;

// One "key: value" line.
typedef struct dq_lab_pair {
    char *key, *value;
    char where[300]; // FILE:LINE, for errors
} dq_lab_pair;

typedef struct dq_lab_pairs {
    dq_lab_pair *at; // [count], heap
    int count;
} dq_lab_pairs;

typedef struct dq_lab_agent {
    char name[48];   // a folder's name too: letters, digits, '-', '_' and '.'
    char preset[48]; // its own name where the lab says nothing else
    char where[300];
    dq_lab_pairs options;
} dq_lab_agent;

typedef struct dq_lab {
    // the lab's own keys, rows of dq_lab_options()
    char name[64], title[200], summary[600];
    char env[64];
    int64_t seeds, seed;    // trainings per agent; the first one's seed
    int axis;               // dq_lab_axis: what the curves are drawn over
    bool tuned;             // start from the environment's tuned values rather than the plain defaults
    double threshold;       // the mean return whose first crossing is timed; NAN: none
    int64_t final_episodes; // greedy episodes that score a finished training
    int64_t final_seed;     // episode i of them resets its environment with final_seed + i

    dq_lab_pairs common;
    dq_lab_pairs search;  // what a search over the lab's agents varies (deepq tune)
    dq_lab_agent *agents; // [agent_count], heap
    int agent_count;
} dq_lab;

// The lab's own keys.
dq_option_table dq_lab_options(void);

// Reads `path` into *lab, which dq_lab_deinit frees, whether or not this succeeded. Errors say FILE:LINE and,
// for a key that is not known, the nearest one. Option keys of agents are not looked at yet.
dq_status dq_lab_read(dq_lab *lab, const char *path, dq_error *error);

// The defaults and no agents.
dq_status dq_lab_init(dq_lab *lab, dq_error *error);
void dq_lab_deinit(dq_lab *lab);

// Adds an agent, or an option to a list; the last value of a key wins.
dq_status dq_lab_add_agent(dq_lab *lab, const char *name, const char *preset, const char *where,
                           dq_error *error);
void dq_lab_drop_agent(dq_lab *lab); // the last one
dq_status dq_lab_add(dq_lab_pairs *pairs, const char *key, const char *value, const char *where,
                     dq_error *error);

// YAML that dq_lab_read reads back to the same lab.
void dq_lab_write(const dq_lab *lab, FILE *out);

#endif
