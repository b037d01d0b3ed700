// Steps per second of every environment through the vectorised stepper, random actions, one core: alone and
// with 16 instances. Names as arguments choose environments. The median of five measurements, each of at
// least 0.1 s.
#include "measure.h"

#include <deepq/env.h>

#include <stdio.h>
#include <string.h>

enum { ACTIONS = 4096, REPEATS = 5 };

// Median steps per second, or 0 on failure.
static double measure(const dq_env_class *c, int instances) {
    static int32_t actions[ACTIONS + 64];
    dq_rng rng;
    dq_error error;
    dq_vecenv *env;
    double rates[REPEATS];
    dq_rng_seed(&rng, 1);
    for (int i = 0; i < ACTIONS + instances; i++) actions[i] = (int32_t)dq_rng_integers(&rng, 0, c->actions);
    if (dq_vecenv_create(&env, c, NULL, instances, -1, 0, &error)) return 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        int64_t steps = 0;
        double start = bench_seconds(), seconds;
        do {
            int batch = 1 + ACTIONS / 64;
            for (int i = 0; i < batch; i++) dq_vecenv_step(env, actions + (steps + i * 61) % ACTIONS);
            steps += (int64_t)batch * instances;
            seconds = bench_seconds() - start;
        } while (seconds < 0.1);
        rates[repeat] = (double)steps / seconds;
    }
    dq_vecenv_destroy(env);
    return bench_median(rates, REPEATS);
}

static bool chosen(const char *id, int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (!strcmp(id, argv[i])) return true;
    return argc == 1;
}

int main(int argc, char **argv) {
    printf("%-18s %16s %16s\n", "steps per second", "one instance", "16 instances");
    for (int i = 0; i < dq_env_count(); i++) {
        const dq_env_class *c = dq_env_at(i);
        if (!chosen(c->id, argc, argv)) continue;
        printf("%-18s %16.0f %16.0f\n", c->id, measure(c, 1), measure(c, 16));
    }
    return 0;
}
