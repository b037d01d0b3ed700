// The loops over images that are no products: bytes to floats, sums over pixels, max pooling. Plain C that
// the compiler vectorises, the same bits at every width.
//
// Included once per level with TARGET set, like elementwise_template.h.

TARGET static void unit_floats(const unsigned char *restrict x, float *restrict y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = (float)x[i] * (1.0f / 255.0f);
}

TARGET static void column_sums(const float *restrict x, size_t x_row, int rows, int columns,
                               float *restrict sum) {
    for (int first = 0; first < columns; first += 16) {
        float part[16] = {0};
        const int wide = columns - first < 16 ? columns - first : 16;
        const float *from = x + first;
        if (wide == 16) {
            for (int r = 0; r < rows; r++, from += x_row)
                for (int n = 0; n < 16; n++) part[n] += from[n];
        } else {
            for (int r = 0; r < rows; r++, from += x_row)
                for (int n = 0; n < wide; n++) part[n] += from[n];
        }
        for (int n = 0; n < wide; n++) sum[first + n] += part[n];
    }
}

TARGET static void rows_to_panel(const float *restrict rows, int samples, int features,
                                 float *restrict panel) {
    const size_t width = (size_t)features;
    for (size_t f = 0; f < width; f++) {
        for (int lane = 0; lane < samples; lane++)
            panel[f * 16 + (size_t)lane] = rows[(size_t)lane * width + f];
        for (int lane = samples; lane < 16; lane++) panel[f * 16 + (size_t)lane] = 0.0f;
    }
}

TARGET static void panel_to_rows(const float *restrict panel, int samples, int features,
                                 float *restrict rows) {
    const size_t width = (size_t)features;
    for (int lane = 0; lane < samples; lane++)
        for (size_t f = 0; f < width; f++) rows[(size_t)lane * width + f] = panel[f * 16 + (size_t)lane];
}

// The part of a window along one axis that lies in the image.
INLINE void window_range(int at, int stride, int kernel, int padding, int size, int *first, int *last) {
    *first = at * stride - padding;
    *last = *first + kernel < size ? *first + kernel : size;
    if (*first < 0) *first = 0;
}

TARGET static void max_pool(const dq_pool_window *w, const float *restrict x, float *restrict y) {
    const size_t channels = (size_t)w->channels;
    for (int oy = 0; oy < w->out_height; oy++)
        for (int ox = 0; ox < w->out_width; ox++, y += channels) {
            int top, bottom, left, right;
            window_range(oy, w->stride, w->kernel, w->padding, w->height, &top, &bottom);
            window_range(ox, w->stride, w->kernel, w->padding, w->width, &left, &right);
            memcpy(y, x + (size_t)(top * w->width + left) * channels, channels * sizeof(float));
            for (int iy = top; iy < bottom; iy++)
                for (int ix = left; ix < right; ix++) {
                    const float *from = x + (size_t)(iy * w->width + ix) * channels;
                    for (size_t c = 0; c < channels; c++) y[c] = from[c] > y[c] ? from[c] : y[c];
                }
        }
}

// Windows may overlap: a place sums what its windows send, window after window. Within a window what is left
// to send turns to 0 once it is sent, 16 channels at a time.
TARGET static void max_pool_backward(const dq_pool_window *w, const float *restrict x,
                                     const float *restrict y, const float *restrict d_y,
                                     float *restrict d_x) {
    const size_t channels = (size_t)w->channels;
    memset(d_x, 0, (size_t)(w->height * w->width) * channels * sizeof(float));
    for (int oy = 0; oy < w->out_height; oy++)
        for (int ox = 0; ox < w->out_width; ox++, y += channels, d_y += channels) {
            int top, bottom, left, right;
            window_range(oy, w->stride, w->kernel, w->padding, w->height, &top, &bottom);
            window_range(ox, w->stride, w->kernel, w->padding, w->width, &left, &right);
            for (size_t first = 0; first < channels; first += 16) {
                const size_t wide = channels - first < 16 ? channels - first : 16;
                float left_over[16] = {0};
                memcpy(left_over, d_y + first, wide * sizeof(float));
                for (int iy = top; iy < bottom; iy++)
                    for (int ix = left; ix < right; ix++) {
                        const size_t at = (size_t)(iy * w->width + ix) * channels + first;
                        for (size_t c = 0; c < wide; c++) {
                            float sent = x[at + c] == y[first + c] ? left_over[c] : 0.0f;
                            d_x[at + c] += sent;
                            left_over[c] = x[at + c] == y[first + c] ? 0.0f : left_over[c];
                        }
                    }
            }
        }
}

static void fill_image(dq_kernels *table) {
    table->rows_to_panel = rows_to_panel;
    table->panel_to_rows = panel_to_rows;
    table->max_pool = max_pool;
    table->max_pool_backward = max_pool_backward;
    table->unit_floats = unit_floats;
    table->column_sums = column_sums;
}
