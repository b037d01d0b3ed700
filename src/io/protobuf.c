// Protocol Buffers: wire types 0 (varint), 1 (64 bits), 2 (length and bytes) and 5 (32 bits), little-endian.
#include "io/protobuf.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

void dq_protobuf_deinit(dq_protobuf *p) {
    free(p->data);
    *p = (dq_protobuf){0};
}

void dq_protobuf_clear(dq_protobuf *p) {
    p->size = 0;
    p->failed = false;
}

// Room for `size` more bytes; NULL when there is no memory for them.
static unsigned char *take(dq_protobuf *p, size_t size) {
    if (p->failed) return NULL;
    if (p->room - p->size < size) {
        size_t room = 2 * p->room + size + 256;
        unsigned char *larger = room > size ? realloc(p->data, room) : NULL;
        if (!larger) {
            p->failed = true;
            return NULL;
        }
        p->data = larger;
        p->room = room;
    }
    p->size += size;
    return p->data + p->size - size;
}

void dq_protobuf_raw(dq_protobuf *p, const void *data, size_t size) {
    unsigned char *at = take(p, size);
    if (at && size > 0) memcpy(at, data, size);
}

static size_t put_varint(unsigned char bytes[10], uint64_t value) {
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) bytes[size++] = (unsigned char)(value | 0x80);
    bytes[size++] = (unsigned char)value;
    return size;
}

void dq_protobuf_raw_int(dq_protobuf *p, uint64_t value) {
    unsigned char bytes[10];
    dq_protobuf_raw(p, bytes, put_varint(bytes, value));
}

static void put_key(dq_protobuf *p, int field, int wire) {
    dq_protobuf_raw_int(p, (uint64_t)field << 3 | (uint64_t)wire);
}

void dq_protobuf_int(dq_protobuf *p, int field, int64_t value) {
    put_key(p, field, VARINT);
    dq_protobuf_raw_int(p, (uint64_t)value);
}

void dq_protobuf_float(dq_protobuf *p, int field, float value) {
    put_key(p, field, FIXED32);
    dq_protobuf_raw(p, &value, sizeof value);
}

void dq_protobuf_double(dq_protobuf *p, int field, double value) {
    put_key(p, field, FIXED64);
    dq_protobuf_raw(p, &value, sizeof value);
}

void dq_protobuf_bytes(dq_protobuf *p, int field, const void *data, size_t size) {
    put_key(p, field, LENGTH);
    dq_protobuf_raw_int(p, size);
    dq_protobuf_raw(p, data, size);
}

void dq_protobuf_text(dq_protobuf *p, int field, const char *text) {
    dq_protobuf_bytes(p, field, text, strlen(text));
}

size_t dq_protobuf_begin(dq_protobuf *p, int field) {
    put_key(p, field, LENGTH);
    return p->size;
}

void dq_protobuf_end(dq_protobuf *p, size_t begun) {
    unsigned char bytes[10];
    if (p->failed) return;
    size_t size = p->size - begun, prefix = put_varint(bytes, size);
    if (!take(p, prefix)) return;
    memmove(p->data + begun + prefix, p->data + begun, size);
    memcpy(p->data + begun, bytes, prefix);
}
