// .npy and .npz: round trips of every type, NumPy's own files, refusals.
#include "support.h"

#include "base/file.h"
#include "io/npz.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/deepq-npy-XXXXXX";

static int setup(void **state) {
    (void)state;
    int fd = mkstemp(path);
    if (fd >= 0) close(fd);
    return fd < 0;
}

static int teardown(void **state) {
    (void)state;
    return unlink(path);
}

static float f4[6] = {1, -2.5f, 3e38f, 1e-45f, 0, 7};
static double f8[2] = {0.1, -1e308};
static int32_t i4[3] = {-1, 2147483647, 0};
static int64_t i8[1] = {-9007199254740993};
static uint8_t u1[3] = {0, 128, 255};
static uint32_t u4[1] = {4294967295u};
static uint64_t u8[2] = {18446744073709551615u, 1};
static uint8_t flags[2] = {1, 0};

static const dq_array arrays[] = {
    {DQ_ARRAY_F4, 2, {2, 3}, 6, f4},
    {DQ_ARRAY_F8, 1, {2}, 2, f8},
    {DQ_ARRAY_I4, 3, {3, 1, 1}, 3, i4},
    {DQ_ARRAY_I8, 0, {0}, 1, i8},
    {DQ_ARRAY_U1, 1, {3}, 3, u1},
    {DQ_ARRAY_U4, 1, {1}, 1, u4},
    {DQ_ARRAY_U8, 8, {1, 1, 1, 1, 1, 1, 1, 2}, 2, u8},
    {DQ_ARRAY_BOOL, 2, {1, 2}, 2, flags},
    {DQ_ARRAY_F4, 2, {0, 5}, 0, f4},
};
#define ARRAYS ((int)(sizeof arrays / sizeof arrays[0]))

static void assert_same(const dq_array *a, const dq_array *b) {
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->rank, b->rank);
    assert_int_equal(a->count, b->count);
    for (int i = 0; i < a->rank; i++) assert_int_equal(a->shape[i], b->shape[i]);
    size_t size = (size_t)a->count * dq_array_element_size(a->type);
    if (size) assert_memory_equal(a->data, b->data, size);
}

static void test_npy_round_trip(void **state) {
    (void)state;
    dq_error error;
    for (int i = 0; i < ARRAYS; i++) {
        dq_array read;
        test_ok(dq_npy_write(path, &arrays[i], &error), &error);
        test_ok(dq_npy_read(&read, path, &error), &error);
        assert_same(&read, &arrays[i]);
        dq_array_deinit(&read);

        char *whole;
        size_t size;
        test_ok(dq_file_read(path, 1 << 20, &whole, &size, &error), &error);
        for (size_t cut = 0; cut < size; cut++) {
            char *part = malloc(cut + 1);
            memcpy(part, whole, cut);
            assert_int_equal(dq_npy_parse(&read, part, cut, "cut", &error), DQ_FORMAT);
            free(part);
        }
        assert_int_equal(dq_npy_parse(&read, whole, size + 1, "longer", &error), DQ_FORMAT);
        free(whole);
    }
}

// The header is what numpy.save writes, byte for byte.
static void test_npy_header(void **state) {
    (void)state;
    char header[DQ_NPY_HEADER_MAX];
    assert_int_equal(dq_npy_header(&arrays[0], header), 128);
    assert_memory_equal(header,
                        "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, "
                        "'shape': (2, 3), }          ",
                        79);
    assert_int_equal(header[127], '\n');
    dq_npy_header(&arrays[1], header);
    assert_non_null(strstr(header + 10, "'shape': (2,), }"));
    dq_npy_header(&arrays[3], header);
    assert_non_null(strstr(header + 10, "'shape': (), }"));
    dq_array widest = {.type = DQ_ARRAY_F8, .rank = 8};
    for (int i = 0; i < 8; i++) widest.shape[i] = INT64_MAX;
    assert_in_range(dq_npy_header(&widest, header), 192, DQ_NPY_HEADER_MAX);
}

static void test_conversion(void **state) {
    (void)state;
    double doubles[6];
    float floats[6];
    dq_array_to_doubles(&arrays[2], doubles);
    assert_true(doubles[0] == -1 && doubles[1] == 2147483647);
    dq_array_to_floats(&arrays[4], floats);
    assert_true(floats[0] == 0 && floats[1] == 128 && floats[2] == 255);
    dq_array_to_floats(&arrays[0], floats);
    assert_memory_equal(floats, f4, sizeof f4);
    assert_true(dq_array_get(&arrays[6], 0) == 18446744073709551616.0);
    assert_true(dq_array_get(&arrays[5], 0) == 4294967295.0);
    assert_true(dq_array_get(&arrays[7], 0) == 1 && dq_array_get(&arrays[7], 1) == 0);
    char text[64];
    dq_array_describe(&arrays[0], text, sizeof text);
    assert_string_equal(text, "float32 [2, 3]");
}

static dq_status parse(const char *header, size_t payload, dq_array *array, dq_error *error) {
    size_t length = strlen(header);
    char *bytes = calloc(1, 10 + length + payload);
    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = (char)length;
    memcpy(bytes + 10, header, length);
    dq_status status = dq_npy_parse(array, bytes, 10 + length + payload, "test", error);
    free(bytes);
    return status;
}

