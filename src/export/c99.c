// One C99 file out of a program (nn/program.h): weights as constant arrays, and plain loops over them.
//
// The loops repeat the order of additions of the library's one-sample pass (kernel/ref/gemm.c, matvec; the
// layers' `apply`; the heads' `to_q`), so that the file gives the same bits. What a network does not need is
// not in its file: a compiler would warn of an unused function.
#include "base/file.h"
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
    size_t weights; // bytes of constants
} writer;

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

static const char linear_text[] =
    "/* y = w x + b; 16 running sums, added as a tree: the order in which deepq adds. */\n"
    "static void $_linear(const float *w, const float *b, const float *x, int rows, int columns, float *y) "
    "{\n"
    "    int r, i, l;\n"
    "    for (r = 0; r < rows; r++, w += columns) {\n"
    "        float s[16] = {0};\n"
    "        for (i = 0; i + 16 <= columns; i += 16)\n"
    "            for (l = 0; l < 16; l++) s[l] = $_FMA(w[i + l], x[i + l], s[l]);\n"
    "        for (l = 0; l < 16 && i + l < columns; l++) s[l] = $_FMA(w[i + l], x[i + l], s[l]);\n"
    "        for (l = 8; l > 0; l /= 2)\n"
    "            for (i = 0; i < l; i++) s[i] += s[i + l];\n"
    "        y[r] = s[0] + b[r];\n"
    "    }\n"
    "}\n\n";

static const char linear8_text[] =
    "/* y = scale w x + b, the weights in 8 bits with one scale a row. */\n"
    "static void $_linear(const signed char *w, const float *scale, const float *b, const float *x,\n"
    "                     int rows, int columns, float *y) {\n"
    "    int r, i, l;\n"
    "    for (r = 0; r < rows; r++, w += columns) {\n"
    "        float s[16] = {0};\n"
    "        for (i = 0; i + 16 <= columns; i += 16)\n"
    "            for (l = 0; l < 16; l++) s[l] = $_FMA((float)w[i + l], x[i + l], s[l]);\n"
    "        for (l = 0; l < 16 && i + l < columns; l++) s[l] = $_FMA((float)w[i + l], x[i + l], s[l]);\n"
    "        for (l = 8; l > 0; l /= 2)\n"
    "            for (i = 0; i < l; i++) s[i] += s[i + l];\n"
    "        y[r] = scale[r] * s[0] + b[r];\n"
    "    }\n"
    "}\n\n";

static const char normalize_text[] = "/* y = (x - center) scale, cut to +-clip. */\n"
                                     "static void $_normalize(const float *center, const float *scale, float "
                                     "clip, const float *x, int n, float "
                                     "*y) {\n"
                                     "    int i;\n"
                                     "    for (i = 0; i < n; i++) {\n"
                                     "        float v = (x[i] - center[i]) * scale[i];\n"
                                     "        y[i] = v > clip ? clip : v < -clip ? -clip : v;\n"
                                     "    }\n"
                                     "}\n\n";

static const char affine_text[] =
    "static void $_affine(const float *scale, const float *b, const float *x, int n, float *y) {\n"
    "    int i;\n"
    "    for (i = 0; i < n; i++) y[i] = x[i] * scale[i] + b[i];\n"
    "}\n\n";

static const char layer_norm_text[] =
    "/* y = (x - mean) / sqrt(variance + epsilon) scale + b, over the n features. */\n"
    "static void $_layer_norm(const float *scale, const float *b, double epsilon, const float *x, int n, "
    "float "
    "*y) {\n"
    "    double sum = 0, square = 0;\n"
    "    float mean, inverse;\n"
    "    int i;\n"
    "    for (i = 0; i < n; i++) sum += (double)x[i];\n"
    "    sum /= n;\n"
    "    for (i = 0; i < n; i++) square += ((double)x[i] - sum) * ((double)x[i] - sum);\n"
    "    mean = (float)sum;\n"
    "    inverse = (float)(1.0 / sqrt(square / n + epsilon));\n"
    "    for (i = 0; i < n; i++) y[i] = (x[i] - mean) * inverse * scale[i] + b[i];\n"
    "}\n\n";

static const char dueling_text[] =
    "/* value and advantages of n outputs each: y = value + advantage - mean advantage. */\n"
    "static void $_dueling(const float *x, int n, int actions, float *y) {\n"
    "    const float share = 1.0f / (float)actions;\n"
    "    int i, a;\n"
    "    for (i = 0; i < n; i++) {\n"
    "        float base = 0;\n"
    "        for (a = 0; a < actions; a++) base += x[n + a * n + i];\n"
    "        base = x[i] - base * share;\n"
    "        for (a = 0; a < actions; a++) y[a * n + i] = base + x[n + a * n + i];\n"
    "    }\n"
    "}\n\n";

