// Reading PyTorch files; pth.h tells of the format.
//
// The pickle becomes plain values (pickle.h). Walking them finds tensors, each a view (offset, shape,
// strides) of a storage; storages are read once however many tensors share them. All sizes are checked
// against the bytes that are there before anything is allocated.
#include "io/pth.h"

#include "base/file.h"
#include "io/archive.h"
#include "io/pth_rights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, VISITS_MAX = 1 << 18, TENSORS_MAX = 1 << 14, PICKLE_MAX = 1 << 22, NAME_SIZE = 512 };

typedef enum element_type { F32, F64, F16, BF16, I64, I32, I16, I8, U8, BOOL } element_type;

static const struct {
    const char *storage;
    size_t size;
} element_types[] = {
    [F32] = {"torch FloatStorage", 4}, [F64] = {"torch DoubleStorage", 8},
    [F16] = {"torch HalfStorage", 2},  [BF16] = {"torch BFloat16Storage", 2},
    [I64] = {"torch LongStorage", 8},  [I32] = {"torch IntStorage", 4},
    [I16] = {"torch ShortStorage", 2}, [I8] = {"torch CharStorage", 1},
    [U8] = {"torch ByteStorage", 1},   [BOOL] = {"torch BoolStorage", 1},
};

typedef struct storage {
    const char *key; // the pickle's
    char *data;
    size_t size;
} storage;

typedef struct reader {
    dq_pth *out;
    zip_t *archive;
    char folder[256]; // "NAME/"
    size_t file_size;
    const char *where;
    dq_error *error;
    storage *storages;
    int storage_count;
    int64_t elements; // of all tensors so far
    int visits;
    char name[NAME_SIZE]; // of the value being looked at
} reader;

// --- storages
// -----------------------------------------------------------------------------------------------

static dq_status member_index(reader *r, const char *below, zip_uint64_t *index) {
    char path[NAME_SIZE];
    zip_stat_t about;
    snprintf(path, sizeof path, "%s%s", r->folder, below);
    zip_int64_t found = zip_name_locate(r->archive, path, 0);
    if (found < 0) return dq_fail(r->error, DQ_FORMAT, r->where, "its member '%.200s' is missing", path);
    *index = (zip_uint64_t)found;
    if (zip_stat_index(r->archive, *index, 0, &about) || !(about.valid & ZIP_STAT_COMP_METHOD) ||
        about.comp_method != ZIP_CM_STORE)
        return dq_fail(r->error, DQ_FORMAT, r->where,
                       "its member '%.200s' is compressed; torch.save writes plain members", path);
    return DQ_OK;
}

// The storage that a persistent id ('storage', class, key, location, elements) means.
static dq_status find_storage(reader *r, const dq_pickle_value *value, element_type *type, int64_t *count,
                              const char **data) {
    const dq_pickle_value *id = value->type == DQ_PICKLE_PERSISTENT ? value->arguments : NULL;
    if (!id || id->type != DQ_PICKLE_TUPLE || id->count < 5 || id->items[0]->type != DQ_PICKLE_TEXT ||
        strcmp(id->items[0]->text, "storage") || id->items[1]->type != DQ_PICKLE_GLOBAL ||
        id->items[2]->type != DQ_PICKLE_TEXT || id->items[4]->type != DQ_PICKLE_INT)
        return dq_fail(r->error, DQ_FORMAT, r->where, "the tensor '%.200s' has no storage", r->name);
    size_t t = 0, types = sizeof element_types / sizeof *element_types;
    while (t < types && strcmp(id->items[1]->text, element_types[t].storage)) t++;
    if (t == types)
        return dq_fail(r->error, DQ_UNSUPPORTED, r->where, "the tensor '%.200s' has elements of '%.60s'; %s",
                       r->name, id->items[1]->text, "real and whole numbers of 8 to 64 bits are read");
    *type = (element_type)t;
    *count = id->items[4]->integer;
    const char *key = id->items[2]->text;
    storage *s = NULL;
    for (int i = 0; i < r->storage_count && !s; i++)
        if (!strcmp(r->storages[i].key, key)) s = &r->storages[i];
    if (!s) {
        char below[NAME_SIZE];
        zip_uint64_t index;
        snprintf(below, sizeof below, "data/%.200s", key);
        dq_status status = member_index(r, below, &index);
        if (status) return status;
        s = &r->storages[r->storage_count];
        status = dq_archive_unpack(r->archive, index, r->where, &s->data, &s->size, r->error);
        if (status) return status;
        s->key = key;
        r->storage_count++;
    }
    if (*count < 0 || (uint64_t)*count > s->size / element_types[t].size)
        return dq_fail(r->error, DQ_FORMAT, r->where,
                       "the storage of '%.200s' is said to hold %lld elements, but has %zu bytes", r->name,
                       (long long)*count, s->size);
    *data = s->data;
    return DQ_OK;
}

