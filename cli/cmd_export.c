// deepq export: a policy for other programs. The file's ending names the format.
#include "base/safetensors.h"
#include "cli.h"
#include "export/export.h"
#include "export/tensors.h"
#include "io/npz.h"
#include "io/pth.h"
#include "policies.h"
#include "run/config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct arguments {
    const char *who, *out, *names, *map, *name;
    bool int8;
} arguments;

typedef struct format format;
struct format {
    const char *ending;
    dq_naming naming; // where --names does not say
    bool tensors;     // takes --names and --map; else it is code or a graph
    bool int8;
    dq_status (*write)(const arguments *a, const format *f, dq_policy *policy, dq_error *error);
};

// --- networks ----------------------------------------------------------------------------------------------

static dq_status write_onnx(const arguments *a, const format *f, dq_policy *policy, dq_error *error) {
    (void)f;
    dq_program program;
    dq_status status = dq_policy_lower(policy, &program, error);
    if (!status) status = dq_onnx_write(a->out, &program, error);
    dq_program_deinit(&program);
    return status;
}

static dq_status write_c99(const arguments *a, const format *f, dq_policy *policy, dq_error *error) {
    (void)f;
    const dq_run_config *config = dq_policy_config(policy);
    char name[64], origin[200];
    const char *slash = strrchr(a->who, '/');
    snprintf(origin, sizeof origin, "%s, %s (%s)", config->env[0] ? config->env : "no environment",
             config->agent, slash && slash[1] ? slash + 1 : a->who);
    dq_c99_name(a->name ? a->name : a->out, name, sizeof name);
    if (a->name && strcmp(a->name, name) != 0)
        return dq_fail(error, DQ_USAGE, "--name", "'%s' is no name for C functions; '%s' would be", a->name,
                       name);
    const dq_c99_options options = {.name = name, .origin = origin, .int8 = a->int8};
    dq_program program;
    dq_status status = dq_policy_lower(policy, &program, error);
    if (!status) status = dq_c99_write(a->out, &program, &options, error);
    dq_program_deinit(&program);
    return status;
}

// --- weights -----------------------------------------------------------------------------------------------

static dq_status take_tensors(const arguments *a, const format *f, const dq_policy *policy,
                              dq_tensors *tensors, dq_error *error) {
    dq_naming naming = f->naming;
    if (a->names) naming = strcmp(a->names, "own") ? DQ_NAMES_SEQUENTIAL : DQ_NAMES_OWN;
    dq_status status = dq_tensors_of(tensors, policy, naming, error);
    if (!status && a->map) status = dq_tensors_rename(tensors, a->map, error);
    return status;
}

static dq_status write_pth(const arguments *a, const format *f, dq_policy *policy, dq_error *error) {
    dq_tensors t = {0};
    dq_status status = take_tensors(a, f, policy, &t, error);
    if (!status) status = dq_pth_write(a->out, (const char *const *)t.names, t.arrays, t.count, error);
    dq_tensors_deinit(&t);
    return status;
}

static dq_status write_npz(const arguments *a, const format *f, dq_policy *policy, dq_error *error) {
    dq_tensors t = {0};
    dq_status status = take_tensors(a, f, policy, &t, error);
    if (!status) status = dq_npz_write(a->out, (const char *const *)t.names, t.arrays, t.count, error);
    dq_tensors_deinit(&t);
    return status;
}

static dq_status write_renamed(const arguments *a, const dq_tensors *t, dq_error *error) {
    dq_stored_tensor *stored = calloc((size_t)t->count + 1, sizeof *stored);
    if (!stored) return dq_fail(error, DQ_MEMORY, a->out, "there is no memory to write the weights");
    for (int i = 0; i < t->count; i++) {
        const dq_array *array = &t->arrays[i];
        stored[i] = (dq_stored_tensor){.name = t->names[i],
                                       .type = array->type == DQ_ARRAY_I8 ? DQ_STORED_I64 : DQ_STORED_F32,
                                       .rank = array->rank,
                                       .data = array->data};
        memcpy(stored[i].shape, array->shape, sizeof stored[i].shape);
    }
    const dq_text_pair metadata[] = {{"format", "pt"}};
    const dq_status status = dq_safetensors_write(a->out, stored, t->count, metadata, 1, error);
    free(stored);
    return status;
}

