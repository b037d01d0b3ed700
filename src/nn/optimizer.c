// Optimizers and gradient clipping over one flat array; the loops are kernels, the constants PyTorch's.
#include "nn/share.h"

#include <assert.h>
#include <deepq/net.h>
#include <math.h>

#define SHARED_LEAST 65536 // parameters below which threads do not pay

dq_optimizer_config dq_optimizer_defaults(dq_optimizer_kind kind) {
    dq_optimizer_config config = {.kind = kind, .alpha = 0.99, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    if (kind == DQ_ADAMW) config.weight_decay = 0.01;
    return config;
}

// State arrays of `count` floats each. SGD: momentum buffer. RMSprop: square average, mean gradient
// (centered), momentum buffer. Adam: first moment, second moment, its maximum (amsgrad).
static int state_arrays(const dq_optimizer_config *config) {
    switch (config->kind) {
    case DQ_SGD:
        return config->momentum != 0.0;
    case DQ_RMSPROP:
        return 1 + config->centered + (config->momentum != 0.0);
    case DQ_ADAM:
    case DQ_ADAMW:
        return 2 + config->amsgrad;
    case DQ_RADAM:
        return 2;
    }
    return 0;
}

size_t dq_optimizer_state_size(const dq_optimizer_config *config, size_t count) {
    return (size_t)state_arrays(config) * count;
}

// The steps work on `count` parameters of many; the state's arrays are `apart` floats apart.

static void adam_step(const dq_optimizer_config *config, float *state, size_t apart, int64_t step,
                      double rate, float *params, const float *gradient, size_t count) {
    bool decoupled = config->kind == DQ_ADAMW;
    double correction1 = 1.0 - pow(config->beta1, (double)step),
           correction2 = 1.0 - pow(config->beta2, (double)step);
    dq_adam constants = {
        .beta1 = (float)config->beta1,
        .rest1 = (float)(1.0 - config->beta1),
        .beta2 = (float)config->beta2,
        .rest2 = (float)(1.0 - config->beta2),
        .l2 = decoupled ? 0.0f : (float)config->weight_decay,
        .decay = decoupled ? (float)(1.0 - rate * config->weight_decay) : 1.0f,
        .root_scale = (float)(1.0 / sqrt(correction2)),
        .epsilon = (float)config->epsilon,
        .step_size = (float)(rate / correction1),
    };
    dq_kernels_get()->adam(params, gradient, state, state + apart, config->amsgrad ? state + 2 * apart : NULL,
                           count, &constants);
}

// Liu et al. 2020, algorithm 2, with PyTorch's place for epsilon: while the variance of the adaptive rate is
// intractable (rho <= 5) a step of momentum alone, afterwards Adam's step times the rectification. Both are
// Adam's kernel with other constants.
static void radam_step(const dq_optimizer_config *config, float *state, size_t apart, int64_t step,
                       double rate, float *params, const float *gradient, size_t count) {
    double power2 = pow(config->beta2, (double)step), correction2 = 1.0 - power2;
    double correction1 = 1.0 - pow(config->beta1, (double)step);
    double rho_end = 2.0 / (1.0 - config->beta2) - 1.0,
           rho = rho_end - 2.0 * (double)step * power2 / correction2;
    dq_adam constants = {
        .beta1 = (float)config->beta1,
        .rest1 = (float)(1.0 - config->beta1),
        .beta2 = (float)config->beta2,
        .rest2 = (float)(1.0 - config->beta2),
        .l2 = (float)config->weight_decay,
        .decay = 1.0f,
        .root_scale = 0.0f,
        .epsilon = 1.0f,
        .step_size = (float)(rate / correction1),
    };
    if (rho > 5.0) {
        double rectification =
            sqrt((rho - 4.0) * (rho - 2.0) * rho_end / ((rho_end - 4.0) * (rho_end - 2.0) * rho));
        constants.root_scale = 1.0f;
        constants.epsilon = (float)config->epsilon;
        constants.step_size = (float)(rate / correction1 * rectification * sqrt(correction2));
    }
    dq_kernels_get()->adam(params, gradient, state, state + apart, NULL, count, &constants);
}

static void rmsprop_step(const dq_optimizer_config *config, float *state, size_t apart, double rate,
                         float *params, const float *gradient, size_t count) {
    dq_rmsprop constants = {
        .alpha = (float)config->alpha,
        .rest = (float)(1.0 - config->alpha),
        .l2 = (float)config->weight_decay,
        .epsilon = (float)config->epsilon,
        .momentum = (float)config->momentum,
        .learning_rate = (float)rate,
    };
    float *average = config->centered ? state + apart : NULL;
    float *buffer = config->momentum != 0.0 ? state + (config->centered ? 2 : 1) * apart : NULL;
    dq_kernels_get()->rmsprop(params, gradient, state, average, buffer, count, &constants);
}

typedef struct update {
    const dq_optimizer_config *config;
    float *state;
    size_t count;
    int64_t step;
    double rate;
    float *params;
    const float *gradient;
} update;

static void update_range(void *user, size_t first, size_t n) {
    const update *u = user;
    const dq_optimizer_config *config = u->config;
    float *state = u->state + first, *params = u->params + first;
    const float *gradient = u->gradient + first;
    switch (config->kind) {
    case DQ_SGD:
        dq_kernels_get()->sgd(params, gradient, config->momentum != 0.0 ? state : NULL, n, (float)u->rate,
                              (float)config->momentum, (float)config->weight_decay);
        break;
    case DQ_RMSPROP:
        rmsprop_step(config, state, u->count, u->rate, params, gradient, n);
        break;
    case DQ_ADAM:
    case DQ_ADAMW:
        adam_step(config, state, u->count, u->step, u->rate, params, gradient, n);
        break;
    case DQ_RADAM:
        radam_step(config, state, u->count, u->step, u->rate, params, gradient, n);
        break;
    }
}

void dq_optimizer_step(const dq_optimizer_config *config, float *state, int64_t step, double learning_rate,
                       float *params, const float *gradient, size_t count) {
    dq_optimizer_step_on(NULL, config, state, step, learning_rate, params, gradient, count);
}

void dq_optimizer_step_on(dq_pool *pool, const dq_optimizer_config *config, float *state, int64_t step,
                          double learning_rate, float *params, const float *gradient, size_t count) {
    assert(step >= 1);
    update u = {config, state, count, step, learning_rate, params, gradient};
    dq_share_range(pool, count, SHARED_LEAST, update_range, &u);
}

void dq_clip_value(float *gradient, size_t count, double limit) {
    dq_kernels_get()->clip(gradient, count, (float)limit);
}

// The gradient's squares in chunks, whose number depends on `count` alone, so that the sum has one order.
enum { CHUNKS = 256, CHUNK_LEAST = 65536 };

typedef struct norm_job {
    float *gradient;
    size_t count, chunk;
    float factor;
    double sum[CHUNKS];
} norm_job;

static void square_chunk(void *user, int64_t index, int worker) {
    (void)worker;
    norm_job *job = user;
    const size_t first = (size_t)index * job->chunk;
    const size_t n = job->count - first < job->chunk ? job->count - first : job->chunk;
    job->sum[index] = dq_kernels_get()->square_sum(job->gradient + first, n);
}

static void scale_range(void *user, size_t first, size_t n) {
    const norm_job *job = user;
    dq_kernels_get()->scale(job->gradient + first, n, job->factor);
}

double dq_clip_norm(float *gradient, size_t count, double limit) {
    return dq_clip_norm_on(NULL, gradient, count, limit);
}

double dq_clip_norm_on(dq_pool *pool, float *gradient, size_t count, double limit) {
    norm_job job = {.gradient = gradient, .count = count};
    job.chunk = (count / CHUNKS + 16) / 16 * 16;
    if (job.chunk < CHUNK_LEAST) job.chunk = CHUNK_LEAST;
    const int64_t chunks = (int64_t)((count + job.chunk - 1) / job.chunk);
    dq_pool_run(pool, chunks, square_chunk, &job);
    double sum = 0;
    for (int64_t i = 0; i < chunks; i++) sum += job.sum[i];
    const double norm = sqrt(sum), factor = limit / (norm + 1e-6); // torch.nn.utils.clip_grad_norm_
    job.factor = (float)factor;
    if (factor < 1.0) dq_share_range(pool, count, SHARED_LEAST, scale_range, &job);
    return norm;
}

typedef struct blend_job {
    float *target;
    const float *online;
    float tau;
} blend_job;

static void blend_range(void *user, size_t first, size_t n) {
    const blend_job *job = user;
    dq_kernels_get()->blend(job->target + first, job->online + first, n, job->tau);
}

void dq_params_blend(float *target, const float *online, size_t count, double tau) {
    dq_params_blend_on(NULL, target, online, count, tau);
}

void dq_params_blend_on(dq_pool *pool, float *target, const float *online, size_t count, double tau) {
    blend_job job = {target, online, (float)tau};
    dq_share_range(pool, count, SHARED_LEAST, blend_range, &job);
}
