// An environment of your own: a ball falls through a grid, and a paddle must be where it lands.
//
// The dynamics are two functions over a plain struct; the class tells the library the rest. Once registered,
// it trains, evaluates and resumes like a built-in one. Build with: cc own_environment.c -ldeepq -lm -pthread
#include <deepq/run.h>
#include <stdio.h>

enum { WIDTH = 9, HEIGHT = 10, LEFT = 0, STAY = 1, RIGHT = 2 };

typedef struct game {
    int ball_column, ball_row,
        drift; // the ball drifts by -1, 0 or +1 column a step and bounces off the walls
    int paddle;
} game;

static void look(const game *g, float *observation) {
    observation[0] = (float)g->ball_column / (WIDTH - 1);
    observation[1] = (float)g->ball_row / (HEIGHT - 1);
    observation[2] = (float)g->drift;
    observation[3] = (float)g->paddle / (WIDTH - 1);
}

static void reset(void *state, const void *options, dq_rng *rng, void *observation) {
    (void)options;
    game *g = state;
    g->ball_column = (int)dq_rng_integers(rng, 0, WIDTH);
    g->ball_row = 0;
    g->drift = (int)dq_rng_integers(rng, -1, 2);
    g->paddle = WIDTH / 2;
    look(g, observation);
}

// Writes what is seen and earned after one action; returns whether the episode terminated.
static bool step(void *state, const void *options, dq_rng *rng, int action, void *observation,
                 double *reward) {
    (void)options;
    (void)rng; // only the start is random
    game *g = state;
    int paddle = g->paddle + action - STAY;
    if (paddle >= 0 && paddle < WIDTH) g->paddle = paddle;
    int column = g->ball_column + g->drift;
    if (column < 0 || column >= WIDTH) g->drift = -g->drift;
    g->ball_column += g->drift;
    g->ball_row++;
    look(g, observation);

    bool landed = g->ball_row == HEIGHT - 1;
    *reward = !landed ? 0 : g->ball_column == g->paddle ? 1 : -1;
    return landed;
}

static const dq_env_class catch_class = {
    .id = "Catch",
    .summary = "catch a falling ball with a paddle",
    .source = "this example",
    .observation = DQ_VECTOR(4),
    .observation_low = (const float[]){0, 0, -1, 0},
    .observation_high = (const float[]){1, 1, 1, 1},
    .observation_names = (const char *const[]){"ball_column", "ball_row", "drift", "paddle"},
    .actions = 3,
    .action_names = (const char *const[]){"left", "stay", "right"},
    .reward_threshold = 0.9,
    .state_size = sizeof(game),
    .reset = reset,
    .step = step,
};

static void show(void *user, const dq_run *run, const dq_metrics *m) {
    (void)user;
    (void)run;
    if (m->episode % 200 == 0) {
        printf("episode %4lld: mean return %+.2f\n", (long long)m->episode, m->mean_return);
    }
}

int main(void) {
    dq_error error;
    dq_run_config config;
    dq_run *run = NULL;
    dq_status status = dq_env_register(&catch_class, &error);
    if (!status) status = dq_run_config_init(&config, "Catch", NULL, &error); // NULL: the default agent
    if (!status) status = dq_run_config_assign(&config, "total_steps=15000", "example", &error);
    if (!status) status = dq_run_create(&run, &config, NULL, &error); // NULL: keep nothing on disk
    if (!status) {
        dq_run_on_progress(run, show, NULL);
        status = dq_run_train(run, &error);
    }
    dq_vecenv *env = NULL;
    if (!status) status = dq_vecenv_create(&env, &catch_class, NULL, 1, -1, 12345, &error);
    if (status) {
        fprintf(stderr, "%s: %s\n", error.where, error.message);
        dq_run_destroy(run);
        return 1;
    }

    int caught = 0;
    for (int balls = 0; balls < 100;) {
        int32_t action = dq_agent_greedy(dq_run_agent(run), env->observation);
        dq_vecenv_step(env, &action);
        if (!env->terminated[0]) continue;
        balls++;
        if (env->reward[0] > 0) caught++;
    }
    printf("the trained agent catches %d of 100 balls\n", caught);
    dq_vecenv_destroy(env);
    dq_run_destroy(run);
    return caught >= 90 ? 0 : 1;
}
