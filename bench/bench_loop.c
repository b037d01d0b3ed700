// The whole training loop in environment steps per second, beside the same work in the notebooks' way.
//
// CartPole-v1, 4-128-128-2, batch 128, AdamW with amsgrad, one gradient step per environment step, a target
// network copied every 30 steps, replay of 2,000: the course's exercise (labs/inf639.yml). One thread. The
// peer, bench/peer_loop.py (PyTorch, a deque, Gymnasium), runs with $PYTHON, or python3, if that has torch.
//
//   bench_loop [--steps N] [--repeats R] [key=value ...]
#include <deepq/run.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const exercise[] = {"net_arch=[128, 128]",
                                       "batch_size=128",
                                       "optimizer=adamw",
                                       "amsgrad=true",
                                       "learning_rate=0.004",
                                       "learning_rate_schedule=multiplied",
                                       "learning_rate_factor=0.97",
                                       "learning_rate_end=0.0001",
                                       "gamma=0.9",
                                       "loss=mse",
                                       "buffer_size=2000",
                                       "learning_starts=128",
                                       "target_update=hard",
                                       "target_update_unit=steps",
                                       "target_update_interval=30",
                                       "epsilon_schedule=multiplied",
                                       "epsilon_clock=episodes",
                                       "epsilon_start=0.82",
                                       "epsilon_end=0.013",
                                       "epsilon_factor=0.9675",
                                       "weight_decay=0.01",
                                       "max_grad_norm=0",
                                       "n_step=1",
                                       "train_freq=1",
                                       "gradient_steps=1",
                                       "backup=max",
                                       NULL};

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static dq_status measure(const dq_run_config *config, double *rate, dq_error *error) {
    dq_run *run;
    dq_status status = dq_run_create(&run, config, NULL, error);
    if (status) return status;
    double start = processor_seconds();
    status = dq_run_train(run, error);
    *rate = (double)dq_run_steps(run) / (processor_seconds() - start);
    dq_run_destroy(run);
    return status;
}

// Runs the peer on one core; its last line is its steps per second.
static double peer(void) {
    const char *python = getenv("PYTHON"), *source = getenv("DEEPQ_SOURCE");
    char command[1024], line[256];
    double rate = 0;
    snprintf(command, sizeof command, "taskset -c 0 %s %s/bench/peer_loop.py 2>/dev/null",
             python ? python : "python3", source ? source : ".");
    FILE *out = popen(command, "r");
    while (out && fgets(line, sizeof line, out)) {
        printf("peer: %s", line);
        const char *number = strrchr(line, ' ');
        if (number) rate = atof(number);
    }
    if (out) pclose(out);
    return rate;
}

int main(int argc, char **argv) {
    dq_run_config config;
    dq_error error = {0};
    const char *steps = "total_steps=20000";
    char word[64];
    int repeats = 5;
    double best = 0, rates = 0;
    if (dq_run_config_init(&config, "CartPole-v1", "dqn2015", &error)) goto fail;
    for (int i = 0; exercise[i]; i++)
        if (dq_run_config_assign(&config, exercise[i], "the exercise", &error)) goto fail;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--repeats") && i + 1 < argc) repeats = atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--steps") && i + 1 < argc) {
            snprintf(word, sizeof word, "total_steps=%s", argv[i + 1]);
            steps = word;
        }
        if (strchr(argv[i], '=') && dq_run_config_assign(&config, argv[i], "command line", &error)) goto fail;
    }
    if (dq_run_config_assign(&config, steps, "command line", &error)) goto fail;
    for (int i = 0; i < repeats; i++) {
        double rate;
        config.seed = i;
        if (measure(&config, &rate, &error)) goto fail;
        best = rate > best ? rate : best;
        rates += rate;
    }
    printf("deepq: %s, %d seeds, steps per processor second: mean %.0f, best %.0f\n", steps, repeats,
           rates / repeats, best);
    double other = peer();
    if (other > 0)
        printf("deepq / peer: %.1f (mean), %.1f (best)\n", rates / repeats / other, best / other);
    else
        printf("peer: not measured, $PYTHON has no torch or gymnasium\n");
    return 0;
fail:
    fprintf(stderr, "%s (%s)\n", error.message, error.where);
    return 1;
}
