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

#endif
