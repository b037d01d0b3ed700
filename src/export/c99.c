// One C99 file out of a program (nn/program.h): weights as constant arrays, and plain loops over them.
//
// The loops repeat the order of additions of the library's one-sample pass (kernel/ref/gemm.c, matvec; the
// layers' `apply`; the heads' `to_q`), so that the file gives the same bits. What a network does not need is
// not in its file: a compiler would warn of an unused function.
#include "base/file.h"
#include "export/c99_text.h"
#include "export/export.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct writer {
    dq_file file;
    const char *name;
    bool int8, finite;
    const dq_op *last; // of the program
    size_t weights;    // bytes of constants
} writer;

// Are this operation's weights to be of 8 bits? Not those of a linear one that gives the Q values: they are
// few, and their errors would fall on the values as they are, the same ones for all observations.
static bool in_8_bits(const writer *w, const dq_op *op) {
    return w->int8 && op->weight && (op->kind != DQ_OP_LINEAR || op != w->last);
}

// Writes text; every '$' in `format` stands for the policy's name.
static void put(writer *w, const char *format, ...) {
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0) return;
    for (const char *c = text; *c;) {
        const size_t plain = strcspn(c, "$");
        dq_file_write(&w->file, c, plain);
        c += plain;
        if (*c == '$') {
            dq_file_write(&w->file, w->name, strlen(w->name));
            c++;
        }
    }
}

// --- what each operation needs once ------------------------------------------------------------------------

static const char *helper_of(const writer *w, const dq_op *op) {
    static const char *const texts[] = {
        [DQ_OP_FEATURES] = "",           [DQ_OP_NORMALIZE] = normalize_text,   [DQ_OP_AFFINE] = affine_text,
        [DQ_OP_LINEAR] = linear_text,    [DQ_OP_LAYER_NORM] = layer_norm_text, [DQ_OP_DUELING] = dueling_text,
        [DQ_OP_EXPECTATION] = mean_text, [DQ_OP_ACTIVATION] = activation_text, [DQ_OP_UNIT] = unit_text,
        [DQ_OP_CONV] = conv_text,        [DQ_OP_MAX_POOL] = max_pool_text,     [DQ_OP_ADD] = add_text,
    };
    if (op->kind == DQ_OP_UNIT && op->divides) return divide_text;
    if (in_8_bits(w, op)) return op->kind == DQ_OP_CONV ? conv8_text : linear8_text;
    if (op->kind == DQ_OP_EXPECTATION && op->softmax) return expectation_text;
    return texts[op->kind];
}

static const char *activation_of(const dq_op *op) {
    static const char *const texts[] = {[DQ_NONLINEARITY_NONE] = "",
                                        [DQ_NONLINEARITY_RELU] = relu_text,
                                        [DQ_NONLINEARITY_LEAKY] = leaky_text};
    return texts[op->activation.kind];
}

// Each text once, in the order of first need.
static void put_helpers(writer *w, const dq_program *program) {
    const char *put_already[2 * DQ_PROGRAM_OPS] = {""};
    int count = 1;
    for (int i = 0; i < 2 * program->count; i++) {
        const dq_op *op = &program->ops[i / 2];
        const char *text = i % 2 ? activation_of(op) : helper_of(w, op);
        bool known = *text == 0;
        for (int k = 0; k < count; k++) known |= put_already[k] == text;
        if (known) continue;
        put_already[count++] = text;
        put(w, "%s", text);
    }
}

// --- constants ---------------------------------------------------------------------------------------------

// The name of the constant `what` of an operation, without the policy's.
static const char *constant_name(const dq_op *op, const char *what, char text[96]) {
    snprintf(text, 96, "%s_%s", op->name, what);
    for (char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c)) *c = '_';
    return text;
}

static const char *float_text(writer *w, float value, char text[32]) {
    if (!isfinite(value)) w->finite = false;
    snprintf(text, 32, "%.9g", (double)value);
    strcat(text, strpbrk(text, ".en") ? "f" : ".0f");
    return text;
}

