// Reading dimensions and applying parameters.
#include "tune/space.h"

#include "base/text.h"
#include "tune/json.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// RL Baselines3 Zoo, rl_zoo3/hyperparams_opt.py, sample_dqn_params: the same options and like ranges, with
// the exploration and the gradient steps as shares of what they belong to; beside them n-step returns, a
// learning rate that falls and soft target updates, which the tuned values of most environments have.
static const char *const defaults[][2] = {
    {"learning_rate", "1e-5 .. 1e-2"},
    {"learning_rate_schedule", "constant | linear"},
    {"learning_rate_period", "0.25 .. 1 * total_steps"},
    {"gamma", "0.9 | 0.95 | 0.98 | 0.99 | 0.995 | 0.999"},
    {"net_arch", "[64] | [64, 64] | [256, 256]"},
    {"batch_size", "16 | 32 | 64 | 128 | 256"},
    {"buffer_size", "10000 | 50000 | 100000"},
    {"learning_starts", "500 | 1000 | 5000"},
    {"train_freq", "1 | 4 | 8 | 16 | 64 | 128 | 256"},
    {"gradient_steps", "0.125 | 0.25 | 0.5 | 1 * train_freq"},
    {"n_step", "1 .. 5 linear"},
    {"target_update", "hard | soft"},
    {"target_update_unit", "steps"},
    {"target_update_interval", "50 .. 20000"},
    {"tau", "0.001 .. 0.05 log"},
    {"epsilon_schedule", "linear"},
    {"epsilon_clock", "steps"},
    {"epsilon_period", "0.02 .. 0.5 * total_steps"},
    {"epsilon_end", "0.005 .. 0.2"},
};

// --- rows -------------------------------------------------------------------------------------------------

static const dq_option *find_row(const dq_run_config *config, const char *name, dq_error *error) {
    if (strncmp(name, "env.", 4) != 0) return dq_options_find(dq_run_options(), name);
    const dq_env_class *env = dq_env_find(config->env, error);
    return env ? dq_options_find(env->options, name + 4) : NULL;
}

bool dq_search_present(const dq_run_config *config, const char *name, char *text, size_t size) {
    const dq_option *row = find_row(config, name, NULL);
    const bool env = strncmp(name, "env.", 4) == 0;
    if (row) dq_options_format(row, env ? (const void *)config->env_options : config, text, size);
    return row;
}

static double current(const dq_run_config *config, const char *name) {
    char text[300];
    double value = NAN;
    if (dq_search_present(config, name, text, sizeof text)) dq_text_to_real(text, &value);
    return value;
}

// --- reading a dimension ----------------------------------------------------------------------------------

static void free_choices(dq_distribution *d) {
    for (int i = 0; i < d->choice_count; i++) free((char *)d->choices[i]);
    free((void *)d->choices);
    d->choices = NULL;
    d->choice_count = 0;
}

static char *trimmed(char *text) {
    while (isspace((unsigned char)*text)) text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1])) text[--length] = 0;
    return text;
}

// What is being read.
typedef struct reading {
    const dq_run_config *config;
    const dq_option *row;
    dq_dimension *dimension;
    const char *where;
    dq_error *error;
} reading;

static dq_status check(const reading *r, const char *value) {
    dq_run_config scratch = *r->config;
    char word[300];
    double factor;
    if (*r->dimension->factor) { // the product is checked when there is one
        if (dq_text_to_real(value, &factor) && factor > 0) return DQ_OK;
        return dq_fail(r->error, DQ_USAGE, r->where,
                       "search.%s: '%.60s' is no factor; it takes numbers above 0", r->dimension->name,
                       value);
    }
    snprintf(word, sizeof word, "%s=%s", r->dimension->name, value);
    return dq_run_config_assign(&scratch, word, r->where, r->error);
}

