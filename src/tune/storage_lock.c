// Acquiring and releasing the journal's lock.
#include "tune/storage_lock.h"

#include "base/file.h"
#include "tune/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void dq_uuid(char text[37]) {
    unsigned char b[16];
    size_t got = 0;
    while (got < sizeof b) {
        ssize_t n = getrandom(b + got, sizeof b - got, 0);
        if (n > 0) got += (size_t)n;
    }
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void pause_for(double seconds) {
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

// --- the mark ---------------------------------------------------------------------------------------------

// "/FOLDER/FILE" becomes "/FOLDER" BITS "/FILE", where each bit of a checksum of the machine is "//" or "/.".
static void make_target(dq_journal_lock *lock) {
    char machine[200];
    dq_worker_machine(machine, sizeof machine);
    const uint32_t bits = dq_crc32(0, machine, strlen(machine));
    const char *slash = strrchr(lock->path, '/');
    const size_t folder = slash ? (size_t)(slash - lock->path) : 0;
    snprintf(lock->target, sizeof lock->target, "%s", lock->path);
    if (!slash || strlen(lock->path) + 64 >= sizeof lock->target) return;
    char *c = lock->target + folder;
    for (int i = 0; i < 32; i++) {
        *c++ = '/';
        *c++ = bits >> i & 1 ? '.' : '/';
    }
    strcpy(c, slash);
}

// Was the lock made by a process of this program on this machine?
static bool has_own_mark(const dq_journal_lock *lock, const char *name) {
    char text[PATH_MAX];
    ssize_t length = readlink(name, text, sizeof text - 1);
    if (length < 0) {
        int fd = open(name, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return false;
        length = read(fd, text, sizeof text - 1);
        close(fd);
    }
    if (length < 1) return false;
    text[length] = 0;
    return strcmp(lock->target, lock->path) != 0 && !strcmp(text, lock->target);
}

// --- the lock ---------------------------------------------------------------------------------------------

// Makes the lock file; errno tells why not.
static bool take(dq_journal_lock *lock, const char *name) {
    if (!lock->open_variant) {
        if (symlink(lock->target, name) == 0) return true;
        // a file system that has no links
        if (errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP) return false;
        lock->open_variant = true;
    }
    int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0) return false;
    // without the mark it is a lock all the same
    if (write(fd, lock->target, strlen(lock->target)) < 0) errno = 0;
    close(fd);
    return true;
}

// Renamed first, so that of two processes that break one lock only one removes it.
static bool remove_lock(const char *name) {
    char renamed[PATH_MAX + 64], id[37];
    dq_uuid(id);
    snprintf(renamed, sizeof renamed, "%s%s.rename", name, id);
    return rename(name, renamed) == 0 && unlink(renamed) == 0;
}

// A process that stands still may hold it: then the lock file alone decides.
static void take_flock(dq_journal_lock *lock) {
    const double began = now();
    double wait = 0.0005;
    lock->flocked = false;
    while (lock->fd >= 0 && !lock->flocked && now() - began < lock->grace) {
        lock->flocked = flock(lock->fd, LOCK_EX | LOCK_NB) == 0;
        if (lock->flocked || (errno != EWOULDBLOCK && errno != EINTR)) return;
        pause_for(wait);
        wait = wait * 2 < 0.01 ? wait * 2 : 0.01;
    }
}

// Waits for the lock file.
static dq_status take_file(dq_journal_lock *lock, const char *name, dq_error *error) {
    struct stat about;
    struct timespec seen = {0};
    double wait = 0.001, changed = now();
    while (!take(lock, name)) {
        if (errno != EEXIST)
            return dq_fail(error, DQ_IO, name, "the journal's lock cannot be made: %s",
                           dq_file_reason(errno));
        if (lock->flocked && has_own_mark(lock, name)) {
            remove_lock(name);
            continue;
        }
        // of what the link shows: a journal that grows is in use
        if (stat(name, &about) == 0) {
            if (about.st_mtim.tv_sec != seen.tv_sec || about.st_mtim.tv_nsec != seen.tv_nsec) {
                seen = about.st_mtim;
                changed = now();
            } else if (now() - changed > lock->grace) {
                dq_log(DQ_LOG_WARNING, "%s was held for %.0f s without a change: taken for left behind", name,
                       lock->grace);
                remove_lock(name);
                wait = 0.001;
                changed = now();
                continue;
            }
        }
        pause_for(wait);
        wait = wait * 2 < 1 ? wait * 2 : 1;
    }
    return DQ_OK;
}

dq_status dq_journal_lock_acquire(dq_journal_lock *lock, dq_error *error) {
    char name[PATH_MAX + 8];
    snprintf(name, sizeof name, "%s.lock", lock->path);
    if (!*lock->target) make_target(lock);
    take_flock(lock);
    dq_status status = take_file(lock, name, error);
    if (status && lock->flocked) flock(lock->fd, LOCK_UN);
    return status;
}

dq_status dq_journal_lock_release(dq_journal_lock *lock, dq_error *error) {
    char name[PATH_MAX + 8];
    snprintf(name, sizeof name, "%s.lock", lock->path);
    const bool removed = remove_lock(name);
    if (lock->flocked) flock(lock->fd, LOCK_UN);
    lock->flocked = false;
    if (removed) return DQ_OK;
    return dq_fail(error, DQ_IO, name, "the journal's lock was gone before it was released");
}
