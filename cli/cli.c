// What the program's verbs share: errors on the way out, argument parsing, JSON and small formatting.
#include "cli.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int cli_fail(const dq_error *error) {
    if (error->where[0])
        fprintf(stderr, "deepq: %s: %s\n", error->where, error->message);
    else
        fprintf(stderr, "deepq: %s\n", error->message);
    return error->code == DQ_USAGE ? 2 : 1;
}

static void complain(const char *format, va_list arguments) {
    fputs("deepq: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int cli_failed(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain(format, arguments);
    va_end(arguments);
    return 1;
}

int cli_usage(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain(format, arguments);
    va_end(arguments);
    return 2;
}

const char *cli_nearest(const char *word, const char *const *names, int count) {
    const char *nearest = NULL;
    int best = dq_text_near(word) + 1;
    for (int i = 0; i < count; i++) {
        int d = dq_text_distance(word, names[i]);
        if (d < best) {
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}

int cli_parse(const struct argp *argp, int argc, char **argv, void *input) {
    const char *names[64] = {"help", "usage", "version"};
    int count = 3;
    for (const struct argp_option *o = argp->options; o && (o->name || o->key || o->doc); o++)
        if (o->name && count < 64) names[count++] = o->name;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0) continue;
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(argv[i] + 2, "="), argv[i] + 2);
        bool known = false;
        for (int k = 0; k < count; k++) known |= strncmp(names[k], word, strlen(word)) == 0;
        if (known) continue;
        const char *nearest = cli_nearest(word, names, count);
        if (nearest) return cli_usage("there is no option --%s; did you mean --%s?", word, nearest);
        return cli_usage("there is no option --%s; '%s --help' lists them", word, argv[0]);
    }
    argp_err_exit_status = 2;
    error_t failed = argp_parse(argp, argc, argv, 0, NULL, input);
    return failed ? cli_failed("%s", strerror(failed)) : 0;
}

bool cli_is_assignment(const char *word) {
    return word[strcspn(word, "=:?")] == '=';
}

dq_status cli_integer(const char *text, const char *what, int64_t min, int64_t max, int64_t *value,
                      dq_error *error) {
    dq_option row = {.name = what, .type = DQ_OPTION_INT, .min = (double)min, .max = (double)max};
    return dq_options_set((dq_option_table){&row, 1}, value, what, text, NULL, error);
}

json_object *cli_json_number(double value) {
    char text[40];
    if (!isfinite(value)) return NULL;
    dq_text_from_real(value, text, sizeof text - 2);
    if (!strpbrk(text, ".e")) strcat(text, ".0"); // so that every reader takes it for a real
    return json_object_new_double_s(value, text);
}

int cli_json_print(json_object *document) {
    const char *text = json_object_to_json_string_ext(
        document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
    printf("%s\n", text);
    json_object_put(document);
    return 0; // main() looks whether standard output took it
}

char *cli_count(char *text, size_t size, int64_t value) {
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%" PRId64, value < 0 ? -value : value);
    size_t at = 0;
    if (value < 0 && at + 1 < size) text[at++] = '-';
    for (int i = 0; i < n && at + 2 < size; i++) {
        if (i > 0 && (n - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

char *cli_duration(char *text, size_t size, double seconds) {
    if (!(seconds >= 0))
        snprintf(text, size, "?");
    else if (seconds < 10)
        snprintf(text, size, "%.1f s", seconds);
    else if (seconds < 90)
        snprintf(text, size, "%.0f s", seconds);
    else if (seconds < 5400)
        snprintf(text, size, "%d min %02d s", (int)(seconds / 60), (int)fmod(seconds, 60));
    else
        snprintf(text, size, "%.0f h %02d min", floor(seconds / 3600), (int)fmod(seconds / 60, 60));
    return text;
}

double cli_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
