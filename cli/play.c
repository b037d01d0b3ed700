// Playing: steps an environment on its own, without automatic resets, so that the last state can be seen.
#include "play.h"

#include "policies.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RANDOM_KEY = 0x706c6179, TRAIL_MOST = 1 << 17 };

static dq_status no_memory(dq_error *error) {
    return dq_fail(error, DQ_MEMORY, NULL, "there is no memory for the episode");
}

// --- the trail ---------------------------------------------------------------------------------------------

static dq_status grow(play *p, dq_error *error) {
    const size_t room = p->room > 0 ? 2 * (size_t)p->room : 1024, width = (size_t)p->trail.width;
    float *observations = realloc(p->observations, (room * width + 1) * sizeof *observations);
    if (observations) p->observations = observations;
    int32_t *actions = realloc(p->actions, room * sizeof *actions);
    if (actions) p->actions = actions;
    double *rewards = realloc(p->rewards, room * sizeof *rewards);
    if (rewards) p->rewards = rewards;
    p->trail.observations = p->observations;
    p->trail.actions = p->actions;
    p->trail.rewards = p->rewards;
    if (!observations || !actions || !rewards) return no_memory(error);
    p->room = (int)room;
    return DQ_OK;
}

// An episode without end keeps its later half.
static void forget(play *p) {
    const size_t width = (size_t)p->trail.width, half = (size_t)p->trail.count / 2;
    const size_t rest = (size_t)p->trail.count - half;
    memmove(p->observations, p->observations + half * width, rest * width * sizeof *p->observations);
    memmove(p->actions, p->actions + half, rest * sizeof *p->actions);
    memmove(p->rewards, p->rewards + half, rest * sizeof *p->rewards);
    p->trail.count = (int)rest;
}

// What follows from the present state: its row of the trail, and the choice.
static void look(play *p) {
    const int actions = p->env_class->actions;
    const size_t width = (size_t)p->trail.width;
    memcpy(p->observations + (size_t)(p->trail.count - 1) * width, p->observation, width * sizeof(float));
    if (p->frames) dq_frames_push(p->frames, 0, p->observation);
    p->choice = 0;
    if (!p->policy) {
        p->choice = (int)dq_rng_integers(&p->choices, 0, actions);
        return;
    }
    dq_policy_q(p->policy, p->frames ? dq_frames_at(p->frames, 0) : p->observation, p->q);
    for (int a = 0; a < actions; a++) {
        if (p->q[a] > p->q[p->choice]) p->choice = a;
        p->q_low = fmin(p->q_low, (double)p->q[a]);
        p->q_high = fmax(p->q_high, (double)p->q[a]);
    }
}

// --- creation ----------------------------------------------------------------------------------------------

static dq_status build(play *p, dq_error *error) {
    p->env_class = dq_env_find(p->config.env, error);
    if (!p->env_class) return error->code;
    p->step_limit = p->config.step_limit >= 0 ? (int)p->config.step_limit : p->env_class->step_limit;
    p->state = aligned_alloc(64, (p->env_class->state_size + 63) / 64 * 64);
    p->q = calloc((size_t)p->env_class->actions, sizeof *p->q);
    p->space = dq_env_observation(p->env_class, p->config.env_options);
    p->observation = calloc(1, dq_space_bytes(&p->space));
    p->trail.width = p->space.element == DQ_F32 ? p->space.size : 0;
    p->trail.step_limit = p->step_limit;
    if (!p->state || !p->q || !p->observation) return no_memory(error);
    const int stack = p->policy ? dq_policy_frame_stack(p->policy) : 1;
    dq_status status = stack > 1 ? dq_frames_create(&p->frames, &p->space, stack, 1, error) : DQ_OK;
    if (status) return status;
    memset(p->state, 0, p->env_class->state_size);
    const dq_env_class *c = p->env_class;
    status = c->open ? c->open(c, p->state, p->config.env_options, error) : DQ_OK;
    return status ? status : grow(p, error);
}

dq_status play_create_with(play **out, dq_policy *policy, const dq_run_config *config, uint64_t seed,
                           dq_error *error) {
    *out = NULL;
    play *p = calloc(1, sizeof *p);
    if (!p) {
        dq_policy_destroy(policy);
        return no_memory(error);
    }
    p->config = *config;
    p->policy = policy;
    snprintf(p->player, sizeof p->player, "%s", policy ? config->agent : "random");
    const dq_status status = build(p, error);
    if (status) {
        play_destroy(p);
        return status;
    }
    play_reset(p, seed);
    *out = p;
    return DQ_OK;
}

