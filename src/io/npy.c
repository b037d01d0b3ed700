// Reading and writing .npy: the header is a Python dict of three known keys, parsed as exactly that.
#include "io/npy.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_codes[] = {"<f4", "<f8", "<i4", "<i8", "|u1", "<u4", "<u8", "|b1"};
#define TYPE_COUNT ((int)(sizeof type_codes / sizeof type_codes[0]))

struct parser {
    const char *start, *c, *end;
    const char *where;
    dq_error *error;
};

static dq_status refuse(const struct parser *parser, const char *what) {
    return dq_fail(parser->error, DQ_FORMAT, parser->where,
                   "the .npy header is malformed at character %d: %s", (int)(parser->c - parser->start),
                   what);
}

static bool take(struct parser *parser, char wanted) {
    while (parser->c < parser->end && *parser->c == ' ') parser->c++;
    if (parser->c == parser->end || *parser->c != wanted) return false;
    parser->c++;
    return true;
}

// A text in single or double quotes, without escapes, of less than `size` characters.
static bool take_text(struct parser *parser, char *text, size_t size) {
    char quote = take(parser, '\'') ? '\'' : take(parser, '"') ? '"' : 0;
    if (!quote) return false;
    size_t length = 0;
    for (; parser->c < parser->end && *parser->c != quote; parser->c++) {
        if (length + 1 == size || *parser->c == '\\' || !*parser->c) return false;
        text[length++] = *parser->c;
    }
    text[length] = 0;
    return take(parser, quote);
}

static bool take_word(struct parser *parser, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(parser->end - parser->c) < length || memcmp(parser->c, word, length)) return false;
    parser->c += length;
    return true;
}

static bool take_count(struct parser *parser, int64_t *value) {
    while (parser->c < parser->end && *parser->c == ' ') parser->c++;
    const char *first = parser->c;
    int64_t sum = 0;
    for (; parser->c < parser->end && *parser->c >= '0' && *parser->c <= '9'; parser->c++)
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, *parser->c - '0', &sum))
            return false;
    *value = sum;
    return parser->c > first;
}

// () or (3,) or (3, 4)
static dq_status take_shape(struct parser *parser, dq_array *array) {
    if (!take(parser, '(')) return refuse(parser, "the shape has to be a tuple");
    array->rank = 0;
    bool comma = true;
    while (!take(parser, ')')) {
        if (!comma) return refuse(parser, "expected ',' or ')' in the shape");
        if (array->rank == DQ_ARRAY_RANK_MAX) return refuse(parser, "the array has more than 8 dimensions");
        if (!take_count(parser, &array->shape[array->rank]))
            return refuse(parser, "expected a whole number in the shape");
        array->rank++;
        comma = take(parser, ',');
    }
    if (array->rank == 1 && !comma) return refuse(parser, "the shape has to be a tuple");
    return DQ_OK;
}

static dq_status take_type(struct parser *parser, dq_array *array) {
    char code[16];
    if (!take_text(parser, code, sizeof code))
        return refuse(parser, "the element type is not a plain number type");
    for (int i = 0; i < TYPE_COUNT; i++) {
        bool one_byte = type_codes[i][2] == '1';
        bool order = *code == '<' || *code == '=' || (one_byte && *code == '|');
        if (order && !strcmp(code + 1, type_codes[i] + 1)) {
            array->type = (dq_array_type)i;
            return DQ_OK;
        }
    }
    if (*code == '>')
        return dq_fail(parser->error, DQ_UNSUPPORTED, parser->where,
                       "the array is big-endian ('%s'); save it as little-endian", code);
    return dq_fail(
        parser->error, DQ_UNSUPPORTED, parser->where,
        "the array has elements of type '%s'; float32, float64, int32, int64, uint8, uint32, uint64 and "
        "bool are read",
        code);
}

static dq_status take_order(struct parser *parser) {
    while (parser->c < parser->end && *parser->c == ' ') parser->c++;
    if (take_word(parser, "False")) return DQ_OK;
    if (!take_word(parser, "True")) return refuse(parser, "fortran_order has to be True or False");
    return dq_fail(parser->error, DQ_UNSUPPORTED, parser->where,
                   "the array is in Fortran order; save numpy.ascontiguousarray of it");
}