static dq_status add_choice(const reading *r, const char *value) {
    dq_distribution *d = &r->dimension->distribution;
    const dq_option_type type = *r->dimension->factor ? DQ_OPTION_REAL : r->row->type;
    dq_status status = check(r, value);
    if (status) return status;
    struct json_object *json = NULL;
    int64_t whole;
    double real;
    bool yes;
    if (type == DQ_OPTION_BOOL && dq_text_to_bool(value, &yes))
        json = json_object_new_boolean(yes);
    else if (type == DQ_OPTION_INT && dq_text_to_int(value, &whole))
        json = json_object_new_int64(whole);
    else if (type == DQ_OPTION_REAL && dq_text_to_real(value, &real))
        json = dq_json_real(real);
    else
        json = json_object_new_string(value);
    char *text = json ? strdup(dq_json_text(json)) : NULL;
    json_object_put(json);
    const char **larger = realloc((void *)d->choices, ((size_t)d->choice_count + 1) * sizeof *larger);
    if (larger) d->choices = larger;
    if (!text || !larger) {
        free(text);
        return dq_fail(r->error, DQ_MEMORY, r->where, "there is no memory for the search space");
    }
    for (int i = 0; i < d->choice_count; i++)
        if (!strcmp(d->choices[i], text)) {
            free(text);
            return dq_fail(r->error, DQ_USAGE, r->where, "search.%s has '%.60s' twice", r->dimension->name,
                           value);
        }
    larger[d->choice_count++] = text;
    d->high = d->choice_count - 1;
    return DQ_OK;
}

// "a | b | c", cut in place.
static dq_status read_choices(const reading *r, char *text, const char *separator) {
    r->dimension->distribution = (dq_distribution){.kind = DQ_CATEGORICAL, .step = 1};
    dq_status status = DQ_OK;
    for (char *next; text && !status; text = next) {
        next = strstr(text, separator);
        if (next) {
            *next = 0;
            next += strlen(separator);
        }
        status = add_choice(r, trimmed(text));
    }
    return status;
}

static dq_status set_range(const reading *r, double low, double high, double step, bool log) {
    dq_dimension *dimension = r->dimension;
    const bool whole = dimension->whole && !*dimension->factor;
    if (!(low < high) || !isfinite(low) || !isfinite(high))
        return dq_fail(r->error, DQ_USAGE, r->where,
                       "search.%s: a range goes from a smaller to a larger number, as in 1e-5 .. 1e-2",
                       dimension->name);
    if (log && !(low > 0))
        return dq_fail(r->error, DQ_USAGE, r->where,
                       "search.%s: a logarithmic scale starts above 0; write 'linear' behind the range",
                       dimension->name);
    if (step != 0 && (log || !(step > 0) || step > high - low || (whole && step != floor(step))))
        return dq_fail(r->error, DQ_USAGE, r->where,
                       "search.%s: a step is above 0, shorter than the range, and not for logarithmic scales",
                       dimension->name);
    if (whole && step == 0) step = 1;
    if (step > 0) high = low + floor((high - low) / step + 1e-9) * step;
    dimension->distribution = (dq_distribution){
        .kind = whole ? DQ_INTEGER : DQ_FLOAT, .log = log, .low = low, .high = high, .step = step};
    return DQ_OK;
}

// "low .. high [log|linear] [step S]", cut in place.
static dq_status read_range(const reading *r, char *text, char *dots) {
    bool log = r->row->log_scale && !*r->dimension->factor, ready = true;
    double low = 0, high = 0, step = 0;
    *dots = 0;
    char *rest = trimmed(dots + 2), *word = rest + strcspn(rest, " \t");
    if (*word) *word++ = 0;
    const char *low_text = trimmed(text), *high_text = rest;
    dq_status status = check(r, low_text);
    if (!status) status = check(r, high_text);
    if (status) return status;
    ready = dq_text_to_real(low_text, &low) && dq_text_to_real(high_text, &high);
    char *save = NULL;
    for (char *w = strtok_r(word, " \t", &save); w && ready; w = strtok_r(NULL, " \t", &save)) {
        if (!strcmp(w, "log") || !strcmp(w, "linear"))
            log = w[1] == 'o';
        else if (!strcmp(w, "step"))
            ready = (w = strtok_r(NULL, " \t", &save)) && dq_text_to_real(w, &step);
        else
            ready = false;
        if (step > 0) log = false;
    }
    if (!ready)
        return dq_fail(r->error, DQ_USAGE, r->where,
                       "search.%s: a range is LOW .. HIGH, and behind it log, linear or step S",
                       r->dimension->name);
    return set_range(r, low, high, step, log);
}

// The whole of what the row allows.
static dq_status read_all(const reading *r) {
    const dq_option *row = r->row;
    if (row->type == DQ_OPTION_BOOL) return read_choices(r, (char[]){"false|true"}, "|");
    if (row->type == DQ_OPTION_CHOICE) {
        char names[400];
        snprintf(names, sizeof names, "%s", row->choices);
        return read_choices(r, names, "|");
    }
    const bool number = row->type == DQ_OPTION_INT || row->type == DQ_OPTION_REAL;
    if (!number || row->max - row->min > 1e6 || *r->dimension->factor)
        return dq_fail(r->error, DQ_USAGE, r->where,
                       "search.%s: what this option allows has no near bounds; give a range LOW .. HIGH",
                       r->dimension->name);
    return set_range(r, row->min, row->max, 0, row->log_scale && row->min > 0);
}

