// Parsing the header of a safetensors file.
//
// The grammar is the part of JSON that the format uses: one object of known depth with texts and lists of
// whole numbers, so there is no recursion and no general JSON value. Tables and texts have room for the most
// that a header of this length can hold, so parsing needs one allocation and no growing.
#include "base/safetensors_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    dq_stored_type type;
    size_t size;
} types[] = {
    {"F32", DQ_STORED_F32, 4},    {"F64", DQ_STORED_F64, 8},       {"I32", DQ_STORED_I32, 4},
    {"I64", DQ_STORED_I64, 8},    {"U8", DQ_STORED_U8, 1},         {"F16", DQ_STORED_OTHER, 2},
    {"BF16", DQ_STORED_OTHER, 2}, {"BOOL", DQ_STORED_OTHER, 1},    {"I8", DQ_STORED_OTHER, 1},
    {"I16", DQ_STORED_OTHER, 2},  {"U16", DQ_STORED_OTHER, 2},     {"U32", DQ_STORED_OTHER, 4},
    {"U64", DQ_STORED_OTHER, 8},  {"F8_E4M3", DQ_STORED_OTHER, 1}, {"F8_E5M2", DQ_STORED_OTHER, 1},
};
#define TYPE_COUNT ((int)(sizeof types / sizeof types[0]))

const char *dq_stored_type_name(dq_stored_type type) {
    return type < DQ_STORED_OTHER ? types[type].name : "another type";
}

size_t dq_stored_type_size(dq_stored_type type) {
    return type < DQ_STORED_OTHER ? types[type].size : 0;
}

// A tensor while the header is read: its bytes are [begin, end) of the payload.
struct entry {
    dq_stored_tensor tensor;
    uint64_t begin, end;
};

struct parser {
    const char *start, *c, *end;
    char *texts; // where the next text goes
    const char *where;
    dq_error *error;
};

static dq_status refuse(const struct parser *parser, const char *what) {
    return dq_fail(parser->error, DQ_FORMAT, parser->where,
                   "the safetensors header is malformed at byte %zu: %s", (size_t)(parser->c - parser->start),
                   what);
}

static void skip_spaces(struct parser *parser) {
    while (parser->c < parser->end && memchr(" \t\r\n", *parser->c, 4)) parser->c++;
}

// Takes `wanted` if it comes next (behind spaces).
static bool take(struct parser *parser, char wanted) {
    skip_spaces(parser);
    if (parser->c == parser->end || *parser->c != wanted) return false;
    parser->c++;
    return true;
}

static dq_status expect(struct parser *parser, char wanted) {
    char what[] = "expected '?'";
    what[10] = wanted;
    return take(parser, wanted) ? DQ_OK : refuse(parser, what);
}

// Four hexadecimal digits, or -1.
static int32_t take_hex(struct parser *parser) {
    if (parser->end - parser->c < 4) return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        char c = *parser->c++;
        if (c >= 'A' && c <= 'F') c += 'a' - 'A';
        const char *digit = c ? strchr(digits, c) : NULL;
        if (!digit) return -1;
        value = value << 4 | (int32_t)(digit - digits);
    }
    return value;
}

static char *put_utf8(char *out, int32_t code) {
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(lead[more] | code >> 6 * more);
    while (more--) *out++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return out;
}

// What follows a backslash. -1: nothing JSON knows. A zero would end the C string and is refused too.
static int32_t take_escape(struct parser *parser) {
    if (parser->c == parser->end) return -1;
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char c = *parser->c++;
    const char *name = c ? strchr(names, c) : NULL;
    if (name) return meanings[name - names];
    if (c != 'u') return -1;
    int32_t code = take_hex(parser);
    if (code < 0xd800 || code > 0xdfff) return code > 0 ? code : -1;
    // Characters beyond 16 bits come as a pair: high surrogate, low surrogate.
    if (code > 0xdbff || parser->end - parser->c < 6 || parser->c[0] != '\\' || parser->c[1] != 'u')
        return -1;
    parser->c += 2;
    int32_t low = take_hex(parser);
    if (low < 0xdc00 || low > 0xdfff) return -1;
    return 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
}

// The bytes of the UTF-8 character at c, or 0 when it is not well-formed (RFC 3629).
static int utf8_length(const char *c, const char *end) {
    unsigned char lead = (unsigned char)*c;
    int length = lead < 0x80                   ? 1
                 : lead >= 0xc2 && lead < 0xe0 ? 2
                 : lead >= 0xe0 && lead < 0xf0 ? 3
                 : lead >= 0xf0 && lead < 0xf5 ? 4
                                               : 0;
    if (length > end - c) return 0;
    for (int i = 1; i < length; i++)
        if (((unsigned char)c[i] & 0xc0) != 0x80) return 0;
    unsigned char second = length > 2 ? (unsigned char)c[1] : 0x80;
    bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    bool beyond = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
    return overlong || beyond ? 0 : length;
}

