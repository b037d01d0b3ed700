// The text form of a run's configuration, inside the library.
#ifndef RUN_CONFIG_H
#define RUN_CONFIG_H

#include <deepq/run.h>

// The whole configuration as "name: value" lines (free() it), env.NAME lines included. NULL: no memory.
char *dq_run_config_text(const dq_run_config *config);

// Reads such text on top of the defaults. `where` names its source in errors.
dq_status dq_run_config_parse(dq_run_config *config, const char *text, const char *where, dq_error *error);

#endif
