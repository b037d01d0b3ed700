// deepq agents: the named agents, what each is and the options it sets.
#include "cli.h"

#include <deepq/agent.h>
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
    for (int i = 0; i < dq_agent_preset_count(); i++) {
        const dq_agent_preset *preset = dq_agent_preset_at(i);
        printf("%-14s %s\n%-14s %s\n", preset->name, preset->summary, "", preset->source);
        int column = 0;
        for (const char *const *a = preset->assignments; a && *a; a++) {
            if (column == 0 || column + (int)strlen(*a) > 90) {
                column = printf("%s%15s", column ? "\n" : "", "");
            }
            column += printf("%s%s", column > 16 ? "  " : "", *a);
        }
        printf("%s\n", column ? "\n" : "");
    }
    return 0;
}

const cli_verb cli_verb_agents = {"agents", 1, "[--json]", "lists the named agents and what each switches on",
                                  run};
