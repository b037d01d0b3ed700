// Short trainings end in recorded bits, the same on every CPU level and in every build.
//
// A changed checksum means that training changed: either a mistake, or a deliberate change of the arithmetic,
// whose commit records the new value and says why.
#include "base/file.h"
#include "run_support.h"

#include <stdio.h>
#include <string.h>

typedef struct golden {
    const char *words[16];
    uint64_t checksum;
} golden;

static const golden trainings[] = {
    {{"net_arch=[32, 24]", "optimizer=adam", "loss=huber", NULL}, 0xa3be28ff24f57087},
    {{"net_arch=[20]", "optimizer=adamw", "amsgrad=true", "loss=mse", "backup=double", "n_step=3",
      "target_update=soft", "max_grad_norm=1", "learning_rate_schedule=linear", "n_envs=3", "batch_size=37",
      NULL},
     0x75c58bb3da2d4bec},
    {{"net_arch=[33, 17]", "optimizer=rmsprop", "normalization=batch", "activation=leaky_relu",
      "clip_value=0.5", "target_update=none", "replacement=false", NULL},
     0x3fcb2e12a4697bdd},
};

static void trainings_end_in_recorded_bits(void **state) {
    (void)state;
    bool same = true;
    for (size_t i = 0; i < sizeof trainings / sizeof *trainings; i++) {
        dq_error error;
        dq_run *run;
        dq_run_config config = test_run_config(trainings[i].words);
        test_ok(dq_run_create(&run, &config, NULL, &error), &error);
        test_ok(dq_run_train(run, &error), &error);
        dq_agent *agent = dq_run_agent(run);
        uint64_t checksum =
            dq_crc64(0, dq_agent_params(agent), dq_net_size(dq_agent_net(agent)) * sizeof(float));
        dq_run_destroy(run);
        if (checksum == trainings[i].checksum) continue;
        print_message("training %zu ended in 0x%016llx, recorded is 0x%016llx\n", i,
                      (unsigned long long)checksum, (unsigned long long)trainings[i].checksum);
        same = false;
    }
    assert_true(same);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(trainings_end_in_recorded_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
