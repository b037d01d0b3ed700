// Reading options through libyaml's event parser: a file has at most three levels (the mapping, a nested
// mapping, a list), so three functions that call each other downwards read it all.
#include "io/yaml.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define FILE_MAX   ((size_t)4 << 20)
#define NAME_ROOM  128
#define VALUE_ROOM 4096

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; // the newest
    bool has_event;
    const char *file;
    char where[256];
    dq_option_fn *callback;
    void *user;
    char (*seen)[NAME_ROOM]; // names so far
    int seen_count, seen_room;
    dq_error *error;
};

static void say_where(struct reader *reader, size_t line) {
    snprintf(reader->where, sizeof reader->where, "%.230s:%zu", reader->file, line + 1);
}

static dq_status refuse(const struct reader *reader, const char *what) {
    return dq_fail(reader->error, DQ_FORMAT, reader->where, "%s", what);
}

// Moves on to the next event.
static dq_status next(struct reader *reader) {
    if (reader->has_event) yaml_event_delete(&reader->event);
    reader->has_event = yaml_parser_parse(&reader->parser, &reader->event);
    if (reader->has_event) {
        say_where(reader, reader->event.start_mark.line);
        return DQ_OK;
    }
    const yaml_parser_t *parser = &reader->parser;
    say_where(reader, parser->problem_mark.line);
    if (parser->error == YAML_MEMORY_ERROR)
        return dq_fail(reader->error, DQ_MEMORY, reader->where, "no memory to read the file");
    return dq_fail(reader->error, DQ_FORMAT, reader->where, "this is not YAML: %s%s%s",
                   parser->context ? parser->context : "", parser->context ? ", " : "",
                   parser->problem ? parser->problem : "unreadable");
}

// The current scalar as text, appended at text + used.
static dq_status take_scalar(struct reader *reader, char *text, size_t room, size_t *used) {
    const yaml_event_t *event = &reader->event;
    if (event->type != YAML_SCALAR_EVENT) return refuse(reader, "expected a plain value here");
    if (event->data.scalar.anchor || event->data.scalar.tag)
        return refuse(reader, "anchors and tags have no meaning in an options file");
    size_t length = event->data.scalar.length;
    const char *value = (const char *)event->data.scalar.value;
    if (length >= room - *used) return refuse(reader, "the text is too long");
    if (memchr(value, 0, length)) return refuse(reader, "the text holds a zero byte");
    memcpy(text + *used, value, length);
    *used += length;
    text[*used] = 0;
    return DQ_OK;
}

static dq_status remember(struct reader *reader, const char *name) {
    for (int i = 0; i < reader->seen_count; i++)
        if (!strcmp(reader->seen[i], name))
            return dq_fail(reader->error, DQ_USAGE, reader->where, "%s is given twice", name);
    if (reader->seen_count == reader->seen_room) {
        int room = reader->seen_room ? 2 * reader->seen_room : 32;
        void *grown = room > 4096 ? NULL : realloc(reader->seen, (size_t)room * sizeof *reader->seen);
        if (!grown) return dq_fail(reader->error, DQ_MEMORY, reader->where, "there are too many options");
        reader->seen = grown;
        reader->seen_room = room;
    }
    memcpy(reader->seen[reader->seen_count++], name, NAME_ROOM);
    return DQ_OK;
}

// A list, as "[a, b]"; the sequence's start is the current event.
static dq_status take_list(struct reader *reader, char *text) {
    size_t used = 0;
    if (reader->event.data.sequence_start.anchor || reader->event.data.sequence_start.tag)
        return refuse(reader, "anchors and tags have no meaning in an options file");
    text[used++] = '[';
    for (;;) {
        dq_status status = next(reader);
        if (status != DQ_OK) return status;
        if (reader->event.type == YAML_SEQUENCE_END_EVENT) break;
        size_t start = used;
        if (used > 1) start = (used += 2);
        if (used + 4 >= VALUE_ROOM) return refuse(reader, "the list is too long");
        if (start > 1) memcpy(text + start - 2, ", ", 2);
        status = take_scalar(reader, text, VALUE_ROOM - 2, &used);
        if (status != DQ_OK) return status;
        if (start == used || strpbrk(text + start, ",[]"))
            return refuse(reader, "an item of a list is empty or holds a comma or bracket");
    }
    memcpy(text + used, "]", 2);
    return DQ_OK;
}