static float half(uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float value = exponent == 31 ? fraction ? NAN : INFINITY
                  : exponent     ? ldexpf((float)(fraction | 1024), exponent - 25)
                                 : ldexpf((float)fraction, -24);
    return bits & 0x8000 ? -value : value;
}

static float element(element_type type, const char *at) {
    union {
        float f32;
        double f64;
        uint16_t u16;
        uint32_t u32;
        int64_t i64;
        int32_t i32;
        int16_t i16;
        int8_t i8;
        uint8_t u8;
    } v = {0};
    memcpy(&v, at, element_types[type].size);
    switch (type) {
    case F32:
        return v.f32;
    case F64:
        return (float)v.f64;
    case F16:
        return half(v.u16);
    case BF16:
        v.u32 = (uint32_t)v.u16 << 16;
        return v.f32;
    case I64:
        return (float)v.i64;
    case I32:
        return (float)v.i32;
    case I16:
        return v.i16;
    case I8:
        return v.i8;
    case U8:
        return v.u8;
    case BOOL:
        return v.u8 != 0;
    }
    return 0;
}

// --- tensors
// ------------------------------------------------------------------------------------------------

// A tensor's place in its storage, checked.
typedef struct view {
    int rank;
    int64_t shape[DQ_ARRAY_RANK_MAX], stride[DQ_ARRAY_RANK_MAX];
    int64_t offset, count;
} view;

// arguments: (storage, offset, shape, strides, ...) of _rebuild_tensor and _rebuild_tensor_v2
static dq_status read_view(reader *r, const dq_pickle_value *arguments, int64_t stored, view *v) {
    const dq_pickle_value *offset = arguments->items[1], *shape = arguments->items[2],
                          *stride = arguments->items[3];
    bool good = offset->type == DQ_PICKLE_INT && shape->type == DQ_PICKLE_TUPLE && offset->integer >= 0 &&
                stride->type == DQ_PICKLE_TUPLE && shape->count == stride->count;
    if (!good || shape->count > DQ_ARRAY_RANK_MAX)
        return dq_fail(r->error, DQ_FORMAT, r->where,
                       "the tensor '%.200s' has no shape of at most %d numbers", r->name, DQ_ARRAY_RANK_MAX);
    *v = (view){.rank = (int)shape->count, .offset = offset->integer, .count = 1};
    int64_t last = v->offset; // the largest index
    bool inside = true;
    for (int i = 0; i < v->rank; i++) {
        const dq_pickle_value *n = shape->items[i], *s = stride->items[i];
        if (n->type != DQ_PICKLE_INT || s->type != DQ_PICKLE_INT || n->integer < 0 || s->integer < 0)
            return dq_fail(r->error, DQ_FORMAT, r->where, "the tensor '%.200s' has a broken shape", r->name);
        v->shape[i] = n->integer;
        v->stride[i] = s->integer;
        int64_t reach = 0;
        inside &= !__builtin_mul_overflow(v->count, n->integer, &v->count);
        inside &= n->integer == 0 || !__builtin_mul_overflow(n->integer - 1, s->integer, &reach);
        inside &= !__builtin_add_overflow(last, reach, &last);
    }
    // A tensor with more elements than its storage repeats some, which no parameter does.
    if (!inside || (v->count > 0 && last >= stored) || v->count > stored)
        return dq_fail(r->error, DQ_FORMAT, r->where,
                       "the tensor '%.200s' reaches beyond the %lld elements of its storage", r->name,
                       (long long)stored);
    return DQ_OK;
}

