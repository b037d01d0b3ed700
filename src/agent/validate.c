// What cannot work together, said in sentences. Ranges of single options are the option rows' business.
#include "agent/config.h"

static dq_status ask(const dq_strategy *about, const dq_agent_config *config, dq_error *error) {
    if (!about->validate) return DQ_OK;
    return about->validate(config, dq_agent_strategy_options(config, about), error);
}

dq_status dq_agent_validate(const dq_agent_config *config, dq_error *error) {
    const dq_features *features = config->features;
    if (config->observation == DQ_OBSERVE_SCALED && (!features || !features->scale))
        return dq_fail(
            error, DQ_USAGE, "observation",
            "observation=scaled needs an environment that declares a scale, and this one does not; "
            "choose observation=raw, perhaps with normalize_observation=true");
    if (config->observation == DQ_OBSERVE_FEATURES && (!features || !features->list))
        return dq_fail(error, DQ_USAGE, "observation",
                       "observation=features needs an environment that declares features, and this one does "
                       "not; choose observation=raw, perhaps with normalize_observation=true");
    if (config->learning_starts > config->buffer_size)
        return dq_fail(error, DQ_USAGE, "learning_starts",
                       "learning_starts is %lld, but the replay memory holds %lld transitions at most "
                       "(buffer_size), so that learning would never start; make learning_starts smaller",
                       (long long)config->learning_starts, (long long)config->buffer_size);
    if (config->normalization == DQ_NORM_BATCH && config->batch_size < 2)
        return dq_fail(error, DQ_USAGE, "batch_size",
                       "batch normalization needs a batch_size of 2 or more: one transition has no variance");
    if (config->normalize_input && config->normalization == DQ_NORM_NONE)
        return dq_fail(error, DQ_USAGE, "normalize_input",
                       "normalize_input needs a normalization: choose normalization=batch or layer");
    if (config->epsilon_schedule != DQ_SCHEDULE_CONSTANT && config->epsilon_end > config->epsilon_start)
        return dq_fail(error, DQ_USAGE, "epsilon_end",
                       "epsilon_end is %g, above epsilon_start, which is %g; exploration falls over time",
                       config->epsilon_end, config->epsilon_start);
    if (config->learning_rate_schedule != DQ_SCHEDULE_CONSTANT &&
        config->learning_rate_end > config->learning_rate)
        return dq_fail(error, DQ_USAGE, "learning_rate_end",
                       "learning_rate_end is %g, above learning_rate, which is %g; the rate falls over time",
                       config->learning_rate_end, config->learning_rate);
    if (config->rollout > 0 && config->n_step > 1)
        return dq_fail(
            error, DQ_USAGE, "n_step",
            "a rollout's returns reach to its end (lambda), so n_step=%lld has no place; choose n_step=1",
            (long long)config->n_step);
    if (config->rollout > 0 && config->target_update != DQ_TARGET_NONE)
        return dq_fail(error, DQ_USAGE, "target_update",
                       "a rollout's returns come from the online network and use no target network; choose "
                       "target_update=none");
    const dq_backup_class *backup = dq_backup_classes[config->backup];
    if (config->rollout > 0 && (backup->wants_online || backup->wants_current))
        return dq_fail(
            error, DQ_USAGE, "backup",
            "a rollout's returns take the best next action, so backup=%s has no place; choose backup=max",
            backup->about.name);
    const dq_sampler_class *sampler = dq_sampler_classes[config->sampler];
    const void *options = dq_agent_strategy_options(config, &sampler->about);
    if (sampler->needs && sampler->needs(options, (int)config->batch_size) > config->buffer_size)
        return dq_fail(
            error, DQ_USAGE, "batch_size",
            "a batch of %lld different transitions cannot come out of a replay memory of %lld; make "
            "buffer_size larger or sample with replacement",
            (long long)config->batch_size, (long long)config->buffer_size);
    dq_status status = ask(&dq_head_classes[config->head]->about, config, error);
    if (!status) status = ask(&dq_backup_classes[config->backup]->about, config, error);
    if (!status) status = ask(&sampler->about, config, error);
    if (!status) status = ask(&dq_explorer_classes[config->explorer]->about, config, error);
    return status;
}
