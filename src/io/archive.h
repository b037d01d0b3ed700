// Zip archives in memory, for the formats that are one: .npz and .pth.
#ifndef DQ_IO_ARCHIVE_H
#define DQ_IO_ARCHIVE_H

#include <deepq/base.h>
#include <zip.h>

// Opens an archive that lies in memory, checked for consistency; the bytes must outlive it. `kind` (".npz
// file") says in errors what it was taken for. Close with zip_discard.
dq_status dq_archive_open(zip_t **archive, const void *bytes, size_t size, const char *kind,
                          const char *where, dq_error *error);

// Unpacks member `index` into a buffer that grows with what really comes out, 4 GiB at most. The caller frees
// *data.
dq_status dq_archive_unpack(zip_t *archive, zip_uint64_t index, const char *where, char **data, size_t *size,
                            dq_error *error);

// An archive being made in memory.
typedef struct dq_archive_writer {
    zip_t *archive;
    zip_source_t *bytes;
} dq_archive_writer;

dq_status dq_archive_begin(dq_archive_writer *writer, const char *where, dq_error *error);

// Adds a member as it is, not compressed and without a date, so that the same members give the same bytes.
// `data` is from malloc and becomes the archive's, whatever the outcome.
dq_status dq_archive_add(dq_archive_writer *writer, const char *name, void *data, size_t size,
                         dq_error *error);

// Replaces `path` by the archive, atomically; where `status` is an earlier failure, gives up and returns it.
dq_status dq_archive_finish(dq_archive_writer *writer, dq_status status, const char *path, dq_error *error);

#endif
