// Where a search starts: at the values that the options have already.
//
// They are the first trial's, so that what is found is measured against them, and the default space is
// widened to hold them.
#include "tune/space.h"

#include "base/text.h"
#include "tune/json.h"

#include <stdio.h>
#include <string.h>

// What the option says now in the dimension's own terms, as text: its value, or its share of the option that
// it is a factor of.
static bool present(const dq_dimension *dimension, const dq_run_config *config, char *text, size_t size) {
    char whole[300];
    double value, of;
    if (!dq_search_present(config, dimension->name, text, size)) return false;
    if (!*dimension->factor) return true;
    if (!dq_search_present(config, dimension->factor, whole, sizeof whole)) return false;
    if (!dq_text_to_real(text, &value) || !dq_text_to_real(whole, &of) || !(of > 0)) return false;
    dq_text_from_real(value / of, text, size);
    return true;
}

// Its value as JSON, where the dimension holds it; NULL: it does not.
static struct json_object *held(const dq_dimension *dimension, const char *text) {
    const dq_distribution *d = &dimension->distribution;
    double value;
    for (int i = 0; d->kind == DQ_CATEGORICAL && i < d->choice_count; i++) {
        char choice[300];
        double other;
        dq_param_text(d, i, choice, sizeof choice);
        if (!strcmp(choice, text) ||
            (dq_text_to_real(choice, &other) && dq_text_to_real(text, &value) && other == value))
            return dq_json_parse(d->choices[i], strlen(d->choices[i]));
    }
    if (d->kind == DQ_CATEGORICAL || !dq_text_to_real(text, &value) || !dq_distribution_contains(d, value))
        return NULL;
    return d->kind == DQ_INTEGER ? json_object_new_int64((int64_t)value) : dq_json_real(value);
}

// The text of a dimension that holds `value` too; false: there is none.
static bool wider(const dq_dimension *dimension, const char *value, char *text, size_t size) {
    const dq_distribution *d = &dimension->distribution;
    const char *star = strrchr(dimension->text, '*');
    const int length = star ? (int)(star - dimension->text) : (int)strlen(dimension->text);
    double number;
    char low[40], high[40];
    if (d->kind == DQ_CATEGORICAL) {
        snprintf(text, size, "%.*s | %s%s%s", length, dimension->text, value, star ? " " : "",
                 star ? star : "");
        return true;
    }
    if (!dq_text_to_real(value, &number) || (d->log && !(number > 0)) || d->step > 1) return false;
    dq_text_from_real(number < d->low ? number : d->low, low, sizeof low);
    dq_text_from_real(number > d->high ? number : d->high, high, sizeof high);
    snprintf(text, size, "%s .. %s %s%s%s", low, high, d->log ? "log" : "linear", star ? " " : "",
             star ? star : "");
    return true;
}

dq_status dq_search_widen(dq_search *space, dq_run_config *config, dq_error *error) {
    dq_status status = DQ_OK;
    for (int i = 0; i < space->count && !status; i++) {
        dq_dimension *dimension = &space->at[i];
        char value[300], text[sizeof dimension->text], name[sizeof dimension->name];
        if (!dimension->standard || !present(dimension, config, value, sizeof value)) continue;
        struct json_object *json = held(dimension, value);
        if (json || !wider(dimension, value, text, sizeof text)) {
            json_object_put(json);
            continue;
        }
        strcpy(name, dimension->name);
        status = dq_search_set(space, config, name, text, "the default search space", error);
    }
    return status;
}

char *dq_search_start(const dq_search *space, const dq_run_config *config) {
    struct json_object *all = json_object_new_object();
    for (int i = 0; i < space->count && all; i++) {
        char value[300];
        struct json_object *json =
            present(&space->at[i], config, value, sizeof value) ? held(&space->at[i], value) : NULL;
        if (json) json_object_object_add(all, space->at[i].name, json);
    }
    char *text = all ? strdup(dq_json_text(all)) : NULL;
    json_object_put(all);
    return text;
}
