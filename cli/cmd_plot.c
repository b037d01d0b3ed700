// deepq plot: learning curves of runs as a picture.
#include "cli.h"
#include "curves.h"

#include <stdlib.h>
#include <string.h>

enum { words_max = 256, columns_max = 16 };

typedef struct arguments {
    char *folders[words_max];
    int folder_count;
    const char *columns[columns_max];
    int column_count;
    const char *output, *x, *title, *window;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'o':
        a->output = text;
        break;
    case 'x':
        a->x = text;
        break;
    case 't':
        a->title = text;
        break;
    case 'w':
        a->window = text;
        break;
    case 'y':
        for (char *name; (name = strsep(&text, ","));) {
            if (a->column_count == columns_max)
                argp_error(state, "--y takes at most %d columns", columns_max);
            a->columns[a->column_count++] = name;
        }
        break;
    case ARGP_KEY_ARG:
        if (a->folder_count == words_max) argp_error(state, "at most %d runs fit into a picture", words_max);
        a->folders[a->folder_count++] = text;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which run? Give its folder, such as runs/CartPole-v1-dqn-s0");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"output", 'o', "FILE", 0,
         "The picture: .svg, .png or .pdf (default: curves.svg in the first folder)", 0},
        {"x", 'x', "COLUMN", 0, "Horizontal axis: step (default), episode or seconds", 0},
        {"y", 'y', "COLUMN", 0, "A column of metrics.csv, one panel each; several times or with commas", 0},
        {"window", 'w', "N", 0, "Moving average over N rows (default: 100, at most a twentieth of the rows)",
         0},
        {"title", 't', "TEXT", 0, "The picture's title", 0},
        {0},
    };
    static const struct argp argp = {options,
                                     parse,
                                     "RUN...",
                                     "Draws the learning curves of runs. Trainings that differ in their seed "
                                     "alone form a group: one faint line "
                                     "each, and their mean with its 95% bootstrap interval. A folder of runs "
                                     "(seed-0, seed-1, ...) counts as "
                                     "all of them.",
                                     NULL,
                                     NULL,
                                     NULL};
    arguments a = {0};
    int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    static const char *const axes[] = {"step", "episode", "seconds"};
    bool known = !a.x;
    for (int i = 0; i < 3 && !known; i++) known = strcmp(axes[i], a.x) == 0;
    if (!known) return cli_usage("--x %s: the horizontal axis is one of step, episode, seconds", a.x);
    dq_error error = {0};
    int64_t window = 0;
    if (a.window && cli_integer(a.window, "--window", 1, 1000000, &window, &error)) return cli_fail(&error);

    curves c;
    char default_output[PATH_MAX];
    snprintf(default_output, sizeof default_output, "%.4000s/curves.svg", a.folders[0]);
    const char *output = a.output ? a.output : default_output;
    curves_style style = {.title = a.title,
                          .x = a.x,
                          .columns = a.column_count ? a.columns : NULL,
                          .column_count = a.column_count,
                          .window = (int)window};
    dq_status status = curves_load(&c, a.folders, a.folder_count, &error);
    if (!status) status = curves_draw(&c, &style, output, &error);
    curves_deinit(&c);
    if (status) return cli_fail(&error);
    printf("%s\n", output);
    return 0;
}

const cli_verb cli_verb_plot = {"plot", 40, "RUN... [-o FILE] [--x COLUMN] [--y COLUMN] [--window N]",
                                "draws learning curves as SVG, PNG or PDF", run};