// The entries of a mapping whose start is the current event. prefix: "" at the top, "env." inside env.
static dq_status take_mapping(struct reader *reader, const char *prefix) {
    char name[NAME_ROOM] = "", text[VALUE_ROOM], line[sizeof reader->where];
    if (reader->event.data.mapping_start.anchor || reader->event.data.mapping_start.tag)
        return refuse(reader, "anchors and tags have no meaning in an options file");
    for (;;) {
        dq_status status = next(reader);
        if (status != DQ_OK) return status;
        if (reader->event.type == YAML_MAPPING_END_EVENT) return DQ_OK;
        memset(name, 0, sizeof name);
        size_t used = strlen(prefix), value_used = 0;
        memcpy(name, prefix, used);
        status = take_scalar(reader, name, sizeof name - 1, &used);
        if (status != DQ_OK) return status;
        memcpy(line, reader->where, sizeof line); // an option's line is its name's
        if ((status = next(reader)) != DQ_OK) return status;

        if (reader->event.type == YAML_MAPPING_START_EVENT) {
            if (*prefix) return refuse(reader, "options are nested at most once, as in env: {key: value}");
            memcpy(name + used, ".", 2);
            status = take_mapping(reader, name);
            if (status != DQ_OK) return status;
            continue;
        }
        status = reader->event.type == YAML_SEQUENCE_START_EVENT
                     ? take_list(reader, text)
                     : take_scalar(reader, text, sizeof text, &value_used);
        if (status != DQ_OK) return status;
        memcpy(reader->where, line, sizeof line);
        if ((status = remember(reader, name)) != DQ_OK) return status;
        status = reader->callback(reader->user, name, text, reader->where, reader->error);
        if (status != DQ_OK) return status;
    }
}

// Stream start, at most one document with at most one mapping, stream end.
static dq_status take_file(struct reader *reader) {
    dq_status status = next(reader); // the stream's start
    if (status == DQ_OK) status = next(reader);
    if (status != DQ_OK || reader->event.type == YAML_STREAM_END_EVENT) return status;
    if ((status = next(reader)) != DQ_OK) return status; // behind the document's start
    const yaml_event_t *event = &reader->event;
    bool nothing = event->type == YAML_SCALAR_EVENT && event->data.scalar.length == 0;
    if (event->type == YAML_MAPPING_START_EVENT) {
        status = take_mapping(reader, "");
    } else if (!nothing) {
        return refuse(reader, "expected options, one 'name: value' a line");
    }
    if (status == DQ_OK) status = next(reader); // the document's end
    if (status == DQ_OK) status = next(reader);
    if (status == DQ_OK && reader->event.type != YAML_STREAM_END_EVENT)
        return refuse(reader, "a second document starts here");
    return status;
}

dq_status dq_yaml_scan(const char *text, size_t size, const char *where, dq_option_fn *callback, void *user,
                       dq_error *error) {
    struct reader reader = {.file = where, .callback = callback, .user = user, .error = error};
    if (!yaml_parser_initialize(&reader.parser))
        return dq_fail(error, DQ_MEMORY, where, "no memory to read the file");
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    dq_status status = take_file(&reader);
    if (reader.has_event) yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    free(reader.seen);
    return status;
}

dq_status dq_yaml_read(const char *path, dq_option_fn *callback, void *user, dq_error *error) {
    char *text;
    size_t size;
    dq_status status = dq_file_read(path, FILE_MAX, &text, &size, error);
    if (status != DQ_OK) return status;
    status = dq_yaml_scan(text, size, path, callback, user, error);
    free(text);
    return status;
}

struct target {
    dq_option_table table;
    void *values;
};

static dq_status set_in_target(void *user, const char *name, const char *text, const char *where,
                               dq_error *error) {
    const struct target *target = user;
    return dq_options_set(target->table, target->values, name, text, where, error);
}

dq_status dq_yaml_read_options(dq_option_table table, void *values, const char *path, dq_error *error) {
    struct target target = {table, values};
    return dq_yaml_read(path, set_in_target, &target, error);
}