static const char mean_text[] = "/* the mean of n outputs for each action */\n"
                                "static void $_mean(const float *x, int n, int actions, float *y) {\n"
                                "    const float share = 1.0f / (float)n;\n"
                                "    int i, a;\n"
                                "    for (a = 0; a < actions; a++, x += n) {\n"
                                "        float sum = 0;\n"
                                "        for (i = 0; i < n; i++) sum += x[i];\n"
                                "        y[a] = sum * share;\n"
                                "    }\n"
                                "}\n\n";

static const char expectation_text[] =
    "/* e^x for x in -87 to 0, after Cephes (Moshier). */\n"
    "static float $_exp(float x) {\n"
    "    union { float f; int i; } power;\n"
    "    float n, r, y;\n"
    "    x = x > -87.0f ? x : -87.0f;\n"
    "    n = x * 1.44269504088896341f + 12582912.0f; /* rounds to a whole number */\n"
    "    n = n - 12582912.0f;\n"
    "    r = x - n * 0.693359375f;\n"
    "    r = r - n * -2.12194440e-4f;\n"
    "    y = 1.9875691500e-4f;\n"
    "    y = y * r + 1.3981999507e-3f;\n"
    "    y = y * r + 8.3334519073e-3f;\n"
    "    y = y * r + 4.1665795894e-2f;\n"
    "    y = y * r + 1.6666665459e-1f;\n"
    "    y = y * r + 5.0000001201e-1f;\n"
    "    y = y * (r * r) + r + 1.0f;\n"
    "    power.i = ((int)n + 127) * (1 << 23);\n"
    "    return y * power.f;\n"
    "}\n\n"
    "/* the mean of the values first + i spacing under softmax(x), for each action */\n"
    "static void $_expectation(const float *x, int n, int actions, float first, float spacing, float *y) {\n"
    "    int i, a;\n"
    "    for (a = 0; a < actions; a++, x += n) {\n"
    "        float top = x[0], sum = 0, moment = 0;\n"
    "        for (i = 1; i < n; i++) top = x[i] > top ? x[i] : top;\n"
    "        for (i = 0; i < n; i++) {\n"
    "            float power = $_exp(x[i] - top);\n"
    "            sum += power;\n"
    "            moment += (float)i * power;\n"
    "        }\n"
    "        y[a] = first + spacing * (moment / sum);\n"
    "    }\n"
    "}\n\n";

static const char relu_text[] = "static void $_relu(float *y, int n) {\n"
                                "    int i;\n"
                                "    for (i = 0; i < n; i++) y[i] = 0.0f > y[i] ? 0.0f : y[i];\n"
                                "}\n\n";

static const char leaky_text[] = "static void $_leaky(float slope, float *y, int n) {\n"
                                 "    int i;\n"
                                 "    for (i = 0; i < n; i++) y[i] = y[i] > 0.0f ? y[i] : slope * y[i];\n"
                                 "}\n\n";

static const char activation_text[] = "static void $_copy(const float *x, int n, float *y) {\n"
                                      "    int i;\n"
                                      "    for (i = 0; i < n; i++) y[i] = x[i];\n"
                                      "}\n\n";

static const char fma_text[] =
    "/* a b + c, rounded once. The second form does so in doubles; for a processor without either, that may\n"
    "   differ from deepq in last bits, define it as ((a) * (b) + (c)). */\n"
    "#ifndef $_FMA\n"
    "#ifdef __FP_FAST_FMAF\n"
    "#define $_FMA(a, b, c) __builtin_fmaf(a, b, c)\n"
    "#else\n"
    "#define $_FMA(a, b, c) ((float)((double)(a) * (double)(b) + (double)(c)))\n"
    "#endif\n"
    "#endif\n\n";

