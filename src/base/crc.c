// CRC-32 (IEEE 802.3), CRC-32C and CRC-64/XZ, all bit-reflected, eight bytes a round.
//
// Table k holds the checksum of a byte followed by k zero bytes, so that eight look-ups advance by eight
// bytes: Kounavis and Berry 2005, "A Systematic Approach to Building High Performance, Software-based, CRC
// Generators".
#include "base/file.h"

#include <pthread.h>
#include <string.h>

typedef uint32_t crc32_table[8][256];

static crc32_table table32, table32c;
static uint64_t table64[8][256];
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make_tables(void) {
    for (int byte = 0; byte < 256; byte++) {
        uint32_t crc32 = (uint32_t)byte, crc32c = (uint32_t)byte;
        uint64_t crc64 = (uint64_t)byte;
        for (int bit = 0; bit < 8; bit++) {
            crc32 = crc32 >> 1 ^ (crc32 & 1 ? 0xedb88320u : 0);
            crc32c = crc32c >> 1 ^ (crc32c & 1 ? 0x82f63b78u : 0);
            crc64 = crc64 >> 1 ^ (crc64 & 1 ? 0xc96c5795d7870f42u : 0);
        }
        table32[0][byte] = crc32;
        table32c[0][byte] = crc32c;
        table64[0][byte] = crc64;
    }
    for (int k = 1; k < 8; k++)
        for (int byte = 0; byte < 256; byte++) {
            table32[k][byte] = table32[k - 1][byte] >> 8 ^ table32[0][table32[k - 1][byte] & 0xff];
            table32c[k][byte] = table32c[k - 1][byte] >> 8 ^ table32c[0][table32c[k - 1][byte] & 0xff];
            table64[k][byte] = table64[k - 1][byte] >> 8 ^ table64[0][table64[k - 1][byte] & 0xff];
        }
}

static uint32_t crc32_with(const crc32_table table, uint32_t crc, const void *data, size_t size) {
    const unsigned char *bytes = data;
    crc = ~crc;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        word ^= crc;
        crc = 0;
        for (int k = 0; k < 8; k++) crc ^= table[7 - k][word >> 8 * k & 0xff];
    }
    for (; size; bytes++, size--) crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 0xff];
    return ~crc;
}

uint32_t dq_crc32(uint32_t crc, const void *data, size_t size) {
    pthread_once(&made, make_tables);
    return crc32_with(table32, crc, data, size);
}

uint32_t dq_crc32c(uint32_t crc, const void *data, size_t size) {
    pthread_once(&made, make_tables);
    return crc32_with(table32c, crc, data, size);
}

uint64_t dq_crc64(uint64_t crc, const void *data, size_t size) {
    pthread_once(&made, make_tables);
    const unsigned char *bytes = data;
    crc = ~crc;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        word ^= crc;
        crc = 0;
        for (int k = 0; k < 8; k++) crc ^= table64[7 - k][word >> 8 * k & 0xff];
    }
    for (; size; bytes++, size--) crc = crc >> 8 ^ table64[0][(crc ^ *bytes) & 0xff];
    return ~crc;
}
