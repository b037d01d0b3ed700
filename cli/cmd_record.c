// deepq record: episodes as an animated GIF, an MP4 or a PNG.
//
// An episode is played twice: once to know how long it is, which decides how fast the recording runs, and
// once to draw it. Both are the same to the bit.
#include "cli.h"
#include "draw/movie.h"
#include "play.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { words_max = 64, steps_most = 1000000 };

static const double longest = 30;   // s a film lasts unless asked otherwise
static const double held_end = 0.7; // s the last state of an episode stays

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

// What is to be recorded and how.
typedef struct recording {
    const dq_movie_class *kind;
    int64_t seed, episodes, still; // still: the step a PNG shows; -1: the last
    int width, height;
    double rate, speed; // frames a second; steps a second of the film
    bool panel, quiet;
    int64_t frames_made, steps;
    double sum; // of returns
} recording;

static dq_status real_of(const char *text, const char *what, double low, double high, double *value,
                         dq_error *error) {
    const dq_option row = {.name = what, .type = DQ_OPTION_REAL, .min = low, .max = high};
    return dq_options_set((dq_option_table){&row, 1}, value, what, text, NULL, error);
}

static dq_status size_of(const char *text, int *width, int *height, dq_error *error) {
    int used = 0;
    if (sscanf(text, "%dx%d%n", width, height, &used) == 2 && !text[used] && *width >= 16 && *height >= 16 &&
        *width <= DQ_BOARD_SIDE_MAX && *height <= DQ_BOARD_SIDE_MAX)
        return DQ_OK;
    return dq_fail(error, DQ_USAGE, "--size", "'%s' is not a size: WIDTHxHEIGHT in pixels, such as 600x400",
                   text);
}

// Plays an episode to its end, or to `last` where that comes first.
static dq_status play_to(play *p, uint64_t seed, int64_t last, dq_error *error) {
    play_reset(p, seed);
    while (!play_over(p) && p->steps < last) {
        if (stopped) return dq_fail(error, DQ_INTERRUPTED, NULL, "interrupted; nothing was written");
        const dq_status status = play_step(p, p->choice, error);
        if (status) return status;
    }
    return DQ_OK;
}

// Chooses size and speed. `steps`: of the longest episode.
static void choose(recording *r, const play *p, double fps, double speed, int64_t steps) {
    const double natural = p->env_class->frame_rate > 0 ? p->env_class->frame_rate : 30;
    if (!(speed > 0)) speed = fmax(1, (double)steps / natural / longest);
    r->speed = speed * natural;
    r->rate = fps > 0 ? fps : fmin(r->kind->usual_frames, r->speed);
    if (r->width > 0) return;
    const dq_scene scene = play_scene(p, -1);
    dq_scene_size(&scene, r->panel, &r->width, &r->height);
}

static dq_status shoot(recording *r, const play *p, dq_board *board, uint8_t *rgb, dq_film *film,
                       int64_t copies, dq_error *error) {
    const dq_scene scene = play_scene(p, play_over(p) ? -1 : p->choice);
    dq_scene_draw(&scene, r->panel, board);
    dq_board_read(board, rgb);
    dq_status status = DQ_OK;
    for (int64_t i = 0; !status && i < copies; i++) {
        if (stopped) return dq_fail(error, DQ_INTERRUPTED, NULL, "interrupted; nothing was written");
        status = dq_film_add(film, rgb, error);
        r->frames_made++;
    }
    if (!r->quiet && isatty(STDERR_FILENO) && r->frames_made % 10 == 0)
        fprintf(stderr, "\r%lld frames ", (long long)r->frames_made);
    return status;
}

// One episode: frame k shows the state after k * speed / rate steps.
static dq_status film_episode(recording *r, play *p, uint64_t seed, dq_board *board, uint8_t *rgb,
                              dq_film *film, dq_error *error) {
    play_reset(p, seed);
    dq_status status = DQ_OK;
    for (int64_t frame = 0; !status && !play_over(p) && p->steps < steps_most; frame++) {
        status = shoot(r, p, board, rgb, film, 1, error);
        const int64_t until = (int64_t)((double)(frame + 1) * r->speed / r->rate + 1e-6);
        while (!status && !play_over(p) && p->steps < until) status = play_step(p, p->choice, error);
    }
    r->sum += p->episode_return;
    r->steps += p->steps;
    return status ? status : shoot(r, p, board, rgb, film, (int64_t)ceil(held_end * r->rate), error);
}