static const char *helper_of(const writer *w, const dq_op *op) {
    static const char *const texts[] = {
        [DQ_OP_FEATURES] = "",           [DQ_OP_NORMALIZE] = normalize_text,   [DQ_OP_AFFINE] = affine_text,
        [DQ_OP_LINEAR] = linear_text,    [DQ_OP_LAYER_NORM] = layer_norm_text, [DQ_OP_DUELING] = dueling_text,
        [DQ_OP_EXPECTATION] = mean_text, [DQ_OP_ACTIVATION] = activation_text,
    };
    if (op->kind == DQ_OP_LINEAR && w->int8) return linear8_text;
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

// Rows of 8-bit numbers and their scales: w is near scale * q.
static bool put_int8(writer *w, const dq_op *op) {
    const size_t columns = (size_t)op->in, rows = (size_t)op->out;
    float *scale = malloc(rows * sizeof *scale);
    if (!scale) return false;
    char name[96];
    put(w, "static const signed char $_%s[%zu] = {", constant_name(op, "weight", name), rows * columns);
    for (size_t r = 0; r < rows; r++) {
        const float *row = op->weight + r * columns;
        float largest = 0;
        for (size_t c = 0; c < columns; c++) {
            if (!isfinite(row[c])) w->finite = false;
            largest = fmaxf(largest, fabsf(row[c]));
        }
        scale[r] = largest > 0 ? largest / 127 : 1;
        for (size_t c = 0; c < columns; c++) {
            const long q = w->finite ? lrintf(row[c] / scale[r]) : 0;
            put(w, "%s%ld,", (r * columns + c) % 20 ? " " : "\n    ", q);
        }
    }
    put(w, "\n};\n");
    w->weights += rows * columns;
    put_floats(w, op, "scale", scale, rows);
    free(scale);
    return true;
}

static bool put_constants(writer *w, const dq_op *op) {
    const size_t width = (size_t)op->out;
    if (op->weight && w->int8) {
        if (!put_int8(w, op)) return false;
    } else if (op->weight) {
        put_floats(w, op, "weight", op->weight, (size_t)op->in * width);
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

static void put_call(writer *w, const dq_op *op, const char *x, const char *y) {
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
        if (w->int8)
            put(w, "    $_linear($_%s, $_%s, $_%s, %s, %d, %d, %s);\n", a, b, c, x, op->out, op->in, y);
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
    }
    if (op->activation.kind == DQ_NONLINEARITY_RELU) put(w, "    $_relu(%s, %d);\n", y, op->out);
    if (op->activation.kind == DQ_NONLINEARITY_LEAKY)
        put(w, "    $_leaky(%s, %s, %d);\n", float_text(w, op->activation.slope, n), y, op->out);
}

static void put_functions(writer *w, const dq_program *program) {
    static const char *const buffers[] = {"a", "b"};
    const int widest = dq_program_widest(program);
    put(w, "void $_q(const float *obs, float *q) {\n");
    if (program->count > 1)
        put(w, program->count > 2 ? "    float a[%d], b[%d];\n" : "    float a[%d];\n", widest, widest);
    for (int i = 0; i < program->count; i++)
        put_call(w, &program->ops[i], i ? buffers[(i - 1) % 2] : "obs",
                 i + 1 < program->count ? buffers[i % 2] : "q");
    put(w,
        "}\n\n"
        "int $_act(const float *obs) {\n"
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

dq_status dq_c99_write(const char *path, const dq_program *program, const dq_c99_options *options,
                       dq_error *error) {
    writer w = {.name = options->name, .int8 = options->int8, .finite = true};
    const bool math = needs_math(program);
    char origin[200];
    snprintf(origin, sizeof origin, "%s", options->origin);
    for (char *c = origin; *c; c++) // nothing that ends the comment
        if (*c == '*' || *c == '$' || *c == '\\' || !isprint((unsigned char)*c)) *c = ' ';
    dq_status status = dq_file_begin(&w.file, path, error);
    if (status) return status;
    put(&w,
        "/* A policy trained with deepq: %s\n"
        "\n"
        "   int $_act(const float *obs);           the best action, 0 to %d\n"
        "   void $_q(const float *obs, float *q);  the value of each action, q[%d]\n"
        "\n"
        "   obs: [%d] floats, the environment's observation as it is. C99, nothing allocated, no state; "
        "about\n"
        "   %zu bytes of stack%s. Made by deepq export. */\n",
        origin, program->outputs - 1, program->outputs, program->inputs,
        (size_t)(2 * dq_program_widest(program) + program->outputs + 32) * sizeof(float),
        math ? "; link with -lm" : "");
    if (math) put(&w, "#include <math.h>\n");
    put(&w,
        "\n#define $_INPUTS %d\n#define $_ACTIONS %d\n\nint $_act(const float *obs);\n"
        "void $_q(const float *obs, float *q);\n\n",
        program->inputs, program->outputs);
    bool room = true, linear = false;
    for (int i = 0; i < program->count && room; i++) {
        room = put_constants(&w, &program->ops[i]);
        linear |= program->ops[i].kind == DQ_OP_LINEAR;
    }
    put(&w, "\n");
    if (linear) put(&w, fma_text);
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