static void test_npy_headers(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t payload;
        const char *sentence; // NULL: accepted
    } cases[] = {
        {"{'descr':'<f4','fortran_order':False,'shape':(1,)}", 4, NULL},
        {"{ 'shape' : (1 , 2 , ) , \"fortran_order\":False,'descr':'=i8',}  \n", 16, NULL},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': ()}", 1, NULL},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 9)}", 0, NULL},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", 4, "Fortran order"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", 4, "big-endian"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 4, "elements of type '|O'"},
        {"{'descr': '<U5', 'fortran_order': False, 'shape': (1,)}", 4, "elements of type '<U5'"},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}", 4, "elements of type '|f4'"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, "not a plain number type"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 4, "needs 8 bytes but the file holds 4"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4)}", 4,
         "needs 18446744073709551615 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}", 4, "whole number"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4, "whole number"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 4, "more than 8 dim"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", 4, "has to be a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 1}", 4, "has to be a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", 4, "expected ','"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", 4, "True or False"},
        {"{'descr': '<f4', 'fortran_order': False}", 4, "is missing"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "each once"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", 4, "each once"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", 4, "more behind"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", 4, "expected ',' or '}'"},
        {"{'descr': '<f4", 4, "not a plain number type"},
        {"{'descr", 4, "expected a key"},
        {"", 4, "expected '{'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dq_array array;
        dq_error error = {0};
        dq_status status = parse(cases[i].header, cases[i].payload, &array, &error);
        if (!cases[i].sentence) {
            test_ok(status, &error);
            dq_array_deinit(&array);
        } else if (status == DQ_OK || !strstr(error.message, cases[i].sentence)) {
            fail_msg("%s: '%s' does not say '%s'", cases[i].header, error.message, cases[i].sentence);
        }
    }
    dq_array array;
    dq_error error;
    const char *wide = "{'descr':'<f4','fortran_order':False,'shape':(1777777777777777777,5,7,0)}";
    test_ok(parse(wide, 0, &array, &error), &error);
    assert_int_equal(dq_array_count(&array), 0);
    dq_array_deinit(&array);
    assert_int_equal(dq_npy_parse(&array, "\x93NUMPY\x04\x00\x00\x00\x00\x00\x00", 12, "x", &error),
                     DQ_UNSUPPORTED);
    assert_int_equal(dq_npy_parse(&array, "PK\x03\x04 and more", 12, "x", &error), DQ_FORMAT);
    assert_int_equal(dq_npy_read(&array, "/nonexistent", &error), DQ_NOT_FOUND);

    // Version 2 has a header length of four bytes.
    char second[] =
        "\x93NUMPY\x02\x00\x34\x00\x00\x00{'descr':'<f4','fortran_order':False,'shape':(1,)}  ????";
    test_ok(dq_npy_parse(&array, second, sizeof second - 1, "x", &error), &error);
    assert_int_equal(array.count, 1);
    dq_array_deinit(&array);
}

static void test_npz_round_trip(void **state) {
    (void)state;
    const char *const names[ARRAYS] = {"w.0", "b", "i4", "i8", "u1", "u4", "u8", "flags", "leer é"};
    dq_error error;
    dq_npz file;
    test_ok(dq_npz_write(path, names, arrays, ARRAYS, &error), &error);
    test_ok(dq_npz_read(&file, path, &error), &error);
    assert_int_equal(file.count, ARRAYS);
    for (int i = 0; i < ARRAYS; i++) {
        assert_string_equal(file.names[i], names[i]);
        assert_same(dq_npz_find(&file, names[i]), &arrays[i]);
    }
    assert_null(dq_npz_find(&file, "nothing"));
    dq_npz_deinit(&file);
    dq_npz_deinit(&file);

    char *first, *second;
    size_t size, again;
    test_ok(dq_file_read(path, 1 << 20, &first, &size, &error), &error);
    test_ok(dq_npz_write(path, names, arrays, ARRAYS, &error), &error);
    test_ok(dq_file_read(path, 1 << 20, &second, &again, &error), &error);
    assert_int_equal(size, again);
    assert_memory_equal(first, second, size);
    free(second);

    for (size_t cut = 0; cut < size; cut += 7)
        assert_int_not_equal(dq_npz_parse(&file, first, cut, "cut", &error), DQ_OK);
    for (size_t at = 40; at < 168; at += 3) { // inside the first member: its checksum no longer fits
        first[at] ^= 0x40;
        assert_int_not_equal(dq_npz_parse(&file, first, size, "flipped", &error), DQ_OK);
        first[at] ^= 0x40;
    }
    free(first);

    assert_int_equal(dq_npz_write(path, NULL, NULL, 0, &error), DQ_USAGE);
    assert_int_equal(dq_npz_write("/dev/full", names, arrays, ARRAYS, &error), DQ_IO);
    assert_int_equal(dq_npz_write(path, (const char *const[]){"a", "a"}, arrays, 2, &error), DQ_USAGE);
    assert_int_equal(dq_npz_read(&file, "/nonexistent", &error), DQ_NOT_FOUND);
}

// Every recorded .npz of these references is NumPy's own, deflated or stored, and holds finite numbers.
static void test_numpy_files(void **state) {
    (void)state;
    glob_t files;
    char pattern[1100];
    snprintf(pattern, sizeof pattern, "%s", test_reference_path("{nn,rng,targets}/*.npz"));
    assert_int_equal(glob(pattern, GLOB_BRACE, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        dq_error error;
        dq_npz file;
        test_ok(dq_npz_read(&file, files.gl_pathv[i], &error), &error);
        assert_true(file.count > 0);
        for (int j = 0; j < file.count; j++)
            for (int64_t k = 0; k < file.arrays[j].count; k++)
                assert_true(isfinite(dq_array_get(&file.arrays[j], k)));
        dq_npz_deinit(&file);
    }
    globfree(&files);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy_round_trip), cmocka_unit_test(test_npy_header),
        cmocka_unit_test(test_conversion),     cmocka_unit_test(test_npy_headers),
        cmocka_unit_test(test_npz_round_trip), cmocka_unit_test(test_numpy_files),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