static void put_floats(writer *w, const dq_op *op, const char *what, const float *data, size_t count) {
    char name[96], number[32];
    put(w, "static const float $_%s[%zu] = {", constant_name(op, what, name), count);
    for (size_t i = 0; i < count; i++)
        put(w, "%s%s,", i % 8 ? " " : "\n    ", float_text(w, data[i], number));
    put(w, "\n};\n");
    w->weights += count * sizeof(float);
}

static size_t weights_of(const dq_op *op) {
    if (op->kind != DQ_OP_CONV) return (size_t)op->in * (size_t)op->out;
    return (size_t)(op->kernel * op->kernel * op->in_image[2]) * (size_t)op->out_image[2];
}

static float clip8(float value) {
    return fminf(fmaxf(rintf(value), -127), 127);
}

// The scale with the least squared error: a little below the one that the largest weight asks for, where
// cutting that weight costs less than all others gain.
static float row_scale(const float *row, size_t columns, size_t next) {
    float largest = 0, scale = 1;
    for (size_t c = 0; c < columns; c++) largest = fmaxf(largest, fabsf(row[c * next]));
    if (largest < 1e-30F) return 1; // below, the quotients would be no numbers of 8 bits
    double least = HUGE_VAL;
    for (int percent = 100; percent >= 60; percent -= 2) {
        const float tried = largest / 127 * (float)percent / 100;
        double squares = 0;
        for (size_t c = 0; c < columns; c++) {
            const double error = row[c * next] - tried * clip8(row[c * next] / tried);
            squares += error * error;
        }
        if (squares < least) {
            least = squares;
            scale = tried;
        }
    }
    return scale;
}

// q[i] near row[i * next] / scale, with the sum of the rounding errors at most a half: inputs after a ReLU,
// and bytes, are never negative, so that a sum of errors would move every output the same way. The weights
// that were closest to being rounded to the other side are.
static void round_row(const float *row, size_t columns, size_t next, float scale, signed char *q) {
    double left = 0;
    for (size_t c = 0; c < columns; c++) {
        const float exact = row[c * next] / scale;
        q[c * next] = (signed char)clip8(exact);
        left += (double)exact - q[c * next];
    }
    while (fabs(left) > 0.5) {
        const int step = left > 0 ? 1 : -1;
        size_t best = 0;
        float most = 0;
        for (size_t c = 0; c < columns; c++) {
            const float missing = (row[c * next] / scale - q[c * next]) * step;
            if (missing > most && abs(q[c * next] + step) <= 127) {
                most = missing;
                best = c;
            }
        }
        if (most <= 0) return;
        q[best * next] = (signed char)(q[best * next] + step);
        left -= step;
    }
}

// 8-bit numbers and their scales, one an output: w is near scale * q. A linear operation's outputs are rows,
// a convolution's the last dimension.
static bool put_int8(writer *w, const dq_op *op) {
    const bool conv = op->kind == DQ_OP_CONV;
    const size_t rows = (size_t)(conv ? op->out_image[2] : op->out), columns = weights_of(op) / rows;
    const size_t next_row = conv ? 1 : columns, next = conv ? rows : 1;
    float *scale = calloc(rows, sizeof *scale);
    signed char *q = calloc(rows * columns, 1);
    if (!scale || !q) {
        free(scale);
        free(q);
        return false;
    }
    char name[96];
    for (size_t r = 0; r < rows; r++) {
        const float *row = op->weight + r * next_row;
        for (size_t c = 0; c < columns; c++)
            if (!isfinite(row[c * next])) w->finite = false;
        if (!w->finite) break; // and the file is refused
        scale[r] = row_scale(row, columns, next);
        round_row(row, columns, next, scale[r], q + r * next_row);
    }
    put(w, "static const signed char $_%s[%zu] = {", constant_name(op, "weight", name), rows * columns);
    for (size_t i = 0; i < rows * columns; i++) put(w, "%s%d,", i % 20 ? " " : "\n    ", q[i]);
    put(w, "\n};\n");
    w->weights += rows * columns;
    put_floats(w, op, "scale", scale, rows);
    free(scale);
    free(q);
    return true;
}