static dq_status take_text(struct parser *parser, const char **text) {
    if (!take(parser, '"')) return refuse(parser, "expected a text in quotes");
    char *out = parser->texts;
    *text = out;
    for (;;) {
        if (parser->c == parser->end) return refuse(parser, "a text has no closing quote");
        unsigned char c = (unsigned char)*parser->c;
        if (c == '"') break;
        if (c == '\\') {
            parser->c++;
            int32_t code = take_escape(parser);
            if (code < 0) return refuse(parser, "unknown escape in a text");
            out = put_utf8(out, code); // never longer than the escape was
            continue;
        }
        int length = c < 0x20 ? 0 : utf8_length(parser->c, parser->end);
        if (length == 0) return refuse(parser, "a text holds a byte that is not UTF-8");
        memcpy(out, parser->c, (size_t)length);
        out += length;
        parser->c += length;
    }
    parser->c++;
    *out++ = 0;
    parser->texts = out;
    return DQ_OK;
}

static dq_status take_count(struct parser *parser, uint64_t *value) {
    skip_spaces(parser);
    const char *first = parser->c;
    uint64_t sum = 0;
    for (; parser->c < parser->end && *parser->c >= '0' && *parser->c <= '9'; parser->c++)
        if (__builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*parser->c - '0'), &sum) || sum > INT64_MAX)
            return refuse(parser, "a number is too large");
    if (parser->c == first || (*first == '0' && parser->c > first + 1))
        return refuse(parser, "expected a whole number");
    *value = sum;
    return DQ_OK;
}

// A list of at most `room` whole numbers.
static dq_status take_counts(struct parser *parser, uint64_t *values, int room, int *count) {
    dq_status status = expect(parser, '[');
    *count = 0;
    if (status != DQ_OK || take(parser, ']')) return status;
    do {
        if (*count == room) return refuse(parser, "a list is longer than it can be");
        status = take_count(parser, &values[*count]);
        if (status != DQ_OK) return status;
        ++*count;
    } while (take(parser, ','));
    return expect(parser, ']');
}

static dq_status take_type(struct parser *parser, struct entry *entry, size_t *item) {
    const char *name;
    char *texts = parser->texts;
    dq_status status = take_text(parser, &name);
    if (status != DQ_OK) return status;
    for (int i = 0; i < TYPE_COUNT; i++)
        if (!strcmp(types[i].name, name)) {
            entry->tensor.type = types[i].type;
            *item = types[i].size;
            parser->texts = texts; // the name is not kept
            return DQ_OK;
        }
    return refuse(parser, "unknown dtype");
}

// {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, keys in any order, each once.
static dq_status take_tensor(struct parser *parser, struct entry *entry) {
    uint64_t shape[DQ_STORED_RANK_MAX], offsets[2];
    size_t item = 0;
    unsigned seen = 0;
    dq_status status = expect(parser, '{');
    if (status != DQ_OK) return status;
    do {
        const char *key;
        char *texts = parser->texts;
        int count = 2;
        if ((status = take_text(parser, &key)) != DQ_OK || (status = expect(parser, ':')) != DQ_OK)
            return status;
        unsigned bit = !strcmp(key, "dtype")          ? 1
                       : !strcmp(key, "shape")        ? 2
                       : !strcmp(key, "data_offsets") ? 4
                                                      : 0;
        parser->texts = texts; // the key is not kept
        if (bit == 0 || seen & bit)
            return refuse(parser, "expected dtype, shape and data_offsets, each once");
        seen |= bit;
        if (bit == 1) status = take_type(parser, entry, &item);
        if (bit == 2) status = take_counts(parser, shape, DQ_STORED_RANK_MAX, &entry->tensor.rank);
        if (bit == 4) status = take_counts(parser, offsets, 2, &count);
        if (status != DQ_OK) return status;
        if (count != 2) return refuse(parser, "data_offsets has to hold two numbers");
    } while (take(parser, ','));
    if ((status = expect(parser, '}')) != DQ_OK) return status;
    if (seen != 7) return refuse(parser, "a tensor lacks dtype, shape or data_offsets");

    uint64_t bytes = item;
    bool overflow = false;
    for (int i = 0; i < entry->tensor.rank; i++) {
        entry->tensor.shape[i] = (int64_t)shape[i];
        overflow |= __builtin_mul_overflow(bytes, shape[i], &bytes);
    }
    entry->begin = offsets[0];
    entry->end = offsets[1];
    if (overflow || entry->end < entry->begin || entry->end - entry->begin != bytes)
        return dq_fail(parser->error, DQ_FORMAT, parser->where,
                       "tensor '%.100s' has %llu bytes by its shape but data_offsets %llu to %llu",
                       entry->tensor.name, (unsigned long long)bytes, (unsigned long long)entry->begin,
                       (unsigned long long)entry->end);
    entry->tensor.size = (size_t)bytes;
    return DQ_OK;
}