// With its own names it is a weights file of deepq, the configuration inside.
static dq_status write_safetensors(const arguments *a, const format *f, dq_policy *policy, dq_error *error) {
    if (!a->names && !a->map && dq_policy_config(policy)->env[0])
        return dq_policy_save(policy, a->out, error);
    dq_tensors t = {0};
    dq_status status = take_tensors(a, f, policy, &t, error);
    if (!status) status = write_renamed(a, &t, error);
    dq_tensors_deinit(&t);
    return status;
}

static const format formats[] = {
    {".onnx", DQ_NAMES_OWN, false, false, write_onnx},
    {".c", DQ_NAMES_OWN, false, true, write_c99},
    {".pth", DQ_NAMES_SEQUENTIAL, true, false, write_pth},
    {".safetensors", DQ_NAMES_OWN, true, false, write_safetensors},
    {".npz", DQ_NAMES_OWN, true, false, write_npz},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static const format *find_format(const char *path) {
    const size_t length = strlen(path);
    for (int i = 0; i < FORMATS; i++) {
        const size_t ending = strlen(formats[i].ending);
        if (length > ending && !strcasecmp(path + length - ending, formats[i].ending)) return &formats[i];
    }
    return NULL;
}

// --- arguments ---------------------------------------------------------------------------------------------

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'o':
        a->out = text;
        break;
    case 'm':
        a->map = text;
        break;
    case 'n':
        a->names = text;
        break;
    case 'N':
        a->name = text;
        break;
    case '8':
        a->int8 = true;
        break;
    case ARGP_KEY_ARG:
        if (a->who) argp_error(state, "'%s' is one word too many", text);
        a->who = text;
        break;
    case ARGP_KEY_END:
        if (!a->who) argp_error(state, "which policy? Give a run's folder or a weights file");
        if (!a->out)
            argp_error(state, "where to? Give -o FILE, ending in .onnx, .c, .pth, .safetensors or .npz");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int check(const arguments *a, const format *f) {
    if (!f)
        return cli_usage(
            "%s: which format is that? Its name has to end in .onnx, .c, .pth, .safetensors or .npz", a->out);
    if (a->int8 && !f->int8) return cli_usage("--int8 is for .c files, and %s is none", a->out);
    if (a->name && !f->int8) return cli_usage("--name is for .c files, and %s is none", a->out);
    if ((a->map || a->names) && !f->tensors)
        return cli_usage("--map and --names are for .pth, .safetensors and .npz files, and %s is none",
                         a->out);
    if (a->names && strcmp(a->names, "own") != 0 && strcmp(a->names, "sequential") != 0)
        return cli_usage("--names is own or sequential, not '%s'", a->names);
    return 0;
}

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"output", 'o', "FILE", 0, "Where to; the name's ending is the format", 0},
        {"int8", '8', NULL, 0, ".c: weights in 8 bits, a quarter of the size", 0},
        {"name", 'N', "NAME", 0, ".c: of the functions NAME_act and NAME_q; default: the file's", 0},
        {"names", 'n', "HOW", 0,
         "Tensors' names: own (hidden1.weight), or sequential (0.weight), which is the default for .pth", 0},
        {"map", 'm', "FROM=TO,...", 0, "Rename tensors: 'output=fc' makes output.weight fc.weight", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "RUN|WEIGHTS|FILE.pth",
        "Writes a policy for other programs: .onnx (ONNX opset 17), .c (one C99 file), .pth (a state_dict of "
        "PyTorch), .safetensors, .npz.",
        NULL,
        NULL,
        NULL};
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    const format *f = failed ? NULL : find_format(a.out);
    if (!failed) failed = check(&a, f);
    if (failed) return failed;
    dq_error error = {0};
    dq_policy *policy = NULL;
    dq_status status = cli_policy_load(&policy, a.who, &error);
    if (!status) status = f->write(&a, f, policy, &error);
    dq_policy_destroy(policy);
    return status ? cli_fail(&error) : 0;
}

const cli_verb cli_verb_export = {"export", 50, "RUN|WEIGHTS -o FILE [--int8]",
                                  "writes a policy as ONNX, C, .pth, safetensors or .npz", run};
