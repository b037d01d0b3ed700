// The kernel table: every hot loop of the library behind one function pointer.
//
// The table is filled with the C references (ref/*.c) and then overridden by what the processor has
// (x86/avx2.c, x86/avx512.c: one template, one instance per instruction set). Every level gives the same
// bits: an element of a matrix product is one chain of fused multiply-adds in the order of k, and every
// other sum has one order (16 lane sums, then sum_lanes' tree). Kernels keep no state and may run on
// any number of threads.
#ifndef DQ_KERNEL_KERNEL_H
#define DQ_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

typedef enum dq_cpu_level { DQ_CPU_REF, DQ_CPU_AVX2, DQ_CPU_AVX512, DQ_CPU_LEVELS } dq_cpu_level;

// What happens to a value on its way out: y = relu(x), or leaky_relu(x) with a slope >= 0.
typedef enum dq_nonlinearity_kind {
    DQ_NONLINEARITY_NONE,
    DQ_NONLINEARITY_RELU,
    DQ_NONLINEARITY_LEAKY
} dq_nonlinearity_kind;

typedef struct dq_nonlinearity {
    dq_nonlinearity_kind kind;
    float slope; // leaky only
} dq_nonlinearity;

// C(m, panel, lane) = act(start(m) + sum over k of A(m, k) P(panel, k, lane)), k = outer * k_inner + inner.
//   A(m, k)           = a[m * a_row + outer * a_outer + inner * a_inner]       scalars, broadcast
//   P(panel, k, lane) = p[panel * p_panel + outer * p_outer + inner * 16 + lane]
//   C(m, panel, lane) = c[m * c_row + panel * c_panel + lane]
// With `mask`, addressed like C, the activation is not applied but differentiated: where mask > 0 the sum
// is stored as it is, elsewhere times 0 (relu) or the slope (leaky).
typedef struct dq_gemm {
    int rows, panels;
    int columns; // stored columns, 16 * (panels - 1) < columns <= 16 * panels
    int k_outer, k_inner;
    const float *a;
    size_t a_row, a_outer, a_inner;
    const float *p;
    size_t p_panel, p_outer;
    float *c;
    size_t c_row, c_panel;
    const float *bias; // [rows] where each sum starts; NULL: at 0
    dq_nonlinearity activation;
    const float *mask;
} dq_gemm;

// C(m, n) = act(start(n) + sum over k of A(m, k) B(k, n)), A gathered through two tables of offsets:
//   A(m, k) = a[a_row[m] + a_k[k]]                        scalars, broadcast
//   B(k, n) = b[n/16 * b_panel + k*16 + n%16]             panels of 16 columns
//   C(m, n) = c[c_row[m] + n]
// The three products of a convolution over images [height][width][channels]: a patch's place is the sum of
// its pixel's offset and its element's offset, so that no patch is ever copied. With `add`, act(C + sum).
typedef struct dq_conv {
    int rows, columns, k;
    const float *a;
    const int *a_row, *a_k; // [rows], [k]
    const float *b;
    size_t b_panel;
    float *c;
    const int *c_row;  // [rows]
    const float *bias; // [columns] where each sum starts; NULL: at 0
    bool add;
    dq_nonlinearity activation;
} dq_conv;

// A window that slides over one image [height][width][channels].
typedef struct dq_pool_window {
    int height, width, channels;
    int out_height, out_width;
    int kernel, stride, padding;
} dq_pool_window;

// Constants of one Adam step. `decay` multiplies the parameter first (AdamW), `l2` is added to the gradient.
typedef struct dq_adam {
    float beta1, rest1, beta2, rest2; // rest = 1 - beta
    float l2, decay;
    float root_scale; // 1 / sqrt(1 - beta2^t)
    float epsilon;
    float step_size; // learning rate / (1 - beta1^t)
} dq_adam;

typedef struct dq_rmsprop {
    float alpha, rest, l2, epsilon, momentum, learning_rate;
} dq_rmsprop;

