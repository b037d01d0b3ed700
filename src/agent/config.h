// The parts of dq_agent_config that the rest of the library reads through functions.
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include "agent/backup.h"
#include "agent/explore.h"
#include "agent/head.h"
#include "replay/sampler.h"

// The options struct of a class inside the configuration.
const void *dq_agent_strategy_options(const dq_agent_config *config, const dq_strategy *about);

dq_schedule dq_agent_epsilon_schedule(const dq_agent_config *config);
dq_schedule dq_agent_learning_rate_schedule(const dq_agent_config *config);
dq_optimizer_config dq_agent_optimizer(const dq_agent_config *config);

#endif
