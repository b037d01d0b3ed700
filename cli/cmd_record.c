// deepq record: episodes as an animated GIF, an MP4 or a PNG.
//
// Ctrl-C leaves no file.
#include "cli.h"
#include "film.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { words_max = 64 };

typedef struct arguments {
    const char *who, *env, *seed, *episodes, *size, *fps, *speed, *step, *out;
    const char *words[words_max];
    int word_count;
    bool panel, quiet;
} arguments;

static volatile sig_atomic_t stopped;

static void on_signal(int number) {
    (void)number;
    stopped = 1;
}

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'e':
        a->env = text;
        break;
    case 's':
        a->seed = text;
        break;
    case 'n':
        a->episodes = text;
        break;
    case 'z':
        a->size = text;
        break;
    case 'f':
        a->fps = text;
        break;
    case 'x':
        a->speed = text;
        break;
    case 't':
        a->step = text;
        break;
    case 'v':
        a->panel = true;
        break;
    case 'o':
        a->out = text;
        break;
    case 'q':
        a->quiet = true;
        break;
    case ARGP_KEY_ARG:
        if (strchr(text, '=') && access(text, F_OK) != 0) {
            if (a->word_count == words_max) argp_error(state, "more than %d options", words_max);
            a->words[a->word_count++] = text;
        } else if (a->who) {
            argp_error(state, "'%s' is one word too many: one agent is recorded at a time", text);
        } else {
            a->who = text;
        }
        break;
    case ARGP_KEY_END:
        if (!a->who)
            argp_error(state, "who plays? Give a run's folder, a weights file, or random with --env ENV");
        if (!a->out) argp_error(state, "where to? Add -o FILE.gif, FILE.mp4 or FILE.png");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static dq_status real_of(const char *text, const char *what, double low, double high, double *value,
                         dq_error *error) {
    const dq_option row = {.name = what, .type = DQ_OPTION_REAL, .min = low, .max = high};
    return dq_options_set((dq_option_table){&row, 1}, value, what, text, NULL, error);
}

static dq_status size_of(const char *text, film_style *style, dq_error *error) {
    int used = 0;
    if (sscanf(text, "%dx%d%n", &style->width, &style->height, &used) == 2 && !text[used] &&
        style->width >= 16 && style->height >= 16 && style->width <= DQ_BOARD_SIDE_MAX &&
        style->height <= DQ_BOARD_SIDE_MAX)
        return DQ_OK;
    return dq_fail(error, DQ_USAGE, "--size", "'%s' is not a size: WIDTHxHEIGHT in pixels, such as 600x400",
                   text);
}

static dq_status read_style(const arguments *a, const dq_movie_class *kind, film_style *style, int64_t *seed,
                            dq_error *error) {
    dq_status status = DQ_OK;
    if (a->seed) status = cli_integer(a->seed, "--seed", 0, (int64_t)1e15, seed, error);
    if (!status && a->episodes)
        status = cli_integer(a->episodes, "--episodes", 1, 1000, &style->episodes, error);
    if (!status && a->step) status = cli_integer(a->step, "--step", 0, FILM_STEPS_MOST, &style->still, error);
    if (!status && a->size) status = size_of(a->size, style, error);
    if (!status && a->fps) status = real_of(a->fps, "--fps", 0.1, kind->most_frames, &style->rate, error);
    if (!status && a->speed) status = real_of(a->speed, "--speed", 0.001, 10000, &style->speed, error);
    if (!status && a->step && !kind->still)
        status = dq_fail(error, DQ_USAGE, "--step", "one step is a .png, not a %s", kind->ending);
    if (!status && kind->still && (a->fps || a->speed || a->episodes))
        status = dq_fail(error, DQ_USAGE, a->out,
                         "a .png shows one step: --fps, --speed and --episodes are for .gif and .mp4");
    return status;
}

static void tell(const play *p, const film_style *style, const film_report *r, const char *path, bool still,
                 int64_t seed) {
    printf("%s: %s, %s, ", path, p->env_class->id, p->player);
    if (still)
        printf("step %lld of seed %lld, return %.6g", (long long)r->steps, (long long)seed, r->mean_return);
    else if (style->episodes == 1)
        printf("%lld steps, return %.6g", (long long)r->steps, r->mean_return);
    else
        printf("%lld episodes, mean return %.6g", (long long)style->episodes, r->mean_return);
    printf("; %dx%d", r->width, r->height);
    if (!still) printf(", %lld frames, %.1f s", (long long)r->frames, r->seconds);
    if (!still && !(style->speed > 0) && r->speed > 1.01) printf(" (%.3g times as fast)", r->speed);
    printf(", %.1f kB\n", (double)r->bytes / 1000);
}

static void show_progress(void *user, int64_t frames) {
    (void)user;
    if (frames % 10 == 0) fprintf(stderr, "\r%lld frames ", (long long)frames);
}

static dq_status record(const arguments *a, dq_error *error) {
    const dq_movie_class *kind = NULL;
    const bool progress = !a->quiet && isatty(STDERR_FILENO);
    film_style style = {.episodes = 1,
                        .still = -1,
                        .panel = a->panel,
                        .longest = 30,
                        .stop = &stopped,
                        .progress = progress ? show_progress : NULL};
    film_report report;
    play *p = NULL;
    int64_t seed = 0;
    dq_status status = dq_movie_find(&kind, a->out, error);
    if (!status) status = read_style(a, kind, &style, &seed, error);
    if (!status) status = play_create(&p, a->who, a->env, a->words, a->word_count, (uint64_t)seed, error);
    if (!status) status = film_make(p, kind, a->out, &style, &report, error);
    if (progress) fputs("\r\033[K", stderr);
    if (!status && !a->quiet) tell(p, &style, &report, a->out, kind->still, seed);
    play_destroy(p);
    return status;
}

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"out", 'o', "FILE", 0, "The recording: .gif, .mp4 or .png", 0},
        {"env", 'e', "ENV", 0, "The environment; with weights, another than they were trained on", 0},
        {"seed", 's', "S", 0, "Episode i resets its environment with seed S+i (default 0)", 0},
        {"episodes", 'n', "N", 0, "How many, one after another (default 1)", 0},
        {"size", 'z', "WxH", 0, "Pixels (default: about 400 high, as wide as the picture asks for)", 0},
        {"fps", 'f', "F", 0, "Frames a second (default: 25 in a .gif, 50 in a .mp4)", 0},
        {"speed", 'x', "X", 0, "Times as fast as natural (default: 1, or what keeps it within 30 s)", 0},
        {"step", 't', "N", 0, "The step that a .png shows (default: the last)", 0},
        {"q", 'v', NULL, 0, "Show the return and the Q values of the actions beside the picture", 0},
        {"quiet", 'q', NULL, 0, "Say nothing", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "RUN|WEIGHTS|random [env.NAME=value...] [step_limit=N] -o FILE",
        "Records episodes of a trained agent, or of random actions, as an animation or a picture.",
        NULL,
        NULL,
        NULL};
    arguments a = {0};
    const int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    dq_error error = {0};
    return record(&a, &error) ? cli_fail(&error) : 0;
}

const cli_verb cli_verb_record = {"record", 25, "RUN|WEIGHTS|random [--env ENV] -o FILE",
                                  "records episodes as a GIF, an MP4 or a PNG", run};
