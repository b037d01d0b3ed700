// Protocol Buffers, as far as writing needs: fields appended to a growing buffer.
//
// A message is the bytes of its fields one behind the other. A message within another is begun, its fields
// are appended, and it is ended, which puts its length before it. Out of memory, the buffer remembers it and
// takes no more; ask `failed` once at the end. Source: protobuf.dev, "Encoding".
#ifndef DEEPQ_IO_PROTOBUF_H
#define DEEPQ_IO_PROTOBUF_H

#include <deepq/base.h>

// Zeroed is empty.
typedef struct dq_protobuf {
    unsigned char *data;
    size_t size, room;
    bool failed;
} dq_protobuf;

void dq_protobuf_deinit(dq_protobuf *p);
// Empties it and keeps its memory.
void dq_protobuf_clear(dq_protobuf *p);

void dq_protobuf_int(dq_protobuf *p, int field, int64_t value); // int32, int64, bool and enum
void dq_protobuf_float(dq_protobuf *p, int field, float value);
void dq_protobuf_double(dq_protobuf *p, int field, double value);
void dq_protobuf_bytes(dq_protobuf *p, int field, const void *data, size_t size);
void dq_protobuf_text(dq_protobuf *p, int field, const char *text);

// A message, or a packed list, within the message: returns what dq_protobuf_end needs.
size_t dq_protobuf_begin(dq_protobuf *p, int field);
void dq_protobuf_end(dq_protobuf *p, size_t begun);

// Bytes as they are: an item of a packed list, or the payload of another format around the message.
void dq_protobuf_raw(dq_protobuf *p, const void *data, size_t size);
void dq_protobuf_raw_int(dq_protobuf *p, uint64_t value); // as a varint

#endif