// Takes "* OPTION" off the end of `text`.
static dq_status take_factor(reading *r, char *text) {
    char *star = strrchr(text, '*');
    if (!star) return DQ_OK;
    snprintf(r->dimension->factor, sizeof r->dimension->factor, "%s", trimmed(star + 1));
    *star = 0;
    if (!(current(r->config, r->dimension->factor) > 0) ||
        !strcmp(r->dimension->factor, r->dimension->name) ||
        (r->row->type != DQ_OPTION_INT && r->row->type != DQ_OPTION_REAL))
        return dq_fail(r->error, DQ_USAGE, r->where,
                       "search.%s: behind * stands another option with a value above 0, such as total_steps; "
                       "'%.60s' is none",
                       r->dimension->name, r->dimension->factor);
    return DQ_OK;
}

// Reads into *dimension; a fixed value goes into `config`, and *fixed tells.
static dq_status read_dimension(dq_dimension *dimension, dq_run_config *config, const char *where,
                                bool *fixed, dq_error *error) {
    reading r = {.config = config, .dimension = dimension, .where = where, .error = error};
    r.row = find_row(config, dimension->name, error);
    if (!r.row) {
        const char *nearest = dq_options_nearest(dq_run_options(), dimension->name);
        return dq_fail(error, DQ_USAGE, where, "search.%s: there is no such option%s%s%s", dimension->name,
                       nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    }
    dimension->whole = r.row->type == DQ_OPTION_INT;
    char buffer[sizeof dimension->text], *text;
    snprintf(buffer, sizeof buffer, "%s", dimension->text);
    dq_status status = take_factor(&r, buffer);
    if (status) return status;
    text = trimmed(buffer);
    char *dots = strstr(text, "..");
    *fixed = false;
    if (!strcmp(text, "all")) return read_all(&r);
    if (strchr(text, '|')) return read_choices(&r, text, "|");
    if (dots && r.row->type != DQ_OPTION_TEXT) return read_range(&r, text, dots);
    const size_t length = strlen(text);
    if (*text == '[' && length > 1 && text[length - 1] == ']' && r.row->type != DQ_OPTION_INTS) {
        text[length - 1] = 0;
        return read_choices(&r, text + 1, ",");
    }
    *fixed = true;
    char word[sizeof dimension->text + 80];
    snprintf(word, sizeof word, "%s=%s", dimension->name, text);
    return dq_run_config_assign(config, word, where, error);
}

// --- the space --------------------------------------------------------------------------------------------

void dq_search_deinit(dq_search *space) {
    for (int i = 0; i < space->count; i++) free_choices(&space->at[i].distribution);
    free(space->at);
    *space = (dq_search){0};
}

void dq_search_remove(dq_search *space, const char *name) {
    for (int i = 0; i < space->count; i++) {
        if (strcmp(space->at[i].name, name) != 0) continue;
        free_choices(&space->at[i].distribution);
        memmove(&space->at[i], &space->at[i + 1], (size_t)(--space->count - i) * sizeof *space->at);
        return;
    }
}

dq_status dq_search_set(dq_search *space, dq_run_config *config, const char *name, const char *text,
                        const char *where, dq_error *error) {
    dq_dimension dimension = {0};
    bool fixed = false;
    if (strlen(name) >= sizeof dimension.name || strlen(text) >= sizeof dimension.text)
        return dq_fail(error, DQ_USAGE, where, "search.%.60s: the text is too long", name);
    strcpy(dimension.name, name);
    strcpy(dimension.text, text);
    if (!strcmp(text, "off")) {
        for (int i = 0; i < space->count; i++)
            if (!strcmp(space->at[i].name, name)) {
                dq_search_remove(space, name);
                return DQ_OK;
            }
        return dq_fail(error, DQ_USAGE, where, "search.%.60s is not searched anyway", name);
    }
    dq_status status = read_dimension(&dimension, config, where, &fixed, error);
    if (status || fixed) {
        free_choices(&dimension.distribution);
        if (!status) dq_search_remove(space, name);
        return status;
    }
    for (int i = 0; i < space->count; i++) {
        if (strcmp(space->at[i].name, name) != 0) continue;
        free_choices(&space->at[i].distribution);
        space->at[i] = dimension;
        return DQ_OK;
    }
    dq_dimension *larger = realloc(space->at, ((size_t)space->count + 1) * sizeof *larger);
    if (!larger) {
        free_choices(&dimension.distribution);
        return dq_fail(error, DQ_MEMORY, where, "there is no memory for the search space");
    }
    space->at = larger;
    space->at[space->count++] = dimension;
    return DQ_OK;
}

dq_status dq_search_default(dq_search *space, dq_run_config *config, dq_error *error) {
    dq_status status = DQ_OK;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults && !status; i++)
        status =
            dq_search_set(space, config, defaults[i][0], defaults[i][1], "the default search space", error);
    for (int i = 0; i < space->count; i++) space->at[i].standard = true;
    return status;
}

