// ONNX files: a program (nn/program.h) as a graph of standard operators, opset 17.
//
// The fields are those of onnx.proto; protobuf's wire format comes from io/protobuf.h. Values flow along the
// chain under the name of the operation that made them. Batches are the first dimension, of any size.
#include "base/file.h"
#include "export/export.h"
#include "io/protobuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Field numbers of onnx.proto.
enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    OPSET_VERSION = 2,
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP = 4,
    NODE_ATTRIBUTE = 5,
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_FLOAT = 2,
    ATTRIBUTE_INT = 3,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TYPE = 20,
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9,
    VALUE_NAME = 1,
    VALUE_TYPE = 2,
    TYPE_TENSOR = 1,
    TENSOR_TYPE_ELEMENT = 1,
    TENSOR_TYPE_SHAPE = 2,
    SHAPE_DIM = 1,
    DIM_VALUE = 1,
    DIM_PARAM = 2,
};
enum { IS_FLOAT = 1, IS_INT = 2, IS_INTS = 7 };                  // AttributeProto.AttributeType
enum { ELEMENT_FLOAT = 1, ELEMENT_BYTE = 2, ELEMENT_INT64 = 7 }; // TensorProto.DataType
enum { FEATURES_MOST = 4096 };                       // of features, and of values of a distribution
enum { IR_VERSION = 8, OPSET = 17, NAME_SIZE = 80 }; // ONNX 1.12

typedef char name[NAME_SIZE];

typedef struct graph {
    dq_protobuf nodes, initializers;
    name last;                  // the value that the chain has come to
    int number;                 // of the node to come
    bool image;                 // it is [batch, channels, height, width]; else [batch, features]
    name given[DQ_PROGRAM_OPS]; // what each operation gave
} graph;

// --- pieces ------------------------------------------------------------------------------------------------

// Adds an initializer of `rank` dimensions. Returns its name.
static const char *constant(graph *g, name out, const char *prefix, const char *suffix, int type, int rank,
                            const int64_t *dims, const void *data) {
    size_t size = type == ELEMENT_FLOAT ? sizeof(float) : sizeof(int64_t);
    snprintf(out, NAME_SIZE, "%s.%s", prefix, suffix);
    dq_protobuf *p = &g->initializers;
    const size_t tensor = dq_protobuf_begin(p, GRAPH_INITIALIZER);
    for (int i = 0; i < rank; i++) {
        dq_protobuf_int(p, TENSOR_DIMS, dims[i]);
        size *= (size_t)dims[i];
    }
    dq_protobuf_int(p, TENSOR_TYPE, type);
    dq_protobuf_text(p, TENSOR_NAME, out);
    dq_protobuf_bytes(p, TENSOR_RAW, data, size);
    dq_protobuf_end(p, tensor);
    return out;
}

static const char *floats(graph *g, name out, const char *prefix, const char *suffix, int64_t count,
                          const float *data) {
    return constant(g, out, prefix, suffix, ELEMENT_FLOAT, 1, &count, data);
}

static const char *one_float(graph *g, name out, const char *prefix, const char *suffix, float value) {
    return constant(g, out, prefix, suffix, ELEMENT_FLOAT, 0, NULL, &value);
}

static const char *integers(graph *g, name out, const char *prefix, const char *suffix, int64_t count,
                            const int64_t *data) {
    return constant(g, out, prefix, suffix, ELEMENT_INT64, 1, &count, data);
}

typedef struct attribute {
    const char *name; // NULL: none
    int type;
    double number;
    const int *list; // IS_INTS: [count]
    int count;
} attribute;

