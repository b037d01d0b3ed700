// Safetensors files: what they hold once read, look-ups, and writing. The header's parser is in
// safetensors_header.c.
#include "base/safetensors.h"

#include "base/file.h"
#include "base/safetensors_header.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN 64

static size_t rounded(size_t size) {
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void dq_safetensors_deinit(dq_safetensors *file) {
    free(file->names);
    free(file->bytes);
    *file = (dq_safetensors){0};
}

// Copies every tensor's bytes to an aligned place of its own. payload: [size], already checked.
static dq_status take_bytes(dq_safetensors *file, const unsigned char *payload, const char *where,
                            dq_error *error) {
    size_t total = ALIGN;
    for (int i = 0; i < file->count; i++) total += rounded(file->tensors[i].size);
    unsigned char *place = file->bytes = aligned_alloc(ALIGN, total);
    if (!place) return dq_fail(error, DQ_MEMORY, where, "no memory for the %zu bytes of its tensors", total);
    for (int i = 0; i < file->count; i++) {
        dq_stored_tensor *tensor = &file->tensors[i];
        memcpy(place, payload, tensor->size);
        tensor->data = place;
        place += rounded(tensor->size);
        payload += tensor->size;
    }
    return DQ_OK;
}

dq_status dq_safetensors_parse(dq_safetensors *file, const void *data, size_t size, const char *where,
                               dq_error *error) {
    const unsigned char *bytes = data;
    *file = (dq_safetensors){0};
    if (size < 8)
        return dq_fail(error, DQ_FORMAT, where,
                       "a safetensors file starts with 8 bytes of length; this has %zu", size);
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) length = length << 8 | bytes[i];
    if (length > size - 8)
        return dq_fail(error, DQ_FORMAT, where,
                       "its first 8 bytes announce a header of %llu bytes, but only %zu follow: this is no "
                       "safetensors file, or it was cut",
                       (unsigned long long)length, size - 8);
    dq_status status = dq_safetensors_parse_header(file, (const char *)bytes + 8, (size_t)length,
                                                   size - 8 - (size_t)length, where, error);
    if (status == DQ_OK) status = take_bytes(file, bytes + 8 + length, where, error);
    if (status != DQ_OK) dq_safetensors_deinit(file);
    return status;
}

dq_status dq_safetensors_read(dq_safetensors *file, const char *path, dq_error *error) {
    char *data;
    size_t size;
    *file = (dq_safetensors){0};
    dq_status status = dq_file_read(path, (size_t)1 << 34, &data, &size, error);
    if (status != DQ_OK) return status;
    status = dq_safetensors_parse(file, data, size, path, error);
    free(data);
    return status;
}

const dq_stored_tensor *dq_safetensors_find(const dq_safetensors *file, const char *name) {
    for (int i = 0; i < file->count; i++)
        if (!strcmp(file->tensors[i].name, name)) return &file->tensors[i];
    return NULL;
}

const char *dq_safetensors_metadata(const dq_safetensors *file, const char *key) {
    for (int i = 0; i < file->metadata_count; i++)
        if (!strcmp(file->metadata[i].key, key)) return file->metadata[i].text;
    return NULL;
}

// "[64, 128]"
static void format_shape(int rank, const int64_t *shape, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? ", " : "", (long long)shape[i]);
    if (used < size) snprintf(text + used, size - used, "]");
}

dq_status dq_safetensors_floats(const dq_safetensors *file, const char *name, int rank, const int64_t *shape,
                                const float **data, dq_error *error) {
    const dq_stored_tensor *tensor = dq_safetensors_find(file, name);
    *data = NULL;
    if (!tensor) return dq_fail(error, DQ_NOT_FOUND, name, "the weights have no tensor '%.100s'", name);
    bool same = tensor->rank == rank && tensor->type == DQ_STORED_F32;
    for (int i = 0; same && i < rank; i++) same = tensor->shape[i] == shape[i];
    if (!same) {
        char has[96], wanted[96];
        format_shape(tensor->rank, tensor->shape, has, sizeof has);
        format_shape(rank, shape, wanted, sizeof wanted);
        return dq_fail(error, DQ_FORMAT, name, "tensor '%.100s' is %s %s but has to be F32 %s", name,
                       dq_stored_type_name(tensor->type), has, wanted);
    }
    *data = tensor->data;
    return DQ_OK;
}