static bool put_constants(writer *w, const dq_op *op) {
    const size_t width = (size_t)(op->kind == DQ_OP_CONV ? op->out_image[2] : op->out);
    if (in_8_bits(w, op)) {
        if (!put_int8(w, op)) return false;
    } else if (op->weight) {
        put_floats(w, op, "weight", op->weight, weights_of(op));
    }
    if (op->center) put_floats(w, op, "center", op->center, width);
    if (op->scale) put_floats(w, op, "scale", op->scale, width);
    if (op->bias) put_floats(w, op, "bias", op->bias, width);
    return true;
}

// --- the calls ---------------------------------------------------------------------------------------------

static void put_features(writer *w, const dq_op *op, const char *x, const char *y) {
    static const char *const before[] = {"", "(float)log10((double)(", "(float)sin((double)(",
                                         "(float)cos((double)("};
    char floor[32], shift[32], scale[32], value[160];
    float_text(w, DQ_FEATURE_FLOOR, floor);
    for (int f = 0; f < op->out; f++) {
        const dq_feature *feature = &op->features[f];
        const char *function = before[feature->kind];
        if (feature->kind == DQ_FEATURE_LOG)
            snprintf(value, sizeof value, "%s[%d] > %s ? %s[%d] : %s", x, feature->from, floor, x,
                     feature->from, floor);
        else
            snprintf(value, sizeof value, "%s[%d]", x, feature->from);
        put(w, "    %s[%d] = (%s%s%s - %s) / %s;\n", y, f, function, value, *function ? "))" : "",
            float_text(w, feature->shift, shift), float_text(w, feature->scale, scale));
    }
}

// `other`: what an addition adds.
static void put_call(writer *w, const dq_op *op, const char *x, const char *other, const char *y) {
    char a[96], b[96], c[96], n[32], m[32];
    constant_name(op, "weight", a);
    constant_name(op, "scale", b);
    constant_name(op, "bias", c);
    switch (op->kind) {
    case DQ_OP_FEATURES:
        put_features(w, op, x, y);
        break;
    case DQ_OP_NORMALIZE:
        constant_name(op, "center", a);
        put(w, "    $_normalize($_%s, $_%s, %s, %s, %d, %s);\n", a, b,
            float_text(w, op->clip > 0 ? op->clip : 3e38F, n), x, op->out, y);
        break;
    case DQ_OP_AFFINE:
        put(w, "    $_affine($_%s, $_%s, %s, %d, %s);\n", b, c, x, op->out, y);
        break;
    case DQ_OP_LINEAR:
        if (in_8_bits(w, op))
            put(w, "    $_linear8($_%s, $_%s, $_%s, %s, %d, %d, %s);\n", a, b, c, x, op->out, op->in, y);
        else
            put(w, "    $_linear($_%s, $_%s, %s, %d, %d, %s);\n", a, c, x, op->out, op->in, y);
        break;
    case DQ_OP_LAYER_NORM:
        put(w, "    $_layer_norm($_%s, $_%s, %.17g, %s, %d, %s);\n", b, c, op->epsilon, x, op->out, y);
        break;
    case DQ_OP_DUELING:
        put(w, "    $_dueling(%s, %d, %d, %s);\n", x, op->values, op->out / op->values, y);
        break;
    case DQ_OP_EXPECTATION:
        if (op->softmax)
            put(w, "    $_expectation(%s, %d, %d, %s, %s, %s);\n", x, op->values, op->out,
                float_text(w, op->first, n), float_text(w, op->spacing, m), y);
        else
            put(w, "    $_mean(%s, %d, %d, %s);\n", x, op->values, op->out, y);
        break;
    case DQ_OP_ACTIVATION:
        put(w, "    $_copy(%s, %d, %s);\n", x, op->out, y);
        break;
    case DQ_OP_UNIT:
        put(w, "    $_unit(%s, %d, %s);\n", x, op->out, y);
        break;
    case DQ_OP_CONV:
        put(w, w->int8 ? "    $_conv($_%s, $_%s, $_%s, " : "    $_conv($_%s, %.0s$_%s, ", a, b, c);
        put(w, "%s, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %s);\n", x, op->in_image[0], op->in_image[1],
            op->in_image[2], op->kernel, op->stride, op->padding, op->terms, op->out_image[0],
            op->out_image[1], op->out_image[2], y);
        break;
    case DQ_OP_MAX_POOL:
        put(w, "    $_max_pool(%s, %d, %d, %d, %d, %d, %d, %d, %d, %s);\n", x, op->in_image[0],
            op->in_image[1], op->in_image[2], op->kernel, op->stride, op->padding, op->out_image[0],
            op->out_image[1], y);
        break;
    case DQ_OP_ADD:
        put(w, "    $_add(%s, %s, %d, %s);\n", x, other, op->out, y);
        break;
    }
    if (op->activation.kind == DQ_NONLINEARITY_RELU) put(w, "    $_relu(%s, %d);\n", y, op->out);
    if (op->activation.kind == DQ_NONLINEARITY_LEAKY)
        put(w, "    $_leaky(%s, %s, %d);\n", float_text(w, op->activation.slope, n), y, op->out);
}

