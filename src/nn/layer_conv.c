// Convolution: y = W * x + b. x: [B][H][W][C], bytes (x/255) or floats; y: [B][H'][W'][out].
//
// H' = (H + 2 padding - kernel) / stride + 1. W is stored [kernel*kernel*C][out]. With the patch of an output
// pixel as a row, all three products are one kernel, dq_conv, and tables of offsets stand for the patches:
//   forward          y[pixel][o]     = b[o] + sum over elements x[pixel + element] W[element][o]
//   weight gradient  dW[element][o] += sum over pixels          x[element + pixel] dy[pixel][o]
//   input gradient   dx[pixel + tap][c] += sum over o           dy[pixel][o] W[tap, c][o], tap after tap
// Sums run in blocks of at most BLOCK terms, which keeps their factors in the first-level cache, so that
// every output has one order of terms. Threads share out samples, and for dW columns or rows.
#include "nn/conv.h"
#include "nn/program.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHT, BIAS };

enum {
    BLOCK = 256,       // terms of a forward sum in one go: 16 KiB of weights
    PIXEL_BLOCK = 128, // terms of a weight gradient in one go
};

// Offsets, constant after planning.
typedef struct tables {
    int pixels, elements, taps; // H'W', kernel*kernel*C, kernel*kernel
    int group;                  // samples whose pixels one weight gradient's table covers
    int height, width;          // of the input with its padding
    size_t image;               // floats of that
    int spread;                 // channels of a pixel in the weight gradient's copy of the input, C or more
    size_t spread_image;        // floats of that copy

    int *pixel;          // [pixels] patch origins in the padded input
    int *element;        // [elements] in a patch
    int *spread_pixel;   // [group*pixels] the same in the copies of a group, one behind another
    int *spread_element; // [elements]
    int *output;         // [pixels] in y
    int *row;            // [elements] of W
    int *channel;        // [out] 0, 1, ...
} tables;

static size_t round_up(size_t n) {
    return (n + 15) / 16 * 16;
}

static int panels_of(int columns) {
    return (columns + 15) / 16;
}

// Inputs that the kernel cannot read where they are: bytes, and images that need a border.
static bool staged(const dq_layer *layer) {
    return layer->in_layout == DQ_LAYOUT_BYTES || layer->spec.padding > 0;
}

// The weight gradient walks from pixel to pixel. Steps of a multiple of 128 bytes would meet the same few
// sets of the first-level cache, so pixels are set apart by an odd number of cache lines then.
static int spread_channels(int channels, int stride) {
    if (stride * channels % 32 != 0) return channels;
    return channels + (16 % stride == 0 ? 16 / stride : 16);
}

static tables *make_tables(const dq_layer *layer, size_t weight_stride) {
    const dq_shape in = layer->in_shape, out = layer->out_shape;
    const int kernel = layer->spec.kernel, stride = layer->spec.stride, c = in.channels;
    const int pixels = out.height * out.width, elements = kernel * kernel * c;
    const int group = pixels >= BLOCK ? 1 : BLOCK / pixels;
    size_t entries = (size_t)((group + 2) * pixels + 3 * elements + out.channels);
    tables *t = malloc(sizeof *t + entries * sizeof(int));
    if (!t) return NULL;
    int *at = (int *)(t + 1);
    *t = (tables){.pixels = pixels, .elements = elements, .taps = kernel * kernel, .group = group};
    t->height = in.height + 2 * layer->spec.padding;
    t->width = in.width + 2 * layer->spec.padding;
    t->image = (size_t)t->height * (size_t)t->width * (size_t)c;
    t->spread = spread_channels(c, stride);
    t->spread_image = (size_t)t->height * (size_t)t->width * (size_t)t->spread;
    t->pixel = at, at += pixels;
    t->element = at, at += elements;
    t->spread_pixel = at, at += group * pixels;
    t->spread_element = at, at += elements;
    t->output = at, at += pixels;
    t->row = at, at += elements;
    t->channel = at;
    for (int p = 0; p < pixels; p++) {
        const int origin = (p / out.width * t->width + p % out.width) * stride;
        t->pixel[p] = origin * c;
        t->output[p] = p * out.channels;
        for (int s = 0; s < group; s++)
            t->spread_pixel[s * pixels + p] = s * (int)t->spread_image + origin * t->spread;
    }
    for (int e = 0; e < elements; e++) {
        const int tap = e / c / kernel * t->width + e / c % kernel;
        t->element[e] = tap * c + e % c;
        t->spread_element[e] = tap * t->spread + e % c;
        t->row[e] = e * (int)weight_stride;
    }
    for (int o = 0; o < out.channels; o++) t->channel[o] = o;
    return t;
}

