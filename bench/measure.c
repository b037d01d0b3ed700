#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, int n) {
    qsort(values, (size_t)n, sizeof *values, ascending);
    return values[n / 2];
}

void *bench_room(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory) exit(1);
    memset(memory, 0, bytes);
    return memory;
}

bench_options bench_read_options(int argc, char **argv, double seconds) {
    const char *python = getenv("PYTHON");
    bench_options o = {.seconds = seconds, .python = python && *python ? python : "python3"};
    for (int i = 1; i < argc; i++) {
        const bool more = i + 1 < argc;
        if (strcmp(argv[i], "--phases") == 0) {
            o.phases = true;
        } else if (more && strcmp(argv[i], "--seconds") == 0) {
            o.seconds = atof(argv[++i]);
        } else if (more && strcmp(argv[i], "--network") == 0) {
            o.network = argv[++i];
        } else if (more && strcmp(argv[i], "--python") == 0) {
            o.python = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--phases] [--seconds S] [--network NAME] [--python PROGRAM]\n",
                    argv[0]);
            exit(2);
        }
    }
    return o;
}

void bench_run_peer(const bench_options *options, const char *script) {
    char command[2048];
    const char *slash = strrchr(__FILE__, '/');
    fflush(stdout);
    snprintf(command, sizeof command, "'%s' '%.*s/%s' 2>/dev/null", options->python,
             slash ? (int)(slash - __FILE__) : 1, slash ? __FILE__ : ".", script);
    if (system(command) != 0) printf("PyTorch: not installed for %s\n", options->python);
}
