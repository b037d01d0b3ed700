// A strategy: one interchangeable part of the agent (head, backup, sampler, explorer), one file each.
//
// Every class struct starts with a dq_strategy. CMake lists the classes from their file names
// (cmake/generated.cmake), dq_agent_options() makes a choice row of each list and appends the rows of each
// class, so that adding a part is adding its file. The options struct must be at most 8-aligned.
#ifndef BASE_STRATEGY_H
#define BASE_STRATEGY_H

#include <deepq/options.h>

struct dq_agent_config;

typedef struct dq_strategy {
    const char *name;        // the value of the choice option: "scalar", "max", "uniform"
    const char *summary;     // one line
    const char *source;      // paper and equation
    dq_option_table options; // rows of the class's own options struct; may be empty
    size_t options_size;     // bytes of that struct; 0: none

    // Rejects what cannot work with the rest of the configuration, with a sentence. May be NULL.
    dq_status (*validate)(const struct dq_agent_config *config, const void *options, dq_error *error);
} dq_strategy;

#endif
