// The vectorised stepper: step limits, truncation, final observations, automatic resets and episode sums,
// once for all environments. A transition's way starts here.
//
// All that changes lies in one block, so that a copy of it is a snapshot: per-instance arrays, each from a
// 64-byte boundary, as listed in `lay_out`. Instances share nothing, so N of them equal N single ones.
#include <deepq/env.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64, STATE_ALIGNMENT = 16 };

static size_t round_up(size_t size, size_t to) {
    return (size + to - 1) / to * to;
}

static void *take(unsigned char *memory, size_t *used, size_t size) {
    void *place = memory ? memory + *used : NULL;
    *used += round_up(size, LINE);
    return place;
}

// Points the arrays into `memory`, or only counts the bytes when it is NULL.
static size_t lay_out(dq_vecenv *env, unsigned char *memory) {
    size_t n = (size_t)env->count, row = dq_space_bytes(&env->space), used = 0;
    env->observation = take(memory, &used, n * row);
    env->final_observation = take(memory, &used, n * row);
    env->reward = take(memory, &used, n * sizeof(double));
    env->terminated = take(memory, &used, n * sizeof(bool));
    env->truncated = take(memory, &used, n * sizeof(bool));
    env->life_lost = take(memory, &used, n * sizeof(bool));
    env->episode_length = take(memory, &used, n * sizeof(int64_t));
    env->episode_return = take(memory, &used, n * sizeof(double));
    env->rng = take(memory, &used, n * sizeof(dq_rng));
    env->state = take(memory, &used, n * env->state_stride);
    env->options = env->env_class->options_size ? take(memory, &used, env->env_class->options_size) : NULL;
    return used;
}

dq_status dq_vecenv_create(dq_vecenv **out, const dq_env_class *env_class, const void *options, int count,
                           int step_limit, uint64_t seed, dq_error *error) {
    *out = NULL;
    if (count < 1) {
        return dq_fail(error, DQ_USAGE, env_class->id, "%d environments make no sense; at least 1 is needed",
                       count);
    }
    dq_vecenv *env = calloc(1, sizeof *env);
    if (!env) return dq_fail(error, DQ_MEMORY, env_class->id, "no memory for the environments");
    env->env_class = env_class;
    env->space = dq_env_observation(env_class, options);
    env->count = count;
    env->step_limit = step_limit < 0 ? env_class->step_limit : step_limit;
    env->state_stride = round_up(env_class->state_size, STATE_ALIGNMENT);
    env->memory_size = lay_out(env, NULL);

    dq_status status = DQ_OK;
    env->memory = aligned_alloc(LINE, env->memory_size);
    if (!env->memory) {
        status = dq_fail(error, DQ_MEMORY, env_class->id, "no memory for %d environments of %zu bytes each",
                         count, env->memory_size / (size_t)count);
        goto fail;
    }
    memset(env->memory, 0, env->memory_size);
    lay_out(env, env->memory);
    if (options && env->options) {
        memcpy(env->options, options, env_class->options_size);
    } else if (env->options) {
        status = dq_options_defaults(env_class->options, env->options, error);
        if (status) goto fail;
    }
    for (int i = 0; env_class->open && i < count; i++) {
        void *state = (unsigned char *)env->state + (size_t)i * env->state_stride;
        status = env_class->open(env_class, state, env->options, error);
        if (status) goto fail;
    }
    for (int i = 0; i < count; i++) dq_vecenv_reset(env, i, seed + (uint64_t)i);
    status = dq_vecenv_check(env, error);
    if (status) goto fail;
    *out = env;
    return DQ_OK;
fail:
    dq_vecenv_destroy(env);
    return status;
}

void dq_vecenv_destroy(dq_vecenv *env) {
    if (!env) return;
    for (int i = 0; env->memory && env->env_class->release && i < env->count; i++) {
        env->env_class->release((const unsigned char *)env->state + (size_t)i * env->state_stride);
    }
    free(env->memory);
    free(env);
}

void dq_vecenv_reset(dq_vecenv *env, int index, uint64_t seed) {
    assert(index >= 0 && index < env->count);
    size_t i = (size_t)index, row = dq_space_bytes(&env->space);
    unsigned char *observation = (unsigned char *)env->observation + i * row;
    void *state = (unsigned char *)env->state + i * env->state_stride;
    dq_rng_seed(&env->rng[i], seed);
    if (env->env_class->seed) env->env_class->seed(state, env->options, seed);
    env->env_class->reset(state, env->options, &env->rng[i], observation);
    memcpy((unsigned char *)env->final_observation + i * row, observation, row);
    env->reward[i] = 0;
    env->terminated[i] = env->truncated[i] = env->life_lost[i] = false;
    env->episode_length[i] = 0;
    env->episode_return[i] = 0;
}

