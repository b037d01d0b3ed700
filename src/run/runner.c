// The one training loop.
//
// Place: it alone sees both ends: environments step, the agent observes, learns and acts, hooks look on.
// All that decides a run's course is plain memory in `now`, the environments' block, the agent's blocks and
// the hooks' states, so that hook_checkpoint.c can save it between any two rounds.
#include "run/runner.h"

#include "base/file.h"
#include "run/checkpoint.h"
#include "run/config.h"
#include "run/hook.h"
#include "run/weights.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const dq_hook_class *const hook_classes[DQ_RUN_HOOKS] = {&dq_hook_eval, &dq_hook_metrics,
                                                                &dq_hook_stop, &dq_hook_checkpoint};

static atomic_uint interrupts;

void dq_run_interrupt(void) {
    atomic_fetch_add(&interrupts, 1);
}

static double clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double dq_run_seconds(const dq_run *run) {
    return run->now.seconds + (clock_now() - run->started);
}

bool dq_run_due(const dq_run *run, int64_t interval) {
    return interval > 0 && run->now.step / interval > (run->now.step - run->previous_step) / interval;
}

// --- the loop ----------------------------------------------------------------------------------------------

static dq_status tell(dq_run *run, dq_event event, dq_error *error) {
    for (int i = 0; i < DQ_RUN_HOOKS; i++) {
        if (!run->hooks[i]->hook_class->on[event]) continue;
        dq_status status = run->hooks[i]->hook_class->on[event](run->hooks[i], run, error);
        if (status) return status;
    }
    return DQ_OK;
}

static dq_status end_episode(dq_run *run, int i, dq_error *error) {
    dq_run_now *now = &run->now;
    const int64_t place = now->episode++ % DQ_RUN_WINDOW;
    now->window[place] = run->env->episode_return[i];
    now->lengths[place] = (double)run->env->episode_length[i];
    int64_t count = now->episode < DQ_RUN_WINDOW ? now->episode : DQ_RUN_WINDOW;
    double sum = 0, steps = 0;
    for (int64_t k = 0; k < count; k++) sum += now->window[k], steps += now->lengths[k];
    now->row.episode_length = run->env->episode_length[i];
    now->row.episode_return = run->env->episode_return[i];
    now->row.mean_return = sum / (double)count;
    now->row.mean_length = steps / (double)count;
    return tell(run, DQ_ON_EPISODE, error);
}

// One step of every environment, and what follows from it.
static dq_status advance(dq_run *run, dq_error *error) {
    dq_vecenv *env = run->env;
    dq_run_now *now = &run->now;
    const size_t bytes = dq_space_bytes(&env->space);

    memcpy(run->acted_on, env->observation, (size_t)env->count * bytes);
    dq_agent_act(run->agent, run->acted_on, env->count, now->step, now->episode, run->actions);
    dq_vecenv_step(env, run->actions);
    dq_status status = dq_vecenv_check(env, error);
    if (status) return status;
    now->step += run->previous_step = env->count;
    int64_t ended = 0;
    for (int i = 0; i < env->count; i++) {
        dq_agent_observe(run->agent, i, run->acted_on + (size_t)i * bytes, run->actions[i], env->reward[i],
                         dq_vecenv_final_observation(env, i), env->terminated[i] || env->life_lost[i],
                         env->truncated[i]);
        ended += env->terminated[i] || env->truncated[i];
    }
    dq_agent_learn(run->agent, env->count, now->step, now->episode + ended);

    for (int i = 0; !status && ended > 0 && i < env->count; i++)
        if (env->terminated[i] || env->truncated[i]) status = end_episode(run, i, error);
    return status ? status : tell(run, DQ_ON_STEP, error);
}

dq_status dq_run_train(dq_run *run, dq_error *error) {
    run->started = clock_now();
    run->stopping = false;
    dq_status status = tell(run, DQ_ON_START, error);
    while (!status && !run->stopping) {
        status = advance(run, error);
        if (atomic_load(&interrupts) != run->generation) run->stopping = run->interrupted = true;
    }
    if (!status) status = tell(run, DQ_ON_FINISH, error);
    return !status && run->interrupted ? DQ_INTERRUPTED : status;
}

// --- weights -----------------------------------------------------------------------------------------------

void dq_run_measured(dq_run *run, double value) {
    if (run->now.has_best && !(value > run->now.best)) return;
    run->now.has_best = true;
    run->now.best = value;
    run->best_changed = true;
    memcpy(run->best_params, dq_agent_params(run->agent),
           dq_net_size(dq_agent_net(run->agent)) * sizeof(float));
}

const char *dq_run_path(const dq_run *run, const char *name, char path[4096]) {
    snprintf(path, 4096, "%s/%s", run->folder, name);
    return path;
}

dq_status dq_run_write_weights(dq_run *run, dq_error *error) {
    char path[4096], *config = dq_run_config_text(&run->config);
    const dq_net *net = dq_agent_net(run->agent);
    if (!config) return dq_fail(error, DQ_MEMORY, run->folder, "there is no memory to write the weights");
    dq_status status = dq_weights_write(dq_run_path(run, "weights.safetensors", path), net,
                                        dq_agent_params(run->agent), config, error);
    if (!status && run->best_changed) {
        status = dq_weights_write(dq_run_path(run, "best.safetensors", path), net, run->best_params, config,
                                  error);
        if (!status) run->best_changed = false;
    }
    free(config);
    return status;
}

// --- creation ----------------------------------------------------------------------------------------------