// Adds a node whose output is called `out`, or anew after the operator where that is NULL, and becomes the
// chain's last value. `inputs` end with NULL; "" is one that is left out.
static void node_of(graph *g, const char *op, const char *const *inputs, const char *out,
                    const attribute attributes[3]) {
    name made;
    snprintf(made, sizeof made, "%.40s_%d", op, g->number++);
    dq_protobuf *p = &g->nodes;
    const size_t start = dq_protobuf_begin(p, GRAPH_NODE);
    for (int i = 0; inputs[i]; i++) dq_protobuf_text(p, NODE_INPUT, inputs[i]);
    dq_protobuf_text(p, NODE_OUTPUT, out ? out : made);
    dq_protobuf_text(p, NODE_NAME, made);
    dq_protobuf_text(p, NODE_OP, op);
    for (int i = 0; i < 3 && attributes[i].name; i++) {
        const size_t begun = dq_protobuf_begin(p, NODE_ATTRIBUTE);
        dq_protobuf_text(p, ATTRIBUTE_NAME, attributes[i].name);
        if (attributes[i].type == IS_FLOAT)
            dq_protobuf_float(p, ATTRIBUTE_FLOAT, (float)attributes[i].number);
        if (attributes[i].type == IS_INT) dq_protobuf_int(p, ATTRIBUTE_INT, (int64_t)attributes[i].number);
        for (int k = 0; k < attributes[i].count; k++)
            dq_protobuf_int(p, ATTRIBUTE_INTS, attributes[i].list[k]);
        dq_protobuf_int(p, ATTRIBUTE_TYPE, attributes[i].type);
        dq_protobuf_end(p, begun);
    }
    dq_protobuf_end(p, start);
    snprintf(g->last, sizeof g->last, "%s", out ? out : made);
}

static void node(graph *g, const char *op, const char *const *inputs, const char *out, attribute first,
                 attribute second) {
    node_of(g, op, inputs, out, (const attribute[3]){first, second});
}

#define INPUTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NONE        ((attribute){0})
#define INT(key, value)                                                                                      \
    (attribute) {                                                                                            \
        key, IS_INT, value, NULL, 0                                                                          \
    }
#define INTS(key, ...)                                                                                       \
    (attribute) {                                                                                            \
        key, IS_INTS, 0, (const int[]){__VA_ARGS__}, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int))       \
    }
#define FLOAT(key, value)                                                                                    \
    (attribute) {                                                                                            \
        key, IS_FLOAT, value, NULL, 0                                                                        \
    }

// A binary operator on the last value and another.
static void binary(graph *g, const char *op, const char *other) {
    name last;
    memcpy(last, g->last, sizeof last);
    node(g, op, INPUTS(last, other), NULL, NONE, NONE);
}

static void unary(graph *g, const char *op, attribute first, attribute second) {
    name last;
    memcpy(last, g->last, sizeof last);
    node(g, op, INPUTS(last), NULL, first, second);
}

static void clip(graph *g, const char *low, const char *high) {
    name last;
    memcpy(last, g->last, sizeof last);
    node(g, "Clip", INPUTS(last, low, high), NULL, NONE, NONE);
}

// --- operations --------------------------------------------------------------------------------------------

static void activate(graph *g, dq_nonlinearity f) {
    if (f.kind == DQ_NONLINEARITY_RELU) unary(g, "Relu", NONE, NONE);
    if (f.kind == DQ_NONLINEARITY_LEAKY) unary(g, "LeakyRelu", FLOAT("alpha", (double)f.slope), NONE);
}

// The features of one kind, in the order of the list, from the value `x`; false: there are none. `place`
// notes where each feature will stand when those of all kinds are put side by side.
static bool add_kind(graph *g, const dq_op *op, dq_feature_kind kind, const char *x, int64_t *place,
                     int *count) {
    static const char *const suffixes[] = {"copy", "log", "sin", "cos"};
    int64_t from[FEATURES_MOST];
    int64_t found = 0;
    for (int f = 0; f < op->out && found < FEATURES_MOST; f++) {
        if (op->features[f].kind != kind) continue;
        place[f] = (*count)++;
        from[found++] = op->features[f].from;
    }
    if (found == 0) return false;
    name indices, value, factor;
    integers(g, indices, op->name, suffixes[kind], found, from);
    node(g, "Gather", INPUTS(x, indices), NULL, INT("axis", 1), NONE);
    if (kind == DQ_FEATURE_SIN) unary(g, "Sin", NONE, NONE);
    if (kind == DQ_FEATURE_COS) unary(g, "Cos", NONE, NONE);
    if (kind == DQ_FEATURE_LOG) {
        binary(g, "Max", one_float(g, value, op->name, "floor", DQ_FEATURE_FLOOR));
        unary(g, "Log", NONE, NONE);
        binary(g, "Mul", one_float(g, factor, op->name, "log10_of_e", 0.4342944819032518F));
    }
    return true;
}

