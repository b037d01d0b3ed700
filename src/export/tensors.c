// Tensors out of policies and out of files; tensors.h tells of the names.
#include "export/tensors.h"

#include "base/file.h"
#include "base/pattern.h"
#include "base/safetensors.h"
#include "io/archive.h"
#include "io/npz.h"
#include "io/sb3.h"
#include "nn/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void dq_tensors_deinit(dq_tensors *tensors) {
    for (int i = 0; i < tensors->count; i++) {
        free(tensors->names[i]);
        dq_array_deinit(&tensors->arrays[i]);
    }
    free(tensors->names);
    free(tensors->arrays);
    *tensors = (dq_tensors){0};
}

void dq_foreign_deinit(dq_foreign *foreign) {
    free(foreign->config);
    *foreign = (dq_foreign){0};
}

static dq_status make_room(dq_tensors *tensors, int count, dq_error *error) {
    *tensors = (dq_tensors){.names = calloc((size_t)count + 1, sizeof *tensors->names),
                            .arrays = calloc((size_t)count + 1, sizeof *tensors->arrays)};
    if (tensors->names && tensors->arrays) return DQ_OK;
    return dq_fail(error, DQ_MEMORY, "tensors", "there is no memory for the tensors");
}

// Adds an array of zeros. NULL: no memory.
static dq_array *add(dq_tensors *tensors, const char *name, dq_array_type type, int rank,
                     const int64_t *shape) {
    dq_array *array = &tensors->arrays[tensors->count];
    *array = (dq_array){.type = type, .rank = rank};
    memcpy(array->shape, shape, (size_t)rank * sizeof *shape);
    array->count = dq_array_count(array);
    array->data = calloc((size_t)array->count + 1, dq_array_element_size(type));
    tensors->names[tensors->count] = strdup(name);
    tensors->count++;
    return array->data && tensors->names[tensors->count - 1] ? array : NULL;
}

// --- of a policy -------------------------------------------------------------------------------------------

// The layer that a tensor belongs to.
static const dq_layer *layer_of(const dq_net *net, int index) {
    for (int i = 0; i < net->layer_count; i++)
        for (int k = 0; k < net->layers[i].tensor_count; k++)
            if (net->layers[i].tensor[k] == index) return &net->layers[i];
    return NULL;
}

void dq_tensor_sequential_name(const dq_net *net, int index, char *name, size_t size) {
    const dq_layer *owner = layer_of(net, index);
    const char *own = net->tensors[index].name, *point = strrchr(own, '.');
    int number = 0;
    for (const dq_layer *layer = net->layers; layer != owner; layer++) {
        const bool activation = layer->activation.kind != DQ_NONLINEARITY_NONE;
        number += (layer->class->torch != NULL) + activation;
    }
    if (owner->class->torch && point)
        snprintf(name, size, "%d%s", number, point);
    else
        snprintf(name, size, "%s", own);
}

// Noise and seeds are drawn, not learned.
static bool is_drawn(const char *name) {
    return dq_patterns_fit("*.noise_in, *.noise_out, *.seed", name);
}

dq_status dq_tensors_of(dq_tensors *tensors, const dq_policy *policy, dq_naming naming, dq_error *error) {
    const dq_net *net = dq_policy_net(policy);
    const float *params = dq_policy_params((dq_policy *)policy);
    dq_status status = make_room(tensors, 2 * net->tensor_count, error);
    for (int i = 0; !status && i < net->tensor_count; i++) {
        const dq_tensor *t = &net->tensors[i];
        char name[80];
        snprintf(name, sizeof name, "%s", t->name);
        if (naming == DQ_NAMES_SEQUENTIAL) {
            if (is_drawn(t->name)) continue;
            dq_tensor_sequential_name(net, i, name, sizeof name);
        }
        int64_t shape[4];
        for (int d = 0; d < t->rank; d++) shape[d] = t->shape[d];
        dq_array *array = add(tensors, name, DQ_ARRAY_F4, t->rank, shape);
        if (array) dq_tensor_get(t, params, array->data);
        const dq_layer *layer = layer_of(net, i);
        const bool counted = layer->class->torch && dq_patterns_fit("*.running_var", t->name);
        if (array && counted && naming == DQ_NAMES_SEQUENTIAL) {
            strcpy(strrchr(name, '.'), ".num_batches_tracked");
            array = add(tensors, name, DQ_ARRAY_I8, 0, shape);
        }
        if (!array) status = dq_fail(error, DQ_MEMORY, t->name, "there is no memory for the tensors");
    }
    if (status) dq_tensors_deinit(tensors);
    return status;
}

