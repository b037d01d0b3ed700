// Safetensors: what is written reads back, what the Python package writes reads, what is malformed is
// refused.
#include "support.h"

#include "base/file.h"
#include "base/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/deepq-safetensors-XXXXXX";

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

static void test_round_trip(void **state) {
    (void)state;
    float weight[6] = {1, -2, 3.5f, 0, 1e-38f, 1e38f};
    double scalar = 0.1;
    int32_t numbers[3] = {-1, 0, 2147483647};
    int64_t steps[1] = {1ll << 40};
    unsigned char bytes[5] = {0, 1, 2, 254, 255};
    dq_stored_tensor tensors[] = {
        {"q.0.weight", DQ_STORED_F32, 2, {2, 3}, weight, 0},
        {"bytes", DQ_STORED_U8, 1, {5}, bytes, 5}, // leaves what follows unaligned in the file
        {"scalar", DQ_STORED_F64, 0, {0}, &scalar, 8},
        {"numbers", DQ_STORED_I32, 1, {3}, numbers, 0},
        {"empty", DQ_STORED_F32, 2, {0, 7}, NULL, 0},
        {"steps", DQ_STORED_I64, 3, {1, 1, 1}, steps, 0},
    };
    dq_text_pair metadata[] = {
        {"format", "deepq"},
        {"config", "line: \"one\"\nline: 'two'\ttab \\ slash / \x01\x1f é 😀"},
        {"", ""},
    };
    dq_error error;
    test_ok(dq_safetensors_write(path, tensors, 6, metadata, 3, &error), &error);

    dq_safetensors file;
    test_ok(dq_safetensors_read(&file, path, &error), &error);
    assert_int_equal(file.count, 6);
    assert_int_equal(file.metadata_count, 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(dq_safetensors_metadata(&file, metadata[i].key), metadata[i].text);
    assert_null(dq_safetensors_metadata(&file, "nothing"));
    for (int i = 0; i < 6; i++) {
        const dq_stored_tensor *read = dq_safetensors_find(&file, tensors[i].name);
        assert_non_null(read);
        assert_int_equal(read->type, tensors[i].type);
        assert_int_equal(read->rank, tensors[i].rank);
        for (int j = 0; j < read->rank; j++) assert_int_equal(read->shape[j], tensors[i].shape[j]);
        assert_int_equal((uintptr_t)read->data % 64, 0);
        if (read->size) assert_memory_equal(read->data, tensors[i].data, read->size);
    }
    const float *data;
    test_ok(dq_safetensors_floats(&file, "q.0.weight", 2, (int64_t[]){2, 3}, &data, &error), &error);
    assert_memory_equal(data, weight, sizeof weight);
    assert_int_equal(dq_safetensors_floats(&file, "q.0.weight", 2, (int64_t[]){3, 2}, &data, &error),
                     DQ_FORMAT);
    assert_string_equal(error.message, "tensor 'q.0.weight' is F32 [2, 3] but has to be F32 [3, 2]");
    assert_int_equal(dq_safetensors_floats(&file, "bytes", 1, (int64_t[]){5}, &data, &error), DQ_FORMAT);
    assert_int_equal(dq_safetensors_floats(&file, "q.1", 1, (int64_t[]){5}, &data, &error), DQ_NOT_FOUND);
    assert_string_equal(error.message, "the weights have no tensor 'q.1'");
    dq_safetensors_deinit(&file);
    dq_safetensors_deinit(&file);

    // Every cut of the file is refused, and so is a byte too many.
    char *whole;
    size_t size;
    test_ok(dq_file_read(path, 1 << 20, &whole, &size, &error), &error);
    for (size_t cut = 0; cut < size; cut++) {
        char *part = malloc(cut + 1); // exactly as large, so that a read beyond is seen
        memcpy(part, whole, cut);
        assert_int_equal(dq_safetensors_parse(&file, part, cut, "cut", &error), DQ_FORMAT);
        free(part);
    }
    assert_int_equal(dq_safetensors_parse(&file, whole, size + 1, "longer", &error), DQ_FORMAT);
    free(whole);
}

static void test_write_refuses(void **state) {
    (void)state;
    float data[4] = {0};
    dq_error error;
    dq_stored_tensor wrong[] = {
        {"size", DQ_STORED_F32, 1, {4}, data, 12},
        {"negative", DQ_STORED_F32, 1, {-4}, data, 0},
        {"rank", DQ_STORED_F32, 9, {1}, data, 0},
        {"type", DQ_STORED_OTHER, 1, {4}, data, 0},
        {"overflow", DQ_STORED_F32, 2, {1ll << 40, 1ll << 40}, data, 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(dq_safetensors_write(path, &wrong[i], 1, NULL, 0, &error), DQ_USAGE);
    assert_int_equal(dq_safetensors_write("/dev/full", wrong, 0, NULL, 0, &error), DQ_IO);
}

static dq_status parse(const char *header, size_t payload, dq_safetensors *file, dq_error *error) {
    size_t length = strlen(header);
    unsigned char *bytes = calloc(1, 8 + length + payload);
    bytes[0] = (unsigned char)length;
    bytes[1] = (unsigned char)(length >> 8);
    memcpy(bytes + 8, header, length);
    dq_status status = dq_safetensors_parse(file, bytes, 8 + length + payload, "test", error);
    free(bytes);
    return status;
}

static void test_headers(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t payload;
        const char *sentence; // NULL: accepted
    } cases[] = {
        {"{}", 0, NULL},
        {" { } \n", 0, NULL},
        {"{\"__metadata__\":{}}", 0, NULL},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, NULL},
        {"{\"a\" : {\"data_offsets\": [0, 2], \"shape\": [1], \"dtype\": \"BF16\"} }  ", 2, NULL},
        {"{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}",
         2, NULL},
        {"{\"__metadata__\":{\"a\":\"\\u00e9\\ud83d\\ude00\\n\\/\"}}", 0, NULL},
        {"{}", 1, "the tensors need 0 bytes but the file has 1"},
        {"", 0, "malformed at byte 0: expected '{'"},
        {"[]", 0, "expected '{'"},
        {"{}x", 0, "there is more behind the closing brace"},
        {"{,}", 0, "expected a text in quotes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},}", 8, "expected a text in quotes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "the tensors need 8 bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "has 8 bytes by its shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "has 8 bytes by its shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
         "by its shape"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "starts at byte 1 where"},
        {"{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
         3, "starts at byte 1 where the one"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[1,2]}}",
         2, "two tensors are called 'a'"},
        {"{\"a\":{\"dtype\":\"F3\",\"shape\":[],\"data_offsets\":[0,1]}}", 1, "unknown dtype"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "expected a whole number"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]}}", 1, "expected ']'"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[01],\"data_offsets\":[0,1]}}", 1, "expected a whole number"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[9223372036854775808],\"data_offsets\":[0,1]}}", 1, "too large"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1, "longer than"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, "has to hold two numbers"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "lacks dtype, shape or data_offsets"},
        {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "each once"},
        {"{\"a\":{\"what\":\"U8\"}}", 1, "each once"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "expected a text in quotes"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "a second __metadata__"},
        {"{\"__metadata__\":{\"a\":\"\\u0000\"}}", 0, "unknown escape"},
        {"{\"__metadata__\":{\"a\":\"\\ud83d\"}}", 0, "unknown escape"},
        {"{\"__metadata__\":{\"a\":\"\\ude00\\ud83d\"}}", 0, "unknown escape"},
        {"{\"__metadata__\":{\"a\":\"\\q\"}}", 0, "unknown escape"},
        {"{\"__metadata__\":{\"a\":\"\\", 0, "unknown escape"},
        {"{\"__metadata__\":{\"a\":\"\n\"}}", 0, "a byte that is not UTF-8"},
        {"{\"__metadata__\":{\"a\":\"\xff\"}}", 0, "a byte that is not UTF-8"},
        {"{\"__metadata__\":{\"a\":\"\xc0\x80\"}}", 0, "a byte that is not UTF-8"},
        {"{\"__metadata__\":{\"a\":\"\xed\xa0\x80\"}}", 0, "a byte that is not UTF-8"},
        {"{\"__metadata__\":{\"a\":\"x", 0, "no closing quote"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dq_safetensors file;
        dq_error error = {0};
        dq_status status = parse(cases[i].header, cases[i].payload, &file, &error);
        if (!cases[i].sentence) {
            test_ok(status, &error);
            dq_safetensors_deinit(&file);
        } else if (status != DQ_FORMAT || !strstr(error.message, cases[i].sentence)) {
            fail_msg("%s: '%s' does not say '%s'", cases[i].header, error.message, cases[i].sentence);
        }
    }
    dq_safetensors file;
    dq_error error;
    test_ok(parse("{\"__metadata__\":{\"a\":\"\\u00e9\\uD83D\\uDE00\\n\\/\"}}", 0, &file, &error), &error);
    assert_string_equal(dq_safetensors_metadata(&file, "a"), "é😀\n/");
    dq_safetensors_deinit(&file);
    const unsigned char huge[16] = {255, 255, 255, 255, 255, 255, 255, 255};
    assert_int_equal(dq_safetensors_parse(&file, huge, 16, "test", &error), DQ_FORMAT);
    assert_int_equal(dq_safetensors_read(&file, "/nonexistent", &error), DQ_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_write_refuses),
        cmocka_unit_test(test_headers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
