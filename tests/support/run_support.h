// Short trainings for tests, and what they leave.
#ifndef RUN_SUPPORT_H
#define RUN_SUPPORT_H

#include "base/safetensors.h"
#include "support.h"

#include <deepq/run.h>

// A configuration of a fraction of a second on CartPole-v1, then the words ("key=value", NULL at the end).
dq_run_config test_run_config(const char *const *words);

// A whole training of that configuration.
void test_train(const char *folder, const char *const *words);

// A new empty folder below the system's temporary one; static buffer of the last 256 calls.
const char *test_folder(void);
void test_remove_folder(const char *folder);

// What a run has come to: its parameters, replay records and clocks as one checksum.
uint64_t test_run_checksum(dq_run *run);

// metrics.csv without its two columns of time, as one checksum.
uint64_t test_metrics_checksum(const char *folder);

// The run's weights; the caller's to deinit.
dq_safetensors test_weights(const char *folder);

// Every tensor of run `b` is bit for bit that of run `a` where it fits the patterns, and differs elsewhere.
void test_frozen_bits(const char *a, const char *b, const char *patterns);

// Copies every file of a run's folder.
void test_copy_folder(const char *from, const char *to);

#endif
