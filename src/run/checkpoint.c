// Writing and reading checkpoints; checkpoint.h tells of the files.
//
// Order of a save: transitions appended and flushed, metrics.csv flushed, a new state file written and
// flushed, the manifest replaced (temporary name, flush, rename), the folder flushed; only then are files
// that no manifest names unlinked. A kill between any two of these leaves the older checkpoint whole.
#include "run/checkpoint.h"

#include "base/file.h"
#include "replay/store.h"
#include "run/hook.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BLOCKS = 16, MOST_STATE = 1 << 30 };

static const char magic[16] = "deepq-state-1";

static const char *const log_names[DQ_REPLAY_RINGS] = {"replay", "frames", "packed"};

struct dq_checkpoint {
    char folder[3100]; // RUN/checkpoint
    int64_t number;    // of the last state file
    int count;         // of rings and their logs
    dq_ring *rings[DQ_REPLAY_RINGS];
    dq_replay_log logs[DQ_REPLAY_RINGS];
};

dq_status dq_checkpoint_create(dq_checkpoint **out, const dq_run *run, dq_error *error) {
    dq_checkpoint *self = calloc(1, sizeof *self);
    if (!self) return dq_fail(error, DQ_MEMORY, "checkpoint", "there is no memory for checkpoints");
    snprintf(self->folder, sizeof self->folder, "%s/checkpoint", run->folder);
    self->count = dq_replay_rings(dq_agent_replay(run->agent), self->rings);
    for (int i = 0; i < self->count; i++)
        dq_replay_log_init(&self->logs[i], self->folder, log_names[i], self->rings[i]->capacity);
    *out = self;
    return DQ_OK;
}

void dq_checkpoint_destroy(dq_checkpoint *checkpoint) {
    if (!checkpoint) return;
    for (int i = 0; i < checkpoint->count; i++) dq_replay_log_deinit(&checkpoint->logs[i]);
    free(checkpoint);
}

// All that a run's future depends on but the replay records. Returns the number of blocks.
static int list_blocks(dq_run *run, dq_block blocks[MOST_BLOCKS]) {
    int count = 0;
    size_t params = dq_net_size(dq_agent_net(run->agent)) * sizeof(float);
    blocks[count++] = (dq_block){"run", &run->now, sizeof run->now};
    blocks[count++] = (dq_block){"best", run->best_params, params};
    blocks[count++] = (dq_block){"environments", run->env->memory, run->env->memory_size};
    dq_agent_state(run->agent, blocks + count);
    count += DQ_AGENT_BLOCKS;
    for (int i = 0; i < DQ_RUN_HOOKS; i++) {
        const dq_hook_class *hook_class = run->hooks[i]->hook_class;
        if (!hook_class->state) continue;
        blocks[count] = (dq_block){.name = hook_class->name};
        blocks[count].data = hook_class->state(run->hooks[i], &blocks[count].size);
        count++;
    }
    return count;
}

// --- saving
// --------------------------------------------------------------------------------------------------

// A block on disk: name and size, then the bytes.
typedef struct block_header {
    char name[24];
    uint64_t size;
} block_header;

static dq_status write_state(dq_checkpoint *self, dq_run *run, size_t *size, uint64_t *checksum,
                             dq_error *error) {
    dq_block blocks[MOST_BLOCKS];
    int count = list_blocks(run, blocks);
    *size = sizeof magic;
    for (int i = 0; i < count; i++) *size += sizeof(block_header) + blocks[i].size;
    unsigned char *bytes = malloc(*size), *at = bytes;
    if (!bytes) return dq_fail(error, DQ_MEMORY, self->folder, "there is no memory to write the checkpoint");
    memcpy(at, magic, sizeof magic);
    at += sizeof magic;
    for (int i = 0; i < count; i++) {
        block_header header = {.size = blocks[i].size};
        snprintf(header.name, sizeof header.name, "%s", blocks[i].name);
        memcpy(at, &header, sizeof header);
        at += sizeof header;
        if (blocks[i].size > 0) memcpy(at, blocks[i].data, blocks[i].size);
        at += blocks[i].size;
    }
    *checksum = dq_crc64(0, bytes, *size);
    char path[4096];
    snprintf(path, sizeof path, "%s/state-%" PRId64, self->folder, self->number);
    dq_status status = dq_file_replace(path, bytes, *size, error);
    free(bytes);
    return status;
}

