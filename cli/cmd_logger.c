// deepq logger: hands over to python/deepq_logger.py, which streams runs to Weights & Biases and Aim.
//
// The trackers' clients are Python packages. The script runs in $DEEPQ_PYTHON, or python3, as a process that
// takes this one's place; its arguments, its help and its exit status are its own.
#include "base/module.h"
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 4096 };

static int run(int argc, char **argv) {
    char script[4096], *arguments[MOST_ARGUMENTS + 3];
    const char *named = getenv("DEEPQ_PYTHON");
    char *python = (char *)(named && *named ? named : "python3");
    if (argc > MOST_ARGUMENTS) return cli_usage("more than %d arguments", MOST_ARGUMENTS);
    if (!dq_module_find("deepq_logger.py", script))
        return cli_failed("deepq_logger.py was not installed beside the program or in lib/deepq");
    arguments[0] = python;
    arguments[1] = script;
    for (int i = 1; i < argc; i++) arguments[i + 1] = argv[i];
    arguments[argc + 1] = NULL;
    execvp(python, arguments);
    return cli_failed(
        "%s could not be started (%s); the trackers' clients need Python, and DEEPQ_PYTHON names "
        "another one",
        python, errno == ENOENT ? "there is no such program" : strerror(errno));
}

const cli_verb cli_verb_logger = {"logger", 45, "RUN... [--to wandb,aim] [--follow]",
                                  "streams runs to Weights & Biases or Aim", run};
