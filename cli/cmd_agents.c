// deepq agents: the named agents, what each is and the options it sets.
#include "cli.h"

#include <deepq/run.h>
#include <json-c/json.h>
#include <string.h>

static bool want_json;

static error_t parse(int key, char *argument, struct argp_state *state) {
    if (key == 'j')
        want_json = true;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "'%s' is one word too many", argument);
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static int print_json(void) {
    json_object *list = json_object_new_array();
    for (int i = 0; i < dq_agent_preset_count(); i++) {
        const dq_agent_preset *preset = dq_agent_preset_at(i);
        json_object *row = json_object_new_object(), *options = json_object_new_object();
        for (const char *const *a = preset->assignments; a && *a; a++) {
            char key[64];
            const char *equals = strchr(*a, '=');
            snprintf(key, sizeof key, "%.*s", (int)(equals - *a), *a);
            json_object_object_add(options, key, json_object_new_string(equals + 1));
        }
        json_object_object_add(row, "name", json_object_new_string(preset->name));
        json_object_object_add(row, "summary", json_object_new_string(preset->summary));
        json_object_object_add(row, "source", json_object_new_string(preset->source));
        json_object_object_add(row, "options", options);
        json_object_array_add(list, row);
    }
    return cli_json_print(list);
}

// Is a later assignment of the same list about the same option?
static bool overruled(const char *const *assignment) {
    size_t key = strcspn(*assignment, "=") + 1;
    for (const char *const *later = assignment + 1; *later; later++)
        if (strncmp(*later, *assignment, key) == 0) return true;
    return false;
}

static bool is_default(const char *assignment) {
    char key[64];
    const char *equals = strchr(assignment, '=');
    snprintf(key, sizeof key, "%.*s", (int)(equals - assignment), assignment);
    const dq_option *row = dq_options_find(dq_run_options(), key);
    return row && strcmp(row->default_text, equals + 1) == 0;
}

// Name, summary, source, and the values that differ from the options' defaults.
static void print_agent(const dq_agent_preset *preset) {
    printf("%-14s %s\n%-14s %s\n", preset->name, preset->summary, "", preset->source);
    int column = 0;
    for (const char *const *a = preset->assignments; a && *a; a++) {
        if (overruled(a) || is_default(*a)) continue;
        bool fresh = column == 0 || column + 2 + (int)strlen(*a) > 98;
        if (fresh && column) putchar('\n');
        if (fresh)
            column = printf("%15s%s", "", *a);
        else
            column += printf("  %s", *a);
    }
    puts(column ? "\n" : "");
}

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"json", 'j', NULL, 0, "Print one JSON document", 0},
        {0},
    };
    static const struct argp argp = {
        options, parse, "",  "Lists the named agents: each is a set of option values, nothing else.",
        NULL,    NULL,  NULL};
    int status = cli_parse(&argp, argc, argv, NULL);
    if (status) return status;
    if (want_json) return print_json();
    for (int i = 0; i < dq_agent_preset_count(); i++) print_agent(dq_agent_preset_at(i));
    puts("Every other option keeps the value tuned for the environment; see deepq train ENV --agent NAME "
         "--help.");
    return 0;
}

const cli_verb cli_verb_agents = {"agents", 11, "[--json]",
                                  "lists the named agents and what each switches on", run};