static dq_status plan_conv(dq_layer *layer, struct dq_plan *plan, dq_error *error) {
    dq_layer_spec *spec = &layer->spec;
    const dq_shape in = layer->in_shape;
    if (spec->out < 1)
        return dq_fail(error, DQ_USAGE, layer->name, "a conv layer needs at least 1 output channel, not %d",
                       spec->out);
    dq_status status = dq_plan_window(layer, error);
    layer->out_shape.channels = spec->out;
    layer->out_layout = DQ_LAYOUT_IMAGES;
    if (!status) status = dq_plan_filters(plan, layer, "weight", spec->kernel, in.channels, spec->out, error);
    if (!status) status = dq_plan_tensor(plan, layer, "bias", 1, 1, spec->out, true, error);
    if (!status) status = dq_conv_prepare(layer, layer->stride[WEIGHT], error);
    return status;
}

dq_status dq_conv_prepare(dq_layer *layer, size_t weight_stride, dq_error *error) {
    const tables *t = layer->plan = make_tables(layer, weight_stride);
    if (!t) return dq_fail(error, DQ_MEMORY, layer->name, "no memory for the tables of a conv layer");
    const size_t in = (size_t)layer->in_shape.channels, out = (size_t)layer->spec.out;
    size_t forward = round_up(out) * (size_t)t->elements, backward = (size_t)t->taps * round_up(in) * out;
    layer->scratch_fixed = round_up(forward > backward ? forward : backward);
    layer->scratch_worker =
        round_up((size_t)t->group * t->spread_image) + (size_t)t->group * (size_t)t->pixels * round_up(out);
    return DQ_OK;
}

// PyTorch's nn.Conv2d: Kaiming uniform with a = sqrt(5) comes to +-1/sqrt(inputs of one output).
void dq_conv_init(const dq_layer *layer, float *params, dq_rng *rng) {
    const tables *t = layer->plan;
    double bound = 1.0 / sqrt((double)t->elements);
    float *weight = params + layer->offset[WEIGHT], *bias = params + layer->offset[BIAS];
    for (int e = 0; e < t->elements; e++)
        for (int o = 0; o < layer->spec.out; o++)
            weight[t->row[e] + o] = (float)dq_rng_uniform(rng, -bound, bound);
    for (int o = 0; o < layer->spec.out; o++) bias[o] = (float)dq_rng_uniform(rng, -bound, bound);
}

