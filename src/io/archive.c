// Zip archives through libzip; see archive.h.
#include "io/archive.h"

#include <stdlib.h>

// The most that one member may unpack to: a small archive can claim anything.
#define MEMBER_MAX ((zip_uint64_t)1 << 32)

dq_status dq_archive_open(zip_t **archive, const void *bytes, size_t size, const char *kind,
                          const char *where, dq_error *error) {
    *archive = NULL;
    // libzip takes nothing at all for an empty archive.
    if (size < 22) return dq_fail(error, DQ_FORMAT, where, "this is not a %s: it has %zu bytes", kind, size);
    zip_error_t reason;
    zip_error_init(&reason);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &reason);
    *archive = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &reason) : NULL;
    dq_status status = DQ_OK;
    if (!*archive) {
        status = dq_fail(error, DQ_FORMAT, where, "this is not a %s: %s", kind, zip_error_strerror(&reason));
        zip_source_free(source);
    }
    zip_error_fini(&reason);
    return status;
}

dq_status dq_archive_unpack(zip_t *archive, zip_uint64_t index, const char *where, char **data, size_t *size,
                            dq_error *error) {
    *data = NULL;
    *size = 0;
    zip_file_t *member = zip_fopen_index(archive, index, 0);
    if (!member) return dq_fail(error, DQ_FORMAT, where, "it cannot be unpacked: %s", zip_strerror(archive));
    dq_status status = DQ_OK;
    size_t room = 0;
    for (;;) {
        if (*size == room) {
            size_t larger = room ? 2 * room : 65536;
            char *grown = larger > MEMBER_MAX ? NULL : realloc(*data, larger);
            if (!grown) {
                status =
                    dq_fail(error, DQ_MEMORY, where, "it unpacks to more than the memory there is for it");
                break;
            }
            *data = grown;
            room = larger;
        }
        zip_int64_t count = zip_fread(member, *data + *size, room - *size);
        if (count < 0) {
            status = dq_fail(error, DQ_FORMAT, where, "it cannot be unpacked: %s", zip_file_strerror(member));
            break;
        }
        if (count == 0) break;
        *size += (size_t)count;
    }
    zip_fclose(member);
    if (status != DQ_OK) {
        free(*data);
        *data = NULL;
    }
    return status;
}
