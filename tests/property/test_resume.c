// A run killed with SIGKILL at any moment and resumed ends in the same bits as one that was not: parameters,
// optimizer, streams, replay memory, metrics (but the columns of time) and weights files.
#include "run_support.h"

#include "base/file.h"
#include "base/module.h"
#include <catch.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILLS = 20 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t file_checksum(const char *folder, const char *name) {
    char path[256], *data;
    size_t size;
    dq_error error;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    test_ok(dq_file_read(path, 1 << 28, &data, &size, &error), &error);
    uint64_t sum = dq_crc64(0, data, size);
    free(data);
    return sum;
}

typedef struct result {
    uint64_t run, metrics, weights, best;
} result;

static void finish(dq_run *run, const char *folder, result *r) {
    dq_error error;
    test_ok(dq_run_train(run, &error), &error);
    r->run = test_run_checksum(run);
    dq_run_destroy(run);
    r->metrics = test_metrics_checksum(folder);
    r->weights = file_checksum(folder, "weights.safetensors");
    r->best = file_checksum(folder, "best.safetensors");
}

// Starts or resumes the run in `folder` in a process of its own and kills that after `seconds`.
static void train_and_kill(const dq_run_config *config, const char *folder, double seconds) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char path[256];
        snprintf(path, sizeof path, "%s/config.yml", folder);
        dq_error error;
        dq_run *run = NULL;
        dq_status status = access(path, F_OK) ? dq_run_create(&run, config, folder, &error)
                                              : dq_run_resume(&run, folder, &error);
        if (!status) status = dq_run_train(run, &error);
        _exit(status);
    }
    struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    if (WIFEXITED(how)) assert_int_equal(WEXITSTATUS(how), 0);
}

static void kill_and_compare(const char *const *words, int kills, uint64_t seed) {
    dq_run_config config = test_run_config(words);
    dq_error error;
    dq_run *run;
    result whole, resumed;
    const char *folder = test_folder();
    double start = now();
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    finish(run, folder, &whole);
    double duration = now() - start;
    test_remove_folder(folder);

    dq_rng rng;
    dq_rng_seed(&rng, seed);
    for (int i = 0; i < kills; i++) {
        folder = test_folder();
        int deaths = 1 + i % 2; // every other run dies twice
        for (int k = 0; k < deaths; k++)
            train_and_kill(&config, folder, dq_rng_uniform(&rng, 0, duration / deaths));
        char path[256];
        snprintf(path, sizeof path, "%s/config.yml", folder);
        if (access(path, F_OK))
            test_ok(dq_run_create(&run, &config, folder, &error), &error);
        else
            test_ok(dq_run_resume(&run, folder, &error), &error);
        finish(run, folder, &resumed);
        assert_true(resumed.run == whole.run);
        assert_true(resumed.metrics == whole.metrics);
        assert_true(resumed.weights == whole.weights);
        assert_true(resumed.best == whole.best);
        test_remove_folder(folder);
    }
}

static void killed_at_20_random_moments(void **state) {
    (void)state;
    kill_and_compare((const char *[]){"checkpoint_steps=130", NULL}, KILLS, 1);
}

static void with_every_part_that_has_a_state(void **state) {
    (void)state;
    kill_and_compare((const char *[]){"checkpoint_steps=90", "n_envs=3", "n_step=3", "normalization=batch",
                                      "sampler=prioritized", "target_update=soft", "amsgrad=true",
                                      "optimizer=adamw", "eval_every_steps=500", "eval_episodes=3",
                                      "metrics_every_steps=37", NULL},
                     6, 2);
}

static void with_noise_and_with_rollouts(void **state) {
    (void)state;
    kill_and_compare((const char *[]){"checkpoint_steps=90", "head=c51", "backup=double",
                                      "sampler=prioritized", "explorer=noisy", "noisy=all", "dueling=true",
                                      "n_step=3", NULL},
                     4, 5);
    kill_and_compare((const char *[]){"checkpoint_steps=70", "n_envs=4", "rollout=8", "target_update=none",
                                      "normalization=layer", "optimizer=radam", "replacement=false",
                                      "batch_size=16", "gradient_steps=4", NULL},
                     4, 6);
    kill_and_compare(
        (const char *[]){"checkpoint_steps=110", "head=iqn", "backup=munchausen", "target_update=soft", NULL},
        4, 7);
}

static void with_running_normalisation(void **state) {
    (void)state;
    kill_and_compare((const char *[]){"env=MountainCar-v0", "checkpoint_steps=90", "n_envs=3",
                                      "observation=scaled", "normalize_observation=true", "reward_scale=0.1",
                                      "reward_clip=5", "eval_every_steps=500", "eval_episodes=2", NULL},
                     6, 8);
}