// One image as the kernels read it: floats, pixels of `spread` channels, a border of zeros.
static void stage(const dq_layer *layer, const dq_pass *pass, size_t sample, int spread, float *to) {
    const tables *t = layer->plan;
    const size_t in = (size_t)layer->in, c = (size_t)layer->in_shape.channels, wide = (size_t)spread;
    const size_t width = (size_t)layer->in_shape.width, padding = (size_t)layer->spec.padding;
    const size_t side = padding * wide, edge = padding * (size_t)t->width * wide;
    const float *x = pass->x ? pass->x + sample * in : NULL;
    const unsigned char *bytes = layer->in_layout == DQ_LAYOUT_BYTES ? pass->bytes + sample * in : NULL;
    if (bytes && padding == 0 && wide == c) {
        pass->kernels->unit_floats(bytes, to, in);
        return;
    }
    memset(to, 0, edge * sizeof(float));
    to += edge;
    for (size_t y = 0; y < (size_t)layer->in_shape.height; y++) {
        memset(to, 0, side * sizeof(float));
        to += side;
        if (bytes && wide == c)
            pass->kernels->unit_floats(bytes + y * width * c, to, width * c);
        else if (bytes)
            for (size_t i = 0; i < width; i++)
                pass->kernels->unit_floats(bytes + (y * width + i) * c, to + i * wide, c);
        else if (wide == c)
            memcpy(to, x + y * width * c, width * c * sizeof(float));
        else
            for (size_t i = 0; i < width; i++)
                memcpy(to + i * wide, x + (y * width + i) * c, c * sizeof(float));
        to += width * wide;
        memset(to, 0, side * sizeof(float));
        to += side;
    }
    memset(to, 0, edge * sizeof(float));
}

typedef struct job {
    const dq_layer *layer;
    const dq_pass *pass;
    const float *packed; // weights
    int units;           // of a weight gradient
} job;

static float *scratch_of(const dq_pass *pass, int worker) {
    return pass->worker_scratch + (size_t)worker * pass->worker_room;
}

// --- forward -----------------------------------------------------------------------------------------------

// W [elements][out] -> [out/16][elements][16], zeros past out.
static void pack_weights(const dq_layer *layer, const float *weight, float *packed) {
    const tables *t = layer->plan;
    const int out = layer->spec.out;
    for (int first = 0; first < out; first += 16) {
        const int wide = out - first < 16 ? out - first : 16;
        for (int e = 0; e < t->elements; e++, packed += 16) {
            const float *from = weight + t->row[e] + first;
            if (wide == 16) {
                memcpy(packed, from, 16 * sizeof(float));
            } else {
                memset(packed, 0, 16 * sizeof(float));
                memcpy(packed, from, (size_t)wide * sizeof(float));
            }
        }
    }
}

static void forward_sample(void *user, int64_t sample, int worker) {
    const job *j = user;
    const dq_layer *layer = j->layer;
    const dq_pass *pass = j->pass;
    const tables *t = layer->plan;
    const float *x = pass->x ? pass->x + (size_t)sample * (size_t)layer->in : NULL;
    if (staged(layer)) {
        float *image = scratch_of(pass, worker);
        stage(layer, pass, (size_t)sample, layer->in_shape.channels, image);
        x = image;
    }
    const int blocks = (t->elements + BLOCK - 1) / BLOCK;
    for (int block = 0; block < blocks; block++) {
        const int first = t->elements * block / blocks, last = t->elements * (block + 1) / blocks;
        pass->kernels->conv(&(dq_conv){
            .rows = t->pixels,
            .columns = layer->spec.out,
            .k = last - first,
            .a = x,
            .a_row = t->pixel,
            .a_k = t->element + first,
            .b = j->packed + (size_t)first * 16,
            .b_panel = (size_t)t->elements * 16,
            .c = pass->y + (size_t)sample * (size_t)layer->out,
            .c_row = t->output,
            .bias = block == 0 ? pass->params + layer->offset[BIAS] : NULL,
            .add = block > 0,
            .activation = block + 1 == blocks ? layer->activation : (dq_nonlinearity){0},
        });
    }
}

void dq_conv_forward(const dq_layer *layer, const dq_pass *pass) {
    pack_weights(layer, pass->params + layer->offset[WEIGHT], pass->scratch);
    dq_pool_run(pass->pool, pass->batch, forward_sample, &(job){layer, pass, pass->scratch, 0});
}

// --- backward ----------------------------------------------------------------------------------------------

