// deepq train --help: argp's part, and below it every option of the run with the value it would have.
#include "train_help.h"

#include "cli.h"

#include <deepq/run.h>
#include <math.h>
#include <string.h>

bool train_help_wanted(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-?") == 0) return true;
    return false;
}

static bool first_of_group(dq_option_table table, int index) {
    for (int i = 0; i < index; i++)
        if (strcmp(table.rows[i].group, table.rows[index].group) == 0) return false;
    return true;
}

static void print_row(const dq_option *row, const char *prefix, const void *values) {
    char name[80], value[256], range[256];
    snprintf(name, sizeof name, "%s%s", prefix, row->name);
    dq_options_format(row, values, value, sizeof value);
    if (strcmp(value, ".nan") == 0) snprintf(value, sizeof value, "off");
    dq_option open = *row; // a bound that nobody meets would only be noise
    bool real = row->type == DQ_OPTION_REAL;
    if (row->max >= 1e9) open.max = real ? (double)INFINITY : 0x1p62;
    if (row->min <= -1e9) open.min = real ? -(double)INFINITY : -0x1p62;
    dq_options_describe(&open, range, sizeof range);
    printf("  %-26s %-16s %s [%s]\n", name, value, row->help, range);
}

static void print_options(const dq_run_config *config) {
    dq_option_table table = dq_run_options();
    for (int g = 0; g < table.count; g++) {
        if (!first_of_group(table, g)) continue;
        printf("\n%s\n", table.rows[g].group);
        for (int i = g; i < table.count; i++)
            if (strcmp(table.rows[i].group, table.rows[g].group) == 0) print_row(&table.rows[i], "", config);
    }
    const dq_env_class *env_class = dq_env_find(config->env, NULL);
    if (!env_class || env_class->options.count == 0) return;
    printf("\n%s\n", env_class->id);
    for (int i = 0; i < env_class->options.count; i++)
        print_row(&env_class->options.rows[i], "env.", config->env_options);
}

int train_help(const struct argp *argp, int argc, char **argv) {
    const char *env = NULL, *agent = NULL;
    for (int i = 1; i < argc; i++) {
        bool takes_word = strcmp(argv[i], "--agent") == 0 || strcmp(argv[i], "-a") == 0;
        if (strncmp(argv[i], "--agent=", 8) == 0)
            agent = argv[i] + 8;
        else if (takes_word && i + 1 < argc)
            agent = argv[++i];
        else if (argv[i][0] != '-' && !cli_is_assignment(argv[i]) && !env)
            env = argv[i];
    }
    dq_run_config config;
    dq_error error = {0};
    dq_status status = dq_run_config_init(&config, env ? env : "CartPole-v1", agent, &error);
    if (status) return cli_fail(&error);
    argp_help(argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, argv[0]);
    printf("\nOptions as they are for %s, agent %s: name, value, meaning [allowed].\n", config.env,
           config.agent);
    print_options(&config);
    return 0;
}
