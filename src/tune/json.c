// JSON as Optuna writes it: numbers, distributions and times.
#include "tune/json.h"

#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct json_object *dq_json_parse(const char *text, size_t length) {
    if (length > INT32_MAX) return NULL;
    struct json_tokener *tokener = json_tokener_new_ex(64);
    if (!tokener) return NULL;
    struct json_object *value = json_tokener_parse_ex(tokener, text, (int)length);
    size_t used = json_tokener_get_parse_end(tokener);
    // a number at the very end may still grow: the end of text is what ends it
    if (json_tokener_get_error(tokener) == json_tokener_continue) {
        value = json_tokener_parse_ex(tokener, "", 1);
        used = length;
    }
    bool whole = json_tokener_get_error(tokener) == json_tokener_success;
    json_tokener_free(tokener);
    for (; whole && used < length; used++) whole = isspace((unsigned char)text[used]);
    if (whole) return value;
    json_object_put(value);
    return NULL;
}

struct json_object *dq_json_real(double value) {
    char text[40];
    if (isnan(value)) return json_object_new_double_s(value, "NaN");
    if (isinf(value)) return json_object_new_double_s(value, value < 0 ? "-Infinity" : "Infinity");
    dq_text_from_real(value, text, sizeof text - 2);
    if (!strpbrk(text, ".e")) strcat(text, ".0");
    return json_object_new_double_s(value, text);
}

