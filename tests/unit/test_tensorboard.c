// TensorBoard's event files: framing, names, histograms of awkward values, and a disk that fills up.
// (tests/tools/test_tensorboard.py reads them with TensorBoard itself.)
#include "support.h"

#include "base/file.h"
#include "io/protobuf.h"
#include "io/tensorboard.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[] = "/tmp/deepq-board-XXXXXX";

static int setup(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        char name[400];
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        if (*entry->d_name != '.') unlink(name);
    }
    if (open) closedir(open);
    return rmdir(folder);
}

static uint32_t masked(const void *data, size_t size) {
    uint32_t crc = dq_crc32c(0, data, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

// Counts the records of a file; every checksum must be right and nothing may be left over.
static int count_records(const char *path, char **data, size_t *size) {
    dq_error error;
    test_ok(dq_file_read(path, 1 << 26, data, size, &error), &error);
    int count = 0;
    size_t at = 0;
    for (; at < *size; count++) {
        uint64_t length;
        uint32_t crc;
        assert_true(*size - at >= 16);
        memcpy(&length, *data + at, 8);
        memcpy(&crc, *data + at + 8, 4);
        assert_int_equal(crc, masked(*data + at, 8));
        assert_true(length <= *size - at - 16);
        memcpy(&crc, *data + at + 12 + length, 4);
        assert_int_equal(crc, masked(*data + at + 12, length));
        at += 16 + length;
    }
    return count;
}

// The known bytes of protobuf.dev's examples: a varint, text, a message within, a packed list.
static void test_protobuf(void **state) {
    (void)state;
    static const unsigned char known[] = {0x08, 0x96, 0x01, 0x12, 0x07, 't',  'e',  's',  't',
                                          'i',  'n',  'g',  0x1a, 0x03, 0x08, 0x96, 0x01, 0x22,
                                          0x05, 3,    0x8e, 0x02, 0x9e, 0x07, 0x28, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    dq_protobuf p = {0};
    dq_protobuf_int(&p, 1, 150);
    dq_protobuf_text(&p, 2, "testing");
    size_t inner = dq_protobuf_begin(&p, 3);
    dq_protobuf_int(&p, 1, 150);
    dq_protobuf_end(&p, inner);
    size_t list = dq_protobuf_begin(&p, 4);
    for (int i = 0; i < 3; i++) dq_protobuf_raw_int(&p, (uint64_t[]){3, 270, 926}[i]);
    dq_protobuf_end(&p, list);
    dq_protobuf_int(&p, 5, -1);
    assert_false(p.failed);
    assert_int_equal(p.size, sizeof known);
    assert_memory_equal(p.data, known, sizeof known);

    // a length of two bytes
    dq_protobuf_clear(&p);
    inner = dq_protobuf_begin(&p, 1);
    for (int i = 0; i < 300; i++) dq_protobuf_raw(&p, "x", 1);
    dq_protobuf_end(&p, inner);
    assert_int_equal(p.size, 303);
    assert_memory_equal(p.data, "\x0a\xac\x02xx", 5);
    assert_memory_equal(p.data + 301, "xx", 2);
    dq_protobuf_deinit(&p);
}

static void test_records(void **state) {
    (void)state;
    dq_error error = {0};
    dq_tensorboard *board;
    char *data, path[4096], older[4096];
    size_t size;
    test_ok(dq_tensorboard_create(&board, folder, &error), &error);
    snprintf(older, sizeof older, "%s", dq_tensorboard_path(board));
    const dq_tensorboard_scalar scalars[2] = {{"a", 1}, {"b", (double)INFINITY}};
    dq_tensorboard_scalars(board, 5, scalars, 2);
    dq_tensorboard_scalars(board, 6, scalars, 0);
    const float odd[6] = {NAN, INFINITY, -INFINITY, 2, 2, 3}, nothing[2] = {NAN, -INFINITY},
                same[3] = {4, 4, 4};
    dq_tensorboard_histogram(board, 5, "odd", odd, 2, 3, 3);
    dq_tensorboard_histogram(board, 5, "same", same, 1, 3, 3);
    dq_tensorboard_histogram(board, 5, "nothing", nothing, 1, 2, 2); // leaves no event
    dq_tensorboard_text(board, 5, "text", "words");
    dq_tensorboard_image(board, 5, "image", 2, 2, "not a picture", 13);
    dq_tensorboard_session_end(board, true);
    test_ok(dq_tensorboard_destroy(board, &error), &error);
    assert_int_equal(count_records(older, &data, &size), 7);
    assert_null(memmem(data, size, "nothing", 7));
    // min 2, max 3, 3 values, their sum 7 and the sum of their squares 17
    const double figures[5] = {2, 3, 3, 7, 17};
    unsigned char expected[45];
    for (int i = 0; i < 5; i++) {
        expected[9 * i] = (unsigned char)((i + 1) << 3 | 1);
        memcpy(expected + 9 * i + 1, &figures[i], 8);
    }
    assert_non_null(memmem(data, size, expected, sizeof expected));
    free(data);

    // the next file sorts behind it although it was made in the same second
    test_ok(dq_tensorboard_create(&board, folder, &error), &error);
    snprintf(path, sizeof path, "%s", dq_tensorboard_path(board));
    assert_true(strcmp(path, older) > 0);
    test_ok(dq_tensorboard_destroy(board, &error), &error);
}

static void test_no_folder(void **state) {
    (void)state;
    dq_error error = {0};
    dq_tensorboard *board;
    assert_int_equal(dq_tensorboard_create(&board, "/nowhere/at/all", &error), DQ_IO);
    assert_null(board);
    assert_non_null(strstr(error.message, "there is no such file or folder"));
    test_ok(dq_tensorboard_destroy(NULL, &error), &error);
}

// The disk is full for a while: the file ends with a whole record at every moment, what fits the memory comes
// later, and what does not is dropped without harm.
static void test_full_disk(void **state) {
    (void)state;
    dq_error error = {0};
    dq_tensorboard *board;
    struct rlimit before, low;
    char path[4096], *data, *big = calloc(1, 1 << 20);
    size_t size;
    signal(SIGXFSZ, SIG_IGN);
    test_ok(dq_tensorboard_create(&board, folder, &error), &error);
    snprintf(path, sizeof path, "%s", dq_tensorboard_path(board));
    for (int i = 0; i < 10; i++) dq_tensorboard_image(board, i, "kept", 1, 1, big, 1000);
    test_ok(dq_tensorboard_flush(board, &error), &error);

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = before;
    low.rlim_cur = 13600;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    for (int i = 0; i < 10; i++) dq_tensorboard_image(board, 10 + i, "waits", 1, 1, big, 1000);
    assert_int_equal(dq_tensorboard_flush(board, &error), DQ_IO);
    assert_non_null(strstr(error.message, "the file would be larger than allowed"));
    assert_int_equal(count_records(path, &data, &size), 13); // 2 of those that wait
    free(data);
    for (int i = 0; i < 10; i++) dq_tensorboard_image(board, 20 + i, "large", 1, 1, big, 1 << 20);
    assert_int_equal(dq_tensorboard_flush(board, &error), DQ_IO);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    test_ok(dq_tensorboard_flush(board, &error), &error);
    dq_tensorboard_text(board, 30, "text", "room again");
    test_ok(dq_tensorboard_destroy(board, &error), &error);
    assert_int_equal(count_records(path, &data, &size), 11 + 10 + 3 + 1); // 3 of 1 MB fit into 4 MB
    free(data);
    free(big);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_protobuf), cmocka_unit_test(test_records),
                                       cmocka_unit_test(test_no_folder), cmocka_unit_test(test_full_disk)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
