// oneDNN's convolution and dense layer (its C API, version 2), a layer with its memories: the rival of
// bench_cnn.c and an oracle of the tests. The library itself does not know it.
//
// Images are [B][height][width][channels] (nhwc) everywhere: with a blocked layout of the outputs some of
// oneDNN's weight gradients fall back to a reference loop. Weights lie as oneDNN likes them best, or, where
// `plain`, as this library stores them, [height][width][in][out].
#ifndef BENCH_ONEDNN_H
#define BENCH_ONEDNN_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct onednn_layer {
    int batch, height, width, in, out, kernel, stride, padding; // kernel 0: dense, height = width = 1
    int out_height, out_width;
    bool relu; // fused into forward
    dnnl_primitive_t forward, input_gradient, weight_gradient;
    dnnl_memory_t x, y, weight, bias, d_x, d_y, d_weight, d_bias;
} onednn_layer;

static dnnl_engine_t onednn_engine;
static dnnl_stream_t onednn_stream;

static void onednn_check(dnnl_status_t status, const char *what) {
    if (status == dnnl_success) return;
    fprintf(stderr, "oneDNN: %s failed with status %d\n", what, (int)status);
    exit(1);
}

static void onednn_start(void) {
    setenv("OMP_NUM_THREADS", "1", 1); // Debian's build shares out its loops by OpenMP
    onednn_check(dnnl_engine_create(&onednn_engine, dnnl_cpu, 0), "engine");
    onednn_check(dnnl_stream_create(&onednn_stream, onednn_engine, dnnl_stream_default_flags), "stream");
}

static void onednn_stop(void) {
    dnnl_stream_destroy(onednn_stream);
    dnnl_engine_destroy(onednn_engine);
}

static dnnl_memory_t onednn_room(const dnnl_memory_desc_t *shape) {
    dnnl_memory_t memory;
    onednn_check(dnnl_memory_create(&memory, shape, onednn_engine, DNNL_MEMORY_ALLOCATE), "memory");
    void *data = NULL;
    dnnl_memory_get_data_handle(memory, &data);
    memset(data, 0, dnnl_memory_desc_get_size(shape));
    return memory;
}

static float *onednn_data(dnnl_memory_t memory) {
    void *data = NULL;
    dnnl_memory_get_data_handle(memory, &data);
    return data;
}

static dnnl_primitive_desc_t onednn_describe(const void *operation, const_dnnl_primitive_attr_t attributes,
                                             const_dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t description;
    onednn_check(dnnl_primitive_desc_create(&description, operation, attributes, onednn_engine, hint),
                 "plan");
    return description;
}

