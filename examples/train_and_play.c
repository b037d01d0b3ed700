// The library in one page: train a DQN, then play one greedy episode with what it learned.
//
// Build with: cc train_and_play.c -ldeepq -lm -pthread
#include <deepq/run.h>
#include <stdio.h>

static dq_status train(dq_policy **policy, dq_error *error) {
    dq_run_config config;
    dq_run *run = NULL;
    dq_status status = dq_run_config_init(&config, "CartPole-v1", "ddqn", error);
    if (!status) status = dq_run_config_assign(&config, "total_steps=5000", NULL, error);
    if (!status) status = dq_run_create(&run, &config, "example-run", error);
    if (!status) status = dq_run_train(run, error);
    dq_run_destroy(run);
    return status ? status : dq_policy_load(policy, "example-run", error);
}

int main(void) {
    dq_error error = {0};
    dq_policy *policy = NULL;
    dq_vecenv *env = NULL;
    dq_status status = train(&policy, &error);
    if (!status) status = dq_vecenv_create(&env, dq_env_find("CartPole-v1", NULL), NULL, 1, -1, 123, &error);
    if (status) {
        fprintf(stderr, "%s: %s\n", error.where, error.message);
    } else {
        do {
            dq_vecenv_step(env, (int32_t[]){dq_policy_act(policy, env->observation)});
        } while (!env->terminated[0] && !env->truncated[0]);
        printf("the episode's return is %g\n", env->episode_return[0]);
    }
    dq_vecenv_destroy(env);
    dq_policy_destroy(policy);
    return status != DQ_OK;
}