static void add_features(graph *g, const dq_op *op) {
    name x, parts[4], order, shift, scale;
    const char *joined[5] = {0};
    int64_t place[FEATURES_MOST];
    float shifts[FEATURES_MOST], scales[FEATURES_MOST];
    int count = 0, kinds = 0;
    memcpy(x, g->last, sizeof x);
    for (int kind = DQ_FEATURE_COPY; kind <= DQ_FEATURE_COS; kind++) {
        if (!add_kind(g, op, (dq_feature_kind)kind, x, place, &count)) continue;
        memcpy(parts[kinds], g->last, sizeof g->last);
        joined[kinds] = parts[kinds];
        kinds++;
    }
    if (kinds > 1) {
        node(g, "Concat", joined, NULL, INT("axis", 1), NONE);
        memcpy(x, g->last, sizeof x);
        node(g, "Gather", INPUTS(x, integers(g, order, op->name, "order", op->out, place)), NULL,
             INT("axis", 1), NONE);
    }
    for (int f = 0; f < op->out; f++) shifts[f] = op->features[f].shift, scales[f] = op->features[f].scale;
    binary(g, "Sub", floats(g, shift, op->name, "shift", op->out, shifts));
    binary(g, "Div", floats(g, scale, op->name, "scale", op->out, scales));
}

static void add_normalize(graph *g, const dq_op *op) {
    name center, scale, low, high;
    binary(g, "Sub", floats(g, center, op->name, "center", op->out, op->center));
    binary(g, "Mul", floats(g, scale, op->name, "scale", op->out, op->scale));
    if (op->clip > 0)
        clip(g, one_float(g, low, op->name, "low", -op->clip),
             one_float(g, high, op->name, "high", op->clip));
}

static void add_affine(graph *g, const dq_op *op) {
    name scale, bias;
    binary(g, "Mul", floats(g, scale, op->name, "scale", op->out, op->scale));
    binary(g, "Add", floats(g, bias, op->name, "bias", op->out, op->bias));
}

static void add_linear(graph *g, const dq_op *op) {
    name x, weight, bias;
    const int64_t shape[] = {op->out, op->in};
    memcpy(x, g->last, sizeof x);
    constant(g, weight, op->name, "weight", ELEMENT_FLOAT, 2, shape, op->weight);
    node(g, "Gemm", INPUTS(x, weight, floats(g, bias, op->name, "bias", op->out, op->bias)), NULL,
         INT("transB", 1), NONE);
}

static void add_layer_norm(graph *g, const dq_op *op) {
    name x, weight, bias;
    memcpy(x, g->last, sizeof x);
    floats(g, weight, op->name, "weight", op->out, op->scale);
    node(g, "LayerNormalization", INPUTS(x, weight, floats(g, bias, op->name, "bias", op->out, op->bias)),
         NULL, INT("axis", -1), FLOAT("epsilon", op->epsilon));
}

// x[:, from:to] of the value x
static void slice(graph *g, const char *x, const char *prefix, const char *suffix, int64_t from, int64_t to) {
    char key[48];
    name start, end, axis;
    snprintf(key, sizeof key, "%s_start", suffix);
    integers(g, start, prefix, key, 1, &from);
    snprintf(key, sizeof key, "%s_end", suffix);
    integers(g, end, prefix, key, 1, &to);
    snprintf(key, sizeof key, "%s_axis", suffix);
    integers(g, axis, prefix, key, 1, (const int64_t[]){1});
    node(g, "Slice", INPUTS(x, start, end, axis), NULL, NONE, NONE);
}

// [batch, ...] -> [batch, a, b], or [batch, a] where b is 0
static void reshape(graph *g, const char *prefix, const char *suffix, int64_t a, int64_t b) {
    name shape;
    binary(g, "Reshape", integers(g, shape, prefix, suffix, b ? 3 : 2, (const int64_t[]){0, a, b}));
}

static void add_dueling(graph *g, const dq_op *op) {
    const int n = op->values, actions = op->out / n;
    name x, value, advantage;
    memcpy(x, g->last, sizeof x);
    slice(g, x, op->name, "value", 0, n);
    reshape(g, op->name, "value_shape", 1, n);
    memcpy(value, g->last, sizeof value);
    slice(g, x, op->name, "advantage", n, op->in);
    reshape(g, op->name, "advantage_shape", actions, n);
    memcpy(advantage, g->last, sizeof advantage);
    unary(g, "ReduceMean", INTS("axes", 1), INT("keepdims", 1));
    name mean, centered;
    memcpy(mean, g->last, sizeof mean);
    node(g, "Sub", INPUTS(advantage, mean), NULL, NONE, NONE);
    memcpy(centered, g->last, sizeof centered);
    node(g, "Add", INPUTS(value, centered), NULL, NONE, NONE);
    reshape(g, op->name, "joined_shape", op->out, 0);
}

