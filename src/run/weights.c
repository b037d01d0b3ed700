// Weights files in the safetensors format: u64 little-endian length of a JSON header, the header padded with
// spaces to 8 bytes, then the tensors' bytes without holes.
//
// Written for this library's own files and read strictly: F32 tensors of rank 1 or 2, strings in
// __metadata__. Any program that knows safetensors reads them. Source: the format's specification,
// huggingface/safetensors, README.md, section "Format".
#include "run/weights.h"

#include "base/file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file's numbers are little-endian");

enum { MOST_BYTES = 1 << 30, MOST_TENSORS = 4096 };

// --- writing
// -------------------------------------------------------------------------------------------------

static void put_json_string(FILE *out, const char *text) {
    putc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", out);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            putc(c, out);
    }
    putc('"', out);
}

static void put_header(FILE *out, const dq_net *net, const char *config) {
    size_t offset = 0;
    fputs("{\"__metadata__\":{\"format\":\"deepq\",\"config\":", out);
    put_json_string(out, config);
    putc('}', out);
    for (int i = 0; i < dq_net_tensor_count(net); i++) {
        const dq_tensor *t = dq_net_tensor(net, i);
        size_t bytes = (size_t)t->rows * (size_t)t->columns * sizeof(float);
        fprintf(out, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[", t->name);
        if (t->rank == 2) fprintf(out, "%d,", t->rows);
        fprintf(out, "%d],\"data_offsets\":[%zu,%zu]}", t->columns, offset, offset + bytes);
        offset += bytes;
    }
    putc('}', out);
}

dq_status dq_weights_write(const char *path, const dq_net *net, const float *params, const char *config,
                           dq_error *error) {
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    if (!out) return dq_fail(error, DQ_MEMORY, path, "there is no memory to write the weights");
    uint64_t length = 0;
    fwrite(&length, sizeof length, 1, out);
    put_header(out, net, config);
    while (ftell(out) % 8) putc(' ', out);
    length = (uint64_t)ftell(out) - sizeof length;
    for (int i = 0; i < dq_net_tensor_count(net); i++) {
        const dq_tensor *t = dq_net_tensor(net, i);
        for (int r = 0; r < t->rows; r++)
            fwrite(params + t->offset + (size_t)r * t->stride, sizeof(float), (size_t)t->columns, out);
    }
    dq_status status = DQ_OK;
    if (fclose(out)) status = dq_fail(error, DQ_MEMORY, path, "there is no memory to write the weights");
    if (!status) {
        memcpy(bytes, &length, sizeof length);
        status = dq_file_replace(path, bytes, size, error);
    }
    free(bytes);
    return status;
}

// --- reading
// -------------------------------------------------------------------------------------------------

// A strict reader of the JSON that such headers hold. After a failure `ok` stays false and every call is
// idle.
typedef struct cursor {
    const char *at, *end;
    bool ok;
} cursor;

static void skip_spaces(cursor *c) {
    while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at) c->at++;
}

// Whether the next character is `wanted`; takes it if so.
static bool next_is(cursor *c, char wanted) {
    skip_spaces(c);
    if (!c->ok || c->at == c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static void expect(cursor *c, char wanted) {
    if (!next_is(c, wanted)) c->ok = false;
}

static unsigned take_hex4(cursor *c) {
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", *digit = NULL;
        if (c->at < c->end && *c->at) digit = strchr(digits, *c->at | 0x20);
        if (!digit)
            c->ok = false;
        else
            value = value * 16 + (unsigned)(digit - digits), c->at++;
    }
    return value;
}

// Reads a string into text [size] (cut when longer: c->ok becomes false).
static void take_string(cursor *c, char *text, size_t size) {
    size_t used = 0;
    expect(c, '"');
    while (c->ok && c->at < c->end && *c->at != '"') {
        unsigned code = (unsigned char)*c->at++;
        if (code == '\\' && c->at < c->end) {
            static const char *const escapes = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
            char kind = *c->at++;
            const char *escape = kind ? strchr(escapes, kind) : NULL;
            if (kind == 'u')
                code = take_hex4(c);
            else if (escape)
                code = (unsigned char)values[escape - escapes];
            else
                c->ok = false;
            if (code > 0x7f || code == 0) c->ok = false; // other characters come as they are, in UTF-8
        }
        if (used + 1 >= size)
            c->ok = false;
        else
            text[used++] = (char)code;
    }
    text[used] = 0;
    expect(c, '"');
}

static uint64_t take_number(cursor *c) {
    skip_spaces(c);
    uint64_t value = 0;
    bool digits = false;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, digits = true) {
        if (value > (UINT64_MAX - 9) / 10) c->ok = false;
        value = value * 10 + (uint64_t)(*c->at - '0');
    }
    if (!digits) c->ok = false;
    return value;
}

static void take_metadata(cursor *c, char **config) {
    size_t most = (size_t)(c->end - c->at) + 1;
    char *value = malloc(most), key[64];
    if (!value) c->ok = false;
    expect(c, '{');
    if (c->ok && !next_is(c, '}')) {
        do {
            take_string(c, key, sizeof key);
            expect(c, ':');
            if (!c->ok) break;
            take_string(c, value, most);
            if (c->ok && !strcmp(key, "config") && !*config) *config = strdup(value);
        } while (next_is(c, ','));
        expect(c, '}');
    }
    free(value);
}

static void take_tensor(cursor *c, dq_weights_tensor *tensor, const unsigned char *data, uint64_t data_size) {
    char key[16], type[8] = "";
    uint64_t begin = 0, end = 0, elements = 1;
    expect(c, '{');
    do {
        take_string(c, key, sizeof key);
        expect(c, ':');
        if (!strcmp(key, "dtype")) {
            take_string(c, type, sizeof type);
        } else if (!strcmp(key, "shape")) {
            expect(c, '[');
            do {
                uint64_t extent = take_number(c);
                if (tensor->rank == 2 || extent < 1 || extent > MOST_BYTES)
                    c->ok = false;
                else
                    tensor->shape[tensor->rank++] = (int64_t)extent, elements *= extent;
            } while (next_is(c, ','));
            expect(c, ']');
        } else if (!strcmp(key, "data_offsets")) {
            expect(c, '[');
            begin = take_number(c);
            expect(c, ',');
            end = take_number(c);
            expect(c, ']');
        } else {
            c->ok = false;
        }
    } while (next_is(c, ','));
    expect(c, '}');
    if (strcmp(type, "F32") || begin > end || end > data_size || begin % sizeof(float) ||
        elements > data_size / sizeof(float) || end - begin != elements * sizeof(float))
        c->ok = false;
    if (c->ok) tensor->data = (const float *)(const void *)(data + begin);
}

dq_status dq_weights_read(dq_weights *weights, const char *path, dq_error *error) {
    *weights = (dq_weights){0};
    size_t size;
    uint64_t length = 0;
    dq_status status = dq_file_read(path, MOST_BYTES, &weights->bytes, &size, error);
    if (status) return status;
    if (size >= sizeof length) memcpy(&length, weights->bytes, sizeof length);
    if (size < sizeof length || length % 8 || length > size - sizeof length) goto malformed;

    const unsigned char *data = weights->bytes + sizeof length + length;
    uint64_t data_size = size - sizeof length - length;
    weights->tensors = calloc(MOST_TENSORS, sizeof *weights->tensors);
    cursor c = {(const char *)weights->bytes + sizeof length, (const char *)data, weights->tensors != NULL};
    expect(&c, '{');
    if (c.ok && !next_is(&c, '}')) {
        do {
            char name[sizeof weights->tensors->name] = "";
            take_string(&c, name, sizeof name);
            expect(&c, ':');
            if (!c.ok) break;
            if (!strcmp(name, "__metadata__")) {
                take_metadata(&c, &weights->config);
            } else if (weights->count == MOST_TENSORS) {
                c.ok = false;
            } else {
                dq_weights_tensor *tensor = &weights->tensors[weights->count++];
                memcpy(tensor->name, name, sizeof name);
                take_tensor(&c, tensor, data, data_size);
            }
        } while (c.ok && next_is(&c, ','));
        expect(&c, '}');
    }
    skip_spaces(&c);
    if (c.ok && c.at == c.end) return DQ_OK;
malformed:
    dq_weights_free(weights);
    return dq_fail(
        error, DQ_FORMAT, path,
        "%s is not a whole safetensors file of F32 tensors; was it cut short, or is it another format?",
        path);
}

void dq_weights_free(dq_weights *weights) {
    free(weights->bytes);
    free(weights->config);
    free(weights->tensors);
    *weights = (dq_weights){0};
}

dq_status dq_weights_fill(const dq_weights *weights, const dq_net *net, float *params, const char *path,
                          dq_error *error) {
    for (int i = 0; i < dq_net_tensor_count(net); i++) {
        const dq_tensor *t = dq_net_tensor(net, i);
        const dq_weights_tensor *from = NULL;
        for (int k = 0; k < weights->count; k++)
            if (!strcmp(weights->tensors[k].name, t->name)) from = &weights->tensors[k];
        if (!from)
            return dq_fail(error, DQ_FORMAT, path, "%s has no tensor %s, which this network needs", path,
                           t->name);
        int64_t rows = from->rank == 2 ? from->shape[0] : 1, columns = from->shape[from->rank - 1];
        if (from->rank != t->rank || rows != t->rows || columns != t->columns)
            return dq_fail(error, DQ_FORMAT, path,
                           "tensor %s of %s is %lldx%lld, but this network needs %dx%d", t->name, path,
                           (long long)rows, (long long)columns, t->rows, t->columns);
        for (int r = 0; r < t->rows; r++)
            memcpy(params + t->offset + (size_t)r * t->stride, from->data + (size_t)r * (size_t)t->columns,
                   (size_t)t->columns * sizeof(float));
    }
    return DQ_OK;
}