dq_status dq_search_intern(const dq_search *space, dq_study *study, dq_trial_param *params, dq_error *error) {
    for (int i = 0; i < space->count; i++) {
        const dq_dimension *dimension = &space->at[i];
        params[i].name = dq_study_name(study, dimension->name);
        params[i].distribution = dq_study_distribution(study, &dimension->distribution);
        params[i].value = (double)NAN;
        if (!params[i].name || !params[i].distribution)
            return dq_fail(error, DQ_MEMORY, study->name, "there is no memory for the search space");
        for (int k = 0; k < study->trial_count; k++) {
            const dq_trial_param *first = dq_trial_find_param(study->trials[k], params[i].name);
            if (!first) continue;
            if (!dq_distribution_compatible(first->distribution, params[i].distribution))
                return dq_fail(
                    error, DQ_USAGE, study->name,
                    "the study's trials draw %s from another kind of distribution (Optuna allows one "
                    "kind, scale and list of choices a name); make search.%s like that, or begin "
                    "another study",
                    params[i].name, params[i].name);
            break;
        }
    }
    return DQ_OK;
}

void dq_param_text(const dq_distribution *d, double value, char *text, size_t size) {
    if (d->kind != DQ_CATEGORICAL) {
        char number[40];
        dq_text_from_real(value, number, sizeof number);
        snprintf(text, size, "%s", number);
        return;
    }
    const int at = value >= 0 && value < d->choice_count ? (int)value : 0;
    struct json_object *json = dq_json_parse(d->choices[at], strlen(d->choices[at]));
    snprintf(text, size, "%s",
             json_object_is_type(json, json_type_string) ? json_object_get_string(json) : d->choices[at]);
    json_object_put(json);
}

bool dq_param_from_json(const dq_distribution *d, const char *json, double *value) {
    if (d->kind == DQ_CATEGORICAL) {
        for (int i = 0; i < d->choice_count; i++)
            if (!strcmp(d->choices[i], json)) {
                *value = i;
                return true;
            }
        return false;
    }
    return dq_text_to_real(json, value) && dq_distribution_contains(d, *value);
}

// --- applying ---------------------------------------------------------------------------------------------

static const dq_dimension *find_dimension(const dq_search *space, const char *name) {
    for (int i = 0; i < space->count; i++)
        if (!strcmp(space->at[i].name, name)) return &space->at[i];
    return NULL;
}

static dq_status assign(dq_run_config *config, const dq_trial_param *param, const dq_dimension *dimension,
                        dq_error *error) {
    char text[300], word[400];
    double factor;
    dq_param_text(param->distribution, param->value, text, sizeof text);
    if (dimension && *dimension->factor && dq_text_to_real(text, &factor)) {
        const dq_option *row = find_row(config, dimension->name, error);
        double value = factor * current(config, dimension->factor);
        if (dimension->whole) value = rint(value);
        value = value < row->min ? row->min : value > row->max ? row->max : value;
        dq_text_from_real(value, text, sizeof text);
    }
    snprintf(word, sizeof word, "%s=%s", param->name, text);
    return dq_run_config_assign(config, word, "trial", error);
}

dq_status dq_search_apply(const dq_search *space, const dq_trial *trial, dq_run_config *config,
                          dq_error *error) {
    dq_status status = DQ_OK;
    for (int products = 0; products < 2; products++) // what others are factors of comes first
        for (int i = 0; i < trial->param_count && !status; i++) {
            const dq_dimension *dimension = find_dimension(space, trial->params[i].name);
            if ((dimension && *dimension->factor) == products)
                status = assign(config, &trial->params[i], dimension, error);
        }
    return status ? status : dq_run_config_validate(config, error);
}
