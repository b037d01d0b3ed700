// Processes by host, boot, number and start time, from /proc (proc(5)).
#include "tune/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Clock ticks from the boot to the start of a process; 0: there is no such process.
static unsigned long long start_of(long pid) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    const char *read = fgets(line, sizeof line, file);
    fclose(file);
    const char *c = read ? strrchr(line, ')') : NULL; // the name may hold anything
    char state = 0;
    unsigned long long start = 0;
    // behind the name: state, then 18 numbers to the start time
    if (!c ||
        sscanf(c + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
               &state, &start) != 2)
        return 0;
    return state == 'Z' || state == 'X' ? 0 : start; // a dead child that nobody has looked after
}

void dq_worker_machine(char *text, size_t size) {
    char host[128] = "localhost", boot[64] = "";
    gethostname(host, sizeof host - 1);
    for (char *c = host; *c; c++)
        if (*c == '/' || *c == '"' || *c == '\\' || (unsigned char)*c < ' ') *c = '-';
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (file) {
        if (fgets(boot, sizeof boot, file)) boot[strcspn(boot, "\n")] = 0;
        fclose(file);
    }
    snprintf(text, size, "%s/%s", host, boot);
}

void dq_worker_self(char *text, size_t size) {
    char where[200];
    dq_worker_machine(where, sizeof where);
    snprintf(text, size, "%s/%ld/%llu", where, (long)getpid(), start_of(getpid()));
}

dq_worker_state dq_worker_look(const char *text) {
    char where[200];
    dq_worker_machine(where, sizeof where);
    const size_t length = strlen(where);
    if (strncmp(text, where, length) != 0 || text[length] != '/') return DQ_WORKER_UNKNOWN;
    char *rest;
    const long pid = strtol(text + length + 1, &rest, 10);
    if (pid < 1 || *rest != '/') return DQ_WORKER_UNKNOWN;
    const unsigned long long start = strtoull(rest + 1, NULL, 10);
    return start && start_of(pid) == start ? DQ_WORKER_ALIVE : DQ_WORKER_GONE;
}
