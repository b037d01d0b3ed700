// The storage that is a journal: a file that only grows, under Optuna's lock.
//
// Every write takes the lock, reads what others wrote, looks whether the change still makes sense, appends it
// in one write with fsync, and reads it back: what this process holds always comes from the file, even where
// the lock was taken from a process that stood still for long. A last line
// without its end was left by a writer that died; nobody else writes while the lock is held, so that it is
// cut off before the next append (Optuna would refuse the file otherwise).
#include "base/file.h"
#include "tune/journal.h"
#include "tune/storage_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct journal_storage {
    dq_storage storage;
    char path[PATH_MAX]; // absolute
    int fd;              // O_APPEND, or read only
    off_t read;          // bytes of whole lines read so far
    dq_journal journal;
    dq_journal_lock lock;
    char worker[64];
    dq_error broken; // a line that could not be read: nothing is read behind it, and nothing written
} journal_storage;

static dq_status failed(const journal_storage *self, const char *what, dq_error *error) {
    return dq_fail(error, DQ_IO, self->path, "the journal cannot be %s: %s", what, dq_file_reason(errno));
}

static void close_journal(dq_storage *storage) {
    journal_storage *self = (journal_storage *)storage;
    if (self->fd >= 0) close(self->fd);
    dq_journal_deinit(&self->journal);
    free(self);
}

// Reads the lines that came since.
static dq_status read_on(journal_storage *self, dq_error *error) {
    enum { CHUNK = 1 << 20 };
    char *buffer = NULL;
    size_t room = 0, filled = 0, used = 0;
    dq_status status = DQ_OK;
    if (self->broken.code) {
        if (error) *error = self->broken;
        return self->broken.code;
    }
    for (;;) {
        if (filled + CHUNK > room) {
            room = 2 * room + CHUNK;
            char *larger = realloc(buffer, room);
            if (!larger) {
                status = dq_fail(error, DQ_MEMORY, self->path, "there is no memory to read the journal");
                break;
            }
            buffer = larger;
        }
        ssize_t n = pread(self->fd, buffer + filled, CHUNK, self->read + (off_t)filled);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) status = failed(self, "read", error);
        if (n <= 0) break;
        filled += (size_t)n;
        status = dq_journal_read(&self->journal, buffer, filled, &used, self->path, &self->broken);
        self->read += (off_t)used;
        filled -= used;
        if (status) {
            if (error) *error = self->broken;
            break;
        }
        memmove(buffer, buffer + used, filled);
    }
    free(buffer);
    return status;
}

static dq_status append(journal_storage *self, const dq_journal_text *text, dq_error *error) {
    struct stat about;
    if (fstat(self->fd, &about) != 0) return failed(self, "looked at", error);
    if (about.st_size > self->read && ftruncate(self->fd, self->read) != 0)
        return failed(self, "repaired", error);
    size_t done = 0;
    while (done < text->size) {
        ssize_t n = write(self->fd, text->at + done, text->size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            const int reason = errno;
            if (ftruncate(self->fd, self->read) != 0) errno = reason;
            errno = reason;
            return failed(self, "written", error);
        }
        done += (size_t)n;
    }
    if (fsync(self->fd) != 0) return failed(self, "written", error);
    return read_on(self, error);
}

// --- one change under the lock
// ------------------------------------------------------------------------------

static dq_status begin(journal_storage *self, dq_error *error) {
    dq_status status = dq_journal_lock_acquire(&self->lock, error);
    if (status) return status;
    status = read_on(self, error);
    if (status) dq_journal_lock_release(&self->lock, NULL);
    return status;
}

// `ready`: the text was made, for want of memory it was not.
static dq_status end(journal_storage *self, dq_journal_text *text, bool ready, dq_error *error) {
    dq_status status = DQ_OK;
    if (!ready) status = dq_fail(error, DQ_MEMORY, self->path, "there is no memory for the journal's record");
    if (!status && text->size > 0) status = append(self, text, error);
    free(text->at);
    dq_error gone;
    if (dq_journal_lock_release(&self->lock, &gone))
        dq_log(DQ_LOG_WARNING, "%s: %s; was this process stopped for long?", gone.where, gone.message);
    return status;
}

// --- the storage ------------------------------------------------------------------------------------------

static int list(dq_storage *storage, const char ***names, dq_error *error) {
    journal_storage *self = (journal_storage *)storage;
    if (read_on(self, error)) return -1;
    *names = calloc((size_t)self->journal.study_count + 1, sizeof **names);
    if (!*names) {
        dq_fail(error, DQ_MEMORY, self->path, "there is no memory for the studies' names");
        return -1;
    }
    int count = 0;
    for (int i = 0; i < self->journal.study_count; i++)
        if (!self->journal.deleted[i]) (*names)[count++] = self->journal.studies[i]->name;
    return count;
}

static dq_status find(dq_storage *storage, const char *name, dq_study **study, dq_error *error) {
    journal_storage *self = (journal_storage *)storage;
    dq_status status = read_on(self, error);
    if (status) return status;
    *study = dq_journal_find(&self->journal, name);
    if (*study) return DQ_OK;
    return dq_fail(error, DQ_NOT_FOUND, self->path, "there is no study '%.100s'", name);
}