static void gather(const view *v, element_type type, const char *data, float *out) {
    int64_t index[DQ_ARRAY_RANK_MAX] = {0};
    for (int64_t k = 0; k < v->count; k++) {
        int64_t at = v->offset;
        for (int i = 0; i < v->rank; i++) at += index[i] * v->stride[i];
        out[k] = element(type, data + (size_t)at * element_types[type].size);
        for (int i = v->rank - 1; i >= 0 && ++index[i] == v->shape[i]; i--) index[i] = 0;
    }
}

static dq_status add_tensor(reader *r, const dq_pickle_value *arguments) {
    if (!arguments || arguments->type != DQ_PICKLE_TUPLE || arguments->count < 4)
        return dq_fail(r->error, DQ_FORMAT, r->where, "the tensor '%.200s' is incomplete", r->name);
    if (r->out->count == TENSORS_MAX)
        return dq_fail(r->error, DQ_FORMAT, r->where, "it holds more than %d tensors", TENSORS_MAX);
    element_type type = F32;
    int64_t stored = 0;
    const char *data = NULL;
    view v;
    dq_status status = find_storage(r, arguments->items[0], &type, &stored, &data);
    if (!status) status = read_view(r, arguments, stored, &v);
    if (status) return status;
    // Tensors may share a storage, but not so often that a small file fills the memory.
    r->elements += v.count;
    if (r->elements > 4 * (int64_t)r->file_size)
        return dq_fail(r->error, DQ_FORMAT, r->where, "its tensors hold far more than its %zu bytes",
                       r->file_size);
    dq_array *array = &r->out->arrays[r->out->count];
    *array = (dq_array){.type = DQ_ARRAY_F4, .rank = v.rank, .count = v.count};
    memcpy(array->shape, v.shape, sizeof v.shape);
    array->data = malloc((size_t)v.count * sizeof(float) + 1);
    r->out->names[r->out->count] = strdup(r->name);
    if (array->data) gather(&v, type, data, array->data);
    if (!array->data || !r->out->names[r->out->count++])
        return dq_fail(r->error, DQ_MEMORY, r->where, "no memory for the tensor '%.200s'", r->name);
    return DQ_OK;
}

// --- walking the values
// -------------------------------------------------------------------------------------

static dq_status walk(reader *r, const dq_pickle_value *value, int depth);

// Walks `value` under the name so far plus ".key".
static dq_status walk_below(reader *r, const dq_pickle_value *key, const dq_pickle_value *value, int depth) {
    size_t length = strlen(r->name);
    const char *point = length ? "." : "";
    int used;
    if (key && key->type == DQ_PICKLE_INT)
        used = snprintf(r->name + length, NAME_SIZE - length, "%s%lld", point, (long long)key->integer);
    else
        used = snprintf(r->name + length, NAME_SIZE - length, "%s%s", point, key ? key->text : "");
    dq_status status = (size_t)used < NAME_SIZE - length
                           ? walk(r, value, depth + 1)
                           : dq_fail(r->error, DQ_FORMAT, r->where, "it holds a name of more than %d letters",
                                     NAME_SIZE - 1);
    r->name[length] = 0;
    return status;
}

