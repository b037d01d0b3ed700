// .npz through libzip. Archives are read from and written to memory, so that one parser serves files and
// tests, and writing replaces a file atomically.
#include "io/npz.h"

#include "base/file.h"
#include "io/archive.h"

#include <stdlib.h>
#include <string.h>

// The most members: a small archive can claim anything.
#define COUNT_MAX 65536

void dq_npz_deinit(dq_npz *file) {
    for (int i = 0; i < file->count; i++) {
        free(file->names[i]);
        dq_array_deinit(&file->arrays[i]);
    }
    free(file->names);
    free(file->arrays);
    *file = (dq_npz){0};
}

const dq_array *dq_npz_find(const dq_npz *file, const char *name) {
    for (int i = 0; i < file->count; i++)
        if (!strcmp(file->names[i], name)) return &file->arrays[i];
    return NULL;
}

// Reads member `index` as the next array of *file.
static dq_status read_member(dq_npz *file, zip_t *archive, zip_uint64_t index, const char *path,
                             dq_error *error) {
    const char *name = zip_get_name(archive, index, 0);
    size_t length = name ? strlen(name) : 0;
    if (length < 5 || strcmp(name + length - 4, ".npy"))
        return dq_fail(error, DQ_FORMAT, path, "its member '%.100s' is not a .npy file", name ? name : "");
    char where[256];
    snprintf(where, sizeof where, "%.120s: %.100s", path, name);
    char *data;
    size_t size;
    dq_status status = dq_archive_unpack(archive, index, where, &data, &size, error);
    if (status != DQ_OK) return status;
    file->names[file->count] = strndup(name, length - 4);
    status = file->names[file->count] ? dq_npy_parse(&file->arrays[file->count], data, size, where, error)
                                      : dq_fail(error, DQ_MEMORY, path, "no memory for a name");
    free(data);
    if (status != DQ_OK) {
        free(file->names[file->count]);
        return status;
    }
    if (dq_npz_find(file, file->names[file->count])) // looks at the members before this one
        status = dq_fail(error, DQ_FORMAT, path, "two members are called '%.100s'", name);
    file->count++;
    return status;
}

static dq_status read_members(dq_npz *file, zip_t *archive, const char *where, dq_error *error) {
    zip_int64_t count = zip_get_num_entries(archive, 0);
    if (count < 0 || count > COUNT_MAX)
        return dq_fail(error, DQ_FORMAT, where, "it holds %lld members; at most %d are read",
                       (long long)count, COUNT_MAX);
    file->names = calloc((size_t)count + 1, sizeof *file->names);
    file->arrays = calloc((size_t)count + 1, sizeof *file->arrays);
    if (!file->names || !file->arrays)
        return dq_fail(error, DQ_MEMORY, where, "no memory for its %lld members", (long long)count);
    for (zip_int64_t i = 0; i < count; i++) {
        dq_status status = read_member(file, archive, (zip_uint64_t)i, where, error);
        if (status != DQ_OK) return status;
    }
    return DQ_OK;
}

dq_status dq_npz_parse(dq_npz *file, const void *bytes, size_t size, const char *where, dq_error *error) {
    *file = (dq_npz){0};
    zip_t *archive;
    dq_status status = dq_archive_open(&archive, bytes, size, ".npz file", where, error);
    if (status != DQ_OK) return status;
    status = read_members(file, archive, where, error);
    zip_discard(archive);
    if (status != DQ_OK) dq_npz_deinit(file);
    return status;
}

dq_status dq_npz_read(dq_npz *file, const char *path, dq_error *error) {
    char *data;
    size_t size;
    *file = (dq_npz){0};
    dq_status status = dq_file_read(path, (size_t)1 << 33, &data, &size, error);
    if (status != DQ_OK) return status;
    status = dq_npz_parse(file, data, size, path, error);
    free(data);
    return status;
}

// Adds one array to the archive as NAME.npy.
static dq_status add_member(dq_archive_writer *archive, const char *name, const dq_array *array,
                            dq_error *error) {
    char header[DQ_NPY_HEADER_MAX], member[256];
    const size_t length = dq_npy_header(array, header);
    const size_t size = (size_t)dq_array_count(array) * dq_array_element_size(array->type);
    if ((size_t)snprintf(member, sizeof member, "%s.npy", name) >= sizeof member)
        return dq_fail(error, DQ_USAGE, name, "the array's name '%.100s' is too long", name);
    char *bytes = malloc(length + size);
    if (!bytes) return dq_fail(error, DQ_MEMORY, name, "no memory to write the array '%.100s'", name);
    memcpy(bytes, header, length);
    if (size) memcpy(bytes + length, array->data, size);
    return dq_archive_add(archive, member, bytes, length + size, error);
}

dq_status dq_npz_write(const char *path, const char *const *names, const dq_array *arrays, int count,
                       dq_error *error) {
    if (count == 0) return dq_fail(error, DQ_USAGE, path, "there is no array to write");
    dq_archive_writer archive;
    dq_status status = dq_archive_begin(&archive, path, error);
    if (status) return status;
    for (int i = 0; i < count && !status; i++) status = add_member(&archive, names[i], &arrays[i], error);
    return dq_archive_finish(&archive, status, path, error);
}