// --- names -------------------------------------------------------------------------------------------------

// name, of which `kept` letters at `rest` were left open, under the new name `to` of `length` letters.
static char *renamed(const char *to, size_t length, const char *rest, size_t kept) {
    char *name = malloc(length + kept + 1);
    if (!name) return NULL;
    const char *star = memchr(to, '*', length);
    const size_t before = star ? (size_t)(star - to) : length, behind = star ? length - before - 1 : 0;
    memcpy(name, to, before);
    memcpy(name + before, rest, kept);
    memcpy(name + before + kept, to + length - behind, behind);
    name[before + kept + behind] = 0;
    return name;
}

dq_status dq_tensors_rename(dq_tensors *tensors, const char *rules, dq_error *error) {
    size_t length;
    bool *done = calloc((size_t)tensors->count + 1, sizeof *done);
    dq_status status = done ? DQ_OK : dq_fail(error, DQ_MEMORY, "map", "there is no memory for the names");
    for (const char *rule; !status && (rule = dq_patterns_next(&rules, &length));) {
        const char *equals = memchr(rule, '=', length);
        if (!equals || equals == rule || equals + 1 == rule + length) {
            status = dq_fail(error, DQ_USAGE, "--map", "a rule is FROM=TO, which '%.*s' is not", (int)length,
                             rule);
            break;
        }
        const size_t from = (size_t)(equals - rule), to = length - from - 1;
        int fitted = 0;
        for (int i = 0; !status && i < tensors->count; i++) {
            size_t rest, kept;
            if (!dq_pattern_fits(rule, from, tensors->names[i], &rest, &kept)) continue;
            fitted++;
            if (done[i]) continue;
            char *name = renamed(equals + 1, to, tensors->names[i] + rest, kept);
            if (!name) {
                status = dq_fail(error, DQ_MEMORY, "--map", "there is no memory for the names");
            } else {
                free(tensors->names[i]);
                tensors->names[i] = name;
                done[i] = true;
            }
        }
        if (!status && fitted == 0)
            status = dq_fail(error, DQ_NOT_FOUND, "--map",
                             "no tensor is called '%.*s'; deepq show lists the names", (int)from, rule);
    }
    free(done);
    return status;
}

// --- files -------------------------------------------------------------------------------------------------

// Takes over names and arrays of another reader, which is left empty.
static void take(dq_tensors *tensors, char ***names, dq_array **arrays, int *count) {
    *tensors = (dq_tensors){*names, *arrays, *count};
    *names = NULL;
    *arrays = NULL;
    *count = 0;
}

// Every array that is not yet of f32 becomes so.
static dq_status to_floats(dq_tensors *tensors, dq_error *error) {
    for (int i = 0; i < tensors->count; i++) {
        dq_array *array = &tensors->arrays[i];
        if (array->type == DQ_ARRAY_F4) continue;
        float *data = malloc((size_t)array->count * sizeof *data + 1);
        if (!data) return dq_fail(error, DQ_MEMORY, tensors->names[i], "there is no memory for the tensors");
        dq_array_to_floats(array, data);
        free(array->data);
        array->data = data;
        array->type = DQ_ARRAY_F4;
    }
    return DQ_OK;
}

static dq_status parse_zip(dq_tensors *tensors, dq_foreign *foreign, const char *bytes, size_t size,
                           const char *where, dq_error *error) {
    zip_t *archive;
    dq_status status = dq_archive_open(&archive, bytes, size, ".pth, .zip or .npz file", where, error);
    if (status) return status;
    const bool sb3 = dq_sb3_recognize(archive);
    bool arrays = !sb3;
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0) && arrays; i++) {
        const char *name = zip_get_name(archive, (zip_uint64_t)i, 0),
                   *point = name ? strrchr(name, '.') : NULL;
        arrays = point && !strcmp(point, ".npy");
    }
    zip_discard(archive);
    if (arrays) {
        dq_npz npz;
        snprintf(foreign->format, sizeof foreign->format, "NumPy");
        status = dq_npz_parse(&npz, bytes, size, where, error);
        if (!status) take(tensors, &npz.names, &npz.arrays, &npz.count);
        return status;
    }
    dq_sb3 file = {0};
    snprintf(foreign->format, sizeof foreign->format, sb3 ? "Stable-Baselines3" : "PyTorch");
    status = sb3 ? dq_sb3_parse(&file, bytes, size, where, error)
                 : dq_pth_parse(&file.policy, bytes, size, where, error);
    if (!status) take(tensors, &file.policy.names, &file.policy.arrays, &file.policy.count);
    memcpy(foreign->activation, file.activation, sizeof foreign->activation);
    dq_sb3_deinit(&file);
    return status;
}