// items: key, value, key, value, ...
static dq_status walk_pairs(reader *r, const dq_pickle_value *pairs, int depth) {
    dq_status status = DQ_OK;
    for (size_t i = 0; i + 1 < pairs->count && !status; i += 2) {
        const dq_pickle_value *key = pairs->items[i];
        if (key->type == DQ_PICKLE_TEXT || key->type == DQ_PICKLE_INT)
            status = walk_below(r, key, pairs->items[i + 1], depth);
    }
    return status;
}

// A module: its state's _parameters, _buffers and _modules, as state_dict() goes through them.
static dq_status walk_module(reader *r, const dq_pickle_value *state, int depth) {
    static const char *const parts[] = {"_parameters", "_buffers", "_modules"};
    dq_status status = DQ_OK;
    for (int part = 0; part < 3; part++) {
        for (size_t i = 0; i + 1 < state->count && !status; i += 2) {
            const dq_pickle_value *key = state->items[i], *value = state->items[i + 1];
            if (key->type == DQ_PICKLE_TEXT && !strcmp(key->text, parts[part]) &&
                (value->type == DQ_PICKLE_DICT || value->type == DQ_PICKLE_OBJECT))
                status = walk_pairs(r, value, depth);
        }
    }
    return status;
}

static dq_status walk_object(reader *r, const dq_pickle_value *value, int depth) {
    const dq_pickle_value *maker = value->maker, *arguments = value->arguments;
    if (dq_pickle_is_global(maker, "torch._utils _rebuild_tensor_v2") ||
        dq_pickle_is_global(maker, "torch._utils _rebuild_tensor"))
        return add_tensor(r, arguments);
    if (dq_pickle_is_global(maker, "torch._utils _rebuild_parameter"))
        return arguments->count ? walk(r, arguments->items[0], depth + 1) : DQ_OK;
    if (dq_pickle_is_global(maker, "collections OrderedDict")) return walk_pairs(r, value, depth);
    if (value->state && value->state->type == DQ_PICKLE_DICT) return walk_module(r, value->state, depth);
    return DQ_OK;
}

static dq_status walk(reader *r, const dq_pickle_value *value, int depth) {
    if (depth > DEPTH_MAX || ++r->visits > VISITS_MAX)
        return dq_fail(r->error, DQ_FORMAT, r->where, "its values are nested too deeply, at '%.200s'",
                       r->name);
    dq_status status = DQ_OK;
    switch (value->type) {
    case DQ_PICKLE_OBJECT:
        return walk_object(r, value, depth);
    case DQ_PICKLE_DICT:
        return walk_pairs(r, value, depth);
    case DQ_PICKLE_LIST:
    case DQ_PICKLE_TUPLE:
        for (size_t i = 0; i < value->count && !status; i++) {
            dq_pickle_value key = {.type = DQ_PICKLE_INT, .integer = (int64_t)i};
            status = walk_below(r, &key, value->items[i], depth);
        }
        return status;
    default: // numbers and texts beside the tensors: an epoch, a loss
        return DQ_OK;
    }
}

// --- files
// --------------------------------------------------------------------------------------------------

// Finds "NAME/data.pkl" and with it NAME/.
static dq_status find_folder(reader *r) {
    zip_int64_t members = zip_get_num_entries(r->archive, 0);
    for (zip_int64_t i = 0; i < members; i++) {
        const char *name = zip_get_name(r->archive, (zip_uint64_t)i, 0);
        const char *slash = name ? strchr(name, '/') : NULL;
        size_t length = slash ? (size_t)(slash - name) + 1 : 0;
        if (!slash || strcmp(slash, "/data.pkl") || length >= sizeof r->folder) continue;
        memcpy(r->folder, name, length);
        return DQ_OK;
    }
    return dq_fail(r->error, DQ_FORMAT, r->where,
                   "this zip holds no data.pkl, so it is no file of torch.save");
}