static dq_status write_manifest(dq_checkpoint *self, size_t size, uint64_t checksum, dq_error *error) {
    char text[4096], path[4096];
    int used = snprintf(text, sizeof text, "deepq checkpoint 1\nstate %" PRId64 " %zu %016" PRIx64 "\n",
                        self->number, size, checksum);
    for (int k = 0; k < self->count; k++) {
        const dq_replay_log *log = &self->logs[k];
        used += snprintf(text + used, sizeof text - (size_t)used, "inserted %" PRId64 "\n",
                         self->rings[k]->inserted);
        for (int i = 0; i < log->count; i++) {
            const dq_segment *s = &log->segments[i];
            used += snprintf(text + used, sizeof text - (size_t)used,
                             "%s %" PRId64 " %" PRId64 " %" PRId64 " %016" PRIx64 "\n", log->name, s->number,
                             s->first, s->count, s->checksum);
        }
    }
    used += snprintf(text + used, sizeof text - (size_t)used, "end %016" PRIx64 "\n",
                     dq_crc64(0, text, (size_t)used));
    snprintf(path, sizeof path, "%s/manifest", self->folder);
    return dq_file_replace(path, text, (size_t)used, error);
}

// Unlinks state and replay files that the manifest does not name.
static void clean(const dq_checkpoint *self) {
    DIR *folder = opendir(self->folder);
    if (!folder) return;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        long long number;
        bool stale = false;
        if (sscanf(entry->d_name, "state-%lld", &number) == 1) stale = number != self->number;
        for (int k = 0; k < self->count; k++) {
            const dq_replay_log *log = &self->logs[k];
            const size_t length = strlen(log->name);
            if (strncmp(entry->d_name, log->name, length) ||
                sscanf(entry->d_name + length, "-%lld", &number) != 1)
                continue;
            stale = true;
            for (int i = 0; i < log->count; i++) stale &= number != log->segments[i].number;
        }
        if (stale) unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
}

dq_status dq_checkpoint_save(dq_checkpoint *self, dq_run *run, dq_error *error) {
    size_t size = 0;
    uint64_t checksum = 0;
    if (run->before_checkpoint) run->before_checkpoint(run->before_checkpoint_user);
    dq_status status = dq_file_make_folder(self->folder, error);
    for (int i = 0; !status && i < self->count; i++)
        status = dq_replay_log_append(&self->logs[i], self->rings[i], error);
    if (!status && run->metrics && (fflush(run->metrics) || fdatasync(fileno(run->metrics))))
        status = dq_fail(error, DQ_IO, run->folder, "writing metrics.csv failed: %s", dq_file_reason(errno));
    double seconds = run->now.seconds;
    run->now.seconds = dq_run_seconds(run);
    self->number++;
    if (!status) status = write_state(self, run, &size, &checksum, error);
    run->now.seconds = seconds;
    if (!status) status = write_manifest(self, size, checksum, error);
    if (!status) clean(self);
    return status;
}

// --- loading
// -------------------------------------------------------------------------------------------------

typedef struct manifest {
    size_t state_size;
    uint64_t state_checksum;
    int64_t inserted[DQ_REPLAY_RINGS];
} manifest;

static dq_status broken(const char *path, const char *why, dq_error *error) {
    return dq_fail(error, DQ_FORMAT, path,
                   "the checkpoint cannot be resumed: %s %s; the run's weights and metrics are untouched",
                   path, why);
}

