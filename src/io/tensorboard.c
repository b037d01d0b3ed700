// TensorBoard's event files.
//
// A record is: length u64, masked CRC-32C of these 8 bytes, the bytes of an Event message, masked CRC-32C of
// them, all little-endian. Field numbers are those of event.proto, summary.proto, tensor.proto and, for
// hyperparameters, plugins/hparams/{plugin_data,api}.proto.
#include "io/tensorboard.h"

#include "base/file.h"
#include "io/protobuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENT_WALL_TIME = 1,
    EVENT_STEP = 2,
    EVENT_FILE_VERSION = 3,
    EVENT_SUMMARY = 5,
    EVENT_SESSION_LOG = 7,
    SESSION_LOG_STATUS = 1,
    SESSION_LOG_START = 1,
    SUMMARY_VALUE = 1,
    VALUE_TAG = 1,
    VALUE_SIMPLE = 2,
    VALUE_IMAGE = 4,
    VALUE_HISTOGRAM = 5,
    VALUE_TENSOR = 8,
    VALUE_METADATA = 9,
    METADATA_PLUGIN = 1,
    PLUGIN_NAME = 1,
    PLUGIN_CONTENT = 2,
    TENSOR_TYPE = 1,
    TENSOR_SHAPE = 2,
    TENSOR_STRING = 8,
    TYPE_STRING = 7,
    SHAPE_DIMENSION = 2,
    DIMENSION_SIZE = 1,
    IMAGE_HEIGHT = 1,
    IMAGE_WIDTH = 2,
    IMAGE_COLORSPACE = 3,
    IMAGE_BYTES = 4,
    COLORSPACE_RGB = 3,
    HPARAMS_VERSION = 1,
    HPARAMS_EXPERIMENT = 2,
    HPARAMS_START = 3,
    HPARAMS_END = 4,
};

enum { MOST_WAITING = 4 << 20, BINS = 64 };

struct dq_tensorboard {
    char path[4096];
    int fd;
    off_t whole;         // bytes of the file that are whole records
    dq_protobuf waiting; // records that are not in the file yet
    size_t record;       // where the record being made begins
    size_t summary, value;
    bool stuck;       // the last flush failed
    double wall_time; // of the last event
};

// --- records -----------------------------------------------------------------------------------------------

