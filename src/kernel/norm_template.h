// Normalisation over panels: batch statistics per feature, layer statistics per sample.
//
// Included once per level after elementwise_template.h; lanes are independent and the compiler vectorises
// over them. Sums over samples are 16 lane sums over the panels, folded by DQ_SUM_LANES; sums over features
// run in their order. Samples past the batch count for nothing.
#include <string.h>

// The samples of panel p that belong to the batch.
INLINE int lanes_of(int batch, int p) {
    return batch - p * 16 < 16 ? batch - p * 16 : 16;
}

TARGET static void feature_moments(const float *x, size_t x_panel, int features, int batch, double *mean,
                                   double *variance) {
    const int whole = batch / 16, rest = batch % 16;
    for (int f = 0; f < features; f++) {
        const float *row = x + (size_t)f * 16;
        double sum[16] = {0}, square[16] = {0};
        for (int p = 0; p < whole; p++)
            for (int lane = 0; lane < 16; lane++)
                sum[lane] += (double)row[(size_t)p * x_panel + (size_t)lane];
        for (int lane = 0; lane < rest; lane++)
            sum[lane] += (double)row[(size_t)whole * x_panel + (size_t)lane];
        double centre = DQ_SUM_LANES(sum) / batch;
        for (int p = 0; p < whole; p++)
            for (int lane = 0; lane < 16; lane++) {
                double d = (double)row[(size_t)p * x_panel + (size_t)lane] - centre;
                square[lane] += d * d;
            }
        for (int lane = 0; lane < rest; lane++) {
            double d = (double)row[(size_t)whole * x_panel + (size_t)lane] - centre;
            square[lane] += d * d;
        }
        mean[f] = centre;
        variance[f] = DQ_SUM_LANES(square) / batch;
    }
}

INLINE void feature_affine_loop(const float *x, size_t x_panel, float *y, size_t y_panel, int features,
                                int panels, const float *scale, const float *shift,
                                dq_nonlinearity activation) {
    for (int p = 0; p < panels; p++)
        for (size_t f = 0; f < (size_t)features; f++) {
            const float *from = x + (size_t)p * x_panel + f * 16;
            float *to = y + (size_t)p * y_panel + f * 16;
            for (int lane = 0; lane < 16; lane++)
                to[lane] = dq_nonlinearity_apply(from[lane] * scale[f] + shift[f], activation);
        }
}

TARGET static void feature_affine(const float *x, size_t x_panel, float *y, size_t y_panel, int features,
                                  int panels, const float *scale, const float *shift,
                                  dq_nonlinearity activation){
    FOR_ACTIVATION(activation,
                   feature_affine_loop(x, x_panel, y, y_panel, features, panels, scale, shift, fixed))}

// d_x = weight inverse (d_y - mean(d_y) - xhat mean(d_y xhat))      Ioffe and Szegedy 2015, section 3
TARGET static void feature_norm_backward(const float *d_y, size_t y_panel, const float *x, size_t x_panel,
                                         int features, int batch, const float *mean, const float *inverse,
                                         const float *weight, float *d_weight, float *d_bias, float *d_x) {
    const int panels = (batch + 15) / 16;
    for (int f = 0; f < features; f++) {
        const float *d_row = d_y + (size_t)f * 16, *row = x + (size_t)f * 16;
        double sum[16] = {0}, product[16] = {0};
        for (int p = 0; p < panels; p++) // d_y is zero past the batch
            for (int lane = 0; lane < 16; lane++) {
                float d = d_row[(size_t)p * y_panel + (size_t)lane];
                float xhat = (row[(size_t)p * x_panel + (size_t)lane] - mean[f]) * inverse[f];
                sum[lane] += (double)d;
                product[lane] += (double)(d * xhat);
            }
        double total = DQ_SUM_LANES(sum), total_product = DQ_SUM_LANES(product);
        d_bias[f] = (float)total;
        d_weight[f] = (float)total_product;
        if (!d_x) continue;
        const float factor = weight[f] * inverse[f];
        const float mean_d = (float)(total / batch), mean_product = (float)(total_product / batch);
        for (int p = 0; p < panels; p++) {
            float *to = d_x + (size_t)p * x_panel + (size_t)f * 16;
            for (int lane = 0; lane < 16; lane++) {
                float xhat = (row[(size_t)p * x_panel + (size_t)lane] - mean[f]) * inverse[f];
                to[lane] =
                    factor * (d_row[(size_t)p * y_panel + (size_t)lane] - mean_d - xhat * mean_product);
            }
            for (int lane = lanes_of(batch, p); lane < 16; lane++) to[lane] = 0.0f;
        }
    }
}