// dy of `samples` samples, 16 columns from `first` on -> [samples*pixels][16], zeros past out.
static void pack_outputs(const dq_layer *layer, const float *d_y, int samples, int first, float *packed) {
    const tables *t = layer->plan;
    const int out = layer->spec.out, wide = out - first < 16 ? out - first : 16;
    d_y += first;
    for (int p = 0; p < samples * t->pixels; p++, d_y += out, packed += 16) {
        if (wide == 16) {
            memcpy(packed, d_y, 16 * sizeof(float));
        } else {
            memset(packed, 0, 16 * sizeof(float));
            memcpy(packed, d_y, (size_t)wide * sizeof(float));
        }
    }
}

// The part of dW and db that one thread makes: some panels of columns, or some rows of all columns.
static void weight_gradient_unit(void *user, int64_t unit, int worker) {
    const job *j = user;
    const dq_layer *layer = j->layer;
    const dq_pass *pass = j->pass;
    const tables *t = layer->plan;
    const int panels = panels_of(layer->spec.out), u = (int)unit;
    const bool by_panels = panels % j->units == 0;
    const int panel = by_panels ? panels * u / j->units : 0;
    const int panel_end = by_panels ? panels * (u + 1) / j->units : panels;
    const int row = by_panels ? 0 : t->elements * u / j->units;
    const int row_end = by_panels ? t->elements : t->elements * (u + 1) / j->units;
    const int column = panel * 16;
    const int columns = (panel_end * 16 < layer->spec.out ? panel_end * 16 : layer->spec.out) - column;
    float *images = scratch_of(pass, worker), *packed = images + round_up((size_t)t->group * t->spread_image);
    float *weight = pass->gradient + layer->offset[WEIGHT] + column;
    float *bias = pass->gradient + layer->offset[BIAS] + column;
    const bool with_bias = by_panels || u == 0;
    if (with_bias) memset(bias, 0, (size_t)columns * sizeof(float));

    for (int sample = 0; sample < pass->batch; sample += t->group) {
        const int samples = pass->batch - sample < t->group ? pass->batch - sample : t->group;
        const int terms = samples * t->pixels;
        const size_t b_panel = (size_t)terms * 16;
        const float *x = pass->x ? pass->x + (size_t)sample * (size_t)layer->in : NULL;
        if (staged(layer) || t->spread != layer->in_shape.channels) {
            for (int s = 0; s < samples; s++)
                stage(layer, pass, (size_t)(sample + s), t->spread, images + (size_t)s * t->spread_image);
            x = images;
        }
        const float *d_y = pass->d_y + (size_t)sample * (size_t)layer->out;
        for (int p = panel; p < panel_end; p++)
            pack_outputs(layer, d_y, samples, p * 16, packed + (size_t)(p - panel) * b_panel);
        const int blocks = (terms + PIXEL_BLOCK - 1) / PIXEL_BLOCK;
        for (int block = 0; block < blocks; block++) {
            const int first = terms * block / blocks, last = terms * (block + 1) / blocks;
            pass->kernels->conv(&(dq_conv){
                .rows = row_end - row,
                .columns = columns,
                .k = last - first,
                .a = x,
                .a_row = t->spread_element + row,
                .a_k = t->spread_pixel + first,
                .b = packed + (size_t)first * 16,
                .b_panel = b_panel,
                .c = weight,
                .c_row = t->row + row,
                .add = sample > 0 || block > 0,
            });
        }
        for (int s = 0; with_bias && s < samples; s++)
            pass->kernels->column_sums(d_y + (size_t)s * (size_t)layer->out + column, (size_t)layer->spec.out,
                                       t->pixels, columns, bias);
    }
}

// W [tap*in + c][out] -> [tap][in/16][out][16], zeros past in.
static void pack_transposed(const dq_layer *layer, const float *weight, float *packed) {
    const tables *t = layer->plan;
    const int in = layer->in_shape.channels, out = layer->spec.out;
    for (int tap = 0; tap < t->taps; tap++)
        for (int first = 0; first < in; first += 16, packed += out * 16) {
            const int wide = in - first < 16 ? in - first : 16;
            if (wide < 16) memset(packed, 0, (size_t)out * 16 * sizeof(float));
            for (int c = 0; c < wide; c++) {
                const float *from = weight + t->row[tap * in + first + c];
                for (int o = 0; o < out; o++) packed[o * 16 + c] = from[o];
            }
        }
}