static void with_stacks_of_images(void **state) {
    (void)state;
    dq_error error;
    test_ok(dq_env_register(&scenario_catch, &error), &error);
    kill_and_compare((const char *[]){"env=Catch", "frame_stack=3", "net_arch=[16]", "n_envs=2", "n_step=3",
                                      "buffer_size=400", "batch_size=16", "train_freq=4", "step_limit=31",
                                      "sampler=prioritized", "checkpoint_steps=90", "eval_every_steps=500",
                                      "eval_episodes=2", "total_steps=2000", NULL},
                     8, 9);
}

static void with_rollouts_of_images(void **state) {
    (void)state;
    kill_and_compare((const char *[]){"env=Catch", "frame_stack=3", "net_arch=[16]", "n_envs=3", "rollout=10",
                                      "target_update=none", "gradient_steps=4", "batch_size=10",
                                      "step_limit=31", "checkpoint_steps=90", "total_steps=2000", NULL},
                     6, 11);
}

// Packed frames (LZ4, a module) survive a kill, and change no bit of what is learned.
static void with_packed_frames(void **state) {
    (void)state;
    char path[4096];
    const char *words[] = {"env=Catch",
                           "frame_stack=4",
                           "net_arch=[16]",
                           "n_envs=2",
                           "n_step=3",
                           "buffer_size=400",
                           "batch_size=16",
                           "train_freq=4",
                           "step_limit=31",
                           "checkpoint_steps=90",
                           "total_steps=2000",
                           "frame_compression=2",
                           NULL};
    dq_error error;
    uint64_t sums[2];
    if (!dq_module_find("deepq-lz4.so", path)) skip();
    kill_and_compare(words, 8, 10);
    for (int packed = 0; packed < 2; packed++) {
        dq_run *run;
        words[11] = packed ? "frame_compression=2" : NULL;
        dq_run_config config = test_run_config(words);
        test_ok(dq_run_create(&run, &config, NULL, &error), &error);
        test_ok(dq_run_train(run, &error), &error);
        dq_agent *agent = dq_run_agent(run);
        sums[packed] = dq_crc64(0, dq_agent_params(agent), dq_net_size(dq_agent_net(agent)) * sizeof(float));
        dq_run_destroy(run);
    }
    assert_true(sums[0] == sums[1]);
}

static void without_replay_and_on_episodes_clocks(void **state) {
    (void)state;
    kill_and_compare((const char *[]){"checkpoint_steps=80", "buffer_size=1", "batch_size=1",
                                      "learning_starts=1", "epsilon_clock=episodes",
                                      "target_update_unit=episodes", "target_update_interval=3",
                                      "total_episodes=60", "stop_return=450", "stop_window=5",
                                      "eval_every_episodes=7", NULL},
                     4, 3);
}

static void in_a_world_that_is_not_plain_memory(void **state) {
    (void)state;
    dq_error error;
    if (!dq_env_find("LunarLander-v3", &error)) skip(); // built without Box2D
    kill_and_compare((const char *[]){"env=LunarLander-v3", "env.gravity=-9", "env.wind=true",
                                      "env.wind_power=15", "env.turbulence_power=1.5", "n_envs=3",
                                      "checkpoint_steps=70", "total_steps=1500", "eval_every_steps=400",
                                      "eval_episodes=2", NULL},
                     6, 4);
}

static void an_interrupted_run_goes_on(void **state) {
    (void)state;
    dq_error error;
    dq_run *run;
    result whole, resumed;
    dq_run_config config = test_run_config(NULL);
    const char *folder = test_folder(), *other = test_folder();
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    finish(run, folder, &whole);
    test_ok(dq_run_create(&run, &config, other, &error), &error);
    dq_run_interrupt();
    assert_int_equal(dq_run_train(run, &error), DQ_INTERRUPTED);
    assert_true(dq_run_steps(run) < 10);
    dq_run_destroy(run);
    test_ok(dq_run_resume(&run, other, &error), &error);
    finish(run, other, &resumed);
    assert_memory_equal(&whole, &resumed, sizeof whole);
    test_remove_folder(folder);
    test_remove_folder(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_20_random_moments),
        cmocka_unit_test(with_every_part_that_has_a_state),
        cmocka_unit_test(with_noise_and_with_rollouts),
        cmocka_unit_test(with_running_normalisation),
        cmocka_unit_test(with_stacks_of_images),
        cmocka_unit_test(with_rollouts_of_images),
        cmocka_unit_test(with_packed_frames),
        cmocka_unit_test(without_replay_and_on_episodes_clocks),
        cmocka_unit_test(in_a_world_that_is_not_plain_memory),
        cmocka_unit_test(an_interrupted_run_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