static dq_status take_header(struct parser *parser, dq_array *array) {
    unsigned seen = 0;
    if (!take(parser, '{')) return refuse(parser, "expected '{'");
    while (!take(parser, '}')) {
        char key[16];
        if (!take_text(parser, key, sizeof key)) return refuse(parser, "expected a key in quotes");
        unsigned bit = !strcmp(key, "descr")           ? 1
                       : !strcmp(key, "fortran_order") ? 2
                       : !strcmp(key, "shape")         ? 4
                                                       : 0;
        if (bit == 0 || seen & bit)
            return refuse(parser, "expected the keys descr, fortran_order and shape, each once");
        seen |= bit;
        if (!take(parser, ':')) return refuse(parser, "expected ':'");
        dq_status status = bit == 1   ? take_type(parser, array)
                           : bit == 2 ? take_order(parser)
                                      : take_shape(parser, array);
        if (status != DQ_OK) return status;
        if (take(parser, ',')) continue;
        if (take(parser, '}')) break;
        return refuse(parser, "expected ',' or '}'");
    }
    if (seen != 7) return refuse(parser, "descr, fortran_order or shape is missing");
    for (; parser->c < parser->end; parser->c++)
        if (*parser->c != ' ' && *parser->c != '\n') return refuse(parser, "there is more behind the '}'");
    return DQ_OK;
}

dq_status dq_npy_parse(dq_array *array, const void *bytes, size_t size, const char *where, dq_error *error) {
    const unsigned char *b = bytes;
    *array = (dq_array){0};
    if (size < 10 || memcmp(b, "\x93NUMPY", 6))
        return dq_fail(error, DQ_FORMAT, where, "this is not a .npy file: it does not start with \\x93NUMPY");
    unsigned version = b[6];
    if (version < 1 || version > 3)
        return dq_fail(error, DQ_UNSUPPORTED, where, "this .npy file is of version %u; 1 to 3 are read",
                       version);
    size_t prefix = version == 1 ? 10 : 12;
    if (size < prefix) return dq_fail(error, DQ_FORMAT, where, "the .npy file ends inside its header");
    size_t length = b[8] | (size_t)b[9] << 8;
    if (version > 1) length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (length > size - prefix)
        return dq_fail(error, DQ_FORMAT, where, "the .npy file ends inside its header");

    const char *text = (const char *)b + prefix;
    struct parser parser = {.start = text, .c = text, .end = text + length, .where = where, .error = error};
    dq_array made = {0};
    dq_status status = take_header(&parser, &made);
    if (status != DQ_OK) return status;

    size_t needed = dq_array_element_size(made.type), has = size - prefix - length;
    bool overflow = false, empty = false;
    for (int i = 0; i < made.rank; i++) {
        empty |= made.shape[i] == 0;
        overflow |= __builtin_mul_overflow(needed, (size_t)made.shape[i], &needed);
    }
    char shape[200];
    dq_array_describe(&made, shape, sizeof shape);
    if ((overflow && !empty) || needed != has)
        return dq_fail(error, DQ_FORMAT, where, "an array of %s needs %zu bytes but the file holds %zu",
                       shape, overflow ? SIZE_MAX : needed, has);
    made.data = malloc(needed ? needed : 1);
    if (!made.data) return dq_fail(error, DQ_MEMORY, where, "no memory for an array of %s", shape);
    memcpy(made.data, b + prefix + length, needed);
    made.count = (int64_t)(needed / dq_array_element_size(made.type));
    *array = made;
    return DQ_OK;
}

dq_status dq_npy_read(dq_array *array, const char *path, dq_error *error) {
    char *data;
    size_t size;
    *array = (dq_array){0};
    dq_status status = dq_file_read(path, (size_t)1 << 34, &data, &size, error);
    if (status != DQ_OK) return status;
    status = dq_npy_parse(array, data, size, path, error);
    free(data);
    return status;
}

size_t dq_npy_header(const dq_array *array, char header[DQ_NPY_HEADER_MAX]) {
    char *text = header + 10, *end = header + DQ_NPY_HEADER_MAX;
    text += snprintf(text, (size_t)(end - text), "{'descr': '%s', 'fortran_order': False, 'shape': (",
                     type_codes[array->type]);
    for (int i = 0; i < array->rank; i++)
        text += snprintf(text, (size_t)(end - text), "%s%lld", i ? ", " : "", (long long)array->shape[i]);
    text += snprintf(text, (size_t)(end - text), "%s), }", array->rank == 1 ? "," : "");
    size_t length = (size_t)(text - header), total = (length + 1 + 63) / 64 * 64;
    memset(text, ' ', total - length);
    header[total - 1] = '\n';
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)((total - 10) & 0xff);
    header[9] = (char)((total - 10) >> 8);
    return total;
}

dq_status dq_npy_write(const char *path, const dq_array *array, dq_error *error) {
    char header[DQ_NPY_HEADER_MAX];
    size_t length = dq_npy_header(array, header);
    dq_file file;
    dq_status status = dq_file_begin(&file, path, error);
    if (status != DQ_OK) return status;
    dq_file_write(&file, header, length);
    dq_file_write(&file, array->data, (size_t)dq_array_count(array) * dq_array_element_size(array->type));
    return dq_file_commit(&file, error);
}
