// What the program's verbs share: the verb table, errors on the way out, JSON and small formatting.
//
// A verb is one file cli/cmd_NAME.c that defines `const cli_verb cli_verb_NAME`; the table of them is made
// from the file names at configure time. Exit status: 0 done, 1 failed, 2 wrong usage. Documents for scripts
// go to standard output, progress and log to standard error.
#ifndef DEEPQ_CLI_H
#define DEEPQ_CLI_H

#include <argp.h>
#include <deepq/base.h>
#include <deepq/options.h>
#include <stdio.h>

typedef struct cli_verb {
    const char *name;
    int order;                         // place in `deepq --help`; the verbs of one subject share their tens
    const char *synopsis;              // what follows the name: "ENV [--agent NAME]"
    const char *summary;               // one line
    int (*run)(int argc, char **argv); // argv[0] is "deepq NAME"; returns the exit status
} cli_verb;

extern const cli_verb *const cli_verbs[]; // in the order of the file names, NULL-terminated

// --- errors ---------------------------------------------------------------------------------------------

// Prints "deepq: WHERE: MESSAGE" and returns the exit status that belongs to the error's code.
int cli_fail(const dq_error *error);

// Prints "deepq: " and the sentence; returns 1 or, for cli_usage, 2.
int cli_failed(const char *format, ...) DQ_PRINTF(1, 2);
int cli_usage(const char *format, ...) DQ_PRINTF(1, 2);

// --- arguments ------------------------------------------------------------------------------------------

// argp_parse with the program's manners: an unknown option names the nearest known one. Returns 0, or an exit
// status to return at once. --help and wrong usage leave the program.
int cli_parse(const struct argp *argp, int argc, char **argv, void *input);

// The name nearest to `word` among `count` names, or NULL when none is near.
const char *cli_nearest(const char *word, const char *const *names, int count);

// Whether a word is key=value; "gym:ID?NAME=VALUE" is an environment.
bool cli_is_assignment(const char *word);

// A whole number in [min, max], in the spellings option values have (1000, 1e6, 1_000_000). Fails with a
// sentence that names `what`.
dq_status cli_integer(const char *text, const char *what, int64_t min, int64_t max, int64_t *value,
                      dq_error *error);

// --- output ---------------------------------------------------------------------------------------------

struct json_object;

// A JSON number in its shortest exact form; null where the value is not finite, which JSON cannot say.
struct json_object *cli_json_number(double value);

// Prints the document to standard output and frees it. Returns the exit status.
int cli_json_print(struct json_object *document);

// "1,234,567". Returns text.
char *cli_count(char *text, size_t size, int64_t value);

// "0.8 s", "42 s", "3 min 20 s", "2 h 05 min". Returns text.
char *cli_duration(char *text, size_t size, double seconds);

// Seconds of a clock that only goes forward.
double cli_clock(void);

#endif
