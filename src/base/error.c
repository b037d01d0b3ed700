// Status texts, error values and the logging callback: the one place where the library's messages leave it.
#include <deepq/base.h>

#include <stdarg.h>
#include <stdio.h>

const char *dq_status_text(dq_status code) {
    switch (code) {
#define STATUS_CASE(name, text)                                                                              \
    case name:                                                                                               \
        return text;
        DQ_STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    }
    return "unknown status";
}

dq_status dq_fail(dq_error *error, dq_status code, const char *where, const char *format, ...) {
    if (!error) return code;
    // Built aside first: `where` and the arguments may point into `error` itself.
    dq_error made = {.code = code};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(made.message, sizeof made.message, format, arguments);
    va_end(arguments);
    snprintf(made.where, sizeof made.where, "%s", where ? where : "");
    *error = made;
    return code;
}

const char *dq_space_describe(const dq_space *space, char text[48]) {
    if (space->rank == 1)
        snprintf(text, 48, "%d %s", space->size, space->element == DQ_F32 ? "numbers" : "bytes");
    else
        snprintf(text, 48, "%dx%dx%d bytes", space->shape[0], space->shape[1], space->shape[2]);
    return text;
}

static dq_log_fn *log_callback;
static void *log_user;

void dq_log_set(dq_log_fn *callback, void *user) {
    log_callback = callback;
    log_user = user;
}

void dq_log(dq_log_level level, const char *format, ...) {
    if (!log_callback) return;
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    log_callback(log_user, level, message);
}
