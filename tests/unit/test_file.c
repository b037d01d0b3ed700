// Files: reading with a cap, atomic replacement that leaves the old file on any failure, checksums.
#include "support.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/deepq-file-XXXXXX";
static char path[64];

static int setup(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/a.txt", folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    chmod(folder, 0700);
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        char name[400];
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        if (unlink(name) != 0) rmdir(name);
    }
    if (open) closedir(open);
    return rmdir(folder);
}

static int entries_in_folder(void) {
    DIR *open = opendir(folder);
    int count = 0;
    while (readdir(open)) count++;
    closedir(open);
    return count - 2;
}

static void assert_holds(const char *text) {
    char *data;
    size_t size;
    dq_error error;
    test_ok(dq_file_read(path, 1 << 20, &data, &size, &error), &error);
    assert_int_equal(size, strlen(text));
    assert_string_equal(data, text);
    free(data);
}

static void test_replace(void **state) {
    (void)state;
    dq_error error;
    test_ok(dq_file_replace(path, "first", 5, &error), &error);
    assert_holds("first");
    chmod(path, 0640);
    test_ok(dq_file_replace(path, "", 0, &error), &error);
    assert_holds("");
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0640);
    test_ok(dq_file_replace(path, "kept", 4, &error), &error);

    dq_file file;
    test_ok(dq_file_begin(&file, path, &error), &error);
    fprintf(file.stream, "never finished");
    fflush(file.stream);
    assert_holds("kept"); // until the very end the old file is there
    assert_int_equal(entries_in_folder(), 2);
    dq_file_cancel(&file);
    dq_file_cancel(&file);
    assert_holds("kept");
    assert_int_equal(entries_in_folder(), 1);
}

static void test_read(void **state) {
    (void)state;
    char *data;
    size_t size;
    dq_error error;
    test_ok(dq_file_replace(path, "0123456789", 10, &error), &error);
    test_ok(dq_file_read(path, 10, &data, &size, &error), &error);
    free(data);
    assert_int_equal(dq_file_read(path, 9, &data, &size, &error), DQ_FORMAT);
    assert_non_null(strstr(error.message, "is larger than the 9 bytes expected at most"));
    assert_null(data);
    assert_int_equal(dq_file_read("/nonexistent/file", 9, &data, &size, &error), DQ_NOT_FOUND);
    assert_string_equal(error.message, "cannot open '/nonexistent/file': there is no such file or folder");
    assert_int_equal(dq_file_read(folder, 9, &data, &size, &error), DQ_IO);
    assert_non_null(strstr(error.message, "it is a folder"));
    assert_int_equal(dq_file_read("/dev/zero", 100000, &data, &size, &error),
                     DQ_FORMAT); // no end: the cap holds
    test_ok(dq_file_read("/dev/null", 0, &data, &size, &error), &error);
    assert_int_equal(size, 0);
    free(data);
}

static void test_device(void **state) {
    (void)state;
    dq_error error;
    test_ok(dq_file_replace("/dev/null", "gone", 4, &error), &error);
    static char megabyte[1 << 20];
    assert_int_equal(dq_file_replace("/dev/full", megabyte, sizeof megabyte, &error), DQ_IO);
    assert_string_equal(error.message, "cannot write '/dev/full': no space left on the disk");
    assert_int_equal(dq_file_replace("/dev/full", "x", 1, &error), DQ_IO); // fails in the last flush
    assert_string_equal(error.message, "cannot write '/dev/full': no space left on the disk");
}

static void fails_to_write(const char *target, const char *reason) {
    dq_error error;
    assert_int_not_equal(dq_file_replace(target, "new", 3, &error), DQ_OK);
    if (!strstr(error.message, reason)) fail_msg("'%s' does not say '%s'", error.message, reason);
    assert_non_null(strstr(error.message, "cannot write"));
}

