// Checkpoints that cannot be trusted, folders that cannot be written: one sentence, and nothing is lost.
#include "run_support.h"

#include "base/file.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *trained(const char *const *words) {
    dq_error error;
    dq_run *run;
    dq_run_config config = test_run_config(words);
    const char *folder = test_folder();
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    test_ok(dq_run_train(run, &error), &error);
    dq_run_destroy(run);
    return folder;
}

// Calls `each` with the path of every file of the checkpoint.
static int for_each_file(const char *folder, void (*each)(const char *folder, const char *name, long size)) {
    char path[512];
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    DIR *listing = opendir(path);
    assert_non_null(listing);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(listing));) {
        struct stat about;
        snprintf(path, sizeof path, "%s/checkpoint/%.200s", folder, entry->d_name);
        if (stat(path, &about) || !S_ISREG(about.st_mode)) continue;
        each(folder, entry->d_name, (long)about.st_size);
        count++;
    }
    closedir(listing);
    return count;
}

// A copy of the run with one file spoilt must not resume, and resuming must not have changed it.
static void refuse(const char *folder, const char *name, void (*spoil)(const char *path, long at), long at) {
    const char *copy = test_folder();
    char path[512], before[64], after[64];
    dq_error error = {0};
    dq_run *run;
    test_copy_folder(folder, copy);
    snprintf(path, sizeof path, "%s/checkpoint/%s", copy, name);
    spoil(path, at);
    snprintf(before, sizeof before, "%llx", (unsigned long long)test_metrics_checksum(copy));
    dq_status status = dq_run_resume(&run, copy, &error);
    if (status == DQ_OK) fail_msg("%s was spoilt at %ld and yet resumed", name, at);
    assert_null(run);
    assert_true(strlen(error.message) > 20);
    snprintf(after, sizeof after, "%llx", (unsigned long long)test_metrics_checksum(copy));
    assert_string_equal(before, after);
    dq_policy *policy;
    test_ok(dq_policy_load(&policy, copy, &error), &error); // the weights still serve
    dq_policy_destroy(policy);
    test_remove_folder(copy);
}

static void cut(const char *path, long at) {
    assert_int_equal(truncate(path, at), 0);
}

static void flip(const char *path, long at) {
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    int byte = getc(file);
    fseek(file, at, SEEK_SET);
    putc(byte ^ 0x10, file);
    fclose(file);
}

static void spoil_file(const char *folder, const char *name, long size) {
    const long places[] = {0, 1, size / 3, size / 2, size - 2, size - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        refuse(folder, name, cut, places[i]);
        refuse(folder, name, flip, places[i]);
    }
}

static void truncated_and_flipped_files_are_refused(void **state) {
    (void)state;
    const char *folder = trained(NULL);
    assert_in_range(for_each_file(folder, spoil_file), 3, 10);
    test_remove_folder(folder);
}

static void a_checkpoint_of_another_network_is_refused(void **state) {
    (void)state;
    const char *folder = trained(NULL);
    char path[512];
    dq_error error;
    dq_run *run;
    dq_run_config config;
    snprintf(path, sizeof path, "%s/config.yml", folder);
    test_ok(dq_run_config_read(&config, path, &error), &error);
    test_ok(dq_run_config_assign(&config, "net_arch=[16, 20]", "test", &error), &error);
    test_ok(dq_run_config_write(&config, path, &error), &error);
    assert_int_equal(dq_run_resume(&run, folder, &error), DQ_FORMAT);
    assert_non_null(strstr(error.message, "config.yml"));
    test_remove_folder(folder);
}

static void a_longer_run_goes_on_from_a_finished_one(void **state) {
    (void)state;
    const char *folder = trained(NULL);
    char path[512];
    dq_error error;
    dq_run *run;
    dq_run_config config;
    snprintf(path, sizeof path, "%s/config.yml", folder);
    test_ok(dq_run_config_read(&config, path, &error), &error);
    config.total_steps = 3000;
    test_ok(dq_run_config_write(&config, path, &error), &error);
    test_ok(dq_run_resume(&run, folder, &error), &error);
    assert_int_equal(dq_run_steps(run), 2500);
    test_ok(dq_run_train(run, &error), &error);
    assert_int_equal(dq_run_steps(run), 3000);
    dq_run_destroy(run);
    test_remove_folder(folder);
}

static void folders_that_cannot_be_used(void **state) {
    (void)state;
    dq_error error;
    dq_run *run;
    dq_run_config config = test_run_config(NULL);
    const char *folder = trained(NULL);
    assert_int_equal(dq_run_create(&run, &config, folder, &error), DQ_USAGE); // there is a run in it
    assert_non_null(strstr(error.message, "resume"));
    char path[512];
    snprintf(path, sizeof path, "%s/metrics.csv/below", folder);
    assert_int_not_equal(dq_run_create(&run, &config, path, &error), DQ_OK); // a file stands in the way
    assert_int_not_equal(dq_run_create(&run, &config, "/proc/no/such", &error), DQ_OK);
    assert_true(strlen(error.message) > 10);
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    assert_int_equal(dq_run_resume(&run, path, &error), DQ_NOT_FOUND); // no run
    assert_non_null(strstr(error.message, "config.yml"));
    test_remove_folder(folder);
}

// A limit on file sizes stands for a full disk: the training says so, and the checkpoint before still serves.
static void a_full_disk(void **state) {
    (void)state;
    dq_error error;
    dq_run *run;
    struct rlimit old, small = {40000, 40000};
    dq_run_config config =
        test_run_config((const char *[]){"checkpoint_steps=400", "buffer_size=4000", NULL});
    const char *folder = test_folder();
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    dq_status status = dq_run_train(run, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, DQ_IO);
    assert_true(strlen(error.message) > 20);
    dq_run_destroy(run);
    test_ok(dq_run_resume(&run, folder, &error), &error);
    assert_int_equal(dq_run_steps(run), 800); // 800 transitions of 44 bytes were the last to fit
    test_ok(dq_run_train(run, &error), &error);
    dq_run_destroy(run);
    test_remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_and_flipped_files_are_refused),
        cmocka_unit_test(a_checkpoint_of_another_network_is_refused),
        cmocka_unit_test(a_longer_run_goes_on_from_a_finished_one),
        cmocka_unit_test(folders_that_cannot_be_used),
        cmocka_unit_test(a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
