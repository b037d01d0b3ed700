// Matching tensors with a network; import.h tells how.
#include "export/import.h"

#include "base/pattern.h"
#include "nn/net.h"
#include "nn/trunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The tensors of one layer in a file: those that share all of their name but the last part.
typedef struct group {
    int first, count;
} group;

static size_t stem_of(const char *name) {
    const char *point = strrchr(name, '.');
    return point ? (size_t)(point - name) : 0;
}

static const char *last_part(const char *name) {
    const char *point = strrchr(name, '.');
    return point ? point + 1 : name;
}

// The next group behind `now`. False: there is none.
static bool next_group(const dq_tensors *tensors, group *now) {
    int i = now->first + now->count;
    if (i >= tensors->count) return false;
    const size_t stem = stem_of(tensors->names[i]);
    *now = (group){i, 1};
    while (++i < tensors->count && stem_of(tensors->names[i]) == stem &&
           !strncmp(tensors->names[i], tensors->names[now->first], stem))
        now->count++;
    return true;
}

static int member(const dq_tensors *tensors, group g, const char *part) {
    for (int i = g.first; i < g.first + g.count; i++)
        if (!strcmp(last_part(tensors->names[i]), part)) return i;
    return -1;
}

// Has the trunk so many convolutions outside of residual blocks, the first of that many channels?
static bool trunk_fits(const dq_trunk *trunk, int convolutions, int channels) {
    int count = 0, first = 0;
    for (int i = 0; i < trunk->count; i++)
        if (!strcmp(trunk->layers[i].kind, "conv") && count++ == 0) first = trunk->layers[i].out;
    return count == convolutions && first == channels;
}

dq_status dq_import_describe(dq_run_config *config, const dq_tensors *tensors, const dq_foreign *foreign,
                             const char *where, dq_error *error) {
    dq_agent_config *learner = &config->learner;
    int linear = 0, widths[DQ_INTS_MAX + 1], convolutions = 0, first_channels = 0;
    for (group g = {0}; next_group(tensors, &g);) {
        const int weight = member(tensors, g, "weight");
        if (weight < 0) continue;
        const dq_array *array = &tensors->arrays[weight];
        if (array->rank == 2) {
            if (linear == DQ_INTS_MAX + 1)
                return dq_fail(error, DQ_UNSUPPORTED, where,
                               "it holds more than %d fully connected layers; name those of the network with "
                               "--map and describe it with net_arch=[...]",
                               DQ_INTS_MAX + 1);
            widths[linear++] = array->shape[0] > 1 << 20 ? 1 << 20 : (int)array->shape[0];
        } else if (array->rank == 4) {
            if (convolutions++ == 0) first_channels = (int)array->shape[0];
        } else if (array->rank == 1) {
            learner->normalization = member(tensors, g, "running_mean") >= 0 ? DQ_NORM_BATCH : DQ_NORM_LAYER;
            if (linear == 0) learner->normalize_input = true;
        }
    }
    if (linear > 0) {
        learner->net_arch.count = linear - 1;
        memcpy(learner->net_arch.value, widths, (size_t)(linear - 1) * sizeof *widths);
    }
    for (int i = 0; convolutions > 0 && dq_trunks[i]; i++)
        if (trunk_fits(dq_trunks[i], convolutions, first_channels)) learner->network = i + 1;
    const char *activation = foreign->activation;
    if (!strcmp(activation, "LeakyReLU"))
        learner->activation = DQ_LEAKY_RELU;
    else if (*activation && strcmp(activation, "ReLU"))
        return dq_fail(error, DQ_UNSUPPORTED, where,
                       "its network has %s between its layers; ReLU and LeakyReLU are known", activation);
    return DQ_OK;
}

// --- what belongs where ------------------------------------------------------------------------------------

static int find(const dq_tensors *tensors, const char *name) {
    for (int i = 0; i < tensors->count; i++)
        if (!strcmp(tensors->names[i], name)) return i;
    return -1;
}

// Fills `from` by names. Returns how many were found.
static int match_names(const dq_tensors *tensors, const dq_net *net, bool sequential, int *from) {
    int found = 0;
    for (int i = 0; i < net->tensor_count; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s", net->tensors[i].name);
        if (sequential) dq_tensor_sequential_name(net, i, name, sizeof name);
        from[i] = find(tensors, name);
        found += from[i] >= 0;
    }
    return found;
}

static void match_order(const dq_tensors *tensors, const dq_net *net, int *from) {
    group g = {0};
    for (int i = 0; i < net->layer_count; i++) {
        const dq_layer *layer = &net->layers[i];
        if (!layer->class->torch || layer->tensor_count == 0) continue;
        do {
            if (!next_group(tensors, &g)) return;
        } while (member(tensors, g, "weight") < 0);
        for (int k = 0; k < layer->tensor_count; k++)
            from[layer->tensor[k]] = member(tensors, g, last_part(net->tensors[layer->tensor[k]].name));
    }
}

static dq_status check_shape(const dq_tensors *tensors, int index, const dq_tensor *t, dq_error *error) {
    const dq_array *array = &tensors->arrays[index];
    dq_array like = {.type = DQ_ARRAY_F4, .rank = t->rank};
    bool same = array->rank == t->rank;
    for (int d = 0; d < t->rank; d++) {
        like.shape[d] = t->shape[d];
        same &= array->shape[d] == t->shape[d];
    }
    if (same) return DQ_OK;
    char has[96], wanted[96];
    dq_array_describe(array, has, sizeof has);
    dq_array_describe(&like, wanted, sizeof wanted);
    return dq_fail(
        error, DQ_FORMAT, tensors->names[index],
        "the file's tensor '%.100s' is %s, but the network's '%s' is %s; describe the network with "
        "options such as net_arch=[64, 64], or say with --map what belongs where",
        tensors->names[index], has, t->name, wanted);
}

dq_status dq_import_match(const dq_tensors *tensors, const dq_net *net, int *from, dq_error *error) {
    // A file in a Sequential's names has the network's own where torch.nn has no such layer.
    const int own = match_names(tensors, net, false, from),
              sequential = match_names(tensors, net, true, from);
    if (own == 0 && sequential == 0)
        match_order(tensors, net, from);
    else if (own >= sequential)
        match_names(tensors, net, false, from);
    for (int i = 0; i < net->tensor_count; i++) {
        if (from[i] < 0) continue;
        const dq_status status = check_shape(tensors, from[i], &net->tensors[i], error);
        if (status) return status;
    }
    return DQ_OK;
}

bool dq_import_needed(const dq_net *net, int index) {
    const dq_tensor *t = &net->tensors[index];
    if (dq_patterns_fit("*.noise_in, *.noise_out, *.seed", t->name)) return false;
    for (int i = 0; i < net->layer_count; i++)
        for (int k = 0; k < net->layers[i].tensor_count; k++)
            if (net->layers[i].tensor[k] == index)
                return t->trainable || net->layers[i].class->torch || net->layers[i].moments;
    return true;
}

dq_status dq_import_fill(const dq_tensors *tensors, const int *from, const dq_net *net, float *params,
                         dq_error *error) {
    for (int i = 0; i < net->tensor_count; i++) {
        const dq_tensor *t = &net->tensors[i];
        if (from[i] < 0) continue;
        const dq_status status = check_shape(tensors, from[i], t, error);
        if (status) return status;
        dq_tensor_set(t, params, tensors->arrays[from[i]].data);
    }
    return DQ_OK;
}