static void input_gradient_sample(void *user, int64_t sample, int worker) {
    const job *j = user;
    const dq_layer *layer = j->layer;
    const dq_pass *pass = j->pass;
    const tables *t = layer->plan;
    const int channels = layer->in_shape.channels, out = layer->spec.out;
    const size_t in = (size_t)layer->in, c = (size_t)channels;
    float *d_x = pass->d_x + (size_t)sample * in, *image = d_x;
    if (layer->spec.padding) image = scratch_of(pass, worker);
    memset(image, 0, t->image * sizeof(float));
    for (int tap = 0; tap < t->taps; tap++)
        pass->kernels->conv(&(dq_conv){
            .rows = t->pixels,
            .columns = channels,
            .k = out,
            .a = pass->d_y + (size_t)sample * (size_t)layer->out,
            .a_row = t->output,
            .a_k = t->channel,
            .b = j->packed + (size_t)tap * (size_t)panels_of(channels) * (size_t)out * 16,
            .b_panel = (size_t)out * 16,
            .c = image + t->element[tap * channels],
            .c_row = t->pixel,
            .add = true,
        });
    if (layer->spec.padding) {
        const size_t row = (size_t)layer->in_shape.width * c, wide = (size_t)t->width * c;
        const float *from = image + (size_t)layer->spec.padding * (wide + c);
        for (size_t y = 0; y < (size_t)layer->in_shape.height; y++, from += wide)
            memcpy(d_x + y * row, from, row * sizeof(float));
    }
    if (layer->input_activation.kind != DQ_NONLINEARITY_NONE)
        pass->kernels->activate_backward(d_x, pass->x + (size_t)sample * in, d_x, in,
                                         layer->input_activation);
}

void dq_conv_backward(const dq_layer *layer, const dq_pass *pass) {
    job j = {layer, pass, pass->scratch, dq_pool_threads(pass->pool)};
    dq_pool_run(pass->pool, j.units, weight_gradient_unit, &j);
    if (!pass->d_x) return;
    pack_transposed(layer, pass->params + layer->offset[WEIGHT], pass->scratch);
    dq_pool_run(pass->pool, pass->batch, input_gradient_sample, &j);
}

bool dq_conv_lower(const dq_layer *layer, const float *params, dq_program *program) {
    const tables *t = layer->plan;
    const size_t out = (size_t)layer->spec.out;
    if (layer->in_layout == DQ_LAYOUT_BYTES && !dq_program_add(program, DQ_OP_UNIT, layer->name, layer->in))
        return false;
    dq_op *op = dq_program_add(program, DQ_OP_CONV, layer->name, layer->out);
    if (!op) return false;
    op->weight = malloc((size_t)t->elements * out * sizeof(float));
    op->bias = malloc(out * sizeof(float));
    if (!op->weight || !op->bias) return false;
    for (int e = 0; e < t->elements; e++)
        memcpy(op->weight + (size_t)e * out, params + layer->offset[WEIGHT] + t->row[e], out * sizeof(float));
    memcpy(op->bias, params + layer->offset[BIAS], out * sizeof(float));
    dq_op_window(op, layer);
    op->terms = BLOCK;
    return true;
}

extern const dq_layer_class dq_layer_conv;
const dq_layer_class dq_layer_conv = {
    .kind = "conv",
    .fuses = true,
    .masks = true,
    .images = true,
    .bytes = true,
    .plan = plan_conv,
    .init = dq_conv_init,
    .forward = dq_conv_forward,
    .backward = dq_conv_backward,
    .apply = dq_conv_forward,
    .lower = dq_conv_lower,
    .torch = "Conv2d",
};
