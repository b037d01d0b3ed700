// deepq watch: episodes as they are played, in a window or in the terminal, by an agent or by hand.
#include "cli.h"
#include "draw/screen.h"
#include "play.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { words_max = 64, no_episodes = -1 };

static const double rest = 1.0; // s that the end of an episode is shown
static const char keys_line[] =
    "space pause  s step  +- speed  r again  n next  p play (arrows)  v values  q quit";

typedef struct arguments {
    const char *who, *env, *seed, *speed, *size, *episodes, *pixels;
    const char *words[words_max];
    int word_count;
    bool panel, terminal;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'e':
        a->env = text;
        break;
    case 's':
        a->seed = text;
        break;
    case 'x':
        a->speed = text;
        break;
    case 'z':
        a->size = text;
        break;
    case 'n':
        a->episodes = text;
        break;
    case 'v':
        a->panel = true;
        break;
    case 't':
        a->terminal = true;
        break;
    case 'p':
        a->pixels = text;
        break;
    case ARGP_KEY_ARG:
        if (strchr(text, '=') && access(text, F_OK) != 0) {
            if (a->word_count == words_max) argp_error(state, "more than %d options", words_max);
            a->words[a->word_count++] = text;
        } else if (a->who) {
            argp_error(state, "'%s' is one word too many: one agent plays at a time", text);
        } else {
            a->who = text;
        }
        break;
    case ARGP_KEY_END:
        if (!a->who)
            argp_error(state, "who plays? Give a run's folder, a weights file, or random with --env ENV");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

typedef struct watching {
    play *p;
    dq_screen *screen;
    dq_board *board; // of the size the screen last had
    uint8_t *rgb;
    int64_t episodes, first_seed; // episodes: to be played; no_episodes: without end
    int64_t episode;              // 0, 1, ...: reset with first_seed + episode
    double speed;                 // times natural
    bool panel, paused, by_hand, step_once, quit, redraw;
    int arrow_action, last_hand; // the action the arrows say; the last one taken by hand
    double ended;                // when the episode ended
    double due;                  // steps owed
} watching;

// --- playing by hand ---------------------------------------------------------------------------------------

// The action a key stands for; -1: none.
static int action_of(const dq_env_class *e, int key) {
    static const char arrows[] = "<>^v";
    if (key >= '1' && key <= '9' && key - '1' < e->actions) return key - '1';
    if (key < DQ_KEY_LEFT || key > DQ_KEY_DOWN || !e->hand_keys) return -1;
    const char *found = strchr(e->hand_keys, arrows[key - DQ_KEY_LEFT]);
    return found ? (int)(found - e->hand_keys) : -1;
}

// The arrow that is held, else the idle action, else the last one.
static int hand_action(watching *w) {
    const dq_env_class *e = w->p->env_class;
    for (int key = DQ_KEY_LEFT; key <= DQ_KEY_DOWN; key++) {
        const int action = action_of(e, key);
        if (action >= 0 && w->screen->screen_class->held(w->screen, key)) return w->last_hand = action;
    }
    if (w->arrow_action >= 0) { // a digit, or an arrow that was let go at once: taken for one step
        w->last_hand = w->arrow_action;
        w->arrow_action = -1;
        return w->last_hand;
    }
    const char *idle = e->hand_keys ? strchr(e->hand_keys, '.') : NULL;
    return idle ? (int)(idle - e->hand_keys) : w->last_hand;
}

static int next_action(watching *w) {
    return w->by_hand ? hand_action(w) : w->p->choice;
}

// --- keys --------------------------------------------------------------------------------------------------

static void restart(watching *w) {
    play_reset(w->p, (uint64_t)(w->first_seed + w->episode));
    w->due = 0;
    w->redraw = true;
}

static void go_on(watching *w) {
    w->episode++;
    if (w->episodes != no_episodes && w->episode >= w->episodes)
        w->quit = true;
    else
        restart(w);
}

static void on_key(watching *w, int key) {
    w->redraw = true;
    switch (key) {
    case DQ_KEY_CLOSE:
    case 'q':
        w->quit = true;
        break;
    case ' ':
        w->paused = !w->paused;
        break;
    case 's':
        w->paused = w->step_once = true;
        break;
    case '+':
        w->speed = fmin(w->speed * 1.5, 1000);
        break;
    case '-':
        w->speed = fmax(w->speed / 1.5, 0.01);
        break;
    case 'r':
        restart(w);
        break;
    case 'n':
        go_on(w);
        break;
    case 'p':
        w->by_hand = !w->by_hand;
        break;
    case 'v':
        w->panel = !w->panel;
        break;
    default: {
        const int action = action_of(w->p->env_class, key);
        if (action >= 0 && w->by_hand) w->arrow_action = action;
    }
    }
}

// --- showing -----------------------------------------------------------------------------------------------

// A bar of eight eighths a cell.
static void put_bar(char *text, double part, int cells) {
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int n = (int)(8 * cells * fmin(fmax(part, 0), 1) + 0.5);
    *text = 0;
    for (; n >= 8; n -= 8) strcat(text, "█");
    strcat(text, eighths[n]);
}

// Two lines for a terminal, one of which is a window's title.
static void describe(const watching *w, char *text, size_t size) {
    const play *p = w->p;
    size_t used = (size_t)snprintf(text, size, "%s  %s  seed %" PRIu64 "  step %d  return %.6g  x%.3g%s%s",
                                   p->env_class->id, w->by_hand ? "by hand" : p->player, p->seed, p->steps,
                                   p->episode_return, w->speed, w->paused ? "  paused" : "",
                                   play_over(p) ? "  over" : "");
    if (!w->screen->screen_class->text) return;
    used += (size_t)snprintf(text + used, size - used, "\n");
    const double range = p->q_high - p->q_low;
    for (int a = 0; w->panel && p->policy && a < p->env_class->actions && used + 160 < size; a++) {
        char bar[64];
        put_bar(bar, range > 0 ? ((double)p->q[a] - p->q_low) / range : 1, 6);
        used += (size_t)snprintf(text + used, size - used, "%s%.24s %.4g %s  ", a == p->choice ? "*" : "",
                                 p->env_class->action_names[a], (double)p->q[a], bar);
    }
    snprintf(text + used, size - used, "\n%s", keys_line);
}

static dq_status fit(watching *w, dq_error *error) {
    int width, height;
    w->screen->screen_class->size(w->screen, &width, &height);
    width = width < 1 ? 1 : width > DQ_BOARD_SIDE_MAX ? DQ_BOARD_SIDE_MAX : width;
    height = height < 1 ? 1 : height > DQ_BOARD_SIDE_MAX ? DQ_BOARD_SIDE_MAX : height;
    if (w->board && dq_board_width(w->board) == width && dq_board_height(w->board) == height) return DQ_OK;
    dq_board_destroy(w->board);
    dq_status status = dq_board_create(&w->board, width, height, error);
    uint8_t *rgb = status ? NULL : realloc(w->rgb, (size_t)width * (size_t)height * 3);
    if (!status && !rgb) status = dq_fail(error, DQ_MEMORY, NULL, "there is no memory for the picture");
    if (rgb) w->rgb = rgb;
    return status;
}

static dq_status show(watching *w, dq_error *error) {
    char text[2048];
    const dq_status status = fit(w, error);
    if (status) return status;
    const bool words = w->screen->screen_class->text;
    const dq_scene scene = play_scene(w->p, play_over(w->p) || w->by_hand ? -1 : w->p->choice);
    dq_scene_draw(&scene, w->panel && !words, w->board);
    dq_board_read(w->board, w->rgb);
    describe(w, text, sizeof text);
    w->redraw = false;
    return w->screen->screen_class->show(w->screen, w->rgb, dq_board_width(w->board),
                                         dq_board_height(w->board), text, error);
}

// --- the loop ----------------------------------------------------------------------------------------------

// The steps that are due after `seconds` more.
static dq_status advance(watching *w, double seconds, double moment, dq_error *error) {
    play *p = w->p;
    if (play_over(p)) {
        if (!w->paused && moment - w->ended > rest) go_on(w);
        return DQ_OK;
    }
    const double natural = p->env_class->frame_rate > 0 ? p->env_class->frame_rate : 30;
    if (!w->paused)
        w->due += fmin(seconds, 0.25) * natural * w->speed; // what a slow machine cannot do is dropped
    if (w->step_once) w->due = 1;
    w->step_once = false;
    dq_status status = DQ_OK;
    while (!status && w->due >= 1 && !play_over(p)) {
        status = play_step(p, next_action(w), error);
        w->due--;
        w->redraw = true;
    }
    if (play_over(p)) w->ended = moment;
    return status;
}

static dq_status watch(watching *w, dq_error *error) {
    const double frame = 1 / w->screen->screen_class->most_frames;
    double before = cli_clock();
    dq_status status = show(w, error);
    while (!status && !w->quit) {
        const double moment = cli_clock();
        status = advance(w, moment - before, moment, error);
        before = moment;
        if (!status && w->redraw && !w->quit) status = show(w, error);
        do {
            const int key = w->screen->screen_class->wait(w->screen, fmax(moment + frame - cli_clock(), 0));
            if (key) on_key(w, key);
        } while (!w->quit && cli_clock() < moment + frame);
    }
    return status;
}

// A window where there is a display, else the terminal.
static dq_status open_screen(const arguments *a, watching *w, dq_error *error) {
    const dq_screen_class *kind = &dq_screen_terminal;
    int width, height;
    const dq_scene scene = play_scene(w->p, -1);
    dq_scene_size(&scene, w->panel, &width, &height);
    width = width * 3 / 2;
    height = height * 3 / 2;
    if (a->size && (sscanf(a->size, "%dx%d", &width, &height) != 2 || width < 16 || height < 16 ||
                    width > DQ_BOARD_SIDE_MAX || height > DQ_BOARD_SIDE_MAX))
        return dq_fail(error, DQ_USAGE, "--size",
                       "'%s' is not a size: WIDTHxHEIGHT in pixels, such as 900x600", a->size);
    const bool display = getenv("DISPLAY") || getenv("WAYLAND_DISPLAY") || getenv("SDL_VIDEODRIVER");
    if (!a->terminal && !a->pixels && display) {
        dq_status status = dq_screen_window(&kind, error);
        if (!status) status = kind->open(&w->screen, w->p->env_class->id, width, height, error);
        if (status) return status;
    } else {
        const dq_status status = kind->open(&w->screen, w->p->env_class->id, width, height, error);
        if (status) return status;
    }
    w->screen->screen_class = kind;
    if (!kind->text) printf("%s\n", keys_line);
    fflush(stdout);
    return DQ_OK;
}

static dq_status choose_pixels(const char *name, dq_error *error) {
    static const char *const names[] = {"auto", "blocks", "sixel", "kitty"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        dq_terminal_choose((dq_terminal_pixels)i);
        return DQ_OK;
    }
    return dq_fail(error, DQ_USAGE, "--pixels", "'%s' is none of auto, blocks, sixel, kitty", name);
}

static dq_status start(const arguments *a, watching *w, dq_error *error) {
    const dq_option speed = {.name = "--speed", .type = DQ_OPTION_REAL, .min = 0.01, .max = 1000};
    dq_status status = DQ_OK;
    if (a->seed) status = cli_integer(a->seed, "--seed", 0, (int64_t)1e15, &w->first_seed, error);
    if (!status && a->episodes)
        status = cli_integer(a->episodes, "--episodes", 1, 1000000, &w->episodes, error);
    if (!status && a->speed)
        status = dq_options_set((dq_option_table){&speed, 1}, &w->speed, "--speed", a->speed, NULL, error);
    if (!status && a->pixels) status = choose_pixels(a->pixels, error);
    if (!status)
        status = play_create(&w->p, a->who, a->env, a->words, a->word_count, (uint64_t)w->first_seed, error);
    if (!status) status = open_screen(a, w, error);
    return status;
}

static int run(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"env", 'e', "ENV", 0, "The environment; with weights, another than they were trained on", 0},
        {"seed", 's', "S", 0, "Episode i resets its environment with seed S+i (default 0)", 0},
        {"speed", 'x', "X", 0, "Times as fast as natural (default 1)", 0},
        {"episodes", 'n', "N", 0, "Leave after so many (default: never)", 0},
        {"size", 'z', "WxH", 0, "The window's, in pixels", 0},
        {"q", 'v', NULL, 0, "Show the return and the Q values of the actions", 0},
        {"terminal", 't', NULL, 0, "In the terminal, even where a window could be opened", 0},
        {"pixels", 'p', "HOW", 0, "In the terminal as blocks, sixel or kitty (default: auto, it is asked)",
         0},
        {0},
    };
    static const struct argp argp = {options,
                                     parse,
                                     "RUN|WEIGHTS|random [env.NAME=value...] [step_limit=N]",
                                     "Plays episodes of a trained agent, or of random actions, in a window, "
                                     "or in the terminal where there is "
                                     "no display.\v"
                                     "Keys: space pauses, s makes one step, + and - change the speed, r "
                                     "plays the episode again, n goes on to "
                                     "the next, p lets you play with the arrow keys (or digits: 1 is the "
                                     "first action), v shows the Q values, "
                                     "q leaves.",
                                     NULL,
                                     NULL,
                                     NULL};
    arguments a = {0};
    const int failed = cli_parse(&argp, argc, argv, &a);
    if (failed) return failed;
    watching w = {.episodes = no_episodes, .speed = 1, .panel = a.panel, .arrow_action = -1};
    dq_error error = {0};
    dq_status status = start(&a, &w, &error);
    if (!status) status = watch(&w, &error);
    if (w.screen) w.screen->screen_class->close(w.screen);
    dq_board_destroy(w.board);
    free(w.rgb);
    play_destroy(w.p);
    return status ? cli_fail(&error) : 0;
}

const cli_verb cli_verb_watch = {"watch", 24, "RUN|WEIGHTS|random [--env ENV]",
                                 "plays episodes in a window or in the terminal", run};
