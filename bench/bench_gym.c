// What stepping a Gymnasium environment through a worker process costs beside stepping it inside Python: the
// same environment, random actions and resets, microseconds a step of one environment alone and of 8 in one
// worker.
//
// The peer (peer_gym.py) is a plain loop over gymnasium.make(ID), run by the same Python; the two take turns,
// and the best of nine turns is printed, for machines are shared. Ids as arguments choose environments.
#include "measure.h"

#include <deepq/env.h>
#include <deepq/gym.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACTIONS = 4096, TURNS = 9, SIDE_BY_SIDE = 8 };

static const double seconds_each = 0.3;

static double least(const double *values) {
    double best = values[0];
    for (int i = 1; i < TURNS; i++) best = values[i] < best ? values[i] : best;
    return best;
}

// Microseconds a step.
static double measure(dq_vecenv *env) {
    static int32_t actions[ACTIONS + SIDE_BY_SIDE];
    dq_rng rng;
    dq_rng_seed(&rng, 1);
    for (int i = 0; i < ACTIONS + SIDE_BY_SIDE; i++)
        actions[i] = (int32_t)dq_rng_integers(&rng, 0, env->env_class->actions);
    int64_t steps = 0;
    const double start = bench_seconds();
    while (bench_seconds() - start < seconds_each) {
        for (int i = 0; i < 16; i++, steps += env->count)
            dq_vecenv_step(env, actions + steps / env->count % ACTIONS);
    }
    return 1e6 * (bench_seconds() - start) / (double)steps;
}

// The peer's microseconds a step, or 0.
static double ask_peer(const char *id) {
    const char *python = getenv("DEEPQ_PYTHON"), *source = getenv("DEEPQ_SOURCE");
    char command[4096];
    double value = 0;
    snprintf(command, sizeof command, "'%s' '%s/bench/peer_gym.py' '%s' %g",
             python && *python ? python : "python3", source ? source : ".", id + strlen("gym:"),
             seconds_each);
    FILE *from = popen(command, "r");
    if (!from) return 0;
    if (fscanf(from, "%lf", &value) != 1) value = 0;
    return pclose(from) ? 0 : value;
}

static int compare(const char *id) {
    dq_error error;
    dq_vecenv *one = NULL, *many = NULL;
    const dq_env_class *c = dq_env_find(id, &error);
    dq_status status = c ? dq_vecenv_create(&one, c, NULL, 1, -1, 0, &error) : error.code;
    if (!status) status = dq_vecenv_create(&many, c, NULL, SIDE_BY_SIDE, -1, 0, &error);
    if (status) {
        printf("%-26s %s\n", id, error.message);
        dq_vecenv_destroy(one);
        return status == DQ_UNSUPPORTED ? 0 : 1; // what is not installed is not measured
    }
    double alone[TURNS], together[TURNS], peer[TURNS];
    bool failed = false;
    for (int turn = 0; turn < TURNS; turn++) {
        peer[turn] = ask_peer(id);
        alone[turn] = measure(one);
        together[turn] = measure(many);
        failed |= peer[turn] <= 0;
    }
    if (failed) {
        printf("%-26s the peer bench/peer_gym.py failed\n", id);
    } else {
        const double p = least(peer), a = least(alone), t = least(together);
        printf("%-26s %9.2f %9.2f %+7.1f%% %9.2f %+7.1f%%\n", id, p, a, 100 * (a / p - 1), t,
               100 * (t / p - 1));
    }
    dq_vecenv_destroy(one);
    dq_vecenv_destroy(many);
    return failed;
}

int main(int argc, char **argv) {
    static char *usual[] = {NULL, "gym:CartPole-v1", "gym:Acrobot-v1", "gym:LunarLander-v3",
                            "gym:ALE/Pong-v5"};
    dq_error error;
    if (dq_gym_register(&error)) return 1;
    char **ids = argc > 1 ? argv : usual;
    const int count = argc > 1 ? argc : (int)(sizeof usual / sizeof *usual);
    printf("%-26s %9s %9s %8s %9s %8s\n", "us a step", "in Python", "1 here", "", "8 here", "");
    int failed = 0;
    for (int i = 1; i < count; i++) failed |= compare(ids[i]);
    return failed;
}
