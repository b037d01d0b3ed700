// The options table at work: defaults, setting, exact formatting.
//
// A value is checked when it is set, whatever it comes from (a default, a file, a word on the command line),
// so that a struct filled through its table holds nothing out of range. A failed set changes nothing.
#include <deepq/options.h>

#include "base/text.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <string.h>

static void *place(const dq_option *row, void *values) {
    return (char *)values + row->offset;
}

const dq_option *dq_options_find(dq_option_table table, const char *name) {
    for (int i = 0; i < table.count; i++)
        if (!strcmp(table.rows[i].name, name)) return &table.rows[i];
    return NULL;
}

const char *dq_options_nearest(dq_option_table table, const char *name) {
    const char *nearest = NULL;
    int limit = dq_text_near(name);
    for (int i = 0; i < table.count; i++) {
        int distance = dq_text_distance(name, table.rows[i].name);
        if (distance > limit) continue;
        nearest = table.rows[i].name;
        limit = distance - 1;
    }
    return nearest;
}

// "between 0 and 1", "at least 1", "at most 5", or "" without limits
static void describe_range(const dq_option *row, const char *between, const char *and, char *text,
                           size_t size) {
    double widest = row->type == DQ_OPTION_REAL ? (double)INFINITY : 0x1p62;
    char low[32], high[32];
    dq_text_from_real(row->min, low, sizeof low);
    dq_text_from_real(row->max, high, sizeof high);
    if (row->min > -widest && row->max < widest) {
        snprintf(text, size, "%s%s%s%s", between, low, and, high);
    } else if (row->max < widest) {
        snprintf(text, size, "at most %s", high);
    } else if (row->min > -widest) {
        snprintf(text, size, "at least %s", low);
    } else {
        snprintf(text, size, "%s", row->type == DQ_OPTION_REAL ? "a number" : "a whole number");
    }
}

static dq_status out_of_range(const dq_option *row, const char *text, const char *where, dq_error *error) {
    char range[80];
    describe_range(row, "between ", " and ", range, sizeof range);
    return dq_fail(error, DQ_USAGE, where, "%s is %.80s but has to be %s%s%s", row->name, text, range,
                   row->unit ? " " : "", row->unit ? row->unit : "");
}

static dq_status unreadable(const dq_option *row, const char *text, const char *kind, const char *where,
                            dq_error *error) {
    return dq_fail(error, DQ_USAGE, where, "%s is '%.80s' but has to be %s", row->name, text, kind);
}

static bool within(const dq_option *row, double value) {
    return value >= row->min && value <= row->max;
}

// A row whose default is NAN ("switched off") takes nan, off and none as well as numbers.
static bool allows_nan(const dq_option *row) {
    double value;
    return row->default_text && dq_text_to_real(row->default_text, &value) && isnan(value);
}

static dq_status set_real(const dq_option *row, double *place, const char *text, const char *where,
                          dq_error *error) {
    double value;
    if (!dq_text_to_real(text, &value)) {
        if (!allows_nan(row)) return unreadable(row, text, "a number", where, error);
        if (strcmp(text, "off") && strcmp(text, "none"))
            return unreadable(row, text, "a number or off", where, error);
        value = NAN;
    }
    if (!within(row, value) && !(isnan(value) && allows_nan(row)))
        return out_of_range(row, text, where, error);
    *place = value;
    return DQ_OK;
}

static dq_status set_int(const dq_option *row, int64_t *place, const char *text, const char *where,
                         dq_error *error) {
    int64_t value;
    if (!dq_text_to_int(text, &value)) return unreadable(row, text, "a whole number", where, error);
    if (!within(row, (double)value)) return out_of_range(row, text, where, error);
    *place = value;
    return DQ_OK;
}

// The length of the choice at `start`, up to the next '|' or the end.
static size_t choice_length(const char *start) {
    return strcspn(start, "|");
}

static const char *next_choice(const char *start) {
    start += choice_length(start);
    return *start ? start + 1 : NULL;
}