// Instances whose episode ended start the sums of their next one. Here and in count_steps, arrays by
// themselves: what is written as bool could be anything to a compiler, a pointer in `env` too.
static void begin_steps(dq_vecenv *env) {
    const bool *terminated = env->terminated, *truncated = env->truncated;
    int64_t *length = env->episode_length;
    double *sum = env->episode_return;
    for (int i = 0, n = env->count; i < n; i++) {
        const bool over = terminated[i] | truncated[i];
        length[i] = over ? 0 : length[i];
        sum[i] = over ? 0 : sum[i];
    }
}

// Counts the step that every instance has made, and truncates at the limit.
static void count_steps(dq_vecenv *env) {
    const double *reward = env->reward;
    const bool *terminated = env->terminated;
    bool *truncated = env->truncated;
    int64_t *length = env->episode_length;
    double *sum = env->episode_return;
    const int64_t limit = env->step_limit > 0 ? env->step_limit : INT64_MAX;
    for (int i = 0, n = env->count; i < n; i++) {
        length[i]++;
        sum[i] += reward[i];
        truncated[i] = !terminated[i] & (length[i] >= limit);
    }
}

// What instance i shows after its step is what it acts on next, unless end_step begins something new.
static inline void copy_row(const dq_vecenv *env, size_t i) {
    const size_t size = (size_t)env->space.size;
    if (env->space.element == DQ_F32) { // a few numbers, sooner copied than memcpy called
        float *to = (float *)env->observation + i * size;
        const float *from = (const float *)env->final_observation + i * size;
        for (size_t k = 0; k < size; k++) to[k] = from[k];
    } else {
        memcpy((unsigned char *)env->observation + i * size,
               (const unsigned char *)env->final_observation + i * size, size);
    }
}

// After a lost life of instance i. The game may end before there is anything to act on; that is then the
// step's doing.
static void resume(dq_vecenv *env, size_t i, void *state, void *observation) {
    double earned = 0;
    env->terminated[i] = env->env_class->resume(state, env->options, &env->rng[i], observation, &earned);
    env->life_lost[i] = !env->terminated[i];
    env->episode_return[i] += earned;
}

// After the step and its count: truncates where the environment says so; resumes after a lost life; resets
// where the episode is over.
static inline void end_step(dq_vecenv *env, const dq_env_class *env_class, size_t i) {
    unsigned char *observation = (unsigned char *)env->observation + i * dq_space_bytes(&env->space);
    void *state = (unsigned char *)env->state + i * env->state_stride;
    if (env_class->truncated && !env->terminated[i]) env->truncated[i] |= env_class->truncated(state);
    if (env_class->life_lost) {
        env->life_lost[i] = !env->terminated[i] && env_class->life_lost(state);
        if (env->life_lost[i] && !env->truncated[i]) resume(env, i, state, observation);
    }
    if (env->terminated[i] || env->truncated[i])
        env_class->reset(state, env->options, &env->rng[i], observation);
}

void dq_vecenv_step(dq_vecenv *env, const int32_t *actions) {
    const dq_env_class *env_class = env->env_class;
    const size_t n = (size_t)env->count, row = dq_space_bytes(&env->space);
    for (size_t i = 0; i < n; i++) assert(actions[i] >= 0 && actions[i] < env_class->actions);

    begin_steps(env);
    if (env_class->step_many && n > 1) {
        env_class->step_many(env->state, env->state_stride, env->options, env->rng, env->count, actions,
                             env->final_observation, env->reward, env->terminated);
        memcpy(env->observation, env->final_observation, n * row);
    } else {
        for (size_t i = 0; i < n; i++) {
            void *state = (unsigned char *)env->state + i * env->state_stride;
            env->terminated[i] =
                env_class->step(state, env->options, &env->rng[i], actions[i],
                                (unsigned char *)env->final_observation + i * row, &env->reward[i]);
            copy_row(env, i);
        }
    }
    count_steps(env);
    if (env_class->truncated || env_class->life_lost) {
        for (size_t i = 0; i < n; i++) end_step(env, env_class, i);
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (env->terminated[i] | env->truncated[i]) end_step(env, env_class, i);
}

dq_status dq_vecenv_check(const dq_vecenv *env, dq_error *error) {
    return env->env_class->check ? env->env_class->check(env->options, error) : DQ_OK;
}