// "inserted N", then a line for each file of the log.
static dq_status parse_log(dq_replay_log *log, const char **text, const char *path, int64_t *inserted,
                           dq_error *error) {
    int used = 0;
    if (sscanf(*text, "inserted %" SCNd64 "\n%n", inserted, &used) != 1 || used == 0)
        return broken(path, "is of another version", error);
    *text += used;
    log->count = 0;
    const size_t length = strlen(log->name);
    while (!strncmp(*text, log->name, length)) {
        dq_segment s;
        if (sscanf(*text + length, " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNx64 "\n%n", &s.number,
                   &s.first, &s.count, &s.checksum, &used) != 4)
            return broken(path, "is of another version", error);
        if (log->count == DQ_SEGMENTS_MAX) return broken(path, "names too many files", error);
        log->segments[log->count++] = s;
        log->next_number = s.number + 1;
        *text += length + (size_t)used;
    }
    return DQ_OK;
}

static dq_status parse_manifest(dq_checkpoint *self, const char *text, const char *path, manifest *m,
                                dq_error *error) {
    const char *end = strstr(text, "\nend ");
    char last[32] = "";
    int used = 0;
    if (end) snprintf(last, sizeof last, "end %016" PRIx64 "\n", dq_crc64(0, text, (size_t)(end + 1 - text)));
    if (!end || strcmp(end + 1, last)) return broken(path, "is not whole", error);
    if (sscanf(text, "deepq checkpoint 1\nstate %" SCNd64 " %zu %" SCNx64 "\n%n", &self->number,
               &m->state_size, &m->state_checksum, &used) != 3 ||
        used == 0)
        return broken(path, "is of another version", error);
    text += used;
    for (int k = 0; k < self->count; k++) {
        const dq_status status = parse_log(&self->logs[k], &text, path, &m->inserted[k], error);
        if (status) return status;
    }
    return DQ_OK;
}

// Copies the state file's blocks over the run's, after all of them were found to fit.
static dq_status read_state(const dq_checkpoint *self, dq_run *run, const manifest *m, dq_error *error) {
    char path[4096];
    snprintf(path, sizeof path, "%s/state-%" PRId64, self->folder, self->number);
    char *bytes;
    size_t size;
    dq_status status = dq_file_read(path, MOST_STATE, &bytes, &size, error);
    if (status) return status;
    dq_block blocks[MOST_BLOCKS];
    int count = list_blocks(run, blocks);
    if (size != m->state_size || size < sizeof magic || memcmp(bytes, magic, sizeof magic) ||
        dq_crc64(0, bytes, size) != m->state_checksum) {
        status = broken(path, "is not what was written", error);
        goto done;
    }
    for (int restore = 0; restore < 2; restore++) { // first check all sizes, then copy
        size_t at = sizeof magic;
        for (int i = 0; i < count; i++) {
            block_header header;
            if (size - at < sizeof header) goto other;
            memcpy(&header, bytes + at, sizeof header);
            at += sizeof header;
            header.name[sizeof header.name - 1] = 0;
            if (strcmp(header.name, blocks[i].name) || header.size != blocks[i].size ||
                size - at < header.size)
                goto other;
            if (restore && header.size > 0) memcpy(blocks[i].data, bytes + at, header.size);
            at += header.size;
        }
        if (at != size) goto other;
    }
    goto done;
other:
    status = broken(path, "belongs to another network, environment or version than config.yml", error);
done:
    free(bytes);
    return status;
}

bool dq_checkpoint_exists(const dq_checkpoint *self) {
    char path[4096];
    snprintf(path, sizeof path, "%s/manifest", self->folder);
    return !access(path, F_OK) || errno != ENOENT;
}

dq_status dq_checkpoint_load(dq_checkpoint *self, dq_run *run, dq_error *error) {
    char path[4096];
    char *text;
    size_t size;
    if (!dq_checkpoint_exists(self)) return DQ_OK;
    snprintf(path, sizeof path, "%s/manifest", self->folder);
    dq_status status = dq_file_read(path, 1 << 16, &text, &size, error);
    if (status) return status;
    manifest m = {0};
    status = parse_manifest(self, text, path, &m, error);
    free(text);
    if (!status) status = read_state(self, run, &m, error);
    for (int i = 0; !status && i < self->count; i++)
        status = dq_replay_log_read(&self->logs[i], self->rings[i], m.inserted[i], error);
    if (!status) dq_agent_restored(run->agent);
    return status;
}
