// What the benchmarks share: the clock, medians, memory, the words of their command lines, and the peers
// beside them.
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

// Seconds of a clock that only goes forward.
double bench_seconds(void);

// The median of n values, which are left in ascending order.
double bench_median(double *values, int n);

// Zeros at a multiple of 64 bytes, to be freed; without memory the program ends.
void *bench_room(size_t bytes);

typedef struct bench_options {
    bool phases;
    double seconds;               // of each measurement
    const char *network, *python; // network: the only one to measure; NULL: all
} bench_options;

// Reads [--phases] [--seconds S] [--network NAME] [--python PROGRAM] ($PYTHON, then python3). Wrong usage
// leaves the program.
bench_options bench_read_options(int argc, char **argv, double seconds);

// Runs a script of this folder, which prints PyTorch's own figure; says so where that Python has no PyTorch.
void bench_run_peer(const bench_options *options, const char *script);

#endif
