#include "run_support.h"

#include "agent/agent.h"
#include "base/file.h"
#include "base/pattern.h"
#include "replay/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

dq_run_config test_run_config(const char *const *words) {
    static const char *const small[] = {"net_arch=[16, 16]",
                                        "batch_size=16",
                                        "total_steps=2500",
                                        "learning_starts=100",
                                        "buffer_size=700",
                                        "target_update=hard",
                                        "target_update_unit=steps",
                                        "target_update_interval=50",
                                        "epsilon_period=1000",
                                        "checkpoint_seconds=0",
                                        NULL};
    dq_run_config config;
    dq_error error;
    test_ok(dq_run_config_init(&config, "CartPole-v1", NULL, &error), &error);
    test_ok(dq_options_defaults(dq_run_options(), &config, &error), &error); // no tuned values
    for (int i = 0; small[i]; i++) test_ok(dq_run_config_assign(&config, small[i], "test", &error), &error);
    for (int i = 0; words && words[i]; i++)
        test_ok(dq_run_config_assign(&config, words[i], "test", &error), &error);
    return config;
}

const char *test_folder(void) {
    static char folders[256][64];
    static int next;
    char *folder = folders[next++ % 256];
    strcpy(folder, "/tmp/deepq-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static void shell(const char *format, const char *a, const char *b) {
    char command[512];
    snprintf(command, sizeof command, format, a, b);
    assert_int_equal(system(command), 0);
}

void test_remove_folder(const char *folder) {
    shell("chmod -R u+rwx %s; rm -rf %s", folder, folder);
}

void test_copy_folder(const char *from, const char *to) {
    shell("cp -a %s/. %s", from, to);
}

uint64_t test_run_checksum(dq_run *run) {
    dq_agent *agent = dq_run_agent(run);
    dq_replay *replay = dq_agent_replay(agent);
    dq_block blocks[DQ_AGENT_BLOCKS];
    int64_t clocks[3] = {dq_run_steps(run), dq_replay_inserted(replay), dq_replay_size(replay)};
    dq_agent_state(agent, blocks);
    uint64_t sum = dq_crc64(0, clocks, sizeof clocks);
    for (int i = 0; i < DQ_AGENT_BLOCKS; i++) sum = dq_crc64(sum, blocks[i].data, blocks[i].size);
    dq_ring *rings[DQ_REPLAY_RINGS];
    const int count = dq_replay_rings(replay, rings);
    for (int i = 0; i < count; i++)
        sum = dq_crc64(sum, rings[i]->memory, (size_t)dq_ring_size(rings[i]) * rings[i]->record);
    return sum;
}

uint64_t test_metrics_checksum(const char *folder) {
    char path[256], *text;
    size_t size;
    dq_error error;
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    test_ok(dq_file_read(path, 1 << 24, &text, &size, &error), &error);
    uint64_t sum = 0;
    for (char *line = text; *line; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n"), commas = 0;
        while (commas < 2) commas += line[--length] == ',';
        sum = dq_crc64(sum, line, length);
    }
    free(text);
    return sum;
}

dq_safetensors test_weights(const char *folder) {
    char path[4096];
    dq_safetensors file;
    dq_error error = {0};
    snprintf(path, sizeof path, "%s/weights.safetensors", folder);
    test_ok(dq_safetensors_read(&file, path, &error), &error);
    return file;
}

void test_train(const char *folder, const char *const *words) {
    dq_error error = {0};
    dq_run *run = NULL;
    const dq_run_config config = test_run_config(words);
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    test_ok(dq_run_train(run, &error), &error);
    dq_run_destroy(run);
}

void test_frozen_bits(const char *a, const char *b, const char *patterns) {
    dq_safetensors before = test_weights(a), after = test_weights(b);
    assert_int_equal(before.count, after.count);
    for (int i = 0; i < after.count; i++) {
        const dq_stored_tensor *t = &after.tensors[i], *was = dq_safetensors_find(&before, t->name);
        assert_non_null(was);
        assert_int_equal(t->size, was->size);
        const bool same = !memcmp(t->data, was->data, t->size);
        if (same != dq_patterns_fit(patterns, t->name))
            fail_msg("%s is %s", t->name, same ? "the same" : "another");
    }
    dq_safetensors_deinit(&before);
    dq_safetensors_deinit(&after);
}