// Which buffer takes what each operation gives: one that holds nothing which is still to be read.
typedef struct buffers {
    int of[DQ_PROGRAM_OPS]; // of operation i
    int size[DQ_PROGRAM_OPS], count;
} buffers;

static buffers place_buffers(const dq_program *program) {
    buffers b = {.count = 0};
    int last[DQ_PROGRAM_OPS]; // the operation that reads operation i's values last
    for (int i = 0; i < program->count; i++) {
        last[i] = i + 1;
        if (program->ops[i].kind == DQ_OP_ADD && program->ops[i].other >= 0) last[program->ops[i].other] = i;
    }
    for (int i = 0; i + 1 < program->count; i++) {
        int chosen = -1;
        for (bool taken = true; taken;) {
            chosen++;
            taken = false;
            for (int k = 0; k < i; k++) taken |= b.of[k] == chosen && last[k] >= i;
        }
        b.of[i] = chosen;
        if (chosen == b.count) b.size[b.count++] = 0;
        if (program->ops[i].out > b.size[chosen]) b.size[chosen] = program->ops[i].out;
    }
    return b;
}

// Bytes of the buffers and, roughly, of what the functions need beside them.
static size_t stack_of(const dq_program *program) {
    const buffers b = place_buffers(program);
    size_t floats = (size_t)program->outputs + 64;
    for (int k = 0; k < b.count; k++) floats += (size_t)b.size[k];
    return floats * sizeof(float);
}

static const char *observation_type(const dq_program *program) {
    return program->bytes ? "unsigned char" : "float";
}

static void put_functions(writer *w, const dq_program *program) {
    const buffers b = place_buffers(program);
    char names[DQ_PROGRAM_OPS][8];
    put(w, "void $_q(const %s *obs, float *q) {\n", observation_type(program));
    for (int k = 0; k < b.count; k++) put(w, "%s%c[%d]", k ? ", " : "    float ", 'a' + k, b.size[k]);
    if (b.count > 0) put(w, ";\n");
    for (int i = 0; i < program->count; i++) {
        const dq_op *op = &program->ops[i];
        snprintf(names[i], sizeof names[i], "%c", i + 1 < program->count ? 'a' + b.of[i] : 'q');
        const char *other = op->kind == DQ_OP_ADD && op->other >= 0 ? names[op->other] : "obs";
        put_call(w, op, i ? names[i - 1] : "obs", other, names[i]);
    }
    put(w, "}\n\nint $_act(const %s *obs) {\n", observation_type(program));
    put(w,
        "    float q[%d];\n"
        "    int a, best = 0;\n"
        "    $_q(obs, q);\n"
        "    for (a = 1; a < %d; a++)\n"
        "        if (q[a] > q[best]) best = a;\n"
        "    return best;\n"
        "}\n",
        program->outputs, program->outputs);
}

