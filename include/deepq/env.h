// Environments: dynamics as plain functions over plain memory, and the vectorised stepper around them.
//
// An environment knows its dynamics only. Step limits, truncation, automatic resets and final
// observations are the stepper's, once for all environments. An environment registered by the user's
// program gets the same service as the built-in ones.
#ifndef DEEPQ_ENV_H
#define DEEPQ_ENV_H

#include <deepq/base.h>
#include <deepq/feature.h>
#include <deepq/options.h>
#include <deepq/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_OBSERVATION_MAX 64 // widest observation vector of a class
#define DQ_ACTIONS_MAX     64 // most actions of a class

struct dq_canvas; // drawing primitives; deepq/draw.h

// Everything there is to know of one kind of environment. The struct and all it points to stay constant
// and alive while anything uses them. The functions may run on many threads, each with its own state.
typedef struct dq_env_class {
    const char *id;                       // "CartPole-v1"
    const char *summary;                  // one line
    const char *source;                   // paper or program the dynamics follow
    dq_space observation;                 // with the default options
    const float *observation_low;         // vectors [D], -INFINITY where unbounded
    const float *observation_high;        // vectors [D]
    const char *const *observation_names; // vectors [D], used as column names by traces
    const dq_features *features; // what observation=scaled and observation=features give; may be NULL
    int actions;
    const char *const *action_names; // [A]
    int step_limit;                  // 0: none
    double reward_threshold;         // mean return that counts as solved; NAN: none
    const char *tuned_as;            // the id whose tuned values it takes; NULL: its own
    size_t state_size;               // bytes; a snapshot is a memcpy
    dq_option_table options;         // describes the options struct; may be empty
    size_t options_size;             // bytes of the options struct; 0: none

    // What these options make of the observation. NULL: the same with all options.
    dq_space (*observation_with)(const void *options);

    // Starts an episode: fills `state` and writes the observation: [D] f32, or an image's bytes.
    void (*reset)(void *state, const void *options, dq_rng *rng, void *observation);

    // Advances one step: writes the observation and the reward, and returns whether the episode terminated (a
    // state with no future; a time limit is not the dynamics' business).
    bool (*step)(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward);

    // Advances `count` instances at once, to the same bits as `step` one by one: states lie `stride` bytes
    // apart, rng, actions, reward and terminated are [count], and observation rows lie side by side. May be
    // NULL; for dynamics that gain from doing several at once.
    void (*step_many)(void *states, size_t stride, const void *options, dq_rng *rng, int count,
                      const int32_t *actions, void *observation, double *reward, bool *terminated);

    // For games of several lives; both or none. `life_lost`: whether the last step cost one and the game goes
    // on, while learning is to take that for an end. `resume` then leads on to the observation to act on
    // next, and returns whether the game ended on the way; it adds what it earned to *reward.
    bool (*life_lost)(const void *state);
    bool (*resume)(void *state, const void *options, dq_rng *rng, void *observation, double *reward);

    // For dynamics that keep something beside a state, found again by its address and checked against its
    // content. `open`: whoever made room for a state calls it before the first reset. `release`: the state's
    // memory is about to go, let go of what belongs to it. Each may be NULL.
    dq_status (*open)(const struct dq_env_class *env_class, void *state, const void *options,
                      dq_error *error);
    void (*release)(const void *state);

    // For dynamics elsewhere, with a generator of their own beside the stream handed in. `seed`: the reset
    // that comes next is Gymnasium's reset(seed=seed); a reset that no call precedes goes on with the
    // generator. `truncated`: whether the last step truncated the episode, for reasons other than the class's
    // step limit. `check`: whether all instances with these options still work; where they do not, steps end
    // their episodes at once and tell nothing. Each may be NULL.
    void (*seed)(void *state, const void *options, uint64_t seed);
    bool (*truncated)(const void *state);
    dq_status (*check)(const void *options, dq_error *error);

    // Emits canvas primitives for the state (deepq/draw.h): a view, then shapes. May be NULL; viewers then
    // show the observation as bars.
    void (*draw)(const void *state, const void *options, struct dq_canvas *canvas);
    double frame_rate; // steps a second that look natural; 0: 30
    // For playing by hand, a character an action: < > ^ v for the arrow that takes it, . for the one taken
    // while no arrow is pressed. NULL: digits alone choose actions.
    const char *hand_keys;

    // What replaying a record needs; each may be NULL. `observe` writes the observation [D] in double
    // precision. `restore` puts the state where such an observation says, as if the episode had come there.
    // `step_with_noise` is `step` with its random draws given: noise_size draws of uniform(-1, 1).
    void (*observe)(const void *state, const void *options, double *observation);
    void (*restore)(void *state, const void *options, const double *observation);
    bool (*step_with_noise)(void *state, const void *options, const double *noise, int action,
                            float *observation, double *reward);
    int noise_size;
} dq_env_class;

