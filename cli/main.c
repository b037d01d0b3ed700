// deepq: finds the verb and hands over. `deepq --help` lists the verbs, `deepq VERB --help` explains one.
#include "cli.h"

#include <deepq/gym.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { verbs_max = 64 };

static int by_order(const void *a, const void *b) {
    const cli_verb *x = *(const cli_verb *const *)a, *y = *(const cli_verb *const *)b;
    return x->order != y->order ? x->order - y->order : strcmp(x->name, y->name);
}

static int sorted_verbs(const cli_verb **verbs) {
    int count = 0;
    for (; cli_verbs[count] && count < verbs_max; count++) verbs[count] = cli_verbs[count];
    qsort(verbs, (size_t)count, sizeof *verbs, by_order);
    return count;
}

static void print_help(FILE *out) {
    const cli_verb *verbs[verbs_max];
    int count = sorted_verbs(verbs);
    fputs("deepq trains, evaluates and plots agents of the DQN family.\n\n"
          "Usage: deepq VERB [ARGUMENT...]\n\n",
          out);
    for (int i = 0; i < count; i++) {
        if (i > 0 && verbs[i]->order / 10 != verbs[i - 1]->order / 10) fputc('\n', out);
        fprintf(out, "  %-9s %s\n", verbs[i]->name, verbs[i]->summary);
    }
    fputs("\n  deepq VERB --help   explains one verb with its options\n"
          "  deepq --version     prints the version\n\n"
          "A first run: deepq train CartPole-v1\n",
          out);
}

static int unknown_verb(const char *word) {
    const cli_verb *verbs[verbs_max];
    const char *names[verbs_max];
    int count = sorted_verbs(verbs);
    for (int i = 0; i < count; i++) names[i] = verbs[i]->name;
    const char *nearest = cli_nearest(word, names, count);
    if (nearest) return cli_usage("there is no verb '%s'; did you mean '%s'?", word, nearest);
    return cli_usage("there is no verb '%s'; 'deepq --help' lists them", word);
}

static const cli_verb *find_verb(const char *word) {
    for (int i = 0; cli_verbs[i]; i++)
        if (strcmp(cli_verbs[i]->name, word) == 0) return cli_verbs[i];
    return NULL;
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-?") == 0 ||
        (strcmp(word, "help") == 0 && argc == 2)) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        puts(argp_program_version);
        return 0;
    }
    bool explain = strcmp(word, "help") == 0; // deepq help VERB
    if (explain) word = argv[2];
    const cli_verb *verb = find_verb(word);
    if (!verb) return unknown_verb(word);
    char name[64];
    snprintf(name, sizeof name, "deepq %s", verb->name);
    if (explain) return verb->run(2, (char *[]){name, "--help", NULL});
    argv[1] = name;
    return verb->run(argc - 1, argv + 1);
}

static void close_output(void) {
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "deepq: standard output: cannot write: %s\n", strerror(errno));
        _Exit(1);
    }
}

// Warnings of the library; what is less is for programs that ask.
static void print_warning(void *user, dq_log_level level, const char *message) {
    (void)user;
    if (level >= DQ_LOG_WARNING) fprintf(stderr, "deepq: warning: %s\n", message);
}

int main(int argc, char **argv) {
    argp_program_version = "deepq " DEEPQ_VERSION;
    setenv("ARGP_HELP_FMT", "no-dup-args-note,rmargin=100", 0);
    signal(SIGXFSZ, SIG_IGN); // a file beyond the user's limit is an error with a sentence, not a kill
    atexit(close_output);     // also behind the exits of argp's --help
    dq_log_set(print_warning, NULL);
    dq_error error;
    if (dq_gym_register(&error)) return cli_fail(&error);
    return run(argc, argv);
}