INLINE void sample_norm_loop(const float *x, size_t x_panel, float *y, size_t y_panel, int features,
                             int panels, double epsilon, const float *weight, const float *bias,
                             dq_nonlinearity activation, float *statistics) {
    for (int p = 0; p < panels; p++, x += x_panel, y += y_panel) {
        double sum[16] = {0}, square[16] = {0};
        float mean[16], inverse[16];
        for (size_t f = 0; f < (size_t)features; f++)
            for (size_t lane = 0; lane < 16; lane++) sum[lane] += (double)x[f * 16 + lane];
        for (int lane = 0; lane < 16; lane++) sum[lane] /= features;
        for (size_t f = 0; f < (size_t)features; f++)
            for (size_t lane = 0; lane < 16; lane++) {
                double d = (double)x[f * 16 + lane] - sum[lane];
                square[lane] += d * d;
            }
        for (int lane = 0; lane < 16; lane++) {
            mean[lane] = (float)sum[lane];
            inverse[lane] = (float)(1.0 / sqrt(square[lane] / features + epsilon));
        }
        for (size_t f = 0; f < (size_t)features; f++)
            for (size_t lane = 0; lane < 16; lane++)
                y[f * 16 + lane] = dq_nonlinearity_apply(
                    (x[f * 16 + lane] - mean[lane]) * inverse[lane] * weight[f] + bias[f], activation);
        if (statistics) {
            memcpy(statistics, mean, sizeof mean);
            memcpy(statistics + 16, inverse, sizeof inverse);
            statistics += 32;
        }
    }
}

TARGET static void sample_norm(const float *x, size_t x_panel, float *y, size_t y_panel, int features,
                               int panels, double epsilon, const float *weight, const float *bias,
                               dq_nonlinearity activation, float *statistics){
    FOR_ACTIVATION(activation, sample_norm_loop(x, x_panel, y, y_panel, features, panels, epsilon, weight,
                                                bias, fixed, statistics))}

// With g = weight d_y: d_x = inverse (g - mean(g) - xhat mean(g xhat))      Ba et al. 2016
TARGET static void sample_norm_backward(const float *d_y, size_t y_panel, const float *x, size_t x_panel,
                                        int features, int panels, const float *statistics,
                                        const float *weight, float *d_weight, float *d_bias, float *d_x) {
    for (size_t f = 0; f < (size_t)features; f++) {
        float sum[16] = {0}, product[16] = {0};
        for (int p = 0; p < panels; p++) {
            const float *d = d_y + (size_t)p * y_panel + f * 16, *row = x + (size_t)p * x_panel + f * 16;
            const float *mean = statistics + (size_t)p * 32, *inverse = mean + 16;
            for (int lane = 0; lane < 16; lane++) {
                sum[lane] += d[lane];
                product[lane] += d[lane] * ((row[lane] - mean[lane]) * inverse[lane]);
            }
        }
        d_bias[f] = DQ_SUM_LANES(sum);
        d_weight[f] = DQ_SUM_LANES(product);
    }
    if (!d_x) return;
    for (int p = 0; p < panels; p++, d_y += y_panel, x += x_panel, d_x += x_panel) {
        const float *mean = statistics + (size_t)p * 32, *inverse = mean + 16;
        double sum[16] = {0}, product[16] = {0};
        float mean_g[16], mean_product[16];
        for (size_t f = 0; f < (size_t)features; f++)
            for (size_t lane = 0; lane < 16; lane++) {
                float g = d_y[f * 16 + lane] * weight[f];
                sum[lane] += (double)g;
                product[lane] += (double)(g * ((x[f * 16 + lane] - mean[lane]) * inverse[lane]));
            }
        for (int lane = 0; lane < 16; lane++) {
            mean_g[lane] = (float)(sum[lane] / features);
            mean_product[lane] = (float)(product[lane] / features);
        }
        for (size_t f = 0; f < (size_t)features; f++)
            for (size_t lane = 0; lane < 16; lane++) {
                float xhat = (x[f * 16 + lane] - mean[lane]) * inverse[lane];
                d_x[f * 16 + lane] = inverse[lane] * (d_y[f * 16 + lane] * weight[f] - mean_g[lane] -
                                                      xhat * mean_product[lane]);
            }
    }
}

static void fill_norm(dq_kernels *table) {
    table->feature_moments = feature_moments;
    table->feature_affine = feature_affine;
    table->feature_norm_backward = feature_norm_backward;
    table->sample_norm = sample_norm;
    table->sample_norm_backward = sample_norm_backward;
}