// "first, second, third"
static void list_choices(const char *choices, char *text, size_t size) {
    size_t used = 0;
    *text = 0;
    for (const char *start = choices; start && used < size; start = next_choice(start))
        used += (size_t)snprintf(text + used, size - used, "%s%.*s", start == choices ? "" : ", ",
                                 (int)choice_length(start), start);
}

static dq_status set_choice(const dq_option *row, int *place, const char *text, const char *where,
                            dq_error *error) {
    size_t length = strlen(text);
    char nearest[64] = "";
    int limit = dq_text_near(text), index = 0;
    for (const char *start = row->choices; start; start = next_choice(start), index++) {
        if (choice_length(start) == length && !memcmp(start, text, length)) {
            *place = index;
            return DQ_OK;
        }
        char choice[64];
        snprintf(choice, sizeof choice, "%.*s", (int)choice_length(start), start);
        int distance = dq_text_distance(text, choice);
        if (distance > limit) continue;
        limit = distance - 1;
        memcpy(nearest, choice, sizeof nearest);
    }
    char list[240];
    list_choices(row->choices, list, sizeof list);
    return dq_fail(error, DQ_USAGE, where, "%s is '%.80s' but has to be one of: %s%s%s%s", row->name, text,
                   list, *nearest ? "; did you mean '" : "", nearest, *nearest ? "'?" : "");
}

static dq_status set_text(const dq_option *row, char *place, const char *text, const char *where,
                          dq_error *error) {
    size_t length = strlen(text);
    if (length >= row->text_size)
        return dq_fail(error, DQ_USAGE, where, "%s has %zu characters but room for %zu", row->name, length,
                       row->text_size - 1);
    memset(place, 0, row->text_size); // no old bytes behind the end: equal options are equal memory
    memcpy(place, text, length);
    return DQ_OK;
}

// "[128, 64]", "128, 64", "128 64" or "[]"
static dq_status set_ints(const dq_option *row, dq_ints *place, const char *text, const char *where,
                          dq_error *error) {
    static const char kind[] = "a list of whole numbers such as [128, 128]";
    dq_ints list = {0};
    const char *c = text;
    while (isspace((unsigned char)*c)) c++;
    bool bracket = *c == '[';
    if (bracket) c++;
    bool expect = false; // a comma was the last thing seen
    for (;;) {
        while (isspace((unsigned char)*c)) c++;
        size_t length = strcspn(c, ", \t]");
        if (length == 0) break;
        char word[32];
        int64_t value;
        snprintf(word, sizeof word, "%.*s", length < sizeof word ? (int)length : (int)sizeof word - 1, c);
        if (length >= sizeof word || !dq_text_to_int(word, &value))
            return unreadable(row, text, kind, where, error);
        if (!within(row, (double)value) || value < INT_MIN || value > INT_MAX)
            return out_of_range(row, word, where, error);
        if (list.count == DQ_INTS_MAX)
            return dq_fail(error, DQ_USAGE, where, "%s has more than %d numbers", row->name, DQ_INTS_MAX);
        list.value[list.count++] = (int)value;
        c += length;
        while (isspace((unsigned char)*c)) c++;
        expect = *c == ',';
        if (expect) c++;
    }
    if (bracket && *c++ != ']') return unreadable(row, text, kind, where, error);
    while (isspace((unsigned char)*c)) c++;
    if (*c || expect || (!bracket && list.count == 0)) return unreadable(row, text, kind, where, error);
    *place = list;
    return DQ_OK;
}

