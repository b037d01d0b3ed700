// deepq trace: resets an environment, gives it the actions of a file, and prints one CSV row a step.
//
// Columns: t, action, the observation, reward, terminated, truncated; a column noise before the observation
// when the environment draws noise in its steps. Row 0 is the reset, with action -1. An environment that
// can be observed in double precision is, under its observations' names; the others are traced as obs0,
// obs1, ... in the f32 that an agent sees, images as the checksum `frame`. Nothing is printed before the last
// row is known.
#include "cli.h"

#include "base/file.h"
#include "base/text.h"

#include <deepq/env.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ASSIGNMENTS_MAX = 32 };

typedef struct trace_arguments {
    const char *id, *actions, *noise, *state;
    const char *assignments[ASSIGNMENTS_MAX];
    int assignment_count;
    uint64_t seed;
} trace_arguments;

static const struct argp_option argument_options[] = {
    {"actions", 'a', "FILE", 0, "The actions, one integer a line", 0},
    {"seed", 's', "N", 0, "Seed of the reset (default 0)", 0},
    {"noise", 'n', "FILE", 0, "The random draws of the steps, each in [-1, 1], in the steps' order", 0},
    {"state", 'i', "FILE", 0, "Start from this observation instead of a reset's", 0},
    {"option", 'o', "KEY=VALUE", 0, "An option of the environment; may be given more than once", 0},
    {0},
};