static dq_status check_byte_order(reader *r) {
    char path[NAME_SIZE], *text;
    size_t size;
    snprintf(path, sizeof path, "%sbyteorder", r->folder);
    zip_int64_t index = zip_name_locate(r->archive, path, 0);
    if (index < 0) return DQ_OK;
    dq_status status = dq_archive_unpack(r->archive, (zip_uint64_t)index, r->where, &text, &size, r->error);
    if (status) return status;
    if (size < 3 || memcmp(text, "lit", 3))
        status = dq_fail(r->error, DQ_UNSUPPORTED, r->where,
                         "it was written on a big-endian machine; save it again on a little-endian one");
    free(text);
    return status;
}

static dq_status read_archive(reader *r) {
    zip_uint64_t index;
    zip_stat_t about;
    char *text = NULL;
    size_t size;
    dq_pickle pickle = {0};
    dq_status status = find_folder(r);
    if (!status) status = check_byte_order(r);
    if (!status) status = member_index(r, "data.pkl", &index);
    if (!status && (zip_stat_index(r->archive, index, 0, &about) || about.size > PICKLE_MAX))
        status = dq_fail(r->error, DQ_FORMAT, r->where, "its data.pkl has more than %d bytes", PICKLE_MAX);
    if (!status) status = dq_archive_unpack(r->archive, index, r->where, &text, &size, r->error);
    if (!status) status = dq_pickle_parse(&pickle, text, size, dq_pth_right, r->where, r->error);
    if (!status) {
        r->out->names = calloc(TENSORS_MAX, sizeof *r->out->names);
        r->out->arrays = calloc(TENSORS_MAX, sizeof *r->out->arrays);
        r->storages = calloc(TENSORS_MAX, sizeof *r->storages);
        status = r->out->names && r->out->arrays && r->storages
                     ? walk(r, pickle.root, 0)
                     : dq_fail(r->error, DQ_MEMORY, r->where, "no memory for its tensors");
    }
    if (!status && r->out->count == 0) status = dq_fail(r->error, DQ_FORMAT, r->where, "it holds no tensor");
    for (int i = 0; i < r->storage_count; i++) free(r->storages[i].data);
    free(r->storages);
    free(text);
    dq_pickle_deinit(&pickle);
    return status;
}

// What torch.save wrote before version 1.6: a pickled magic number comes first.
static const unsigned char legacy[] = {0x80, 2,    0x8a, 10,   0x6c, 0xfc, 0x9c,
                                       0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

bool dq_pth_recognize(const void *bytes, size_t size) {
    return (size >= 4 && !memcmp(bytes, "PK\3\4", 4)) ||
           (size >= sizeof legacy && !memcmp(bytes, legacy, sizeof legacy));
}

dq_status dq_pth_parse(dq_pth *file, const void *bytes, size_t size, const char *where, dq_error *error) {
    *file = (dq_pth){0};
    if (size >= sizeof legacy && !memcmp(bytes, legacy, sizeof legacy))
        return dq_fail(error, DQ_UNSUPPORTED, where,
                       "this is PyTorch's format from before version 1.6; load it and save it again with a "
                       "newer torch");
    reader r = {.out = file, .file_size = size, .where = where, .error = error};
    dq_status status = dq_archive_open(&r.archive, bytes, size, "PyTorch file", where, error);
    if (status) return status;
    status = read_archive(&r);
    zip_discard(r.archive);
    if (status) dq_pth_deinit(file);
    return status;
}

dq_status dq_pth_read(dq_pth *file, const char *path, dq_error *error) {
    char *data;
    size_t size;
    *file = (dq_pth){0};
    dq_status status = dq_file_read(path, (size_t)1 << 33, &data, &size, error);
    if (status) return status;
    status = dq_pth_parse(file, data, size, path, error);
    free(data);
    return status;
}

void dq_pth_deinit(dq_pth *file) {
    for (int i = 0; i < file->count; i++) {
        free(file->names[i]);
        dq_array_deinit(&file->arrays[i]);
    }
    free(file->names);
    free(file->arrays);
    *file = (dq_pth){0};
}
