// .pth: every file of tests/data/pth as PyTorch reads it, or refused with the words beside it.
#include "support.h"

#include "base/file.h"
#include "io/npz.h"
#include "io/pth.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// "FOLDER/NAME.pth" -> "FOLDER/NAME.ending"; static buffer.
static const char *beside(const char *path, const char *ending) {
    static char other[1024];
    snprintf(other, sizeof other, "%.*s.%s", (int)(strlen(path) - 4), path, ending);
    return other;
}

static void assert_arrays(const dq_pth *file, const dq_npz *expected, const char *path) {
    if (file->count != expected->count)
        fail_msg("%s: %d tensors, not %d", path, file->count, expected->count);
    for (int i = 0; i < expected->count; i++) {
        const dq_array *is = &file->arrays[i], *should = &expected->arrays[i];
        if (strcmp(file->names[i], expected->names[i]))
            fail_msg("%s: tensor %d is '%s', not '%s'", path, i, file->names[i], expected->names[i]);
        assert_int_equal(is->type, DQ_ARRAY_F4);
        assert_int_equal(should->type, DQ_ARRAY_F4);
        assert_int_equal(is->rank, should->rank);
        for (int k = 0; k < is->rank; k++) assert_int_equal(is->shape[k], should->shape[k]);
        const float *a = is->data, *b = should->data;
        for (int64_t k = 0; k < is->count; k++)
            if (memcmp(&a[k], &b[k], sizeof *a) && !(isnan(a[k]) && isnan(b[k])))
                fail_msg("%s: %s[%lld] is %.9g, not %.9g", path, file->names[i], (long long)k, (double)a[k],
                         (double)b[k]);
    }
}

static void assert_refused(dq_status status, const dq_error *error, const char *path) {
    char *words;
    size_t size;
    dq_error unread;
    test_ok(dq_file_read(beside(path, "txt"), 4096, &words, &size, &unread), &unread);
    char expected[256];
    snprintf(expected, sizeof expected, "%.*s", (int)strcspn(words, "\n"), words);
    free(words);
    if (!status) fail_msg("%s was read; it should be refused: %s", path, expected);
    if (!strstr(error->message, expected)) fail_msg("%s: '%s' is not in: %s", path, expected, error->message);
}

static void every_file_is_read_or_refused(void **state) {
    (void)state;
    glob_t files;
    char pattern[1100];
    const char *data = getenv("DQ_TEST_DATA");
    snprintf(pattern, sizeof pattern, "%s/pth/*.pth", data ? data : "tests/data");
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    assert_true(files.gl_pathc > 20);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *path = files.gl_pathv[i];
        dq_pth file;
        dq_npz expected;
        dq_error error, missing;
        dq_status status = dq_pth_read(&file, path, &error);
        if (access(beside(path, "npz"), F_OK)) {
            assert_refused(status, &error, path);
            assert_int_equal(file.count, 0);
            continue;
        }
        test_ok(status, &error);
        test_ok(dq_npz_read(&expected, beside(path, "npz"), &missing), &missing);
        assert_arrays(&file, &expected, path);
        dq_npz_deinit(&expected);
        dq_pth_deinit(&file);
    }
    globfree(&files);
    assert_int_equal(access("pwned", F_OK), -1); // what the malicious one would have made
}

static void every_cut_and_every_flipped_byte_is_survived(void **state) {
    (void)state;
    char path[1100], *bytes;
    size_t size;
    dq_error error;
    dq_pth file;
    const char *data = getenv("DQ_TEST_DATA");
    snprintf(path, sizeof path, "%s/pth/state_dict.pth", data ? data : "tests/data");
    test_ok(dq_file_read(path, 1 << 20, &bytes, &size, &error), &error);
    for (size_t n = 0; n < size; n++) assert_true(dq_pth_parse(&file, bytes, n, "cut", &error));
    for (size_t n = 0; n < size; n++) {
        bytes[n] ^= 0x20;
        if (!dq_pth_parse(&file, bytes, size, "flipped", &error)) dq_pth_deinit(&file);
        bytes[n] ^= 0x20;
    }
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_read_or_refused),
        cmocka_unit_test(every_cut_and_every_flipped_byte_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