const char *dq_json_text(struct json_object *value) {
    return json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

bool dq_json_number(const struct json_object *value, double *number) {
    if (!json_object_is_type(value, json_type_double) && !json_object_is_type(value, json_type_int))
        return false;
    *number = json_object_get_double(value);
    return true;
}

bool dq_json_integer(const struct json_object *value, int64_t *number) {
    if (!json_object_is_type(value, json_type_int)) return false;
    *number = json_object_get_int64(value);
    return true;
}

struct json_object *dq_json_member(const struct json_object *object, const char *key) {
    struct json_object *value = NULL;
    if (json_object_is_type(object, json_type_object)) json_object_object_get_ex(object, key, &value);
    return value;
}

// --- distributions ----------------------------------------------------------------------------------------

static struct json_object *whole_number(double value) {
    return json_object_new_int64((int64_t)value);
}

struct json_object *dq_json_distribution(const dq_distribution *d) {
    static const char *const names[] = {"FloatDistribution", "IntDistribution", "CategoricalDistribution"};
    struct json_object *object = json_object_new_object(), *attributes = json_object_new_object();
    json_object_object_add(object, "name", json_object_new_string(names[d->kind]));
    json_object_object_add(object, "attributes", attributes);
    if (d->kind == DQ_CATEGORICAL) {
        struct json_object *choices = json_object_new_array();
        for (int i = 0; i < d->choice_count; i++)
            json_object_array_add(choices, dq_json_parse(d->choices[i], strlen(d->choices[i])));
        json_object_object_add(attributes, "choices", choices);
    } else {
        struct json_object *(*number)(double) = d->kind == DQ_INTEGER ? whole_number : dq_json_real;
        json_object_object_add(attributes, "low", number(d->low));
        json_object_object_add(attributes, "high", number(d->high));
        json_object_object_add(attributes, "step", d->step > 0 ? number(d->step) : NULL);
        json_object_object_add(attributes, "log", json_object_new_boolean(d->log));
    }
    struct json_object *text = json_object_new_string(dq_json_text(object));
    json_object_put(object);
    return text;
}

// The classes that Optuna had before version 3, and the key they name their step by.
static const struct {
    const char *name;
    dq_distribution_kind kind;
    bool log;
    const char *step;
} classes[] = {
    {"FloatDistribution", DQ_FLOAT, false, "step"},
    {"IntDistribution", DQ_INTEGER, false, "step"},
    {"CategoricalDistribution", DQ_CATEGORICAL, false, NULL},
    {"UniformDistribution", DQ_FLOAT, false, NULL},
    {"LogUniformDistribution", DQ_FLOAT, true, NULL},
    {"DiscreteUniformDistribution", DQ_FLOAT, false, "q"},
    {"IntUniformDistribution", DQ_INTEGER, false, "step"},
    {"IntLogUniformDistribution", DQ_INTEGER, true, "step"},
};

// The bounds of a numerical distribution; false where they are none.
static bool read_range(const struct json_object *attributes, const char *step, dq_distribution *d) {
    if (!dq_json_number(dq_json_member(attributes, "low"), &d->low) ||
        !dq_json_number(dq_json_member(attributes, "high"), &d->high) || !isfinite(d->low) ||
        !isfinite(d->high) || d->low > d->high)
        return false;
    if (d->kind == DQ_INTEGER) d->step = 1;
    const struct json_object *given = step ? dq_json_member(attributes, step) : NULL;
    if (given && (!dq_json_number(given, &d->step) || !(d->step > 0) || !isfinite(d->step))) return false;
    const struct json_object *log = dq_json_member(attributes, "log");
    if (log) d->log = json_object_get_boolean(log);
    if (d->kind == DQ_INTEGER && (fabs(d->low) > 0x1p53 || fabs(d->high) > 0x1p53)) return false;
    return !d->log || d->low > 0;
}

static dq_status read_choices(dq_study *study, const struct json_object *choices, dq_distribution *d,
                              const dq_distribution **out, const char *where, dq_error *error) {
    const size_t count =
        json_object_is_type(choices, json_type_array) ? json_object_array_length(choices) : 0;
    if (count < 1 || count > 100000)
        return dq_fail(error, DQ_FORMAT, where, "a categorical distribution without choices");
    const char **texts = calloc(count, sizeof *texts);
    if (!texts) return dq_fail(error, DQ_MEMORY, where, "there is no memory for %zu choices", count);
    for (size_t i = 0; i < count; i++) texts[i] = dq_json_text(json_object_array_get_idx(choices, i));
    d->high = (double)(count - 1);
    d->step = 1;
    d->choices = texts;
    d->choice_count = (int)count;
    *out = dq_study_distribution(study, d);
    free(texts);
    return *out ? DQ_OK : dq_fail(error, DQ_MEMORY, where, "there is no memory for %zu choices", count);
}

static dq_status from_object(dq_study *study, const struct json_object *object, const dq_distribution **out,
                             const char *where, dq_error *error) {
    const char *name = json_object_get_string(dq_json_member(object, "name"));
    const struct json_object *attributes = dq_json_member(object, "attributes");
    for (size_t i = 0; name && i < sizeof classes / sizeof *classes; i++) {
        if (strcmp(classes[i].name, name) != 0) continue;
        dq_distribution d = {.kind = classes[i].kind, .log = classes[i].log};
        if (d.kind == DQ_CATEGORICAL)
            return read_choices(study, dq_json_member(attributes, "choices"), &d, out, where, error);
        if (!read_range(attributes, classes[i].step, &d))
            return dq_fail(error, DQ_FORMAT, where, "a %s whose bounds are none", classes[i].name);
        *out = dq_study_distribution(study, &d);
        return *out ? DQ_OK : dq_fail(error, DQ_MEMORY, where, "there is no memory for a distribution");
    }
    return dq_fail(error, DQ_FORMAT, where, "an unknown distribution '%.60s'", name ? name : "");
}

dq_status dq_json_read_distribution(dq_study *study, const char *text, size_t length,
                                    const dq_distribution **distribution, const char *where,
                                    dq_error *error) {
    struct json_object *object = dq_json_parse(text, length);
    dq_status status = from_object(study, object, distribution, where, error);
    json_object_put(object);
    return status;
}

// --- times ------------------------------------------------------------------------------------------------

#define SECOND INT64_C(1000000)

// The largest moment not after t that is a whole second.
static time_t whole_seconds(int64_t t) {
    return (time_t)(t / SECOND - (t % SECOND < 0));
}

int64_t dq_time_from_utc(int64_t utc) {
    time_t seconds = whole_seconds(utc);
    struct tm local;
    if (!localtime_r(&seconds, &local)) return utc;
    return utc + local.tm_gmtoff * SECOND;
}

int64_t dq_time_to_utc(int64_t local) {
    time_t seconds = whole_seconds(local);
    struct tm parts;
    if (!gmtime_r(&seconds, &parts)) return local;
    parts.tm_isdst = -1;
    time_t utc = mktime(&parts);
    return (int64_t)utc * SECOND + (local - (int64_t)seconds * SECOND);
}

int64_t dq_time_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return dq_time_from_utc((int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000);
}

bool dq_json_read_time(const char *text, int64_t *microseconds) {
    struct tm parts = {0};
    int used = 0;
    if (sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
               &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &used) != 6 ||
        used == 0 || parts.tm_year < 1 || parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 ||
        parts.tm_mday > 31)
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    int64_t value = (int64_t)timegm(&parts) * SECOND;
    const char *c = text + used;
    if (*c == '.') {
        int64_t unit = SECOND;
        for (c++; isdigit((unsigned char)*c); c++) {
            unit /= 10;
            value += unit * (*c - '0');
        }
    }
    int hours = 0, minutes = 0;
    if (*c == 'Z' && !c[1]) {
        value = dq_time_from_utc(value);
    } else if (sscanf(c, "%*1[+-]%2d:%2d", &hours, &minutes) == 2) {
        int64_t offset = (hours * INT64_C(3600) + minutes * INT64_C(60)) * SECOND;
        value = dq_time_from_utc(*c == '-' ? value + offset : value - offset);
    } else if (*c) {
        return false;
    }
    *microseconds = value;
    return true;
}

void dq_json_write_time(int64_t microseconds, char *text, size_t size) {
    time_t seconds = whole_seconds(microseconds);
    struct tm parts = {0};
    gmtime_r(&seconds, &parts);
    snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02d.%06d", parts.tm_year + 1900, parts.tm_mon + 1,
             parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
             (int)(microseconds - (int64_t)seconds * SECOND));
}