typedef struct dq_kernels {
    const char *name;

    void (*gemm)(const dq_gemm *g);
    void (*conv)(const dq_conv *g);

    // In what follows panels are y_panel or x_panel floats apart, at least 16 times their rows.

    // c[r*c_row + q] = sum over panels and lanes of y[panel][r][lane] * x[panel][q][lane].
    // y: [panels][rows][16], x: [panels][columns][16]. The narrow layers' weight gradients.
    void (*gemm_lanes)(const float *y, size_t y_panel, int rows, const float *x, size_t x_panel, int columns,
                       int panels, float *c, size_t c_row);

    // sum[r] = sum over panels and lanes of y[panel][r][lane]; y: [panels][rows][16]
    void (*row_sums)(const float *y, size_t y_panel, int rows, int panels, float *sum);

    // panels [panels][features][16] -> out [ceil(features/16)][panels*16][16], zero past `features`
    void (*transpose)(const float *x, size_t x_panel, int features, int panels, float *out);

    // Normalisation; biased variances, sums in double.
    // Of each feature over `batch` samples:
    void (*feature_moments)(const float *x, size_t x_panel, int features, int batch, double *mean,
                            double *variance);
    // y = act(x * scale[f] + shift[f])
    void (*feature_affine)(const float *x, size_t x_panel, float *y, size_t y_panel, int features, int panels,
                           const float *scale, const float *shift, dq_nonlinearity activation);
    // Through xhat = (x - mean[f]) inverse[f], y = weight[f] xhat + bias[f]; d_x (zero in the padding) may be
    // NULL
    void (*feature_norm_backward)(const float *d_y, size_t y_panel, const float *x, size_t x_panel,
                                  int features, int batch, const float *mean, const float *inverse,
                                  const float *weight, float *d_weight, float *d_bias, float *d_x);
    // Of each sample over its features: y = act(weight[f] (x - mean) inverse + bias[f]); statistics
    // [panels][2][16] takes mean and inverse deviation, and may be NULL
    void (*sample_norm)(const float *x, size_t x_panel, float *y, size_t y_panel, int features, int panels,
                        double epsilon, const float *weight, const float *bias, dq_nonlinearity activation,
                        float *statistics);
    void (*sample_norm_backward)(const float *d_y, size_t y_panel, const float *x, size_t x_panel,
                                 int features, int panels, const float *statistics, const float *weight,
                                 float *d_weight, float *d_bias, float *d_x);

    // y[r] = act(bias[r] + w[r*w_row .. +columns] . x), 16 lane sums and tree; x: [columns]
    void (*matvec)(const float *w, size_t w_row, const float *bias, const float *x, int rows, int columns,
                   dq_nonlinearity activation, float *y);

    // 16 samples or fewer: rows [samples][features] <-> panel [features][16], whose other lanes become 0
    void (*rows_to_panel)(const float *rows, int samples, int features, float *panel);
    void (*panel_to_rows)(const float *panel, int samples, int features, float *rows);

    // y = the maximum of each window, which padding is not part of; d_x = d_y at the window's first maximum
    void (*max_pool)(const dq_pool_window *window, const float *x, float *y);
    void (*max_pool_backward)(const dq_pool_window *window, const float *x, const float *y, const float *d_y,
                              float *d_x);

    // y = x / 255, rounded as x * (1 / 255)
    void (*unit_floats)(const unsigned char *x, float *y, size_t n);

    // sum[n] += x[0][n] + x[1][n] + ... , x: [rows][columns], the rows' sum made first
    void (*column_sums)(const float *x, size_t x_row, int rows, int columns, float *sum);

    // y = act(x), and d = d_y * act'(y); n is any count, in and out may be the same
    void (*activate)(const float *x, float *y, size_t n, dq_nonlinearity activation);
    void (*activate_backward)(const float *d_y, const float *y, float *d, size_t n,
                              dq_nonlinearity activation);

    // optimizers: p [n] from g [n]; state arrays [n]; v_max, average and buffer may be NULL (option off)
    void (*adam)(float *p, const float *g, float *m, float *v, float *v_max, size_t n, const dq_adam *c);
    void (*rmsprop)(float *p, const float *g, float *v, float *average, float *buffer, size_t n,
                    const dq_rmsprop *c);
    void (*sgd)(float *p, const float *g, float *buffer, size_t n, float learning_rate, float momentum,
                float l2);

    // distributional heads, one panel: logits [n][16] -> powers [n][16] = exp(logit - max), sum and max [16]
    void (*exponentials)(const float *logits, int n, float *powers, float *sum, float *max);

    // theta, tau [n][16], target [m][16], u_ij = target_j - theta_i -> loss [16] = sum over i of the mean
    // over j of |tau_i - (u_ij < 0)| L(u_ij) / kappa with L Huber's function, and slope [n][16] = d loss / d
    // theta; kappa 0: |u| in place of L / kappa
    void (*quantile_pairs)(const float *theta, const float *tau, int n, const float *target, int m,
                           float kappa, float *loss, float *slope);

    void (*clip)(float *g, size_t n, float limit);   // into [-limit, limit]
    void (*scale)(float *g, size_t n, float factor); // g *= factor
    double (*square_sum)(const float *g, size_t n);  // lane sums in double
    void (*blend)(float *target, const float *source, size_t n,
                  float rate); // target = (1 - rate) target + rate source
} dq_kernels;

// The table of this process: the highest level that the processor has and DQ_CPU allows.
const dq_kernels *dq_kernels_get(void);

// The table of one level, NULL when this build or this processor lacks it.
const dq_kernels *dq_kernels_at(dq_cpu_level level);

// Filled by each instruction set's file; each overrides the entries it has.
void dq_kernels_ref(dq_kernels *table);
#if defined(__x86_64__)
void dq_kernels_avx2(dq_kernels *table);
void dq_kernels_avx512(dq_kernels *table);
#endif

// The one order in which 16 lane sums become one number.
#define DQ_SUM_LANES(s)                                                                                      \
    (((((s)[0] + (s)[8]) + ((s)[4] + (s)[12])) + (((s)[2] + (s)[10]) + ((s)[6] + (s)[14]))) +                \
     ((((s)[1] + (s)[9]) + ((s)[5] + (s)[13])) + (((s)[3] + (s)[11]) + ((s)[7] + (s)[15]))))

#endif
