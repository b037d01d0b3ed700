// TensorBoard's event files: scalars, histograms, images, text and hyperparameters by step.
//
// A writer has one file, events.out.tfevents.TIME.HOST.PID.N in the folder it is given, that sorts behind
// those already there. Events gather in memory; dq_tensorboard_flush hands them to the operating system, so
// that a killed process loses only what came after the last flush. An existing file is never continued: after
// a torn record readers see nothing more. Not for several threads at once. Source:
// tensorflow/core/lib/io/record_writer.h and tensorboard/compat/proto.
#ifndef DEEPQ_IO_TENSORBOARD_H
#define DEEPQ_IO_TENSORBOARD_H

#include <deepq/base.h>

typedef struct dq_tensorboard dq_tensorboard;

dq_status dq_tensorboard_create(dq_tensorboard **out, const char *folder, dq_error *error);

// The same with a path of the caller's choice, which replaces a file that is there. TensorBoard reads every
// file with "tfevents" in its name.
dq_status dq_tensorboard_create_at(dq_tensorboard **out, const char *path, dq_error *error);

// Flushes and closes. A failure to write is reported as dq_tensorboard_flush does; the writer is gone in any
// case. NULL is fine.
dq_status dq_tensorboard_destroy(dq_tensorboard *board, dq_error *error);

// Writes what has gathered. When that fails (a full disk) the file is cut back to its last whole record, and
// what has gathered stays for the next flush, up to a few megabytes: behind that events are dropped.
dq_status dq_tensorboard_flush(dq_tensorboard *board, dq_error *error);

const char *dq_tensorboard_path(const dq_tensorboard *board);

// Whatever earlier files in the folder hold at `step` and above counts no more.
void dq_tensorboard_restart(dq_tensorboard *board, int64_t step);

typedef struct dq_tensorboard_scalar {
    const char *tag;
    double value; // kept as float, as the format has it
} dq_tensorboard_scalar;

// Several values of one step. They carry no metadata, as PyTorch's SummaryWriter has it, so that all tools
// read them.
void dq_tensorboard_scalars(dq_tensorboard *board, int64_t step, const dq_tensorboard_scalar *values,
                            int count);

// How `rows` rows of `columns` values, `stride` apart, are distributed. Values that are not finite are left
// out.
void dq_tensorboard_histogram(dq_tensorboard *board, int64_t step, const char *tag, const float *values,
                              size_t rows, size_t columns, size_t stride);

// A PNG, JPEG or GIF file's bytes; an animated GIF plays.
void dq_tensorboard_image(dq_tensorboard *board, int64_t step, const char *tag, int width, int height,
                          const void *encoded, size_t size);

void dq_tensorboard_text(dq_tensorboard *board, int64_t step, const char *tag, const char *markdown);

// --- the page of hyperparameters: one session a folder -----------------------------------------------------

typedef enum dq_tensorboard_type {
    DQ_TENSORBOARD_STRING = 1,
    DQ_TENSORBOARD_BOOL = 2,
    DQ_TENSORBOARD_NUMBER = 3,
} dq_tensorboard_type;

typedef struct dq_tensorboard_hparam {
    const char *name, *help; // help may be NULL
    dq_tensorboard_type type;
    double number; // also of a BOOL
    const char *text;
} dq_tensorboard_hparam;

// `metrics`: the tags of scalars that the page shows beside the hyperparameters.
void dq_tensorboard_hparams(dq_tensorboard *board, const dq_tensorboard_hparam *hparams, int count,
                            const char *const *metrics, int metric_count);
void dq_tensorboard_session_end(dq_tensorboard *board, bool success);

#endif