static error_t parse_argument(int key, char *value, struct argp_state *state) {
    trace_arguments *a = state->input;
    int64_t number;
    switch (key) {
    case 'a':
        a->actions = value;
        return 0;
    case 's':
        if (!dq_text_to_int(value, &number) || number < 0) {
            argp_error(state, "--seed takes a whole number of 0 or more, not '%s'", value);
        }
        a->seed = (uint64_t)number;
        return 0;
    case 'n':
        a->noise = value;
        return 0;
    case 'i':
        a->state = value;
        return 0;
    case 'o':
        if (a->assignment_count == ASSIGNMENTS_MAX) argp_error(state, "too many --option");
        a->assignments[a->assignment_count++] = value;
        return 0;
    case ARGP_KEY_ARG:
        if (a->id) argp_error(state, "one environment at a time; '%s' is the second", value);
        a->id = value;
        return 0;
    case ARGP_KEY_END:
        if (!a->id) argp_error(state, "which environment? 'deepq envs' lists them");
        if (!a->actions) argp_error(state, "--actions FILE is missing: one integer a line");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// Numbers of a text file, separated by space, commas or line ends, with the line each stands in. Comments
// run from # to the end of the line.
typedef struct number_list {
    double *value;
    int *line;
    size_t count, room;
} number_list;

static void free_numbers(number_list *list) {
    free(list->value);
    free(list->line);
    *list = (number_list){0};
}

static dq_status append_number(number_list *list, double value, int line, dq_error *error) {
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 1024;
        double *values = realloc(list->value, room * sizeof *values);
        if (values) list->value = values;
        int *lines = realloc(list->line, room * sizeof *lines);
        if (lines) list->line = lines;
        if (!values || !lines) return dq_fail(error, DQ_MEMORY, NULL, "no memory for %zu numbers", room);
        list->room = room;
    }
    list->value[list->count] = value;
    list->line[list->count++] = line;
    return DQ_OK;
}

static dq_status read_numbers(number_list *list, const char *path, dq_error *error) {
    *list = (number_list){0};
    dq_status status = DQ_OK;
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");
    if (!file) return dq_fail(error, DQ_IO, path, "cannot open this file: %s", strerror(errno));
    errno = 0;
    for (int line = 1; !status && getline(&text, &room, file) >= 0; line++) {
        text[strcspn(text, "#")] = 0;
        char *save;
        for (char *word = strtok_r(text, ", \t\r\n", &save); word && !status;
             word = strtok_r(NULL, ", \t\r\n", &save)) {
            double value;
            if (dq_text_to_real(word, &value)) {
                status = append_number(list, value, line, error);
            } else {
                status = dq_fail(error, DQ_FORMAT, path, "line %d: '%.40s' is not a number", line, word);
            }
        }
    }
    if (!status && ferror(file)) {
        status = dq_fail(error, DQ_IO, path, "cannot read this file: %s", strerror(errno));
    }
    free(text);
    fclose(file);
    if (status) free_numbers(list);
    return status;
}

static dq_status check_actions(const number_list *actions, const dq_env_class *c, const char *path,
                               dq_error *error) {
    if (!actions->count) return dq_fail(error, DQ_FORMAT, path, "there is no action in this file");
    for (size_t i = 0; i < actions->count; i++) {
        double action = actions->value[i];
        if (action >= 0 && action < c->actions && action == (int)action) continue;
        char text[32];
        dq_text_from_real(action, text, sizeof text);
        return dq_fail(error, DQ_FORMAT, path, "line %d: action %s is out of range; %s takes 0 to %d",
                       actions->line[i], text, c->id, c->actions - 1);
    }
    return DQ_OK;
}

static dq_status check_noise(const number_list *noise, const number_list *actions, const dq_env_class *c,
                             const char *path, dq_error *error) {
    if (!c->step_with_noise) {
        return dq_fail(error, DQ_USAGE, "--noise", "%s draws no noise in its steps; leave --noise away",
                       c->id);
    }
    size_t needed = actions->count * (size_t)c->noise_size;
    if (noise->count != needed) {
        return dq_fail(error, DQ_FORMAT, path, "%zu numbers for %zu actions; %zu are needed, %d a step",
                       noise->count, actions->count, needed, c->noise_size);
    }
    for (size_t i = 0; i < noise->count; i++) {
        if (noise->value[i] >= -1 && noise->value[i] <= 1) continue;
        return dq_fail(error, DQ_FORMAT, path, "line %d: %g is out of range; a draw lies in [-1, 1]",
                       noise->line[i], noise->value[i]);
    }
    return DQ_OK;
}

static dq_status restore_state(dq_vecenv *env, const char *path, dq_error *error) {
    const dq_env_class *c = env->env_class;
    if (!c->restore) {
        return dq_fail(error, DQ_USAGE, "--state", "%s cannot be started from an observation; use --seed",
                       c->id);
    }
    number_list start;
    dq_status status = read_numbers(&start, path, error);
    if (status) return status;
    if (start.count == (size_t)c->observation.size) {
        c->restore(env->state, env->options, start.value);
    } else {
        status =
            dq_fail(error, DQ_FORMAT, path, "%zu numbers; the state of %s is its observation, %d numbers",
                    start.count, c->id, c->observation.size);
    }
    free_numbers(&start);
    return status;
}

// The shortest digits that read back to the same double, small numbers with an exponent: 1.0, 9.7e-05.
static void print_number(FILE *out, double value) {
    char text[40];
    dq_text_from_real(value, text, sizeof text);
    if (value != 0 && fabs(value) < 1e-4) {
        for (int digits = 0; digits <= 16; digits++) {
            snprintf(text, sizeof text, "%.*e", digits, value);
            if (strtod(text, NULL) == value) break;
        }
    }
    fprintf(out, ",%s%s", text, strpbrk(text, ".en") ? "" : ".0");
}

static void print_header(FILE *out, const dq_env_class *c) {
    fprintf(out, "t,action");
    for (int i = 0; c->step_with_noise && i < c->noise_size; i++) {
        fprintf(out, i ? ",noise%d" : ",noise", i);
    }
    if (c->observation.element == DQ_U8) fprintf(out, ",frame");
    for (int i = 0; c->observation.element == DQ_F32 && i < c->observation.size; i++) {
        if (c->observe) {
            fprintf(out, ",%s", c->observation_names[i]);
        } else {
            fprintf(out, ",obs%d", i);
        }
    }
    fprintf(out, ",reward,terminated,truncated\n");
}

static void print_row(FILE *out, const dq_vecenv *env, size_t t, int action, const double *noise) {
    const dq_env_class *c = env->env_class;
    double exact[DQ_OBSERVATION_MAX];
    if (c->observe) c->observe(env->state, env->options, exact);
    fprintf(out, "%zu,%d", t, action);
    for (int i = 0; c->step_with_noise && i < c->noise_size; i++) print_number(out, noise ? noise[i] : 0);
    if (env->space.element == DQ_U8)
        fprintf(out, ",%016" PRIx64, dq_crc64(0, env->final_observation, dq_space_bytes(&env->space)));
    for (int i = 0; env->space.element == DQ_F32 && i < env->space.size; i++) {
        print_number(out, c->observe ? exact[i] : (double)((const float *)env->final_observation)[i]);
    }
    print_number(out, env->reward[0]);
    fprintf(out, ",%d,%d\n", env->terminated[0], env->truncated[0]);
}

// Steps the environment's own functions, so that the last state can still be looked at. Returns the steps.
static size_t trace(FILE *out, dq_vecenv *env, const number_list *actions, const double *noise) {
    const dq_env_class *c = env->env_class;
    size_t t = 0;
    print_header(out, c);
    print_row(out, env, 0, -1, NULL);
    while (t < actions->count && !env->terminated[0] && !env->truncated[0]) {
        int action = (int)actions->value[t];
        double drawn[DQ_OBSERVATION_MAX];
        if (c->step_with_noise) {
            const double *given = noise ? noise + t * (size_t)c->noise_size : drawn;
            for (int i = 0; !noise && i < c->noise_size; i++) drawn[i] = dq_rng_uniform(env->rng, -1, 1);
            env->terminated[0] = c->step_with_noise(env->state, env->options, given, action,
                                                    env->final_observation, env->reward);
            memmove(drawn, given, (size_t)c->noise_size * sizeof *drawn);
        } else {
            env->terminated[0] =
                c->step(env->state, env->options, env->rng, action, env->final_observation, env->reward);
        }
        if (!env->terminated[0] && c->life_lost && c->life_lost(env->state)) {
            env->terminated[0] = c->resume(env->state, env->options, env->rng, env->observation, env->reward);
        }
        t++;
        env->truncated[0] = !env->terminated[0] && ((env->step_limit && t >= (size_t)env->step_limit) ||
                                                    (c->truncated && c->truncated(env->state)));
        print_row(out, env, t, action, drawn);
    }
    return t;
}

static int run(int argc, char **argv) {
    trace_arguments a = {0};
    const struct argp argp = {argument_options,
                              parse_argument,
                              "ENV",
                              "Step an environment through a file of actions and print one CSV row a step.",
                              NULL,
                              NULL,
                              NULL};
    int exit_status = cli_parse(&argp, argc, argv, &a);
    if (exit_status) return exit_status;

    dq_error error;
    dq_vecenv *env = NULL;
    void *options = NULL;
    number_list actions = {0}, noise = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *out = NULL;
    dq_status status = DQ_OK;

    const dq_env_class *c = dq_env_find(a.id, &error);
    if (!c) return cli_fail(&error);
    if (c->options_size) {
        options = malloc(c->options_size);
        if (!options) status = dq_fail(&error, DQ_MEMORY, c->id, "no memory for its options");
        if (!status) status = dq_options_defaults(c->options, options, &error);
    }
    for (int i = 0; !status && i < a.assignment_count; i++) {
        status = dq_options_assign(c->options, options, a.assignments[i], "--option", &error);
    }
    if (!status) status = read_numbers(&actions, a.actions, &error);
    if (!status) status = check_actions(&actions, c, a.actions, &error);
    if (!status && a.noise) status = read_numbers(&noise, a.noise, &error);
    if (!status && a.noise) status = check_noise(&noise, &actions, c, a.noise, &error);
    if (!status) status = dq_vecenv_create(&env, c, options, 1, -1, a.seed, &error);
    if (!status && a.state) status = restore_state(env, a.state, &error);
    if (!status) {
        out = open_memstream(&text, &size);
        if (!out) status = dq_fail(&error, DQ_MEMORY, NULL, "no memory for the trace");
    }
    if (status) {
        exit_status = cli_fail(&error);
    } else {
        size_t steps = trace(out, env, &actions, a.noise ? noise.value : NULL);
        status = dq_vecenv_check(env, &error);
        if (fclose(out) != 0) {
            exit_status = cli_failed("no memory for the trace");
        } else if (status) {
            exit_status = cli_fail(&error);
        } else {
            fwrite(text, 1, size, stdout);
            if (steps < actions.count) {
                fprintf(stderr, "deepq: the episode ended at step %zu; %zu actions were not used\n", steps,
                        actions.count - steps);
            }
        }
    }
    free(text);
    dq_vecenv_destroy(env);
    free_numbers(&noise);
    free_numbers(&actions);
    free(options);
    return exit_status;
}

const cli_verb cli_verb_trace = {
    .name = "trace",
    .order = 52,
    .synopsis = "ENV --seed S --actions FILE [--noise FILE] [--state FILE] [--option key=value]",
    .summary = "steps an environment through given actions",
    .run = run,
};