// Runs `body` in a child that is not root, where permissions count; true when it returned true.
static bool as_somebody(bool (*body)(void)) {
    pid_t child = fork();
    if (child == 0) {
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(2);
        _exit(body() ? 0 : 1);
    }
    int result;
    waitpid(child, &result, 0);
    return WIFEXITED(result) && WEXITSTATUS(result) == 0;
}

static bool refused_by_folder(void) {
    dq_error error;
    return dq_file_replace(path, "new", 3, &error) == DQ_IO && strstr(error.message, "permission denied");
}

static void test_unwritable(void **state) {
    (void)state;
    dq_error error;
    test_ok(dq_file_replace(path, "old", 3, &error), &error);
    chmod(path, 0666);
    chmod(folder, 0555);
    assert_true(as_somebody(refused_by_folder));
    chmod(folder, 0777);
    chmod(path, 0444);
    assert_true(as_somebody(refused_by_folder)); // a read-only file is not replaced behind its owner's back
    chmod(folder, 0700);
    assert_holds("old");
    assert_int_equal(entries_in_folder(), 1);

    fails_to_write("/nonexistent/x", "no such file or folder");
    fails_to_write(folder, "it is a folder");
    fails_to_write("", "no such file or folder");
    char name[5000];
    memset(name, 'x', sizeof name);
    name[4999] = 0;
    fails_to_write(name, "the name is too long");
    name[300] = 0;
    fails_to_write(name, "the name is too long");
}

// A limit on file sizes stands for a full disk: the write fails in the middle.
static bool refused_by_size(void) {
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){100000, 100000});
    static char data[300000];
    dq_error error;
    return dq_file_replace(path, data, sizeof data, &error) == DQ_IO &&
           strstr(error.message, "larger than allowed");
}

static void test_full(void **state) {
    (void)state;
    dq_error error;
    test_ok(dq_file_replace(path, "old", 3, &error), &error);
    chmod(path, 0666);
    chmod(folder, 0777);
    assert_true(as_somebody(refused_by_size));
    chmod(folder, 0700);
    assert_holds("old");
    assert_int_equal(entries_in_folder(), 1);
}

static void test_folders(void **state) {
    (void)state;
    dq_error error;
    char deep[128];
    snprintf(deep, sizeof deep, "%s/b/c//d/", folder);
    test_ok(dq_file_make_folder(deep, &error), &error);
    test_ok(dq_file_make_folder(deep, &error), &error);
    struct stat about;
    assert_int_equal(stat(deep, &about), 0);
    test_ok(dq_file_replace(path, "x", 1, &error), &error);
    snprintf(deep, sizeof deep, "%s/a.txt/b", folder);
    assert_int_not_equal(dq_file_make_folder(deep, &error), DQ_OK);
    assert_non_null(strstr(error.message, "a part of the path is not a folder"));
    const char *made[] = {"b/c/d", "b/c", "b"};
    for (int i = 0; i < 3; i++) {
        snprintf(deep, sizeof deep, "%s/%s", folder, made[i]);
        assert_int_equal(rmdir(deep), 0);
    }
}

static void test_checksums(void **state) {
    (void)state;
    // The check values of the catalogue of parametrised CRC algorithms.
    assert_int_equal(dq_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(dq_crc32c(0, "123456789", 9), 0xe3069283);
    assert_true(dq_crc64(0, "123456789", 9) == 0x995dc9bbdf1939fau);
    unsigned char data[1000];
    for (int i = 0; i < 1000; i++) data[i] = (unsigned char)(i * i);
    uint32_t whole32 = dq_crc32(0, data, 1000);
    uint64_t whole64 = dq_crc64(0, data, 1000);
    for (size_t cut = 0; cut <= 1000; cut += 37) { // in two pieces, at any alignment
        assert_int_equal(dq_crc32(dq_crc32(0, data, cut), data + cut, 1000 - cut), whole32);
        assert_true(dq_crc64(dq_crc64(0, data, cut), data + cut, 1000 - cut) == whole64);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace),   cmocka_unit_test(test_read),    cmocka_unit_test(test_device),
        cmocka_unit_test(test_full),      cmocka_unit_test(test_folders), cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_checksums),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
