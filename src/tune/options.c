// The option rows of dq_tune_config: its own, and those of every suggester and pruner, as src/agent/options.c
// does for the agent's parts.
#include "tune/tuner.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ROW(field, type, text, low, high, unit, help)                                                        \
    { #field, "search", type, offsetof(dq_tune_config, field), 0, text, low, high, false, NULL, unit, help }

static const dq_option own_rows[] = {
    ROW(trials, DQ_OPTION_INT, "0", 0, 1e9, NULL, "of the study in all; 0: no limit"),
    ROW(heartbeat, DQ_OPTION_REAL, "60", 0.1, 86400, "s", "between signs of life of a running trial"),
    ROW(retries, DQ_OPTION_INT, "1", 0, 1000, NULL, "of a trial whose worker died"),
    ROW(trial_seconds, DQ_OPTION_REAL, "0", 0, 1e9, "s",
        "of processor time; a trial that would take longer is given up as soon as that shows; 0: no limit"),
    ROW(start_values, DQ_OPTION_BOOL, "true", 0, 1, NULL,
        "the first trial has the values that the search starts from, as far as the space holds them"),
};

enum { OWN = sizeof own_rows / sizeof *own_rows, MOST = OWN + 64, MOST_CLASSES = 32 };

static dq_option rows[MOST];
static int row_count;
static const dq_strategy *placed[MOST_CLASSES];
static size_t place[MOST_CLASSES];
static int placed_count;
static char names[2][512];

static void add_class(const dq_strategy *about, char *list) {
    size_t used = strlen(list), behind = 0;
    snprintf(list + used, sizeof names[0] - used, "%s%s", used ? "|" : "", about->name);
    if (placed_count > 0)
        behind = place[placed_count - 1] + (placed[placed_count - 1]->options_size + 7) / 8 * 8;
    assert(placed_count < MOST_CLASSES);
    assert(behind + about->options_size <= sizeof((dq_tune_config *)NULL)->strategy_options);
    placed[placed_count] = about;
    place[placed_count++] = behind;
    for (int i = 0; i < about->options.count; i++) {
        assert(row_count < MOST);
        rows[row_count] = about->options.rows[i];
        rows[row_count++].offset += offsetof(dq_tune_config, strategy_options) + behind;
    }
}

static void add_choice(const char *name, size_t offset, const char *text, const char *list,
                       const char *help) {
    rows[row_count++] = (dq_option){.name = name,
                                    .group = "search",
                                    .type = DQ_OPTION_CHOICE,
                                    .offset = offset,
                                    .default_text = text,
                                    .choices = list,
                                    .help = help};
}

static void build(void) {
    const bool tpe = dq_suggester_find("tpe"), asha = dq_pruner_find("asha");
    add_choice("suggester", offsetof(dq_tune_config, suggester), tpe ? "tpe" : "random", names[0],
               "where the next trial's parameters come from");
    add_choice("pruner", offsetof(dq_tune_config, pruner), asha ? "asha" : "none", names[1],
               "which running trials are given up early");
    memcpy(rows + row_count, own_rows, sizeof own_rows);
    row_count += OWN;
    for (int i = 0; dq_suggester_classes[i]; i++) add_class(&dq_suggester_classes[i]->about, names[0]);
    for (int i = 0; dq_pruner_classes[i]; i++) add_class(&dq_pruner_classes[i]->about, names[1]);
}

dq_option_table dq_tune_options(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build);
    return (dq_option_table){rows, row_count};
}

const void *dq_tune_strategy_options(const dq_tune_config *config, const dq_strategy *about) {
    dq_tune_options();
    for (int i = 0; i < placed_count; i++)
        if (placed[i] == about) return config->strategy_options + place[i];
    assert(!"every class is in a list");
    return NULL;
}
