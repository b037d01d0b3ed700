// Status and error values, logging, and the few types every other header uses.
//
// Set-up, parsing and I/O return a dq_status and fill a dq_error; hot paths assert instead. The library
// never prints and never exits: what it has to say goes to the logging callback.
#ifndef DEEPQ_BASE_H
#define DEEPQ_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DQ_API                 __attribute__((visibility("default")))
#define DQ_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define DQ_API
#define DQ_PRINTF(text, first)
#endif

// One list makes the codes and their names.
#define DQ_STATUS_LIST(X)                                                                                    \
    X(DQ_OK, "done")                                                                                         \
    X(DQ_USAGE, "wrong usage")         /* unknown option, value out of range, bad combination */             \
    X(DQ_NOT_FOUND, "not found")       /* no such file, environment, agent, tensor */                        \
    X(DQ_IO, "input or output failed") /* the operating system said no: full disk, permission */             \
    X(DQ_FORMAT, "malformed data")     /* a file is not what it claims to be */                              \
    X(DQ_MEMORY, "out of memory")                                                                            \
    X(DQ_INTERRUPTED, "interrupted") /* asked to stop; everything is saved */                                \
    X(DQ_UNSUPPORTED, "not supported")

typedef enum dq_status {
#define DQ_STATUS_ENUM(code, text) code,
    DQ_STATUS_LIST(DQ_STATUS_ENUM)
#undef DQ_STATUS_ENUM
} dq_status;

// What went wrong, in one sentence for a person, and where (a file with a line, an option, a tensor).
typedef struct dq_error {
    dq_status code;
    char message[400];
    char where[256];
} dq_error;

// The short text of a status code. Never NULL.
DQ_API const char *dq_status_text(dq_status code);

// Fills `error` (which may be NULL) and returns `code`, so that callers write `return dq_fail(...)`.
// `where` may be NULL. A message longer than the field is cut.
DQ_API dq_status dq_fail(dq_error *error, dq_status code, const char *where, const char *format, ...)
    DQ_PRINTF(4, 5);

typedef enum dq_log_level { DQ_LOG_DEBUG, DQ_LOG_INFO, DQ_LOG_WARNING } dq_log_level;
typedef void dq_log_fn(void *user, dq_log_level level, const char *message);

// Sets the process-wide logging callback; NULL (the start) drops messages. Call it before threads start.
DQ_API void dq_log_set(dq_log_fn *callback, void *user);
DQ_API void dq_log(dq_log_level level, const char *format, ...) DQ_PRINTF(2, 3);

// A short list of integers, such as hidden-layer widths.
#define DQ_INTS_MAX 8
typedef struct dq_ints {
    int count;
    int value[DQ_INTS_MAX];
} dq_ints;

// What an observation is: a vector of 32-bit floats [D], or an image of bytes [height][width][channels].
// An observation travels as plain memory of dq_space_bytes, and only its two ends look into it.
typedef enum dq_element { DQ_F32, DQ_U8 } dq_element;
typedef struct dq_space {
    dq_element element;
    int rank;     // 1: a vector, 3: an image
    int shape[3]; // [rank]
    int size;     // elements: the product of the shape
} dq_space;

// Initialisers.
#define DQ_VECTOR(features)                                                                                  \
    { DQ_F32, 1, {features, 0, 0}, features }
#define DQ_IMAGE(height, width, depth)                                                                       \
    { DQ_U8, 3, {height, width, depth}, (height) * (width) * (depth) }

static inline size_t dq_space_bytes(const dq_space *space) {
    return (size_t)space->size * (space->element == DQ_F32 ? sizeof(float) : 1);
}

static inline bool dq_space_same(const dq_space *a, const dq_space *b) {
    return a->element == b->element && a->rank == b->rank && a->shape[0] == b->shape[0] &&
           (a->rank == 1 || (a->shape[1] == b->shape[1] && a->shape[2] == b->shape[2]));
}

// "4 numbers" or "84x84x1 bytes", for sentences.
DQ_API const char *dq_space_describe(const dq_space *space, char text[48]);

#ifdef __cplusplus
}
#endif
#endif