// The mask keeps a checksum of data that holds checksums from being weak: leveldb's.
static uint32_t masked(const void *data, size_t size) {
    uint32_t crc = dq_crc32c(0, data, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void begin_event(dq_tensorboard *board, int64_t step) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    // Readers may take two values of one tag and one time for the same value.
    board->wall_time = fmax((double)now.tv_sec + 1e-9 * (double)now.tv_nsec, board->wall_time + 1e-6);
    board->record = board->waiting.size;
    dq_protobuf_raw(&board->waiting, (char[12]){0}, 12);
    dq_protobuf_double(&board->waiting, EVENT_WALL_TIME, board->wall_time);
    dq_protobuf_int(&board->waiting, EVENT_STEP, step);
}

static void end_event(dq_tensorboard *board) {
    dq_protobuf *p = &board->waiting;
    unsigned char *data = p->data + board->record;
    const uint64_t size = p->size - board->record - 12;
    if (!p->failed) {
        const uint32_t length_crc = masked(&size, sizeof size), data_crc = masked(data + 12, size);
        memcpy(data, &size, 8);
        memcpy(data + 8, &length_crc, 4);
        dq_protobuf_raw(p, &data_crc, 4);
    }
    // Without memory, or with a disk full for long, the event is dropped and the earlier ones kept.
    if (p->failed || (board->stuck && p->size > MOST_WAITING)) p->size = board->record;
    p->failed = false;
}

static void begin_value(dq_tensorboard *board, int64_t step, const char *tag) {
    begin_event(board, step);
    board->summary = dq_protobuf_begin(&board->waiting, EVENT_SUMMARY);
    board->value = dq_protobuf_begin(&board->waiting, SUMMARY_VALUE);
    dq_protobuf_text(&board->waiting, VALUE_TAG, tag);
}

static void end_value(dq_tensorboard *board) {
    dq_protobuf_end(&board->waiting, board->value);
    dq_protobuf_end(&board->waiting, board->summary);
    end_event(board);
}

// --- the file ----------------------------------------------------------------------------------------------

static dq_status failed(const dq_tensorboard *board, int number, dq_error *error) {
    return dq_fail(error, DQ_IO, board->path, "TensorBoard's events could not be written: %s",
                   dq_file_reason(number));
}

// The time in the name of the newest event file of the folder; 0: there is none.
static long long newest(const char *folder) {
    long long newest = 0, stamp;
    DIR *dir = opendir(folder);
    if (!dir) return 0;
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (sscanf(entry->d_name, "events.out.tfevents.%lld.", &stamp) == 1 && stamp > newest) newest = stamp;
    closedir(dir);
    return newest;
}

static dq_status create(dq_tensorboard **out, const char *path, int flags, dq_error *error) {
    *out = NULL;
    dq_tensorboard *board = calloc(1, sizeof *board);
    if (!board) return dq_fail(error, DQ_MEMORY, path, "there is no memory for TensorBoard's events");
    snprintf(board->path, sizeof board->path, "%s", path);
    board->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    if (board->fd < 0) {
        dq_status status = failed(board, errno, error);
        free(board);
        return status;
    }
    begin_event(board, 0);
    dq_protobuf_text(&board->waiting, EVENT_FILE_VERSION, "brain.Event:2");
    end_event(board);
    *out = board;
    return DQ_OK;
}

dq_status dq_tensorboard_create_at(dq_tensorboard **out, const char *path, dq_error *error) {
    return create(out, path, O_TRUNC, error);
}

dq_status dq_tensorboard_create(dq_tensorboard **out, const char *folder, dq_error *error) {
    static _Atomic unsigned counter;
    char path[4096];
    char host[64] = "";
    if (gethostname(host, sizeof host - 1) || !*host) strcpy(host, "localhost");
    // Readers take a folder's files in the order of their names.
    long long stamp = (long long)time(NULL), before = newest(folder);
    if (stamp <= before) stamp = before + 1;
    snprintf(path, sizeof path, "%.3800s/events.out.tfevents.%010lld.%s.%d.%u", folder, stamp, host,
             (int)getpid(), atomic_fetch_add(&counter, 1));
    return create(out, path, O_EXCL, error);
}

// The first `done` bytes of what waits were written, and then no more: keeps the whole records of them.
static int cut_back(dq_tensorboard *board, size_t done) {
    dq_protobuf *p = &board->waiting;
    size_t at = 0;
    for (uint64_t size; done - at >= sizeof size; at += size + 16) {
        memcpy(&size, p->data + at, sizeof size);
        if (size + 16 > done - at) break;
    }
    board->whole += (off_t)at;
    p->size -= at;
    memmove(p->data, p->data + at, p->size);
    board->stuck = true;
    bool cut = ftruncate(board->fd, board->whole) == 0 && lseek(board->fd, board->whole, SEEK_SET) >= 0;
    return cut ? 0 : errno;
}

dq_status dq_tensorboard_flush(dq_tensorboard *board, dq_error *error) {
    dq_protobuf *p = &board->waiting;
    size_t done = 0;
    while (done < p->size) {
        ssize_t count = write(board->fd, p->data + done, p->size - done);
        if (count > 0) {
            done += (size_t)count;
        } else if (errno != EINTR) {
            int number = count < 0 ? errno : ENOSPC, uncut = cut_back(board, done);
            return failed(board, uncut ? uncut : number, error);
        }
    }
    board->whole += (off_t)done;
    board->stuck = false;
    dq_protobuf_clear(p);
    return DQ_OK;
}

dq_status dq_tensorboard_destroy(dq_tensorboard *board, dq_error *error) {
    if (!board) return DQ_OK;
    dq_status status = dq_tensorboard_flush(board, error);
    if (close(board->fd) && !status) status = failed(board, errno, error);
    dq_protobuf_deinit(&board->waiting);
    free(board);
    return status;
}

const char *dq_tensorboard_path(const dq_tensorboard *board) {
    return board->path;
}

// --- events ------------------------------------------------------------------------------------------------

void dq_tensorboard_restart(dq_tensorboard *board, int64_t step) {
    begin_event(board, step);
    size_t log = dq_protobuf_begin(&board->waiting, EVENT_SESSION_LOG);
    dq_protobuf_int(&board->waiting, SESSION_LOG_STATUS, SESSION_LOG_START);
    dq_protobuf_end(&board->waiting, log);
    end_event(board);
}

void dq_tensorboard_scalars(dq_tensorboard *board, int64_t step, const dq_tensorboard_scalar *values,
                            int count) {
    if (count < 1) return;
    begin_event(board, step);
    size_t summary = dq_protobuf_begin(&board->waiting, EVENT_SUMMARY);
    for (int i = 0; i < count; i++) {
        size_t value = dq_protobuf_begin(&board->waiting, SUMMARY_VALUE);
        dq_protobuf_text(&board->waiting, VALUE_TAG, values[i].tag);
        dq_protobuf_float(&board->waiting, VALUE_SIMPLE, (float)values[i].value);
        dq_protobuf_end(&board->waiting, value);
    }
    dq_protobuf_end(&board->waiting, summary);
    end_event(board);
}

// Equal bins between the smallest and the largest value. An empty first bin ends at the smallest: readers
// take the left edge of a bin from the bin before.
void dq_tensorboard_histogram(dq_tensorboard *board, int64_t step, const char *tag, const float *values,
                              size_t rows, size_t columns, size_t stride) {
    double bins[BINS + 1] = {0}, sum = 0, squares = 0;
    float low = INFINITY, high = -INFINITY;
    size_t count = 0;
    for (size_t r = 0; r < rows; r++)
        for (const float *x = values + r * stride, *end = x + columns; x < end; x++) {
            if (!isfinite(*x)) continue;
            low = *x < low ? *x : low;
            high = *x > high ? *x : high;
            sum += (double)*x;
            squares += (double)*x * (double)*x;
            count++;
        }
    if (count == 0) return;
    const double width = ((double)high - (double)low) / BINS, scale = width > 0 ? 1 / width : 0;
    for (size_t r = 0; r < rows; r++)
        for (const float *x = values + r * stride, *end = x + columns; x < end; x++) {
            if (!isfinite(*x)) continue;
            int bin = (int)(((double)*x - (double)low) * scale);
            bins[1 + (bin < BINS ? bin : BINS - 1)]++;
        }
    const int used = width > 0 ? BINS : 1;

    dq_protobuf *p = &board->waiting;
    begin_value(board, step, tag);
    size_t histogram = dq_protobuf_begin(p, VALUE_HISTOGRAM);
    dq_protobuf_double(p, 1, (double)low);
    dq_protobuf_double(p, 2, (double)high);
    dq_protobuf_double(p, 3, (double)count);
    dq_protobuf_double(p, 4, sum);
    dq_protobuf_double(p, 5, squares);
    size_t limits = dq_protobuf_begin(p, 6);
    for (int i = 0; i <= used; i++) {
        double limit = i == used ? (double)high : (double)low + i * width;
        if (width <= 0 && i == 0) limit = nextafter((double)low, -INFINITY); // edges must rise
        dq_protobuf_raw(p, &limit, sizeof limit);
    }
    dq_protobuf_end(p, limits);
    dq_protobuf_bytes(p, 7, bins, (size_t)(used + 1) * sizeof *bins);
    dq_protobuf_end(p, histogram);
    end_value(board);
}

void dq_tensorboard_image(dq_tensorboard *board, int64_t step, const char *tag, int width, int height,
                          const void *encoded, size_t size) {
    begin_value(board, step, tag);
    size_t image = dq_protobuf_begin(&board->waiting, VALUE_IMAGE);
    dq_protobuf_int(&board->waiting, IMAGE_HEIGHT, height);
    dq_protobuf_int(&board->waiting, IMAGE_WIDTH, width);
    dq_protobuf_int(&board->waiting, IMAGE_COLORSPACE, COLORSPACE_RGB);
    dq_protobuf_bytes(&board->waiting, IMAGE_BYTES, encoded, size);
    dq_protobuf_end(&board->waiting, image);
    end_value(board);
}

static void put_plugin(dq_protobuf *p, const char *name, const dq_protobuf *content) {
    size_t metadata = dq_protobuf_begin(p, VALUE_METADATA), plugin = dq_protobuf_begin(p, METADATA_PLUGIN);
    dq_protobuf_text(p, PLUGIN_NAME, name);
    if (content) dq_protobuf_bytes(p, PLUGIN_CONTENT, content->data, content->size);
    dq_protobuf_end(p, plugin);
    dq_protobuf_end(p, metadata);
}

void dq_tensorboard_text(dq_tensorboard *board, int64_t step, const char *tag, const char *markdown) {
    dq_protobuf *p = &board->waiting;
    begin_value(board, step, tag);
    size_t tensor = dq_protobuf_begin(p, VALUE_TENSOR);
    dq_protobuf_int(p, TENSOR_TYPE, TYPE_STRING);
    size_t shape = dq_protobuf_begin(p, TENSOR_SHAPE), dimension = dq_protobuf_begin(p, SHAPE_DIMENSION);
    dq_protobuf_int(p, DIMENSION_SIZE, 1);
    dq_protobuf_end(p, dimension);
    dq_protobuf_end(p, shape);
    dq_protobuf_text(p, TENSOR_STRING, markdown);
    dq_protobuf_end(p, tensor);
    put_plugin(p, "text", NULL);
    end_value(board);
}

// --- hyperparameters ---------------------------------------------------------------------------------------

// One value of the hparams plugin: all it says stands in the metadata.
static void write_plugin_data(dq_tensorboard *board, const char *tag, int field, const dq_protobuf *message) {
    dq_protobuf content = {0};
    dq_protobuf_int(&content, HPARAMS_VERSION, 0);
    dq_protobuf_bytes(&content, field, message->data, message->size);
    if (!content.failed && !message->failed) {
        begin_value(board, 0, tag);
        put_plugin(&board->waiting, "hparams", &content);
        end_value(board);
    }
    dq_protobuf_deinit(&content);
}

// google.protobuf.Value
static void put_value(dq_protobuf *p, int field, const dq_tensorboard_hparam *h) {
    size_t value = dq_protobuf_begin(p, field);
    if (h->type == DQ_TENSORBOARD_NUMBER)
        dq_protobuf_double(p, 2, h->number);
    else if (h->type == DQ_TENSORBOARD_BOOL)
        dq_protobuf_int(p, 4, h->number != 0);
    else
        dq_protobuf_text(p, 3, h->text);
    dq_protobuf_end(p, value);
}

static double wall_time(void) {
    return (double)time(NULL);
}

void dq_tensorboard_hparams(dq_tensorboard *board, const dq_tensorboard_hparam *hparams, int count,
                            const char *const *metrics, int metric_count) {
    dq_protobuf experiment = {0}, session = {0};
    dq_protobuf_double(&experiment, 3, wall_time());
    for (int i = 0; i < count; i++) {
        size_t info = dq_protobuf_begin(&experiment, 4);
        dq_protobuf_text(&experiment, 1, hparams[i].name);
        if (hparams[i].help) dq_protobuf_text(&experiment, 3, hparams[i].help);
        dq_protobuf_int(&experiment, 4, hparams[i].type);
        dq_protobuf_end(&experiment, info);

        size_t entry = dq_protobuf_begin(&session, 1); // a map is a list of pairs
        dq_protobuf_text(&session, 1, hparams[i].name);
        put_value(&session, 2, &hparams[i]);
        dq_protobuf_end(&session, entry);
    }
    for (int i = 0; i < metric_count; i++) {
        size_t info = dq_protobuf_begin(&experiment, 5), name = dq_protobuf_begin(&experiment, 1);
        dq_protobuf_text(&experiment, 2, metrics[i]);
        dq_protobuf_end(&experiment, name);
        dq_protobuf_end(&experiment, info);
    }
    dq_protobuf_double(&session, 5, wall_time());
    write_plugin_data(board, "_hparams_/experiment", HPARAMS_EXPERIMENT, &experiment);
    write_plugin_data(board, "_hparams_/session_start_info", HPARAMS_START, &session);
    dq_protobuf_deinit(&experiment);
    dq_protobuf_deinit(&session);
}

void dq_tensorboard_session_end(dq_tensorboard *board, bool success) {
    dq_protobuf end = {0};
    dq_protobuf_int(&end, 1, success ? 1 : 2); // STATUS_SUCCESS, STATUS_FAILURE
    dq_protobuf_double(&end, 2, wall_time());
    write_plugin_data(board, "_hparams_/session_end_info", HPARAMS_END, &end);
    dq_protobuf_deinit(&end);
}