static bool needs_math(const dq_program *program) {
    bool needs = false;
    for (int i = 0; i < program->count; i++) {
        const dq_op *op = &program->ops[i];
        needs |= op->kind == DQ_OP_LAYER_NORM;
        for (int f = 0; op->kind == DQ_OP_FEATURES && f < op->out; f++)
            needs |= op->features[f].kind != DQ_FEATURE_COPY;
    }
    return needs;
}

dq_status dq_c99_write(const char *path, dq_program *program, const dq_c99_options *options,
                       dq_error *error) {
    if (options->int8 && !dq_program_fold_values(program))
        return dq_fail(error, DQ_MEMORY, path, "there is no memory to write the policy");
    writer w = {.name = options->name,
                .int8 = options->int8,
                .finite = true,
                .last = &program->ops[program->count - 1]};
    const bool math = needs_math(program);
    const char *type = observation_type(program);
    int channels = 0; // the most of a convolution
    for (int i = 0; i < program->count; i++)
        if (program->ops[i].kind == DQ_OP_CONV && program->ops[i].out_image[2] > channels)
            channels = program->ops[i].out_image[2];
    char origin[200];
    snprintf(origin, sizeof origin, "%s", options->origin);
    for (char *c = origin; *c; c++) // nothing that ends the comment
        if (*c == '*' || *c == '$' || *c == '\\' || !isprint((unsigned char)*c)) *c = ' ';
    dq_status status = dq_file_begin(&w.file, path, error);
    if (status) return status;
    put(&w,
        "/* A policy trained with deepq: %s\n"
        "\n"
        "   int $_act(const %s *obs);           the best action, 0 to %d\n"
        "   void $_q(const %s *obs, float *q);  the value of each action, q[%d]\n"
        "\n",
        origin, type, program->outputs - 1, type, program->outputs);
    if (program->bytes)
        put(&w, "   obs: [%d][%d][%d] bytes, the stack of frames that the network sees, the oldest first.",
            program->image[0], program->image[1], program->image[2]);
    else
        put(&w, "   obs: [%d] floats, the environment's observation as it is.", program->inputs);
    put(&w, " C99, nothing\n   allocated, no state; about %zu bytes of stack%s. Made by deepq export. */\n",
        stack_of(program), math ? "; link with -lm" : "");
    if (math) put(&w, "#include <math.h>\n");
    put(&w, "\n#define $_INPUTS %d\n#define $_ACTIONS %d\n", program->inputs, program->outputs);
    if (channels > 0) put(&w, "#define $_CHANNELS %d\n", channels);
    put(&w, "\nint $_act(const %s *obs);\nvoid $_q(const %s *obs, float *q);\n\n", type, type);
    bool room = true, products = false;
    for (int i = 0; i < program->count && room; i++) {
        room = put_constants(&w, &program->ops[i]);
        products |= program->ops[i].weight != NULL;
    }
    put(&w, "\n");
    if (products) put(&w, "%s", fma_text);
    put_helpers(&w, program);
    put_functions(&w, program);
    if (!room) status = dq_fail(error, DQ_MEMORY, path, "there is no memory to write the policy");
    if (!w.finite)
        status =
            dq_fail(error, DQ_FORMAT, path,
                    "the network holds a weight that is not a number or infinite; C has no constant for it");
    if (!status) return dq_file_commit(&w.file, error);
    dq_file_cancel(&w.file);
    return status;
}

char *dq_c99_name(const char *path, char *name, size_t size) {
    const char *slash = strrchr(path, '/'), *stem = slash ? slash + 1 : path;
    const size_t length = strcspn(stem, ".");
    size_t at = 0;
    if (!isalpha((unsigned char)*stem)) at += (size_t)snprintf(name, size, "policy_");
    for (size_t i = 0; i < length && at + 1 < size; i++)
        name[at++] = isalnum((unsigned char)stem[i]) ? stem[i] : '_';
    name[at] = 0;
    return name;
}
