// The lock file of Optuna's journal: FILE.lock, a symbolic link or an empty file that only one process can
// make.
//
// Both forms stand in each other's way, so that either side may use either. A lock whose target does not
// change for 30 s belongs to nobody any more and is taken away, as Optuna does (storages/journal/_file.py).
#ifndef TUNE_STORAGE_LOCK_H
#define TUNE_STORAGE_LOCK_H

#include <deepq/base.h>

typedef struct dq_journal_lock {
    const char *path;  // of the journal, absolute; the caller's
    double grace;      // seconds
    bool open_variant; // an empty file; otherwise a symbolic link where the file system has them
} dq_journal_lock;

// Waits until the lock is this process's.
dq_status dq_journal_lock_acquire(dq_journal_lock *lock, dq_error *error);
// Fails where the lock is gone: another process took this one for dead.
dq_status dq_journal_lock_release(const dq_journal_lock *lock, dq_error *error);

// 36 characters and a zero, drawn by the system's random numbers (RFC 4122, version 4).
void dq_uuid(char text[37]);

#endif