static dq_status set_row(const dq_option *row, void *values, const char *text, const char *where,
                         dq_error *error) {
    void *value = place(row, values);
    switch (row->type) {
    case DQ_OPTION_BOOL:
        if (dq_text_to_bool(text, value)) return DQ_OK;
        return unreadable(row, text, "true or false", where, error);
    case DQ_OPTION_INT:
        return set_int(row, value, text, where, error);
    case DQ_OPTION_REAL:
        return set_real(row, value, text, where, error);
    case DQ_OPTION_CHOICE:
        return set_choice(row, value, text, where, error);
    case DQ_OPTION_TEXT:
        return set_text(row, value, text, where, error);
    case DQ_OPTION_INTS:
        return set_ints(row, value, text, where, error);
    }
    return dq_fail(error, DQ_USAGE, where, "%s has no known type", row->name);
}

dq_status dq_options_set(dq_option_table table, void *values, const char *name, const char *text,
                         const char *where, dq_error *error) {
    const dq_option *row = dq_options_find(table, name);
    if (row) return set_row(row, values, text, where, error);
    const char *nearest = dq_options_nearest(table, name);
    if (nearest)
        return dq_fail(error, DQ_USAGE, where, "unknown option '%.80s'; did you mean '%s'?", name, nearest);
    return dq_fail(error, DQ_USAGE, where, "unknown option '%.80s'", name);
}

dq_status dq_options_assign(dq_option_table table, void *values, const char *word, const char *where,
                            dq_error *error) {
    const char *equals = strchr(word, '=');
    if (!equals)
        return dq_fail(error, DQ_USAGE, where, "'%.80s' is not an option; write it as key=value", word);
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)(equals - word < 127 ? equals - word : 127), word);
    return dq_options_set(table, values, name, equals + 1, where, error);
}

dq_status dq_options_defaults(dq_option_table table, void *values, dq_error *error) {
    for (int i = 0; i < table.count; i++) {
        dq_status status = set_row(&table.rows[i], values, table.rows[i].default_text,
                                   "a default of the options table", error);
        if (status != DQ_OK) return status;
    }
    return DQ_OK;
}

void dq_options_format(const dq_option *row, const void *values, char *text, size_t size) {
    const void *value = (const char *)values + row->offset;
    if (size == 0) return;
    *text = 0;
    switch (row->type) {
    case DQ_OPTION_BOOL:
        snprintf(text, size, "%s", *(const bool *)value ? "true" : "false");
        break;
    case DQ_OPTION_INT:
        snprintf(text, size, "%lld", (long long)*(const int64_t *)value);
        break;
    case DQ_OPTION_REAL:
        dq_text_from_real(*(const double *)value, text, size);
        break;
    case DQ_OPTION_CHOICE: {
        const char *start = row->choices;
        for (int i = 0; start && i < *(const int *)value; i++) start = next_choice(start);
        if (start) snprintf(text, size, "%.*s", (int)choice_length(start), start);
        break;
    }
    case DQ_OPTION_TEXT:
        snprintf(text, size, "%s", (const char *)value);
        break;
    case DQ_OPTION_INTS: {
        const dq_ints *list = value;
        size_t used = 0;
        for (int i = 0; i < list->count && used < size; i++) {
            const char *before = i ? ", " : "[";
            used += (size_t)snprintf(text + used, size - used, "%s%d", before, list->value[i]);
        }
        if (used < size) snprintf(text + used, size - used, "%s", list->count ? "]" : "[]");
        break;
    }
    }
}

void dq_options_describe(const dq_option *row, char *text, size_t size) {
    char range[200];
    const char *kind = "";
    switch (row->type) {
    case DQ_OPTION_BOOL:
        snprintf(range, sizeof range, "true or false");
        break;
    case DQ_OPTION_CHOICE:
        list_choices(row->choices, range, sizeof range);
        break;
    case DQ_OPTION_TEXT:
        snprintf(range, sizeof range, "text");
        break;
    case DQ_OPTION_INTS:
        kind = "list, each "; // fall through
    case DQ_OPTION_INT:
    case DQ_OPTION_REAL:
        describe_range(row, "", " to ", range, sizeof range);
        break;
    }
    snprintf(text, size, "%s%s%s%s", kind, range, row->unit ? " " : "", row->unit ? row->unit : "");
}
