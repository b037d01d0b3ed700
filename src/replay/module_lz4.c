// LZ4 behind dq_packer. A module: see base/module.h.
#include "replay/packer.h"

#include <lz4.h>

static size_t pack(const void *from, size_t size, void *to, size_t room) {
    return (size_t)LZ4_compress_default(from, to, (int)size, (int)room);
}

static size_t unpack(const void *from, size_t packed, void *to, size_t size) {
    return LZ4_decompress_safe(from, to, (int)packed, (int)size) == (int)size ? size : 0;
}

__attribute__((visibility("default"))) extern const dq_packer dq_module_packer;
const dq_packer dq_module_packer = {.pack = pack, .unpack = unpack};
