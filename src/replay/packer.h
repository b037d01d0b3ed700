// How frames are packed where memory counts for more than time: a codec without loss. LZ4's is a module
// (base/module.h), for the library itself needs the C library alone.
#ifndef REPLAY_PACKER_H
#define REPLAY_PACKER_H

#include <stddef.h>

typedef struct dq_packer {
    // Bytes written to `to`, or 0 where they would be more than `room`.
    size_t (*pack)(const void *from, size_t size, void *to, size_t room);
    // Exactly `size` bytes to `to`; 0 where `from` is nothing that was packed.
    size_t (*unpack)(const void *from, size_t packed, void *to, size_t size);
} dq_packer;

#endif