// Registers a class of the caller's; it must outlive every use. Fails when the id is taken or the class is
// incomplete. Call it before threads start.
DQ_API dq_status dq_env_register(const dq_env_class *env_class, dq_error *error);

// Families: classes that are made when an id with the family's prefix ("gym:") is looked up for the first
// time. `find` returns a complete class that stays for good, or NULL with a sentence in `error`. Fails when
// the prefix is taken. Call it before threads start.
typedef const dq_env_class *dq_env_family_fn(const char *id, dq_error *error);
DQ_API dq_status dq_env_register_family(const char *prefix, dq_env_family_fn *find, dq_error *error);

// The class called `id`; NULL fills `error` with the nearest known name. Any thread.
DQ_API const dq_env_class *dq_env_find(const char *id, dq_error *error);

// The class's observation with these options; NULL: with the defaults.
DQ_API dq_space dq_env_observation(const dq_env_class *env_class, const void *options);

// All classes, built-in ones first: 0 <= index < dq_env_count().
DQ_API int dq_env_count(void);
DQ_API const dq_env_class *dq_env_at(int index);

// --- the vectorised stepper -------------------------------------------------------------------------

// N instances of one class. After dq_vecenv_step, row i of the arrays tells of instance i:
typedef struct dq_vecenv {
    const dq_env_class *env_class;
    int count;               // N
    int step_limit;          // 0: none
    dq_space space;          // of one observation; rows of dq_space_bytes follow
    void *observation;       // [N] what to act on next: the reset's observation where an episode ended
    void *final_observation; // [N] what the step itself led to, before any reset
    double *reward;          // [N]
    bool *terminated;        // [N] the dynamics ended the episode
    bool *truncated;         // [N] a limit ended it, and the dynamics did not
    bool *life_lost;         // [N] the episode goes on, but for learning it ended like a terminated one
    int64_t *episode_length; // [N] steps of the episode so far, this step included
    double *episode_return;  // [N] undiscounted; both keep the ended episode's value until the next step
    dq_rng *rng;             // [N]
    void *state;             // [N] states of dq_vecenv_state_stride bytes
    size_t state_stride;
    void *options;      // one options struct shared by all instances, or NULL
    void *memory;       // the one block behind all arrays
    size_t memory_size; // saving memory[0..memory_size) and restoring it restores everything
} dq_vecenv;

// Instance i draws from default_rng(seed + i). `options` may be NULL for the class's defaults and is copied.
// `step_limit` < 0 keeps the class's own. Ends with every instance reset.
DQ_API dq_status dq_vecenv_create(dq_vecenv **out, const dq_env_class *env_class, const void *options,
                                  int count, int step_limit, uint64_t seed, dq_error *error);
DQ_API void dq_vecenv_destroy(dq_vecenv *env);

// Seeds and resets one instance, as Gymnasium's reset(seed=seed).
DQ_API void dq_vecenv_reset(dq_vecenv *env, int index, uint64_t seed);

// What instance `index` is to act on next; a vector's numbers are floats.
static inline const void *dq_vecenv_observation(const dq_vecenv *env, int index) {
    return (const unsigned char *)env->observation + (size_t)index * dq_space_bytes(&env->space);
}
static inline const void *dq_vecenv_final_observation(const dq_vecenv *env, int index) {
    return (const unsigned char *)env->final_observation + (size_t)index * dq_space_bytes(&env->space);
}

// actions: [N], each in [0, A). Instances that ended reset on their own within the same call.
DQ_API void dq_vecenv_step(dq_vecenv *env, const int32_t *actions);

// Whether the instances still work. Only classes with a `check` can fail, and a caller that steps them asks
// after each round.
DQ_API dq_status dq_vecenv_check(const dq_vecenv *env, dq_error *error);

#ifdef __cplusplus
}
#endif
#endif