// --- writing ----------------------------------------------------------------------------------------------

static void write_json_text(const char *text, FILE *out) {
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c == '\n') {
            fputs("\\n", out);
        } else if (c < 0x20) {
            fprintf(out, "\\u%04x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

static dq_status tensor_bytes(const dq_stored_tensor *tensor, const char *where, size_t *size,
                              dq_error *error) {
    size_t bytes = dq_stored_type_size(tensor->type);
    bool good = bytes > 0 && tensor->rank >= 0 && tensor->rank <= DQ_STORED_RANK_MAX;
    for (int i = 0; good && i < tensor->rank; i++)
        good = tensor->shape[i] >= 0 && !__builtin_mul_overflow(bytes, (size_t)tensor->shape[i], &bytes);
    if (!good || (tensor->size && tensor->size != bytes))
        return dq_fail(error, DQ_USAGE, where, "tensor '%.100s' has a type, shape and size that disagree",
                       tensor->name);
    *size = bytes;
    return DQ_OK;
}

// The JSON header, padded with spaces to a multiple of 8. The caller frees *text.
static dq_status make_header(const char *path, const dq_stored_tensor *tensors, int count,
                             const dq_text_pair *metadata, int metadata_count, char **text, size_t *length,
                             dq_error *error) {
    dq_status status = DQ_OK;
    *text = NULL;
    FILE *out = open_memstream(text, length);
    if (!out) return dq_fail(error, DQ_MEMORY, path, "no memory for the file's header");
    fputc('{', out);
    for (int i = 0; i < metadata_count; i++) {
        fputs(i ? "," : "\"__metadata__\":{", out);
        write_json_text(metadata[i].key, out);
        fputc(':', out);
        write_json_text(metadata[i].text, out);
    }
    if (metadata_count) fputc('}', out);
    size_t offset = 0;
    for (int i = 0; i < count && status == DQ_OK; i++) {
        size_t size;
        status = tensor_bytes(&tensors[i], path, &size, error);
        if (status != DQ_OK) break;
        if (i || metadata_count) fputc(',', out);
        write_json_text(tensors[i].name, out);
        fprintf(out, ":{\"dtype\":\"%s\",\"shape\":[", dq_stored_type_name(tensors[i].type));
        for (int j = 0; j < tensors[i].rank; j++)
            fprintf(out, "%s%lld", j ? "," : "", (long long)tensors[i].shape[j]);
        fprintf(out, "],\"data_offsets\":[%zu,%zu]}", offset, offset + size);
        offset += size;
    }
    fputc('}', out);
    fflush(out);
    for (size_t i = *length; i % 8; i++) fputc(' ', out);
    bool written = !ferror(out);
    written &= fclose(out) == 0;
    if (status == DQ_OK && !written)
        status = dq_fail(error, DQ_MEMORY, path, "no memory for the file's header");
    if (status != DQ_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}

dq_status dq_safetensors_write(const char *path, const dq_stored_tensor *tensors, int count,
                               const dq_text_pair *metadata, int metadata_count, dq_error *error) {
    char *header;
    size_t length;
    dq_file file;
    dq_status status = make_header(path, tensors, count, metadata, metadata_count, &header, &length, error);
    if (status != DQ_OK) return status;
    status = dq_file_begin(&file, path, error);
    if (status != DQ_OK) goto done;

    unsigned char prefix[8];
    for (int i = 0; i < 8; i++) prefix[i] = (unsigned char)(length >> 8 * i);
    dq_file_write(&file, prefix, 8);
    dq_file_write(&file, header, length);
    for (int i = 0; i < count; i++) {
        size_t size = 0;
        tensor_bytes(&tensors[i], path, &size, NULL);
        dq_file_write(&file, tensors[i].data, size);
    }
    status = dq_file_commit(&file, error);
done:
    free(header);
    return status;
}
