// deepq envs: the environments there are, as a table, as one environment's page, or as JSON.
#include "cli.h"

#include <deepq/env.h>
#include <json-c/json.h>
#include <math.h>

typedef struct envs_arguments {
    const char *id; // NULL: all
    bool json;
} envs_arguments;

static const struct argp_option argument_options[] = {
    {"json", 'j', NULL, 0, "Print one JSON document: an array with one object per environment", 0},
    {0},
};

static error_t parse_argument(int key, char *value, struct argp_state *state) {
    envs_arguments *a = state->input;
    switch (key) {
    case 'j':
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->id) argp_error(state, "one environment at most; '%s' is the second", value);
        a->id = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char *type_name(dq_option_type type) {
    static const char *const names[] = {
        [DQ_OPTION_BOOL] = "bool",     [DQ_OPTION_INT] = "int",   [DQ_OPTION_REAL] = "real",
        [DQ_OPTION_CHOICE] = "choice", [DQ_OPTION_TEXT] = "text", [DQ_OPTION_INTS] = "ints"};
    return names[type];
}

static json_object *names_as_json(const char *const *names, int count) {
    json_object *array = json_object_new_array();
    for (int i = 0; i < count; i++) json_object_array_add(array, json_object_new_string(names[i]));
    return array;
}

static json_object *bounds_as_json(const float *bounds, int count) {
    json_object *array = json_object_new_array();
    for (int i = 0; i < count; i++) json_object_array_add(array, cli_json_number((double)bounds[i]));
    return array;
}

static json_object *options_as_json(dq_option_table table) {
    json_object *array = json_object_new_array();
    for (int i = 0; i < table.count; i++) {
        const dq_option *row = &table.rows[i];
        bool ranged = row->type == DQ_OPTION_INT || row->type == DQ_OPTION_REAL;
        json_object *o = json_object_new_object();
        json_object_object_add(o, "name", json_object_new_string(row->name));
        json_object_object_add(o, "type", json_object_new_string(type_name(row->type)));
        json_object_object_add(o, "default", json_object_new_string(row->default_text));
        if (ranged) json_object_object_add(o, "min", cli_json_number(row->min));
        if (ranged) json_object_object_add(o, "max", cli_json_number(row->max));
        if (row->choices) json_object_object_add(o, "choices", json_object_new_string(row->choices));
        if (row->unit) json_object_object_add(o, "unit", json_object_new_string(row->unit));
        json_object_object_add(o, "help", json_object_new_string(row->help));
        json_object_array_add(array, o);
    }
    return array;
}

// "log10(V)", for example.
static const char *feature_name(const dq_env_class *c, const dq_feature *f, char name[64]) {
    static const char *const functions[] = {[DQ_FEATURE_COPY] = "",
                                            [DQ_FEATURE_LOG] = "log10",
                                            [DQ_FEATURE_SIN] = "sin",
                                            [DQ_FEATURE_COS] = "cos"};
    const bool plain = f->kind == DQ_FEATURE_COPY;
    snprintf(name, 64, "%s%s%s%s", functions[f->kind], plain ? "" : "(", c->observation_names[f->from],
             plain ? "" : ")");
    return name;
}

static json_object *features_as_json(const dq_env_class *c) {
    if (!c->features || !c->features->list) return NULL;
    json_object *array = json_object_new_array();
    for (int i = 0; i < c->features->count; i++) {
        const dq_feature *f = &c->features->list[i];
        char name[64];
        json_object *o = json_object_new_object();
        json_object_object_add(o, "name", json_object_new_string(feature_name(c, f, name)));
        json_object_object_add(o, "shift", cli_json_number((double)f->shift));
        json_object_object_add(o, "scale", cli_json_number((double)f->scale));
        json_object_array_add(array, o);
    }
    return array;
}

static json_object *shape_as_json(const dq_space *space) {
    json_object *array = json_object_new_array();
    for (int i = 0; i < space->rank; i++) json_object_array_add(array, json_object_new_int(space->shape[i]));
    return array;
}

static json_object *env_as_json(const dq_env_class *c) {
    const int d = c->observation.element == DQ_F32 ? c->observation.size : 0; // images have no names
    json_object *o = json_object_new_object();
    json_object_object_add(o, "id", json_object_new_string(c->id));
    json_object_object_add(o, "summary", json_object_new_string(c->summary));
    json_object_object_add(o, "observation_size", json_object_new_int(c->observation.size));
    json_object_object_add(o, "observation_shape", shape_as_json(&c->observation));
    json_object_object_add(o, "observation_type",
                           json_object_new_string(c->observation.element == DQ_F32 ? "float32" : "uint8"));
    json_object_object_add(o, "observation_names", names_as_json(c->observation_names, d));
    json_object_object_add(o, "observation_low", bounds_as_json(c->observation_low, d));
    json_object_object_add(o, "observation_high", bounds_as_json(c->observation_high, d));
    json_object_object_add(o, "features", features_as_json(c));
    json_object_object_add(o, "actions", json_object_new_int(c->actions));
    json_object_object_add(o, "action_names", names_as_json(c->action_names, c->actions));
    json_object_object_add(o, "step_limit", c->step_limit ? json_object_new_int(c->step_limit) : NULL);
    json_object_object_add(o, "reward_threshold", cli_json_number(c->reward_threshold));
    json_object_object_add(o, "source", json_object_new_string(c->source));
    json_object_object_add(o, "options", options_as_json(c->options));
    return o;
}

static void print_table(void) {
    printf("%-16s %9s %7s %6s %9s\n", "environment", "obs", "actions", "limit", "solved at");
    for (int i = 0; i < dq_env_count(); i++) {
        const dq_env_class *c = dq_env_at(i);
        char limit[16] = "none", threshold[24] = "-";
        if (c->step_limit) snprintf(limit, sizeof limit, "%d", c->step_limit);
        if (isfinite(c->reward_threshold)) snprintf(threshold, sizeof threshold, "%g", c->reward_threshold);
        const dq_space *o = &c->observation;
        char shape[48];
        snprintf(shape, sizeof shape, o->rank == 1 ? "%d" : "%dx%dx%d", o->shape[0], o->shape[1],
                 o->shape[2]);
        printf("%-16s %9s %7d %6s %9s  %s\n", c->id, shape, c->actions, limit, threshold, c->summary);
    }
    printf("\n'deepq envs ENV' explains one with its options.\n");
}

static void print_page(const dq_env_class *c) {
    printf("%s: %s\n", c->id, c->summary);
    printf("source: %s\n", c->source);
    if (c->step_limit) printf("step limit: %d\n", c->step_limit);
    if (isfinite(c->reward_threshold)) printf("solved at a mean return of %g\n", c->reward_threshold);
    printf("\nobservation\n");
    if (c->observation.element == DQ_U8)
        printf("  an image: %s [height, width, channels]\n",
               dq_space_describe(&c->observation, (char[48]){0}));
    for (int i = 0; c->observation.element == DQ_F32 && i < c->observation.size; i++) {
        printf("  %2d  %-24s %12g to %g\n", i, c->observation_names[i], (double)c->observation_low[i],
               (double)c->observation_high[i]);
    }
    if (c->features && c->features->list) printf("\nfeatures (observation=features)\n");
    for (int i = 0; c->features && i < c->features->count; i++) {
        const dq_feature *f = &c->features->list[i];
        char name[64];
        printf("  %2d  %-24s", i, feature_name(c, f, name));
        if (f->shift != 0) printf(" less %g", (double)f->shift);
        if (f->scale != 1) printf(" divided by %g", (double)f->scale);
        printf("\n");
    }
    printf("\nactions\n");
    for (int i = 0; i < c->actions; i++) printf("  %2d  %s\n", i, c->action_names[i]);
    if (c->options.count) printf("\noptions (key=value when training: env.NAME=VALUE)\n");
    for (int i = 0; i < c->options.count; i++) {
        const dq_option *row = &c->options.rows[i];
        printf("  %-24s %s (default %s", row->name, row->help, row->default_text);
        if (row->choices) printf(", one of %s", row->choices);
        if (row->type == DQ_OPTION_INT || row->type == DQ_OPTION_REAL) {
            printf(", %g to %g%s%s", row->min, row->max, row->unit ? " " : "", row->unit ? row->unit : "");
        }
        printf(")\n");
    }
}

static int run(int argc, char **argv) {
    envs_arguments a = {0};
    const struct argp argp = {
        argument_options,
        parse_argument,
        "[ENV]",
        "List the environments, or explain one: observation, actions, step limit, source and options.",
        NULL,
        NULL,
        NULL};
    int status = cli_parse(&argp, argc, argv, &a);
    if (status) return status;

    dq_error error;
    const dq_env_class *one = a.id ? dq_env_find(a.id, &error) : NULL;
    if (a.id && !one) return cli_fail(&error);
    if (a.json) {
        json_object *array = json_object_new_array();
        for (int i = 0; i < dq_env_count(); i++) {
            if (!one || one == dq_env_at(i)) json_object_array_add(array, env_as_json(dq_env_at(i)));
        }
        return cli_json_print(array);
    }
    if (one) {
        print_page(one);
    } else {
        print_table();
    }
    return 0;
}

const cli_verb cli_verb_envs = {
    .name = "envs",
    .order = 10,
    .synopsis = "[ENV] [--json]",
    .summary = "lists the environments, or explains one",
    .run = run,
};
