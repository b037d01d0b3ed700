// Ctrl-C and SIGTERM: the first asks all trainings to save and stop, a second one kills.
#ifndef DEEPQ_CLI_INTERRUPT_H
#define DEEPQ_CLI_INTERRUPT_H

#include <stdbool.h>

// From here to interrupt_end the signals are taken.
void interrupt_begin(void);
void interrupt_end(void);

// Did one come?
bool interrupt_seen(void);

#endif
