// JSON as Optuna's Python writes it, NaN and Infinity included, between text and the study's plain data.
#ifndef TUNE_JSON_H
#define TUNE_JSON_H

#include "tune/study.h"

#include <json-c/json.h>

// One JSON value out of text[0..length), with nothing but spaces around it; NULL: it is none, or too deep.
struct json_object *dq_json_parse(const char *text, size_t length);

// A real in its shortest exact form that Python reads as a float: 0.001, 100000.0, NaN, -Infinity.
struct json_object *dq_json_real(double value);

// The value as one line of text, which lives as long as the object.
const char *dq_json_text(struct json_object *value);

// A number, NaN and infinities included; false for anything else, which is left to the caller.
bool dq_json_number(const struct json_object *value, double *number);
bool dq_json_integer(const struct json_object *value, int64_t *number);

// The member `key` of an object; NULL: there is none, or it is null, or `object` is none.
struct json_object *dq_json_member(const struct json_object *object, const char *key);

// A distribution as Optuna's distribution_to_json writes it, as a string value. NULL: no memory.
struct json_object *dq_json_distribution(const dq_distribution *distribution);

// Reads such text, the forms of Optuna 1 to 5 alike, and interns it in the study. Fails with DQ_FORMAT and a
// sentence.
dq_status dq_json_read_distribution(dq_study *study, const char *text, size_t length,
                                    const dq_distribution **distribution, const char *where, dq_error *error);

// "2026-11-21T10:49:15.123456", local time; with "+00:00" or another offset behind it, it is brought to local
// time.
bool dq_json_read_time(const char *text, int64_t *microseconds);
void dq_json_write_time(int64_t microseconds, char *text, size_t size);

// The present, as a trial holds it.
int64_t dq_time_now(void);

// The same moment in universal time, and back: databases hold that.
int64_t dq_time_to_utc(int64_t local);
int64_t dq_time_from_utc(int64_t utc);

#endif
