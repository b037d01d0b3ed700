// Reading Stable-Baselines3's files; sb3.h tells of the format.
#include "io/sb3.h"

#include "io/archive.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

bool dq_sb3_recognize(zip_t *archive) {
    return zip_name_locate(archive, "policy.pth", 0) >= 0;
}

void dq_sb3_deinit(dq_sb3 *file) {
    dq_pth_deinit(&file->policy);
    *file = (dq_sb3){0};
}

// "<class 'torch.nn.modules.activation.Tanh'>" -> "Tanh"
static void take_class(const char *text, char *out, size_t size) {
    const char *point = strrchr(text, '.');
    const char *start = point ? point + 1 : text;
    snprintf(out, size, "%.*s", (int)strcspn(start, "'>"), start);
}

static dq_status read_data(dq_sb3 *file, const char *text, size_t size, const char *where, dq_error *error) {
    json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
    if (!tokener || size > INT32_MAX) {
        json_tokener_free(tokener);
        return dq_fail(error, DQ_MEMORY, where, "no memory to read its data");
    }
    json_object *data = json_tokener_parse_ex(tokener, text, (int)size), *policy, *activation;
    const enum json_tokener_error reason = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    if (!data || !json_object_is_type(data, json_type_object)) {
        json_object_put(data);
        return dq_fail(error, DQ_FORMAT, where, "its member 'data' is no JSON document: %s",
                       reason == json_tokener_success ? "it is no object" : json_tokener_error_desc(reason));
    }
    if (json_object_object_get_ex(data, "policy_kwargs", &policy) &&
        json_object_is_type(policy, json_type_object) &&
        json_object_object_get_ex(policy, "activation_fn", &activation) &&
        json_object_is_type(activation, json_type_string))
        take_class(json_object_get_string(activation), file->activation, sizeof file->activation);
    json_object_put(data);
    return DQ_OK;
}

static dq_status unpack(zip_t *archive, const char *member, const char *where, char **bytes, size_t *size,
                        dq_error *error) {
    const zip_int64_t index = zip_name_locate(archive, member, 0);
    if (index < 0) return dq_fail(error, DQ_FORMAT, where, "its member '%s' is missing", member);
    return dq_archive_unpack(archive, (zip_uint64_t)index, where, bytes, size, error);
}

dq_status dq_sb3_parse(dq_sb3 *file, const void *bytes, size_t size, const char *where, dq_error *error) {
    *file = (dq_sb3){0};
    zip_t *archive;
    char *data = NULL, *policy = NULL, inner[300];
    size_t data_size = 0, policy_size = 0;
    dq_status status = dq_archive_open(&archive, bytes, size, "Stable-Baselines3 file", where, error);
    if (status) return status;
    snprintf(inner, sizeof inner, "%.250s: policy.pth", where);
    status = unpack(archive, "data", where, &data, &data_size, error);
    if (!status) status = read_data(file, data, data_size, where, error);
    if (!status) status = unpack(archive, "policy.pth", where, &policy, &policy_size, error);
    if (!status) status = dq_pth_parse(&file->policy, policy, policy_size, inner, error);
    zip_discard(archive);
    free(data);
    free(policy);
    if (status) dq_sb3_deinit(file);
    return status;
}
