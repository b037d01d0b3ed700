// Who works on a trial, and whether that process is still there.
#ifndef TUNE_WORKER_H
#define TUNE_WORKER_H

#include <deepq/base.h>

// "HOST/BOOT" of this machine since it was started.
void dq_worker_machine(char *text, size_t size);

// "HOST/BOOT/PID/START" of this process: START tells two processes with one number apart.
void dq_worker_self(char *text, size_t size);

typedef enum dq_worker_state { DQ_WORKER_ALIVE, DQ_WORKER_GONE, DQ_WORKER_UNKNOWN } dq_worker_state;

// Unknown: it works on another machine, or says nothing that can be read.
dq_worker_state dq_worker_look(const char *text);

#endif
