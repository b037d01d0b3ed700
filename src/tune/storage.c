// Storages: which one a URL names, and what they have in common.
#include "tune/storage_rdb.h"

#include <string.h>

dq_status dq_storage_open(dq_storage **out, const char *url, bool make, dq_error *error) {
    const char *scheme = strstr(url, "://");
    if (!scheme) return dq_storage_open_journal(out, url, make, error);
    if (!strncmp(url, "sqlite://", 9) || !strncmp(url, "postgresql", 10) || !strncmp(url, "postgres:", 9))
        return dq_storage_open_rdb(out, url, make, error);
    return dq_fail(error, DQ_USAGE, url,
                   "a storage is a journal file, sqlite:///FILE, or postgresql://USER@HOST/NAME");
}

void dq_storage_close(dq_storage *storage) {
    if (storage) storage->storage_class->close(storage);
}

int dq_storage_list(dq_storage *storage, const char ***names, dq_error *error) {
    return storage->storage_class->list(storage, names, error);
}

dq_status dq_storage_find(dq_storage *storage, const char *name, dq_study **study, dq_error *error) {
    return storage->storage_class->find(storage, name, study, error);
}

dq_status dq_storage_make(dq_storage *storage, const char *name, const dq_direction *directions, int count,
                          dq_study **study, dq_error *error) {
    return storage->storage_class->make(storage, name, directions, count, study, error);
}

dq_status dq_storage_sync(dq_storage *storage, dq_study *study, dq_error *error) {
    return storage->storage_class->sync(storage, study, error);
}

dq_status dq_storage_add(dq_storage *storage, dq_study *study, const dq_trial *wanted, int64_t limit,
                         dq_trial **added, dq_error *error) {
    return storage->storage_class->add(storage, study, wanted, limit, added, error);
}

dq_status dq_storage_claim(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_change *with,
                           bool *ours, dq_error *error) {
    return storage->storage_class->claim(storage, study, trial, with, ours, error);
}

dq_status dq_storage_abandon(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_trial *again,
                             dq_error *error) {
    return storage->storage_class->abandon(storage, study, trial, again, error);
}

dq_status dq_storage_write(dq_storage *storage, dq_study *study, const dq_change *changes, int count,
                           dq_error *error) {
    return storage->storage_class->write(storage, study, changes, count, error);
}

int64_t dq_study_counted(const dq_study *study) {
    int64_t count = 0;
    for (int i = 0; i < study->trial_count; i++)
        count += !dq_attributes_find(&study->trials[i]->system, DQ_ABANDONED);
    return count;
}
