// Replays every recorded episode whose environment is registered: the reset must give row 0, and the recorded
// actions the recorded rows, within the tolerance that the environment's arithmetic allows.
#include "support.h"

#include <deepq/env.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 8192, COLUMNS_MAX = DQ_OBSERVATION_MAX + 8 };

// How near a replay must come to the record.
typedef struct tolerance {
    const char *id;     // how the environment's id begins
    double reset, step; // largest difference in row 0, and in the rows after it
    bool relative;      // differences count relative to the recorded value
    int rows;           // rows compared; an unstable system magnifies the last bit of a sine. 0: all
    int contacts;       // compares until one of the two observations from here on is not 0. 0: to the end
} tolerance;

static const tolerance tolerances[] = {
    {.id = "CartPole-", .reset = 0, .step = 1e-5, .rows = 250},
    {.id = "CartPoleSwingUp", .reset = 0, .step = 1e-4},
    {.id = "Bicycle", .reset = 1e-6, .step = 1e-6},
    {.id = "HIVPatient", .reset = 0, .step = 1e-6, .relative = true},
    {.id = "LunarLander", .reset = 1e-5, .step = 5e-3, .contacts = 6},
    {.id = "MountainCar", .reset = 0, .step = 1e-5},
    {.id = "", .reset = 1e-7, .step = 1e-5},
};

// One recorded episode being read.
typedef struct record {
    FILE *file;
    const char *path;
    int line;
    char id[64];
    bool seeded;
    uint64_t seed;
    char options[LINE_MAX_BYTES];                          // "name=value name=value"
    int noise, observation, reward, terminated, truncated; // first columns; -1 where absent
    int observation_size, columns;
    double value[COLUMNS_MAX]; // the row read last
} record;

static bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// "{'enable_wind': True, 'gravity': -8}" becomes "enable_wind=True gravity=-8".
static void read_python_options(char *out, const char *text) {
    for (; *text; text++) {
        if (strchr("{}' ", *text)) continue;
        *out++ = *text == ':' ? '=' : *text == ',' ? ' ' : *text;
    }
    *out = 0;
}

static void read_columns(record *r, char *line) {
    r->noise = r->observation = r->reward = r->terminated = r->truncated = -1;
    int column = 0;
    char *save;
    for (char *name = strtok_r(line, ",\n", &save); name; name = strtok_r(NULL, ",\n", &save), column++) {
        if (strcmp(name, "noise") == 0)
            r->noise = column;
        else if (strcmp(name, "reward") == 0)
            r->reward = column;
        else if (strcmp(name, "terminated") == 0)
            r->terminated = column;
        else if (strcmp(name, "truncated") == 0)
            r->truncated = column;
        else if (column >= 2 && r->observation < 0)
            r->observation = column;
    }
    r->columns = column;
    r->observation_size = r->reward - r->observation;
    assert_in_range(r->columns, 4, COLUMNS_MAX);
    assert_true(r->observation > 0 && r->observation_size > 0);
}

static void open_record(record *r, const char *path) {
    *r = (record){.path = path, .file = fopen(path, "r")};
    if (!r->file) fail_msg("cannot open %s", path);
    char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof line, r->file)) {
        r->line++;
        if (line[0] != '#') {
            read_columns(r, line);
            return;
        }
        line[strcspn(line, "\n")] = 0;
        if (starts_with(line, "# env: ")) snprintf(r->id, sizeof r->id, "%.60s", line + 7);
        if (starts_with(line, "# reset seed: ")) r->seeded = true, r->seed = strtoull(line + 14, NULL, 10);
        if (starts_with(line, "# mode: ")) snprintf(r->options, sizeof r->options, "start=%.60s", line + 8);
        if (starts_with(line, "# options: ")) read_python_options(r->options, line + 11);
    }
    fail_msg("%s has no rows", path);
}

static bool read_row(record *r) {
    char line[LINE_MAX_BYTES];
    if (!fgets(line, sizeof line, r->file)) return false;
    r->line++;
    char *at = line;
    for (int column = 0; column < r->columns; column++, at++) {
        r->value[column] = strtod(at, &at);
        if (*at != ',' && column + 1 < r->columns) fail_msg("%s:%d has too few columns", r->path, r->line);
    }
    return true;
}

static const tolerance *tolerance_of(const char *id) {
    const tolerance *t = tolerances;
    while (!starts_with(id, t->id)) t++;
    return t;
}