static dq_status film_still(recording *r, play *p, dq_board *board, uint8_t *rgb, dq_film *film,
                            dq_error *error) {
    const dq_status status = play_to(p, (uint64_t)r->seed, r->still >= 0 ? r->still : steps_most, error);
    if (status) return status;
    if (r->still > p->steps)
        return dq_fail(error, DQ_USAGE, "--step", "the episode ends after %d steps", p->steps);
    r->sum = p->episode_return;
    r->steps = p->steps;
    return shoot(r, p, board, rgb, film, 1, error);
}

static dq_status make(recording *r, play *p, const char *path, size_t *size, dq_error *error) {
    dq_film film = {0};
    dq_board *board = NULL;
    uint8_t *rgb = NULL;
    dq_status status = dq_film_open(&film, r->kind, path, r->width, r->height, r->rate, error);
    if (!status) status = dq_board_create(&board, r->width, r->height, error);
    if (!status && !(rgb = malloc((size_t)r->width * (size_t)r->height * 3)))
        status = dq_fail(error, DQ_MEMORY, NULL, "there is no memory for a picture of %dx%d pixels", r->width,
                         r->height);
    if (!status && r->kind->still) status = film_still(r, p, board, rgb, &film, error);
    for (int64_t i = 0; !status && !r->kind->still && i < r->episodes; i++)
        status = film_episode(r, p, (uint64_t)(r->seed + i), board, rgb, &film, error);
    if (!r->quiet && isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
    if (!status)
        status = dq_film_finish(&film, size, error);
    else
        dq_film_cancel(&film);
    free(rgb);
    dq_board_destroy(board);
    return status;
}

static void tell(const recording *r, const play *p, const char *path, size_t size, bool faster) {
    const double natural = p->env_class->frame_rate > 0 ? p->env_class->frame_rate : 30;
    const double seconds = (double)r->frames_made / r->rate;
    printf("%s: %s, %s, ", path, p->env_class->id, p->player);
    if (r->kind->still)
        printf("step %lld of seed %lld, return %.6g", (long long)r->steps, (long long)r->seed, r->sum);
    else if (r->episodes == 1)
        printf("%lld steps, return %.6g", (long long)r->steps, r->sum);
    else
        printf("%lld episodes, mean return %.6g", (long long)r->episodes, r->sum / (double)r->episodes);
    printf("; %dx%d", r->width, r->height);
    if (!r->kind->still) printf(", %lld frames, %.1f s", (long long)r->frames_made, seconds);
    if (faster) printf(" (%.3g times as fast)", r->speed / natural);
    printf(", %.1f kB\n", (double)size / 1000);
}

static dq_status record(const arguments *a, dq_error *error) {
    recording r = {.panel = a->panel, .quiet = a->quiet, .episodes = 1, .still = -1};
    double fps = 0, speed = 0;
    play *p = NULL;
    size_t size = 0;
    dq_status status = dq_movie_find(&r.kind, a->out, error);
    if (!status && a->seed) status = cli_integer(a->seed, "--seed", 0, (int64_t)1e15, &r.seed, error);
    if (!status && a->episodes) status = cli_integer(a->episodes, "--episodes", 1, 1000, &r.episodes, error);
    if (!status && a->step) status = cli_integer(a->step, "--step", 0, steps_most, &r.still, error);
    if (!status && a->size) status = size_of(a->size, &r.width, &r.height, error);
    if (!status && a->fps) status = real_of(a->fps, "--fps", 0.1, r.kind->most_frames, &fps, error);
    if (!status && a->speed) status = real_of(a->speed, "--speed", 0.001, 10000, &speed, error);
    if (!status && a->step && !r.kind->still)
        status = dq_fail(error, DQ_USAGE, "--step", "one step is a .png, not a %s", r.kind->ending);
    if (!status && r.kind->still && (a->fps || a->speed || a->episodes))
        status = dq_fail(error, DQ_USAGE, a->out,
                         "a .png shows one step: --fps, --speed and --episodes are for .gif and .mp4");
    if (!status) status = play_create(&p, a->who, a->env, a->words, a->word_count, (uint64_t)r.seed, error);
    int64_t most = 0;
    for (int64_t i = 0; !status && !r.kind->still && !(speed > 0) && i < r.episodes; i++) {
        status = play_to(p, (uint64_t)(r.seed + i), steps_most, error);
        if (p->steps > most) most = p->steps;
    }
    if (!status) {
        choose(&r, p, fps, speed, most);
        status = make(&r, p, a->out, &size, error);
    }
    if (!status && !a->quiet)
        tell(&r, p, a->out, size,
             !r.kind->still && !(speed > 0) && r.speed > 1.01 * p->env_class->frame_rate);
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
