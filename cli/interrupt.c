// The signal handlers of verbs that train.
#include "interrupt.h"

#include <deepq/run.h>

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t seen;
static struct sigaction before[2];

static void on_signal(int number) {
    seen = 1;
    dq_run_interrupt();
    signal(number, SIG_DFL); // a second one kills
}

void interrupt_begin(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, &before[0]);
    sigaction(SIGTERM, &action, &before[1]);
}

void interrupt_end(void) {
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
}

bool interrupt_seen(void) {
    return seen;
}
