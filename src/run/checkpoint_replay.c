// The logs behind a checkpoint, of transitions and of frames: files of records, appended to, dropped when
// overwritten.
//
// A segment is full after a quarter of the replay memory, so that the folder holds at most 1.25 memories and
// a few files. The records are the memory's own bytes (src/replay/ring.h).
#include "run/checkpoint.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void dq_replay_log_init(dq_replay_log *log, const char *folder, const char *name, int64_t capacity) {
    *log = (dq_replay_log){.file = -1, .name = name, .per_file = capacity / 4 > 1024 ? capacity / 4 : 1024};
    snprintf(log->folder, sizeof log->folder, "%s", folder);
}

void dq_replay_log_deinit(dq_replay_log *log) {
    if (log->file >= 0) close(log->file);
    log->file = -1;
}

static void segment_path(const dq_replay_log *log, int64_t number, char path[4096]) {
    snprintf(path, 4096, "%s/%s-%lld", log->folder, log->name, (long long)number);
}

static dq_status disk_failure(const char *path, dq_error *error) {
    return dq_fail(error, DQ_IO, path, "writing the checkpoint failed: %s", dq_file_reason(errno));
}

// Opens the last segment's file at the end of what counts, cutting off what a killed run left behind it.
static dq_status open_last(dq_replay_log *log, size_t record, dq_error *error) {
    const dq_segment *last = &log->segments[log->count - 1];
    char path[4096];
    segment_path(log, last->number, path);
    log->file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    off_t size = (off_t)((size_t)last->count * record);
    if (log->file < 0 || ftruncate(log->file, size) || lseek(log->file, size, SEEK_SET) < 0)
        return disk_failure(path, error);
    return DQ_OK;
}

static dq_status start_segment(dq_replay_log *log, int64_t first, size_t record, dq_error *error) {
    if (log->file >= 0) close(log->file);
    log->segments[log->count++] = (dq_segment){log->next_number++, first, 0, 0};
    return open_last(log, record, error);
}

static bool write_all(int file, const unsigned char *from, size_t size) {
    while (size > 0) {
        ssize_t n = write(file, from, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        from += n;
        size -= (size_t)n;
    }
    return true;
}

// Writes transitions [first, first + count) behind the last segment's, which they continue.
static dq_status append_range(dq_replay_log *log, const dq_ring *ring, int64_t first, int64_t count,
                              dq_error *error) {
    const size_t record = ring->record;
    const int64_t capacity = ring->capacity;
    dq_segment *last = &log->segments[log->count - 1];
    char path[4096];
    segment_path(log, last->number, path);
    while (count > 0) {
        int64_t slot = first % capacity, run = capacity - slot < count ? capacity - slot : count;
        const unsigned char *from = dq_ring_at(ring, first);
        if (!write_all(log->file, from, (size_t)run * record)) return disk_failure(path, error);
        last->checksum = dq_crc64(last->checksum, from, (size_t)run * record);
        last->count += run;
        first += run;
        count -= run;
    }
    return DQ_OK;
}

static dq_status sync_last(const dq_replay_log *log, dq_error *error) {
    return log->file >= 0 && fdatasync(log->file) ? disk_failure(log->folder, error) : DQ_OK;
}

dq_status dq_replay_log_append(dq_replay_log *log, const dq_ring *ring, dq_error *error) {
    const size_t record = ring->record;
    const int64_t inserted = ring->inserted, oldest = inserted - dq_ring_size(ring);
    while (log->count > 0 && log->segments[0].first + log->segments[0].count <= oldest) {
        if (log->count == 1 && log->file >= 0) {
            close(log->file);
            log->file = -1;
        }
        memmove(log->segments, log->segments + 1, (size_t)--log->count * sizeof *log->segments);
    }
    const dq_segment *last = log->count > 0 ? &log->segments[log->count - 1] : NULL;
    int64_t next = last ? last->first + last->count : oldest;
    if (next == inserted) return DQ_OK;
    dq_status status = DQ_OK;
    if (last && log->file < 0) status = open_last(log, record, error);
    while (!status && next < inserted) {
        if (log->count == 0 || log->segments[log->count - 1].count >= log->per_file) {
            status = sync_last(log, error);
            if (!status) status = start_segment(log, next, record, error);
            if (status) return status;
        }
        int64_t room = log->per_file - log->segments[log->count - 1].count;
        int64_t count = inserted - next < room ? inserted - next : room;
        status = append_range(log, ring, next, count, error);
        next += count;
    }
    return status ? status : sync_last(log, error);
}

static dq_status read_segment(const dq_replay_log *log, const dq_segment *segment, const dq_ring *ring,
                              dq_error *error) {
    const size_t record = ring->record;
    const int64_t capacity = ring->capacity;
    char path[4096];
    segment_path(log, segment->number, path);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (file < 0 || fstat(file, &about) || (uint64_t)about.st_size / record < (uint64_t)segment->count) {
        if (file >= 0) close(file);
        return dq_fail(error, DQ_FORMAT, path,
                       "%s is missing or shorter than the checkpoint says, so that the run cannot be resumed",
                       path);
    }
    uint64_t checksum = 0;
    dq_status status = DQ_OK;
    for (int64_t at = 0; !status && at < segment->count;) {
        int64_t slot = (segment->first + at) % capacity;
        int64_t run = capacity - slot < segment->count - at ? capacity - slot : segment->count - at;
        unsigned char *to = dq_ring_at(ring, slot);
        for (size_t got = 0, size = (size_t)run * record; got < size;) {
            ssize_t n = read(file, to + got, size - got);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) {
                status = dq_fail(error, DQ_IO, path, "reading %s failed", path);
                break;
            }
            got += (size_t)n;
        }
        checksum = dq_crc64(checksum, to, (size_t)run * record);
        at += run;
    }
    close(file);
    if (!status && checksum != segment->checksum)
        status = dq_fail(error, DQ_FORMAT, path,
                         "%s does not hold what the checkpoint wrote: its checksum is another", path);
    return status;
}

dq_status dq_replay_log_read(dq_replay_log *log, dq_ring *ring, int64_t inserted, dq_error *error) {
    int64_t size = inserted < ring->capacity ? inserted : ring->capacity;
    int64_t next = log->count > 0 ? log->segments[0].first : inserted;
    if (next > inserted - size) next = -1;
    for (int i = 0; next >= 0 && i < log->count; i++) {
        const dq_segment *segment = &log->segments[i];
        bool fits = segment->first == next && segment->count >= 0 && segment->count <= inserted - next;
        next = fits ? next + segment->count : -1;
    }
    if (next != inserted)
        return dq_fail(error, DQ_FORMAT, log->folder,
                       "the checkpoint in %s does not hold the replay memory of %lld records (%s)",
                       log->folder, (long long)size, log->name);
    for (int i = 0; i < log->count; i++) {
        dq_status status = read_segment(log, &log->segments[i], ring, error);
        if (status) return status;
    }
    ring->inserted = inserted;
    return DQ_OK;
}
