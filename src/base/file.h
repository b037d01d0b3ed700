// Files: whole-file reading with a cap, atomic replacement, and checksums.
//
// A replacement is written beside its target under a temporary name and takes the target's place only when
// every byte is on the disk. Killed, out of room or refused at any moment, the old file is as it was.
#ifndef DQ_BASE_FILE_H
#define DQ_BASE_FILE_H

#include <deepq/base.h>
#include <stdio.h>

// Reads the whole of `path`. On success *data holds *size bytes and a zero behind them, and the caller frees
// it. A file of more than `largest` bytes, a folder, or an unreadable file fails with a sentence. Devices and
// pipes are read to their end.
dq_status dq_file_read(const char *path, size_t largest, char **data, size_t *size, dq_error *error);

// A replacement in progress, in the caller's memory.
typedef struct dq_file {
    FILE *stream; // write here; an error is remembered and comes out of dq_file_commit
    char path[4096], temporary[4096];
    int error_number; // errno of the first failed dq_file_write
    bool direct;      // the target is a device or a pipe: written straight through
} dq_file;

// Opens the temporary file (in the folder of `path`, which must exist). On failure there is nothing to
// cancel.
dq_status dq_file_begin(dq_file *file, const char *path, dq_error *error);

// fwrite on the stream that keeps the reason of a failure for dq_file_commit. False from the first failure
// on.
bool dq_file_write(dq_file *file, const void *data, size_t size);

// Flushes, syncs and renames, then syncs the folder. Either way the dq_file is finished afterwards; on
// failure the temporary file is gone and the old file untouched.
dq_status dq_file_commit(dq_file *file, dq_error *error);

// Gives up: removes the temporary file. A zeroed or finished dq_file is fine.
void dq_file_cancel(dq_file *file);

// begin, write, commit.
dq_status dq_file_replace(const char *path, const void *data, size_t size, dq_error *error);

// Makes the folder `path` and the missing ones above it. One that is already there is fine.
dq_status dq_file_make_folder(const char *path, dq_error *error);

// Makes a rename or removal inside the folder that holds `path` survive a power cut.
dq_status dq_file_sync_folder(const char *path, dq_error *error);

// "the folder does not exist", "no space left on the disk", ...: the words for errno in a sentence.
const char *dq_file_reason(int error_number);

// CRC-32 (IEEE 802.3, as in zip and PNG), CRC-32C (Castagnoli, as in TensorBoard's files) and CRC-64/XZ.
// Start with 0 and pass the last value on for more data.
uint32_t dq_crc32(uint32_t crc, const void *data, size_t size);
uint32_t dq_crc32c(uint32_t crc, const void *data, size_t size);
uint64_t dq_crc64(uint64_t crc, const void *data, size_t size);

#endif