static dq_status parse_safetensors(dq_tensors *tensors, dq_foreign *foreign, const char *bytes, size_t size,
                                   const char *where, dq_error *error) {
    static const dq_array_type types[] = {[DQ_STORED_F32] = DQ_ARRAY_F4,
                                          [DQ_STORED_F64] = DQ_ARRAY_F8,
                                          [DQ_STORED_I32] = DQ_ARRAY_I4,
                                          [DQ_STORED_I64] = DQ_ARRAY_I8,
                                          [DQ_STORED_U8] = DQ_ARRAY_U1};
    dq_safetensors file;
    snprintf(foreign->format, sizeof foreign->format, "safetensors");
    dq_status status = dq_safetensors_parse(&file, bytes, size, where, error);
    if (status) return status;
    const char *config = dq_safetensors_metadata(&file, "config");
    if (config && !(foreign->config = strdup(config)))
        status = dq_fail(error, DQ_MEMORY, where, "there is no memory for the tensors");
    if (!status) status = make_room(tensors, file.count, error);
    for (int i = 0; !status && i < file.count; i++) {
        const dq_stored_tensor *t = &file.tensors[i];
        if (t->type == DQ_STORED_OTHER) {
            status =
                dq_fail(error, DQ_UNSUPPORTED, where,
                        "the tensor '%.100s' is neither of F32, F64, I32, I64 nor U8; convert it", t->name);
            break;
        }
        dq_array *array = add(tensors, t->name, types[t->type], t->rank, t->shape);
        if (array)
            memcpy(array->data, t->data, t->size);
        else
            status = dq_fail(error, DQ_MEMORY, where, "there is no memory for the tensors");
    }
    dq_safetensors_deinit(&file);
    return status;
}

// Removes what fits the patterns.
static void drop(dq_tensors *tensors, const char *patterns) {
    int kept = 0;
    for (int i = 0; i < tensors->count; i++) {
        if (dq_patterns_fit(patterns, tensors->names[i])) {
            free(tensors->names[i]);
            dq_array_deinit(&tensors->arrays[i]);
            continue;
        }
        tensors->names[kept] = tensors->names[i];
        tensors->arrays[kept++] = tensors->arrays[i];
    }
    tensors->count = kept;
}

dq_status dq_tensors_read(dq_tensors *tensors, dq_foreign *foreign, const char *path, dq_error *error) {
    struct stat about;
    char file[4096], *bytes;
    size_t size;
    *tensors = (dq_tensors){0};
    *foreign = (dq_foreign){0};
    const bool folder = !stat(path, &about) && S_ISDIR(about.st_mode);
    if (snprintf(file, sizeof file, "%s%s", path, folder ? "/weights.safetensors" : "") >= (int)sizeof file)
        return dq_fail(error, DQ_USAGE, path, "the path is too long");
    dq_status status = dq_file_read(file, (size_t)1 << 33, &bytes, &size, error);
    if (status) return status;
    if (size > 8 && bytes[8] == '{')
        status = parse_safetensors(tensors, foreign, bytes, size, file, error);
    else if (dq_pth_recognize(bytes, size))
        status = parse_zip(tensors, foreign, bytes, size, file, error);
    else
        status =
            dq_fail(error, DQ_FORMAT, file,
                    "this is neither a .pth nor a Stable-Baselines3 .zip nor a safetensors nor an .npz file");
    free(bytes);
    drop(tensors, "q_net_target, *.num_batches_tracked"); // no weights of the network that acts
    if (!status) status = to_floats(tensors, error);
    if (status) {
        dq_tensors_deinit(tensors);
        dq_foreign_deinit(foreign);
    }
    return status;
}