static void onednn_layer_init(onednn_layer *l, bool plain) {
    const bool dense = l->kernel == 0;
    l->out_height = dense ? 1 : (l->height + 2 * l->padding - l->kernel) / l->stride + 1;
    l->out_width = dense ? 1 : (l->width + 2 * l->padding - l->kernel) / l->stride + 1;
    const dnnl_dims_t x_dims = {l->batch, l->in, l->height, l->width}, b_dims = {l->out};
    const dnnl_dims_t y_dims = {l->batch, l->out, l->out_height, l->out_width};
    const dnnl_dims_t w_dims = {l->out, l->in, l->kernel, l->kernel};
    const dnnl_dims_t strides = {l->stride, l->stride}, padding = {l->padding, l->padding};
    const dnnl_format_tag_t images = dense ? dnnl_nc : dnnl_nhwc;
    dnnl_memory_desc_t x, y, w, b;
    dnnl_memory_desc_init_by_tag(&x, dense ? 2 : 4, x_dims, dnnl_f32, images);
    dnnl_memory_desc_init_by_tag(&y, dense ? 2 : 4, y_dims, dnnl_f32, images);
    dnnl_memory_desc_init_by_tag(&w, dense ? 2 : 4, w_dims, dnnl_f32,
                                 !plain  ? dnnl_format_tag_any
                                 : dense ? dnnl_io
                                         : dnnl_hwio);
    dnnl_memory_desc_init_by_tag(&b, 1, b_dims, dnnl_f32, dnnl_x);

    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t after;
    dnnl_primitive_attr_create(&attributes);
    dnnl_post_ops_create(&after);
    if (l->relu) dnnl_post_ops_append_eltwise(after, 1.0F, dnnl_eltwise_relu, 0.0F, 0.0F);
    dnnl_primitive_attr_set_post_ops(attributes, after);

    dnnl_primitive_desc_t plan[3];
    if (dense) {
        dnnl_inner_product_desc_t op;
        dnnl_inner_product_forward_desc_init(&op, dnnl_forward_training, &x, &w, &b, &y);
        plan[0] = onednn_describe(&op, attributes, NULL);
        dnnl_inner_product_backward_data_desc_init(&op, &x, &w, &y);
        plan[1] = onednn_describe(&op, NULL, plan[0]);
        dnnl_inner_product_backward_weights_desc_init(&op, &x, &w, &b, &y);
        plan[2] = onednn_describe(&op, NULL, plan[0]);
    } else {
        dnnl_convolution_desc_t op;
        dnnl_convolution_forward_desc_init(&op, dnnl_forward_training, dnnl_convolution_direct, &x, &w, &b,
                                           &y, strides, padding, padding);
        plan[0] = onednn_describe(&op, attributes, NULL);
        dnnl_convolution_backward_data_desc_init(&op, dnnl_convolution_direct, &x, &w, &y, strides, padding,
                                                 padding);
        plan[1] = onednn_describe(&op, NULL, plan[0]);
        dnnl_convolution_backward_weights_desc_init(&op, dnnl_convolution_direct, &x, &w, &b, &y, strides,
                                                    padding, padding);
        plan[2] = onednn_describe(&op, NULL, plan[0]);
    }
    dnnl_primitive_t *primitives[3] = {&l->forward, &l->input_gradient, &l->weight_gradient};
    for (int i = 0; i < 3; i++) onednn_check(dnnl_primitive_create(primitives[i], plan[i]), "primitive");
    l->weight = onednn_room(dnnl_primitive_desc_query_md(plan[0], dnnl_query_weights_md, 0));
    l->d_weight = onednn_room(dnnl_primitive_desc_query_md(plan[2], dnnl_query_diff_weights_md, 0));
    l->x = onednn_room(&x), l->d_x = onednn_room(&x);
    l->y = onednn_room(&y), l->d_y = onednn_room(&y);
    l->bias = onednn_room(&b), l->d_bias = onednn_room(&b);
    for (int i = 0; i < 3; i++) dnnl_primitive_desc_destroy(plan[i]);
    dnnl_post_ops_destroy(after);
    dnnl_primitive_attr_destroy(attributes);
}

static void onednn_layer_deinit(onednn_layer *l) {
    dnnl_primitive_t primitives[] = {l->forward, l->input_gradient, l->weight_gradient};
    dnnl_memory_t memories[] = {l->x, l->y, l->weight, l->bias, l->d_x, l->d_y, l->d_weight, l->d_bias};
    for (int i = 0; i < 3; i++) dnnl_primitive_destroy(primitives[i]);
    for (int i = 0; i < 8; i++) dnnl_memory_destroy(memories[i]);
}

static void onednn_forward(const onednn_layer *l) {
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, l->x}, {DNNL_ARG_WEIGHTS, l->weight}, {DNNL_ARG_BIAS, l->bias}, {DNNL_ARG_DST, l->y}};
    onednn_check(dnnl_primitive_execute(l->forward, onednn_stream, 4, arguments), "forward");
}

static void onednn_input_gradient(const onednn_layer *l) {
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_DIFF_DST, l->d_y}, {DNNL_ARG_WEIGHTS, l->weight}, {DNNL_ARG_DIFF_SRC, l->d_x}};
    onednn_check(dnnl_primitive_execute(l->input_gradient, onednn_stream, 3, arguments), "input gradient");
}

static void onednn_weight_gradient(const onednn_layer *l) {
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, l->x},
                                         {DNNL_ARG_DIFF_DST, l->d_y},
                                         {DNNL_ARG_DIFF_WEIGHTS, l->d_weight},
                                         {DNNL_ARG_DIFF_BIAS, l->d_bias}};
    onednn_check(dnnl_primitive_execute(l->weight_gradient, onednn_stream, 4, arguments), "weight gradient");
}

#endif