static void add_expectation(graph *g, const dq_op *op) {
    name atoms;
    float values[FEATURES_MOST];
    const int64_t count = op->values;
    reshape(g, op->name, "shape", op->out, op->values);
    if (!op->softmax) {
        unary(g, "ReduceMean", INTS("axes", 2), INT("keepdims", 0));
        return;
    }
    for (int i = 0; i < op->values; i++) values[i] = op->first + op->spacing * (float)i;
    unary(g, "Softmax", INT("axis", 2), NONE);
    binary(g, "MatMul", floats(g, atoms, op->name, "values", count, values));
}

// --- images ------------------------------------------------------------------------------------------------

// Features lie in the order height, width, channel; ONNX's operators on images want the channels first.
static void be_image(graph *g, const dq_op *op) {
    name shape;
    if (g->image) return;
    binary(g, "Reshape",
           integers(g, shape, op->name, "image", 4,
                    (const int64_t[]){-1, op->in_image[0], op->in_image[1], op->in_image[2]}));
    unary(g, "Transpose", INTS("perm", 0, 3, 1, 2), NONE);
    g->image = true;
}

static void be_features(graph *g, const dq_op *op, int64_t features) {
    name shape;
    if (!g->image) return;
    unary(g, "Transpose", INTS("perm", 0, 2, 3, 1), NONE);
    binary(g, "Reshape", integers(g, shape, op->name, "flat", 2, (const int64_t[]){-1, features}));
    g->image = false;
}

static void add_unit(graph *g, const dq_op *op) {
    name factor, shape;
    unary(g, "Cast", INT("to", ELEMENT_FLOAT), NONE);
    binary(g, op->divides ? "Div" : "Mul",
           one_float(g, factor, op->name, "unit", op->divides ? 255.0F : 1.0F / 255.0F));
    binary(g, "Reshape", integers(g, shape, op->name, "flat", 2, (const int64_t[]){-1, op->out}));
}

static void add_conv(graph *g, const dq_op *op) {
    const size_t k = (size_t)op->kernel, in = (size_t)op->in_image[2], out = (size_t)op->out_image[2];
    const int64_t shape[] = {op->out_image[2], op->in_image[2], op->kernel, op->kernel};
    const int pad = op->padding;
    name x, weight, bias;
    float *filters = malloc(k * k * in * out * sizeof *filters);
    if (!filters) {
        g->nodes.failed = true;
        return;
    }
    for (size_t e = 0; e < k * k * in; e++)
        for (size_t o = 0; o < out; o++)
            filters[(o * in + e % in) * k * k + e / in] = op->weight[e * out + o];
    be_image(g, op);
    memcpy(x, g->last, sizeof x);
    constant(g, weight, op->name, "weight", ELEMENT_FLOAT, 4, shape, filters);
    free(filters);
    floats(g, bias, op->name, "bias", (int64_t)out, op->bias);
    node_of(g, "Conv", INPUTS(x, weight, bias), NULL,
            (const attribute[3]){INTS("kernel_shape", op->kernel, op->kernel),
                                 INTS("strides", op->stride, op->stride), INTS("pads", pad, pad, pad, pad)});
}

static void add_max_pool(graph *g, const dq_op *op) {
    const int pad = op->padding;
    name x;
    be_image(g, op);
    memcpy(x, g->last, sizeof x);
    node_of(g, "MaxPool", INPUTS(x), NULL,
            (const attribute[3]){INTS("kernel_shape", op->kernel, op->kernel),
                                 INTS("strides", op->stride, op->stride), INTS("pads", pad, pad, pad, pad)});
}

// Both are images: a residual block adds what it was given.
static void add_add(graph *g, const dq_op *op) {
    binary(g, "Add", g->given[op->other]);
}

static void add_nothing(graph *g, const dq_op *op) {
    (void)g, (void)op;
}