// Everything but the folder, from the configuration.
static dq_status build(dq_run **out, const dq_run_config *config, dq_error *error) {
    *out = NULL;
    dq_status status = dq_run_config_validate(config, error);
    if (status) return status;
    dq_run *run = calloc(1, sizeof *run);
    if (!run) return dq_fail(error, DQ_MEMORY, "run", "there is no memory for the run");
    run->config = *config;
    run->env_class = dq_env_find(config->env, error);
    run->config.learner.features = run->env_class->features;
    run->generation = atomic_load(&interrupts);
    run->started = clock_now();
    const int count = (int)config->n_envs;
    const uint64_t seed = (uint64_t)config->seed;

    const int64_t limit = config->train_step_limit >= 0 ? config->train_step_limit : config->step_limit;
    status = dq_vecenv_create(&run->env, run->env_class, config->env_options, count, (int)limit, seed, error);
    if (!status)
        status = dq_agent_create(&run->agent, &run->config.learner, &run->env->space, run->env_class->actions,
                                 count, seed, error);
    if (status) goto fail;
    run->best_params = calloc(dq_net_size(dq_agent_net(run->agent)), sizeof(float));
    run->acted_on = calloc((size_t)count, dq_space_bytes(&run->env->space));
    run->actions = calloc((size_t)count, sizeof *run->actions);
    if (!run->best_params || !run->acted_on || !run->actions) {
        status = dq_fail(error, DQ_MEMORY, "run", "there is no memory for the run");
        goto fail;
    }
    run->now.row.mean_return = run->now.row.mean_length = run->now.row.episode_return = NAN;
    run->now.row.eval_return = run->now.row.eval_discounted_return = run->now.row.eval_q_start = NAN;
    run->now.row.eval_length = NAN;
    for (int i = 0; i < DQ_RUN_HOOKS; i++) {
        status = hook_classes[i]->create(&run->hooks[i], run, error);
        if (status) goto fail;
        run->hooks[i]->hook_class = hook_classes[i];
    }
    *out = run;
    return DQ_OK;
fail:
    dq_run_destroy(run);
    return status;
}

// The weights that the run starts from.
static dq_status start_weights(dq_run *run, dq_error *error) {
    const dq_run_config *config = &run->config;
    if (!config->init[0]) return DQ_OK;
    const dq_status status = dq_weights_start(config->init, config->reinit, dq_agent_net(run->agent),
                                              dq_agent_params(run->agent), error);
    if (!status) dq_agent_started(run->agent);
    return status;
}

static dq_status use_folder(dq_run *run, const char *folder, dq_error *error) {
    if (strlen(folder) >= sizeof run->folder)
        return dq_fail(error, DQ_USAGE, folder, "the folder's path is too long");
    strcpy(run->folder, folder);
    return dq_checkpoint_create(&run->checkpoint, run, error);
}

dq_status dq_run_create(dq_run **out, const dq_run_config *config, const char *folder, dq_error *error) {
    *out = NULL;
    dq_run *run;
    char path[4096];
    dq_status status = build(&run, config, error);
    if (status) return status;
    status = start_weights(run, error);
    if (folder && !status) {
        status = use_folder(run, folder, error);
        if (!status && !access(dq_run_path(run, "config.yml", path), F_OK))
            status = dq_fail(error, DQ_USAGE, folder,
                             "%s holds a run already; resume that one, or choose another folder", folder);
        if (!status) status = dq_file_make_folder(folder, error);
        if (!status) status = dq_run_config_write(&run->config, path, error);
    }
    if (status)
        dq_run_destroy(run);
    else
        *out = run;
    return status;
}

dq_status dq_run_resume(dq_run **out, const char *folder, dq_error *error) {
    *out = NULL;
    dq_run_config config;
    dq_run *run;
    char path[4096];
    if (snprintf(path, sizeof path, "%s/config.yml", folder) >= (int)sizeof path)
        return dq_fail(error, DQ_USAGE, folder, "the folder's path is too long");
    if (access(path, F_OK))
        return dq_fail(error, DQ_NOT_FOUND, folder, "%s holds no run: there is no config.yml in it", folder);
    dq_status status = dq_run_config_read(&config, path, error);
    if (!status) status = build(&run, &config, error);
    if (status) return status;
    status = use_folder(run, folder, error);
    // A checkpoint holds the weights; the file that they started from may be gone.
    if (!status && !dq_checkpoint_exists(run->checkpoint)) status = start_weights(run, error);
    if (!status) status = dq_checkpoint_load(run->checkpoint, run, error);
    if (status) {
        dq_run_destroy(run);
        return status;
    }
    run->best_changed = run->now.has_best; // it may have been killed before it was written
    *out = run;
    return DQ_OK;
}

void dq_run_destroy(dq_run *run) {
    if (!run) return;
    for (int i = 0; i < DQ_RUN_HOOKS; i++)
        if (run->hooks[i]) hook_classes[i]->destroy(run->hooks[i]);
    if (run->metrics) fclose(run->metrics);
    dq_checkpoint_destroy(run->checkpoint);
    dq_agent_destroy(run->agent);
    dq_vecenv_destroy(run->env);
    free(run->best_params);
    free(run->acted_on);
    free(run->actions);
    free(run);
}

void dq_run_on_progress(dq_run *run, dq_progress_fn *callback, void *user) {
    run->progress = callback;
    run->progress_user = user;
}

void dq_run_before_checkpoint(dq_run *run, dq_before_checkpoint_fn *callback, void *user) {
    run->before_checkpoint = callback;
    run->before_checkpoint_user = user;
}

void dq_run_stop(dq_run *run) {
    run->stopping = true;
}

const dq_run_config *dq_run_get_config(const dq_run *run) {
    return &run->config;
}

dq_agent *dq_run_agent(dq_run *run) {
    return run->agent;
}

int64_t dq_run_steps(const dq_run *run) {
    return run->now.step;
}
