// Zip archives through libzip; see archive.h.
#include "io/archive.h"

#include "base/file.h"

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

// --- writing -----------------------------------------------------------------------------------------------

dq_status dq_archive_begin(dq_archive_writer *writer, const char *where, dq_error *error) {
    writer->bytes = zip_source_buffer_create(NULL, 0, 0, NULL);
    writer->archive = writer->bytes ? zip_open_from_source(writer->bytes, ZIP_TRUNCATE, NULL) : NULL;
    if (!writer->archive) {
        zip_source_free(writer->bytes);
        return dq_fail(error, DQ_MEMORY, where, "no memory to write the file");
    }
    zip_source_keep(writer->bytes); // its bytes outlive the archive
    return DQ_OK;
}

// libzip reads the data only when it closes the archive.
dq_status dq_archive_add(dq_archive_writer *writer, const char *name, void *data, size_t size,
                         dq_error *error) {
    zip_source_t *source = zip_source_buffer(writer->archive, data, size, 1);
    if (!source) {
        free(data);
        return dq_fail(error, DQ_MEMORY, name, "no memory to write '%.100s'", name);
    }
    const zip_int64_t index = zip_file_add(writer->archive, name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        return dq_fail(error, DQ_USAGE, name, "cannot add '%.100s': %s", name, zip_strerror(writer->archive));
    }
    zip_set_file_compression(writer->archive, (zip_uint64_t)index, ZIP_CM_STORE, 0);
    // 1980-01-01, the zip format's first day: no clock in the bytes.
    if (zip_file_set_dostime(writer->archive, (zip_uint64_t)index, 0, 0x21, 0) == 0) return DQ_OK;
    return dq_fail(error, DQ_MEMORY, name, "cannot add '%.100s': %s", name, zip_strerror(writer->archive));
}

// Takes the finished archive out of `source` and writes it.
static dq_status save(zip_source_t *source, const char *path, dq_error *error) {
    zip_stat_t about;
    if (zip_source_stat(source, &about) < 0 || zip_source_open(source) < 0)
        return dq_fail(error, DQ_MEMORY, path, "no memory to write the file");
    char *bytes = malloc(about.size ? about.size : 1);
    bool good = bytes && zip_source_read(source, bytes, about.size) == (zip_int64_t)about.size;
    zip_source_close(source);
    dq_status status = good ? dq_file_replace(path, bytes, about.size, error)
                            : dq_fail(error, DQ_MEMORY, path, "no memory to write the file");
    free(bytes);
    return status;
}

dq_status dq_archive_finish(dq_archive_writer *writer, dq_status status, const char *path, dq_error *error) {
    if (!status && zip_close(writer->archive) != 0)
        status = dq_fail(error, DQ_IO, path, "cannot make the zip file: %s", zip_strerror(writer->archive));
    if (status)
        zip_discard(writer->archive);
    else
        status = save(writer->bytes, path, error);
    zip_source_free(writer->bytes);
    return status;
}
