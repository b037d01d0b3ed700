// Options as lines of text, "name: value  # comment": what a run's config.yml and a weights file's metadata
// hold.
//
// The lines are YAML, so any tool reads them; this reader takes the flat part of YAML that they use (plain,
// 'single' and "double" quoted values), so that the library itself needs no YAML parser.
#include <deepq/options.h>

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_ROOM  128
#define VALUE_ROOM 4096

// True for a text that YAML would read as something else than a text of these very characters.
static bool needs_quotes(const char *text) {
    bool flag;
    double number;
    size_t length = strlen(text);
    if (length == 0 || strchr("-?:,[]{}#&*!|>'\"%@`=~. ", *text) || strchr(" :", text[length - 1]))
        return true;
    if (strstr(text, ": ") || strstr(text, " #")) return true;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) return true;
    return dq_text_to_bool(text, &flag) || dq_text_to_real(text, &number) || !strcasecmp(text, "null");
}

static void write_quoted(const char *text, FILE *out) {
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c == '\n') {
            fputs("\\n", out);
        } else if (c == '\t') {
            fputs("\\t", out);
        } else if (c < 0x20 || c == 0x7f) {
            fprintf(out, "\\x%02X", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

void dq_options_write_row(const dq_option *row, const char *prefix, const void *values, bool comments,
                          FILE *out) {
    char text[VALUE_ROOM];
    dq_options_format(row, values, text, sizeof text);
    fprintf(out, "%s%s: ", prefix, row->name);
    bool is_text = row->type == DQ_OPTION_TEXT || row->type == DQ_OPTION_CHOICE;
    if (is_text && needs_quotes(text)) {
        write_quoted(text, out);
    } else {
        fputs(text, out);
    }
    if (comments) {
        char range[256];
        dq_options_describe(row, range, sizeof range);
        fprintf(out, "  # %s (%s)", row->help ? row->help : row->name, range);
    }
    fputc('\n', out);
}

void dq_options_write(dq_option_table table, const void *values, bool comments, FILE *out) {
    const char *group = "";
    for (int i = 0; i < table.count; i++) {
        const dq_option *row = &table.rows[i];
        if (comments && row->group && strcmp(group, row->group)) {
            group = row->group;
            fprintf(out, "%s# %s\n", i ? "\n" : "", group);
        }
        dq_options_write_row(row, "", values, comments, out);
    }
}

// --- reading
// ------------------------------------------------------------------------------------------------

// Where the reader stands: the rest of the text, and the line it is in.
struct reader {
    const char *rest, *file;
    int line;
    char where[256];
    dq_error *error;
};

static dq_status refuse(const struct reader *reader, const char *what) {
    return dq_fail(reader->error, DQ_FORMAT, reader->where, "%s", what);
}

// The value of a "..." text; *end moves behind its closing quote.
static dq_status read_double_quoted(const struct reader *reader, const char **end, char *value) {
    const char *c = *end + 1;
    size_t used = 0;
    for (; *c && *c != '\n' && *c != '"'; c++) {
        char made = *c;
        if (*c == '\\') {
            static const char names[] = "nrt\\\"/", meanings[] = "\n\r\t\\\"/";
            c++;
            const char *name = *c ? strchr(names, *c) : NULL;
            made = 0;
            if (name) {
                made = meanings[name - names];
            } else if (*c == 'x' && c[1] >= '0' && c[1] <= '7' && isxdigit((unsigned char)c[2])) {
                made = (char)strtol((const char[]){c[1], c[2], 0}, NULL, 16);
                c += 2;
            }
            if (!made) return refuse(reader, "unknown escape after a backslash in a quoted text");
        }
        if (used + 1 >= VALUE_ROOM) return refuse(reader, "the text is too long");
        value[used++] = made;
    }
    if (*c != '"') return refuse(reader, "the text has no closing quote");
    value[used] = 0;
    *end = c + 1;
    return DQ_OK;
}

static dq_status read_single_quoted(const struct reader *reader, const char **end, char *value) {
    const char *c = *end + 1;
    size_t used = 0;
    for (; *c && *c != '\n'; c++) {
        if (*c == '\'' && *++c != '\'') { // '' is one quote
            value[used] = 0;
            *end = c;
            return DQ_OK;
        }
        if (used + 1 >= VALUE_ROOM) return refuse(reader, "the text is too long");
        value[used++] = *c;
    }
    return refuse(reader, "the text has no closing quote");
}

static dq_status read_plain(const struct reader *reader, const char **end, char *value) {
    const char *start = *end, *c = start;
    while (*c && *c != '\n' && !(*c == '#' && (c == start || c[-1] == ' ' || c[-1] == '\t'))) c++;
    *end = c;
    while (c > start && isspace((unsigned char)c[-1])) c--;
    size_t length = (size_t)(c - start);
    if (length >= VALUE_ROOM) return refuse(reader, "the text is too long");
    memcpy(value, start, length);
    value[length] = 0;
    return DQ_OK;
}

static const char *skip_blanks(const char *c) {
    while (*c == ' ' || *c == '\t' || *c == '\r') c++;
    return c;
}

// Reads one line. An empty name says that there was nothing on it.
static dq_status read_line(struct reader *reader, char name[NAME_ROOM], char value[VALUE_ROOM]) {
    const char *c = skip_blanks(reader->rest);
    reader->line++;
    snprintf(reader->where, sizeof reader->where, "%.230s:%d", reader->file, reader->line);
    name[0] = 0;
    if (*c && *c != '\n' && *c != '#') {
        const char *start = c;
        while (isalnum((unsigned char)*c) || *c == '_' || *c == '.' || *c == '-') c++;
        size_t length = (size_t)(c - start);
        bool named = length > 0 && length < NAME_ROOM && *c == ':' && strchr(" \t\r\n", c[1]); // the zero too
        if (!named) return refuse(reader, "this line is not of the form 'name: value'");
        memcpy(name, start, length);
        name[length] = 0;
        c = skip_blanks(c + 1);
        dq_status status = *c == '"'    ? read_double_quoted(reader, &c, value)
                           : *c == '\'' ? read_single_quoted(reader, &c, value)
                                        : read_plain(reader, &c, value);
        if (status != DQ_OK) return status;
        c = skip_blanks(c);
        if (*c == '#') c += strcspn(c, "\n");
        if (*c && *c != '\n') return refuse(reader, "there is more text behind the closing quote");
    } else {
        c += strcspn(c, "\n");
    }
    reader->rest = *c ? c + 1 : c;
    return DQ_OK;
}

dq_status dq_options_scan(const char *text, const char *where, dq_option_fn *callback, void *user,
                          dq_error *error) {
    struct reader reader = {.rest = text, .file = where ? where : "options", .error = error};
    char name[NAME_ROOM], value[VALUE_ROOM];
    while (*reader.rest) {
        dq_status status = read_line(&reader, name, value);
        if (status == DQ_OK && *name) status = callback(user, name, value, reader.where, error);
        if (status != DQ_OK) return status;
    }
    return DQ_OK;
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

dq_status dq_options_read(dq_option_table table, void *values, const char *text, const char *where,
                          dq_error *error) {
    struct target target = {table, values};
    return dq_options_scan(text, where, set_in_target, &target, error);
}