static dq_status make(dq_storage *storage, const char *name, const dq_direction *directions, int count,
                      dq_study **study, dq_error *error) {
    journal_storage *self = (journal_storage *)storage;
    dq_status status = begin(self, error);
    if (status) return status;
    dq_journal_text text = {.worker = self->worker};
    bool ready =
        dq_journal_find(&self->journal, name) || dq_journal_put_study(&text, name, directions, count);
    status = end(self, &text, ready, error);
    if (!status) *study = dq_journal_find(&self->journal, name);
    return status;
}

static dq_status sync_study(dq_storage *storage, dq_study *study, dq_error *error) {
    journal_storage *self = (journal_storage *)storage;
    dq_status status = read_on(self, error);
    if (!status && self->journal.deleted[study->id])
        status = dq_fail(error, DQ_NOT_FOUND, self->path, "the study '%.100s' was deleted", study->name);
    return status;
}

static dq_status add(dq_storage *storage, dq_study *study, const dq_trial *wanted, int64_t limit,
                     dq_trial **added, dq_error *error) {
    journal_storage *self = (journal_storage *)storage;
    *added = NULL;
    dq_status status = begin(self, error);
    if (status) return status;
    dq_journal_text text = {.worker = self->worker};
    self->journal.created = NULL;
    const bool room = limit == 0 || dq_study_counted(study) < limit;
    status = end(self, &text, !room || dq_journal_put_trial(&text, study, wanted), error);
    if (!status && room) {
        *added = self->journal.created;
        if (!*added)
            return dq_fail(error, DQ_NOT_FOUND, self->path, "the study '%.100s' was deleted", study->name);
    }
    return status;
}

static dq_status claim(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_change *with,
                       bool *ours, dq_error *error) {
    journal_storage *self = (journal_storage *)storage;
    *ours = false;
    dq_status status = begin(self, error);
    if (status) return status;
    dq_journal_text text = {.worker = self->worker};
    self->journal.claimed = NULL;
    const bool waits = trial->state == DQ_TRIAL_WAITING;
    const dq_change change = {.kind = DQ_CHANGE_STATE, .trial = trial, .state = DQ_TRIAL_RUNNING};
    status = end(
        self, &text,
        !waits || (dq_journal_put_change(&text, study, &change) && dq_journal_put_change(&text, study, with)),
        error);
    *ours = !status && self->journal.claimed == trial;
    return status;
}

static dq_status abandon(dq_storage *storage, dq_study *study, dq_trial *trial, const dq_trial *again,
                         dq_error *error) {
    journal_storage *self = (journal_storage *)storage;
    dq_status status = begin(self, error);
    if (status) return status;
    dq_journal_text text = {.worker = self->worker};
    bool ready = true;
    if (trial->state == DQ_TRIAL_RUNNING) {
        const dq_change changes[] = {
            {.kind = DQ_CHANGE_SYSTEM, .trial = trial, .key = DQ_ABANDONED, .json = "true"},
            {.kind = DQ_CHANGE_STATE, .trial = trial, .state = DQ_TRIAL_FAILED}};
        ready = dq_journal_put_change(&text, study, &changes[0]) &&
                dq_journal_put_change(&text, study, &changes[1]) &&
                (!again || dq_journal_put_trial(&text, study, again));
    }
    return end(self, &text, ready, error);
}

static dq_status write_changes(dq_storage *storage, dq_study *study, const dq_change *changes, int count,
                               dq_error *error) {
    journal_storage *self = (journal_storage *)storage;
    dq_status status = begin(self, error);
    if (status) return status;
    dq_journal_text text = {.worker = self->worker};
    bool ready = true;
    for (int i = 0; i < count && ready; i++)
        if (!changes[i].trial || !dq_trial_finished(changes[i].trial))
            ready = dq_journal_put_change(&text, study, &changes[i]);
    return end(self, &text, ready, error);
}

static const dq_storage_class journal_class = {
    .name = "journal",
    .close = close_journal,
    .list = list,
    .find = find,
    .make = make,
    .sync = sync_study,
    .add = add,
    .claim = claim,
    .abandon = abandon,
    .write = write_changes,
};

dq_status dq_storage_open_journal(dq_storage **out, const char *path, bool make_it, dq_error *error) {
    journal_storage *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, path, "there is no memory for the journal");
    self->storage.storage_class = &journal_class;
    snprintf(self->path, sizeof self->path, "%s", path);
    self->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | (make_it ? O_CREAT : 0), 0666);
    if (self->fd < 0 && !make_it) self->fd = open(path, O_RDONLY | O_CLOEXEC); // enough to look at
    dq_status status = DQ_OK;
    // Python finds the link's target wherever it runs
    if (self->fd < 0)
        status = failed(self, "opened", error);
    else if (!realpath(path, self->path))
        status = failed(self, "found", error);
    self->lock = (dq_journal_lock){.path = self->path, .fd = self->fd, .grace = 30};
    char id[37];
    dq_uuid(id);
    snprintf(self->worker, sizeof self->worker, "%s-%ld", id, (long)getpid());
    self->journal.worker = self->worker;
    if (!status) status = read_on(self, error);
    if (status)
        close_journal(&self->storage);
    else
        *out = &self->storage;
    return status;
}