static const struct {
    void (*add)(graph *, const dq_op *);
    bool any; // takes features and images as they come
    bool images;
} adders[] = {
    [DQ_OP_FEATURES] = {add_features, false, false},
    [DQ_OP_NORMALIZE] = {add_normalize, false, false},
    [DQ_OP_AFFINE] = {add_affine, false, false},
    [DQ_OP_LINEAR] = {add_linear, false, false},
    [DQ_OP_LAYER_NORM] = {add_layer_norm, false, false},
    [DQ_OP_DUELING] = {add_dueling, false, false},
    [DQ_OP_EXPECTATION] = {add_expectation, false, false},
    [DQ_OP_ACTIVATION] = {add_nothing, true, false},
    [DQ_OP_UNIT] = {add_unit, true, false},
    [DQ_OP_CONV] = {add_conv, false, true},
    [DQ_OP_MAX_POOL] = {add_max_pool, false, true},
    [DQ_OP_ADD] = {add_add, true, false},
};

// --- the file ----------------------------------------------------------------------------------------------

// A ValueInfoProto: [batch] and `rank` dimensions more.
static void describe(dq_protobuf *p, int field, const char *value, int type, int rank, const int *sizes) {
    const size_t info = dq_protobuf_begin(p, field);
    dq_protobuf_text(p, VALUE_NAME, value);
    const size_t about = dq_protobuf_begin(p, VALUE_TYPE), tensor = dq_protobuf_begin(p, TYPE_TENSOR);
    dq_protobuf_int(p, TENSOR_TYPE_ELEMENT, type);
    const size_t shape = dq_protobuf_begin(p, TENSOR_TYPE_SHAPE);
    size_t dim = dq_protobuf_begin(p, SHAPE_DIM);
    dq_protobuf_text(p, DIM_PARAM, "batch");
    dq_protobuf_end(p, dim);
    for (int i = 0; i < rank; i++) {
        dim = dq_protobuf_begin(p, SHAPE_DIM);
        dq_protobuf_int(p, DIM_VALUE, sizes[i]);
        dq_protobuf_end(p, dim);
    }
    dq_protobuf_end(p, shape);
    dq_protobuf_end(p, tensor);
    dq_protobuf_end(p, about);
    dq_protobuf_end(p, info);
}

static void put_model(dq_protobuf *p, const graph *g, const dq_program *program) {
    dq_protobuf_int(p, MODEL_IR_VERSION, IR_VERSION);
    dq_protobuf_text(p, MODEL_PRODUCER, "deepq");
    const size_t body = dq_protobuf_begin(p, MODEL_GRAPH);
    dq_protobuf_raw(p, g->nodes.data, g->nodes.size);
    dq_protobuf_text(p, GRAPH_NAME, "policy");
    dq_protobuf_raw(p, g->initializers.data, g->initializers.size);
    if (program->bytes)
        describe(p, GRAPH_INPUT, "observation", ELEMENT_BYTE, 3, program->image);
    else
        describe(p, GRAPH_INPUT, "observation", ELEMENT_FLOAT, 1, &program->inputs);
    describe(p, GRAPH_OUTPUT, "q", ELEMENT_FLOAT, 1, &program->outputs);
    describe(p, GRAPH_OUTPUT, "action", ELEMENT_INT64, 0, NULL);
    dq_protobuf_end(p, body);
    const size_t opset = dq_protobuf_begin(p, MODEL_OPSET);
    dq_protobuf_int(p, OPSET_VERSION, OPSET);
    dq_protobuf_end(p, opset);
}

dq_status dq_onnx_write(const char *path, dq_program *program, dq_error *error) {
    graph g = {.last = "observation"};
    dq_protobuf model = {0};
    dq_program_fold(program);
    for (int i = 0; i < program->count; i++) {
        const dq_op *op = &program->ops[i];
        if (!adders[op->kind].any && !adders[op->kind].images) be_features(&g, op, op->in);
        adders[op->kind].add(&g, op);
        activate(&g, op->activation);
        memcpy(g.given[i], g.last, sizeof g.last);
    }
    name last;
    memcpy(last, g.last, sizeof last);
    node(&g, "Identity", INPUTS(last), "q", NONE, NONE);
    node(&g, "ArgMax", INPUTS("q"), "action", INT("axis", 1), INT("keepdims", 0));
    put_model(&model, &g, program);
    dq_status status;
    if (g.nodes.failed || g.initializers.failed || model.failed)
        status = dq_fail(error, DQ_MEMORY, path, "there is no memory to write the network");
    else
        status = dq_file_replace(path, model.data, model.size, error);
    dq_protobuf_deinit(&g.nodes);
    dq_protobuf_deinit(&g.initializers);
    dq_protobuf_deinit(&model);
    return status;
}
