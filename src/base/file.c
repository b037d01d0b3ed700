// Whole-file reading and atomic replacement, on POSIX calls.
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *dq_file_reason(int error_number) {
    switch (error_number) {
    case ENOENT:
        return "there is no such file or folder";
    case EACCES:
    case EPERM:
        return "permission denied";
    case EROFS:
        return "the disk is read-only";
    case ENOSPC:
    case EDQUOT:
        return "no space left on the disk";
    case EFBIG:
        return "the file would be larger than allowed";
    case EISDIR:
        return "it is a folder";
    case ENOTDIR:
        return "a part of the path is not a folder";
    case ENAMETOOLONG:
        return "the name is too long";
    case EMFILE:
    case ENFILE:
        return "too many files are open";
    default: {
        const char *words = strerrordesc_np(error_number);
        return words ? words : "unknown reason";
    }
    }
}

static dq_status refuse(dq_error *error, const char *verb, const char *path, int number) {
    return dq_fail(error, number == ENOENT || number == ENOTDIR ? DQ_NOT_FOUND : DQ_IO, path,
                   "cannot %s '%.200s': %s", verb, path, dq_file_reason(number));
}

dq_status dq_file_read(const char *path, size_t largest, char **data, size_t *size, dq_error *error) {
    dq_status status = DQ_OK;
    char *buffer = NULL;
    size_t used = 0, room = 0;
    *data = NULL;
    *size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refuse(error, "open", path, errno);
    struct stat about;
    if (fstat(fd, &about) != 0 || S_ISDIR(about.st_mode)) {
        status = refuse(error, "read", path, S_ISDIR(about.st_mode) ? EISDIR : errno);
        goto fail;
    }
    if (S_ISREG(about.st_mode) && (uint64_t)about.st_size > largest) goto too_large;
    room = S_ISREG(about.st_mode) ? (size_t)about.st_size + 1 : 4096;
    buffer = malloc(room + 1);
    if (!buffer) goto no_memory;
    for (;;) {
        ssize_t count = read(fd, buffer + used, room - used);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            status = refuse(error, "read", path, errno);
            goto fail;
        }
        if (count == 0) break;
        used += (size_t)count;
        if (used > largest) goto too_large;
        if (used < room) continue;
        char *larger = realloc(buffer, 2 * room + 1);
        if (!larger) goto no_memory;
        buffer = larger;
        room *= 2;
    }
    close(fd);
    buffer[used] = 0;
    *data = buffer;
    *size = used;
    return DQ_OK;

too_large:
    status = dq_fail(error, DQ_FORMAT, path, "'%.200s' is larger than the %zu bytes expected at most", path,
                     largest);
    goto fail;
no_memory:
    status = dq_fail(error, DQ_MEMORY, path, "no memory to read '%.200s'", path);
fail:
    free(buffer);
    close(fd);
    return status;
}

// The folder part of `path`: "." when there is none.
static void folder_of(const char *path, char *folder, size_t size) {
    const char *slash = strrchr(path, '/');
    if (!slash) {
        snprintf(folder, size, ".");
    } else {
        snprintf(folder, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    }
}

dq_status dq_file_begin(dq_file *file, const char *path, dq_error *error) {
    static _Atomic unsigned counter;
    *file = (dq_file){0};
    size_t length = strlen(path);
    if (length == 0 || path[length - 1] == '/' || length + 32 > sizeof file->path)
        return refuse(error, "write", path,
                      length == 0               ? ENOENT
                      : path[length - 1] == '/' ? EISDIR
                                                : ENAMETOOLONG);
    memcpy(file->path, path, length + 1);

    struct stat about;
    bool exists = stat(path, &about) == 0;
    if (exists && S_ISDIR(about.st_mode)) return refuse(error, "write", path, EISDIR);
    file->direct = exists && !S_ISREG(about.st_mode);
    int fd;
    if (file->direct) {
        fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        if (exists && access(path, W_OK) != 0) return refuse(error, "write", path, errno);
        const char *slash = strrchr(path, '/');
        int folder = slash ? (int)(slash - path + 1) : 0;
        do { // a name that is taken was left behind by a killed process of the same number
            snprintf(file->temporary, sizeof file->temporary, "%.*s.%.200s.%d-%u.tmp", folder, path,
                     path + folder, (int)getpid(), atomic_fetch_add(&counter, 1));
            fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        } while (fd < 0 && errno == EEXIST);
        if (fd >= 0 && exists) (void)!fchmod(fd, about.st_mode & 0777);
    }
    if (fd >= 0) file->stream = fdopen(fd, "wb");
    if (file->stream) return DQ_OK;

    int number = errno;
    if (fd >= 0) {
        close(fd);
        if (!file->direct) unlink(file->temporary);
    }
    *file = (dq_file){0};
    return refuse(error, "write", path, number);
}

void dq_file_cancel(dq_file *file) {
    if (!file->stream) return;
    fclose(file->stream);
    if (!file->direct) unlink(file->temporary);
    file->stream = NULL;
}

dq_status dq_file_sync_folder(const char *path, dq_error *error) {
    char folder[4096];
    folder_of(path, folder, sizeof folder);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return refuse(error, "open", folder, errno);
    int number = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    // Some file systems have nothing to sync in a folder and say so.
    if (number && number != EINVAL && number != ENOTSUP) return refuse(error, "save", folder, number);
    return DQ_OK;
}

bool dq_file_write(dq_file *file, const void *data, size_t size) {
    if (file->error_number) return false;
    errno = 0;
    if (size == 0 || fwrite(data, 1, size, file->stream) == size) return true;
    file->error_number = errno ? errno : EIO;
    return false;
}

dq_status dq_file_commit(dq_file *file, dq_error *error) {
    int number = file->error_number;
    if (!number && ferror(file->stream)) number = EIO;
    if (fflush(file->stream) != 0 && (!number || number == EIO)) number = errno;
    if (!number && !file->direct && fsync(fileno(file->stream)) != 0) number = errno;
    if (fclose(file->stream) != 0 && !number) number = errno;
    file->stream = NULL;
    if (!number && file->direct) return DQ_OK;
    if (!number && rename(file->temporary, file->path) != 0) number = errno;
    if (!number) return dq_file_sync_folder(file->path, error);
    if (!file->direct) unlink(file->temporary);
    return refuse(error, "write", file->path, number);
}

dq_status dq_file_replace(const char *path, const void *data, size_t size, dq_error *error) {
    dq_file file;
    dq_status status = dq_file_begin(&file, path, error);
    if (status != DQ_OK) return status;
    dq_file_write(&file, data, size);
    return dq_file_commit(&file, error);
}

dq_status dq_file_make_folder(const char *path, dq_error *error) {
    char part[4096];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part)
        return refuse(error, "make", path, length ? ENAMETOOLONG : ENOENT);
    memcpy(part, path, length + 1);
    for (char *c = part + 1;; c++) {
        if (*c && *c != '/') continue;
        char kept = *c;
        *c = 0;
        int number = mkdir(part, 0777) == 0 ? 0 : errno;
        struct stat about;
        if (number && stat(part, &about) == 0) number = S_ISDIR(about.st_mode) ? 0 : ENOTDIR;
        if (number) return refuse(error, "make the folder", path, number);
        *c = kept;
        if (!kept) return DQ_OK;
    }
}
