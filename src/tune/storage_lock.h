// The lock file of Optuna's journal: FILE.lock, a symbolic link or an empty file that only one process can
// make.
//
// Both forms stand in each other's way, so that either side may use either. A lock whose target does not
// change for 30 s belongs to nobody any more and is taken away, as Optuna does (storages/journal/_file.py).
//
// Processes of this program do better among themselves: they also hold flock(2) on the journal, which the
// system lets go when they die, and leave a mark of their machine in the lock (the link's path with slashes
// and dots that lead nowhere else). So a lock with this machine's mark under a free flock is a dead
// process's.
#ifndef TUNE_STORAGE_LOCK_H
#define TUNE_STORAGE_LOCK_H

#include <deepq/base.h>

#include <limits.h>

typedef struct dq_journal_lock {
    const char *path;      // of the journal, absolute; the caller's
    int fd;                // of the journal; -1: the lock file alone
    double grace;          // seconds
    bool open_variant;     // a file; otherwise a symbolic link where the file system has them
    bool flocked;          // while it is held
    char target[PATH_MAX]; // `path` with the mark; empty until the first use
} dq_journal_lock;

// Waits until the lock is this process's.
dq_status dq_journal_lock_acquire(dq_journal_lock *lock, dq_error *error);
// Fails where the lock is gone: another process took this one for dead.
dq_status dq_journal_lock_release(dq_journal_lock *lock, dq_error *error);

// 36 characters and a zero, drawn by the system's random numbers (RFC 4122, version 4).
void dq_uuid(char text[37]);

#endif
