// Writing PyTorch files: a state_dict, as torch.save does, that torch.load(weights_only=True) opens.
//
// The pickle (protocol 2) is an OrderedDict of calls of torch._utils._rebuild_tensor_v2, each on a storage of
// its own; the storages are members of the zip. Source: torch.serialization, pickletools.
#include "io/archive.h"
#include "io/pth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_text(FILE *out, const char *text) {
    const size_t length = strlen(text);
    fputc('X', out); // BINUNICODE
    for (int i = 0; i < 4; i++) fputc((int)(length >> 8 * i & 255), out);
    fputs(text, out);
}

static void put_integer(FILE *out, int64_t value) {
    if (value < 256) {
        fputc('K', out); // BININT1
        fputc((int)value, out);
        return;
    }
    fputs("\x8a\x08", out); // LONG1 of eight bytes
    for (int i = 0; i < 8; i++) fputc((int)(value >> 8 * i & 255), out);
}

static void put_empty_ordered_dict(FILE *out) {
    fputs("ccollections\nOrderedDict\n)R", out); // GLOBAL, EMPTY_TUPLE, REDUCE
}

// _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)
static void put_tensor(FILE *out, const dq_array *array, int key) {
    char text[16];
    snprintf(text, sizeof text, "%d", key);
    fputs("ctorch._utils\n_rebuild_tensor_v2\n((", out); // GLOBAL, MARK, MARK
    put_text(out, "storage");
    fprintf(out, "ctorch\n%sStorage\n", array->type == DQ_ARRAY_I8 ? "Long" : "Float");
    put_text(out, text);
    put_text(out, "cpu");
    put_integer(out, dq_array_count(array));
    fputs("tQ", out); // TUPLE, BINPERSID
    put_integer(out, 0);
    fputc('(', out);
    for (int i = 0; i < array->rank; i++) put_integer(out, array->shape[i]);
    fputs("t(", out);
    for (int i = 0; i < array->rank; i++) {
        int64_t stride = 1;
        for (int k = i + 1; k < array->rank; k++) stride *= array->shape[k];
        put_integer(out, stride);
    }
    fputs("t\x89", out); // NEWFALSE
    put_empty_ordered_dict(out);
    fputs("tR", out);
}

static dq_status add_pickle(dq_archive_writer *archive, const char *const *names, const dq_array *arrays,
                            int count, const char *where, dq_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        fputs("\x80\x02", out); // PROTO
        put_empty_ordered_dict(out);
        fputc('(', out); // MARK
        for (int i = 0; i < count; i++) {
            put_text(out, names[i]);
            put_tensor(out, &arrays[i], i);
        }
        fputs("u.", out); // SETITEMS, STOP
    }
    bool whole = out && !ferror(out);
    if (out) whole &= fclose(out) == 0;
    if (whole) return dq_archive_add(archive, "archive/data.pkl", text, size, error);
    free(text);
    return dq_fail(error, DQ_MEMORY, where, "no memory to write the tensors' names");
}

// Adds a copy of `data`.
static dq_status add_copy(dq_archive_writer *archive, const char *name, const void *data, size_t size,
                          dq_error *error) {
    void *copy = malloc(size + 1);
    if (!copy) return dq_fail(error, DQ_MEMORY, name, "no memory to write '%s'", name);
    memcpy(copy, data, size);
    return dq_archive_add(archive, name, copy, size, error);
}

dq_status dq_pth_write(const char *path, const char *const *names, const dq_array *arrays, int count,
                       dq_error *error) {
    if (count == 0) return dq_fail(error, DQ_USAGE, path, "there is no tensor to write");
    for (int i = 0; i < count; i++)
        if (arrays[i].type != DQ_ARRAY_F4 && arrays[i].type != DQ_ARRAY_I8)
            return dq_fail(error, DQ_UNSUPPORTED, path,
                           "the tensor '%.100s' is neither of float32 nor of int64 numbers", names[i]);
    dq_archive_writer archive;
    dq_status status = dq_archive_begin(&archive, path, error);
    if (status) return status;
    status = add_pickle(&archive, names, arrays, count, path, error);
    if (!status) status = add_copy(&archive, "archive/byteorder", "little", 6, error);
    for (int i = 0; i < count && !status; i++) {
        char member[32];
        snprintf(member, sizeof member, "archive/data/%d", i);
        const size_t size = (size_t)dq_array_count(&arrays[i]) * dq_array_element_size(arrays[i].type);
        status = add_copy(&archive, member, arrays[i].data, size, error);
    }
    if (!status) status = add_copy(&archive, "archive/version", "3\n", 2, error);
    return dq_archive_finish(&archive, status, path, error);
}