static dq_status take_metadata(struct parser *parser, dq_safetensors *file) {
    dq_status status = expect(parser, '{');
    if (status != DQ_OK || take(parser, '}')) return status;
    do {
        dq_text_pair pair;
        if ((status = take_text(parser, &pair.key)) != DQ_OK || (status = expect(parser, ':')) != DQ_OK ||
            (status = take_text(parser, &pair.text)) != DQ_OK)
            return status;
        file->metadata[file->metadata_count++] = pair;
    } while (take(parser, ','));
    return expect(parser, '}');
}

static dq_status take_header(struct parser *parser, dq_safetensors *file, struct entry *entries) {
    bool metadata = false;
    dq_status status = expect(parser, '{');
    if (status != DQ_OK) return status;
    if (!take(parser, '}')) {
        do {
            const char *name;
            if ((status = take_text(parser, &name)) != DQ_OK || (status = expect(parser, ':')) != DQ_OK)
                return status;
            if (!strcmp(name, "__metadata__")) {
                if (metadata) return refuse(parser, "a second __metadata__");
                metadata = true;
                status = take_metadata(parser, file);
            } else {
                struct entry *entry = &entries[file->count++];
                *entry = (struct entry){.tensor.name = name};
                status = take_tensor(parser, entry);
            }
            if (status != DQ_OK) return status;
        } while (take(parser, ','));
        if ((status = expect(parser, '}')) != DQ_OK) return status;
    }
    skip_spaces(parser);
    return parser->c == parser->end ? DQ_OK : refuse(parser, "there is more behind the closing brace");
}

static int by_place(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->tensor.name, y->tensor.name);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->tensor.name, ((const struct entry *)b)->tensor.name);
}

// Distinct names, and bytes that tile [0, payload).
static dq_status check_entries(struct entry *entries, int count, uint64_t payload, const char *where,
                               dq_error *error) {
    if (count) qsort(entries, (size_t)count, sizeof *entries, by_name);
    for (int i = 1; i < count; i++)
        if (by_name(&entries[i - 1], &entries[i]) == 0)
            return dq_fail(error, DQ_FORMAT, where, "two tensors are called '%.100s'",
                           entries[i].tensor.name);
    if (count) qsort(entries, (size_t)count, sizeof *entries, by_place);
    uint64_t end = 0;
    for (int i = 0; i < count; i++) {
        if (entries[i].begin != end)
            return dq_fail(error, DQ_FORMAT, where,
                           "tensor '%.100s' starts at byte %llu where the one before ends at %llu",
                           entries[i].tensor.name, (unsigned long long)entries[i].begin,
                           (unsigned long long)end);
        end = entries[i].end;
    }
    if (end != payload)
        return dq_fail(error, DQ_FORMAT, where, "the tensors need %llu bytes but the file has %llu%s",
                       (unsigned long long)end, (unsigned long long)payload,
                       end > payload ? ": it was cut" : "");
    return DQ_OK;
}

// The shortest possible entries, '"":{"dtype":"U8","shape":[],"data_offsets":[0,0]},' and '"":"",', bound the
// counts.
#define TENSOR_TEXT_MIN   50
#define METADATA_TEXT_MIN 6

dq_status dq_safetensors_parse_header(dq_safetensors *file, const char *text, size_t length, size_t payload,
                                      const char *where, dq_error *error) {
    if (length > DQ_SAFETENSORS_HEADER_MAX)
        return dq_fail(error, DQ_FORMAT, where,
                       "its header of %zu bytes is larger than the %zu expected at most", length,
                       DQ_SAFETENSORS_HEADER_MAX);
    size_t most_tensors = length / TENSOR_TEXT_MIN + 2, most_metadata = length / METADATA_TEXT_MIN + 2;
    struct entry *entries = malloc(most_tensors * sizeof *entries);
    file->names =
        malloc(most_tensors * sizeof *file->tensors + most_metadata * sizeof *file->metadata + length + 1);
    dq_status status = DQ_OK;
    if (!entries || !file->names) {
        status = dq_fail(error, DQ_MEMORY, where, "no memory to read a header of %zu bytes", length);
        goto done;
    }
    file->tensors = file->names;
    file->metadata = (dq_text_pair *)(file->tensors + most_tensors);
    struct parser parser = {
        .start = text,
        .c = text,
        .end = text + length,
        .texts = (char *)(file->metadata + most_metadata),
        .where = where,
        .error = error,
    };
    status = take_header(&parser, file, entries);
    if (status == DQ_OK) status = check_entries(entries, file->count, payload, where, error);
    for (int i = 0; status == DQ_OK && i < file->count; i++) file->tensors[i] = entries[i].tensor;
done:
    free(entries);
    return status;
}