static void expect_near(const record *r, const char *what, double is, int column, double allowed,
                        bool relative) {
    double should = r->value[column];
    if (fabs(is - should) <= allowed * (relative ? fabs(should) : 1)) return;
    fail_msg("%s:%d: the %s in column %d is %.17g and should be %.17g within %g", r->path, r->line, what,
             column, is, should, allowed);
}

static void expect_flag(const record *r, const char *what, bool is, int column) {
    if (column < 0 || is == (r->value[column] != 0)) return;
    fail_msg("%s:%d: %s is %d", r->path, r->line, what, is);
}

// The stepper in the record's first state, with the record's options.
static dq_vecenv *start_as_recorded(record *r, const dq_env_class *c) {
    dq_error error;
    unsigned char options[1024];
    dq_vecenv *env;
    assert_true(c->options_size <= sizeof options);
    test_ok(dq_options_defaults(c->options, options, &error), &error);
    char *save;
    for (char *word = strtok_r(r->options, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        test_ok(dq_options_assign(c->options, options, word, r->path, &error), &error);
    }
    test_ok(dq_vecenv_create(&env, c, options, 1, -1, r->seed, &error), &error);
    if (!r->seeded && c->restore) c->restore(env->state, env->options, r->value + r->observation);
    return env;
}

static void step_as_recorded(const record *r, const dq_env_class *c, dq_vecenv *env) {
    const int32_t action = (int32_t)r->value[1];
    if (r->noise >= 0) {
        assert_non_null(c->step_with_noise);
        env->terminated[0] = c->step_with_noise(env->state, env->options, r->value + r->noise, action,
                                                env->final_observation, env->reward);
    } else {
        dq_vecenv_step(env, &action);
    }
}

// One episode from row 0 to the last. Returns how many rows were compared.
static int replay(record *r, const dq_env_class *c) {
    const tolerance *t = tolerance_of(c->id);
    assert_int_equal(c->observation.size, r->observation_size);
    assert_true(read_row(r));
    dq_vecenv *env = start_as_recorded(r, c);
    int row = 0;
    do {
        const bool first = row == 0;
        assert_int_equal((int)r->value[0], row);
        assert_int_equal(r->value[1] < 0, first);
        if (!first) step_as_recorded(r, c, env);
        const double *contact = r->value + r->observation + t->contacts;
        if (!first && t->contacts && (contact[0] != 0 || contact[1] != 0)) break;

        // At an end the stepper resets the state, and the final observation alone remains.
        double exact[DQ_OBSERVATION_MAX];
        const bool moved_on = r->noise < 0 && (env->terminated[0] || env->truncated[0]);
        const bool look = c->observe && !moved_on;
        if (look) c->observe(env->state, env->options, exact);
        for (int i = 0; i < c->observation.size; i++) {
            expect_near(r, "observation", look ? exact[i] : (double)test_floats(env->final_observation)[i],
                        r->observation + i, first ? t->reset : t->step, t->relative);
        }
        if (!first) expect_near(r, "reward", env->reward[0], r->reward, t->step, t->relative);
        expect_flag(r, "terminated", env->terminated[0], r->terminated);
        expect_flag(r, "truncated", env->truncated[0], r->truncated);
        row++;
    } while ((t->rows == 0 || row <= t->rows) && read_row(r));
    assert_true(row > 1);
    dq_vecenv_destroy(env);
    return row;
}

static void every_recorded_episode_is_reproduced(void **unused) {
    (void)unused;
    char pattern[1100];
    snprintf(pattern, sizeof pattern, "%s", test_reference_path("envs/*.csv"));
    glob_t files;
    if (glob(pattern, 0, NULL, &files) != 0) fail_msg("no recorded episodes at %s", pattern);
    int replayed = 0;
    for (size_t i = 0; i < files.gl_pathc; i++) {
        record r;
        dq_error error;
        open_record(&r, files.gl_pathv[i]);
        const dq_env_class *c = dq_env_find(r.id, &error);
        if (c) {
            print_message("%s: %d rows\n", r.path, replay(&r, c));
            replayed++;
        } else {
            print_message("%s: not replayed, %s\n", r.path, error.message);
        }
        fclose(r.file);
    }
    globfree(&files);
    assert_true(replayed >= 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_episode_is_reproduced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
