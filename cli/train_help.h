// deepq train --help: argp's part, and below it every option of the run with the value it would have.
#ifndef DEEPQ_CLI_TRAIN_HELP_H
#define DEEPQ_CLI_TRAIN_HELP_H

#include <argp.h>
#include <stdbool.h>

bool train_help_wanted(int argc, char **argv);

// Prints it; where the words name an environment or an agent, with their values. Returns the exit status.
int train_help(const struct argp *argp, int argc, char **argv);

#endif