static dq_status create_random(play **out, const char *env, const char *const *words, int word_count,
                               uint64_t seed, dq_error *error) {
    dq_run_config config;
    if (!env)
        return dq_fail(error, DQ_USAGE, "random",
                       "which environment? Add --env, for example --env CartPole-v1");
    dq_status status = dq_run_config_init(&config, env, NULL, error);
    if (!status) status = cli_env_words(&config, words, word_count, error);
    return status ? status : play_create_with(out, NULL, &config, seed, error);
}

dq_status play_create(play **out, const char *who, const char *env, const char *const *words, int word_count,
                      uint64_t seed, dq_error *error) {
    struct stat about;
    *out = NULL;
    if (strcmp(who, "random") == 0 && stat(who, &about))
        return create_random(out, env, words, word_count, seed, error);
    dq_policy *policy = NULL;
    dq_run_config config;
    dq_status status = cli_policy_load(&policy, who, error);
    if (!status) status = cli_policy_env(&config, policy, who, env, words, word_count, error);
    if (!status) return play_create_with(out, policy, &config, seed, error);
    dq_policy_destroy(policy);
    return status;
}

void play_destroy(play *p) {
    if (!p) return;
    dq_policy_destroy(p->policy);
    if (p->state && p->env_class && p->env_class->release) p->env_class->release(p->state);
    free(p->state);
    free(p->q);
    dq_frames_destroy(p->frames);
    free(p->observation);
    free(p->observations);
    free(p->actions);
    free(p->rewards);
    free(p);
}

// --- episodes ----------------------------------------------------------------------------------------------

void play_reset(play *p, uint64_t seed) {
    p->seed = seed;
    p->steps = 0;
    p->episode_return = 0;
    p->terminated = p->truncated = false;
    p->q_low = INFINITY;
    p->q_high = -INFINITY;
    dq_rng_seed(&p->rng, seed);
    dq_rng_seed_child(&p->choices, seed, (const uint32_t[]){RANDOM_KEY}, 1);
    if (p->env_class->seed) p->env_class->seed(p->state, p->config.env_options, seed);
    p->env_class->reset(p->state, p->config.env_options, &p->rng, p->observation);
    if (p->frames) dq_frames_clear(p->frames, 0);
    p->actions[0] = -1;
    p->rewards[0] = 0;
    p->trail.count = 1;
    look(p);
}

dq_status play_step(play *p, int action, dq_error *error) {
    if (p->trail.count == TRAIL_MOST) forget(p);
    if (p->trail.count == p->room) {
        const dq_status status = grow(p, error);
        if (status) return status;
    }
    const int row = p->trail.count;
    const dq_env_class *e = p->env_class;
    const void *options = p->config.env_options;
    p->terminated = e->step(p->state, options, &p->rng, action, p->observation, &p->rewards[row]);
    if (!p->terminated && e->life_lost && e->life_lost(p->state)) {
        p->terminated = e->resume(p->state, options, &p->rng, p->observation, &p->rewards[row]);
        if (p->frames) dq_frames_clear(p->frames, 0);
    }
    p->actions[row] = action;
    p->trail.count++;
    p->steps++;
    p->episode_return += p->rewards[row];
    p->truncated = !p->terminated && ((p->step_limit > 0 && p->steps >= p->step_limit) ||
                                      (p->env_class->truncated && p->env_class->truncated(p->state)));
    look(p);
    return p->env_class->check ? p->env_class->check(p->config.env_options, error) : DQ_OK;
}

bool play_over(const play *p) {
    return p->terminated || p->truncated;
}

dq_scene play_scene(const play *p, int chosen) {
    return (dq_scene){
        .env_class = p->env_class,
        .state = p->state,
        .options = p->config.env_options,
        .trail = &p->trail,
        .space = &p->space,
        .observation = p->observation,
        .player = p->player,
        .seed = p->seed,
        .episode_return = p->episode_return,
        .over = play_over(p),
        .q = p->policy ? p->q : NULL,
        .chosen = chosen,
        .q_low = p->q_low,
        .q_high = p->q_high,
    };
}
