// The terminal: modes, signals, keys and questions.
//
// Handlers use only what POSIX allows in them: write, tcsetattr, sigaction and raise.
#include "draw/terminal.h"

#include "draw/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// Alternate screen, no cursor, no wrapping at the right edge; and back.
static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave[] = "\033[?2026l\033[0m\033[?7h\033[?25h\033[?1049l";

enum { SIGNALS = 10 };
static const int caught[SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSEGV,
                                    SIGBUS, SIGABRT, SIGFPE, SIGILL,  SIGPIPE};

static struct termios before, raw;
static struct sigaction kept[SIGNALS], kept_stop, kept_continue, kept_size;
static volatile sig_atomic_t taken, changed;

static void put_out(const char *text, size_t size) {
    const ssize_t ignored = write(STDOUT_FILENO, text, size);
    (void)ignored;
}

static void restore(void) {
    if (!taken) return;
    put_out(leave, sizeof leave - 1);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void take_again(void) {
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    put_out(enter, sizeof enter - 1);
    changed = 1;
}

// Gives the terminal back and dies of the same signal.
static void on_end(int number) {
    restore();
    taken = 0;
    signal(number, SIG_DFL);
    raise(number);
}

static void on_stop(int number) {
    const int reason = errno;
    (void)number;
    restore();
    raise(SIGSTOP);
    errno = reason;
}

static void on_continue(int number) {
    const int reason = errno;
    (void)number;
    if (taken) take_again();
    errno = reason;
}

static void on_size(int number) {
    (void)number;
    changed = 1;
}

dq_status dq_terminal_take(dq_error *error) {
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before))
        return dq_fail(
            error, DQ_UNSUPPORTED, "terminal",
            "there is neither a display nor a terminal on standard input and output; record a file instead: "
            "deepq record");
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    struct sigaction end = {.sa_handler = on_end}, stop = {.sa_handler = on_stop},
                     go_on = {.sa_handler = on_continue}, size = {.sa_handler = on_size};
    for (int i = 0; i < SIGNALS; i++) sigaction(caught[i], &end, &kept[i]);
    sigaction(SIGTSTP, &stop, &kept_stop);
    sigaction(SIGCONT, &go_on, &kept_continue);
    sigaction(SIGWINCH, &size, &kept_size);
    taken = 1;
    take_again();
    return DQ_OK;
}

void dq_terminal_give_back(void) {
    if (!taken) return;
    tcflush(STDIN_FILENO, TCIFLUSH); // keys that nobody waits for any more
    restore();
    taken = 0;
    for (int i = 0; i < SIGNALS; i++) sigaction(caught[i], &kept[i], NULL);
    sigaction(SIGTSTP, &kept_stop, NULL);
    sigaction(SIGCONT, &kept_continue, NULL);
    sigaction(SIGWINCH, &kept_size, NULL);
}

bool dq_terminal_changed(void) {
    const bool was = changed;
    changed = 0;
    return was;
}

void dq_terminal_size(int *columns, int *rows, int *cell_width, int *cell_height) {
    struct winsize size = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *columns = size.ws_col > 0 ? size.ws_col : 80;
    *rows = size.ws_row > 0 ? size.ws_row : 24;
    *cell_width = size.ws_xpixel / *columns;
    *cell_height = size.ws_ypixel / *rows;
}

bool dq_terminal_write(const char *text, size_t size) {
    while (size > 0) {
        const ssize_t n = write(STDOUT_FILENO, text, size);
        if (n < 0 && errno != EINTR && errno != EAGAIN) return false;
        if (n < 0 && errno == EAGAIN) poll(&(struct pollfd){STDOUT_FILENO, POLLOUT, 0}, 1, 100);
        if (n <= 0) continue;
        text += n;
        size -= (size_t)n;
    }
    return true;
}

// --- keys --------------------------------------------------------------------------------------------------

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Typed while the terminal was being asked.
static unsigned char early[64];
static size_t early_count, early_next;

// One byte within so many seconds: -1 none, -2 the terminal is gone.
static int byte_within(double seconds) {
    if (early_next < early_count) return early[early_next++];
    struct pollfd in = {STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&in, 1, seconds > 0 ? (int)(1000 * seconds + 0.999) : 0);
    if (ready <= 0) return -1;
    unsigned char c;
    const ssize_t n = read(STDIN_FILENO, &c, 1);
    if (n == 1) return c;
    return n < 0 && (errno == EINTR || errno == EAGAIN) ? -1 : -2;
}

// What follows an escape: an arrow, or a sequence that is of no interest.
static int escape(void) {
    int c = byte_within(0.03);
    if (c == -1) return 'q'; // the Escape key itself
    if (c != '[' && c != 'O') return DQ_KEY_NONE;
    do c = byte_within(0.03);
    while (c >= 0x20 && c < 0x40);
    switch (c) {
    case 'A':
        return DQ_KEY_UP;
    case 'B':
        return DQ_KEY_DOWN;
    case 'C':
        return DQ_KEY_RIGHT;
    case 'D':
        return DQ_KEY_LEFT;
    default:
        return DQ_KEY_NONE;
    }
}

int dq_terminal_key(double seconds) {
    const double until = now() + seconds;
    for (;;) {
        if (changed) return DQ_KEY_REDRAW;
        const int c = byte_within(until - now());
        if (c == -2) return DQ_KEY_CLOSE;
        const int key = c == 033 ? escape() : c == '=' ? '+' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
        if (key > 0) return key;
        if (now() >= until) return changed ? DQ_KEY_REDRAW : DQ_KEY_NONE;
    }
}

// Keeps what was typed in between the answers: all but escape sequences.
static void keep_early(const char *answer) {
    early_count = early_next = 0;
    for (const char *c = answer; *c; c++) {
        if (*c == 033 && c[1] == '_') {
            const char *end = strstr(c, "\033\\");
            c = end ? end + 1 : c + strlen(c) - 1;
        } else if (*c == 033 && c[1] == '[') {
            c += 2;
            while (*c >= 0x20 && *c < 0x40) c++;
            if (!*c) return;
        } else if (early_count < sizeof early) {
            early[early_count++] = (unsigned char)*c;
        }
    }
}

void dq_terminal_ask(bool *kitty, bool *sixel) {
    // A kitty answers the first, every terminal the second: its attributes, 4 among them for sixels. A
    // multiplexer would take the first for a title.
    static const char kitty_question[] = "\033_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\033\\", question[] = "\033[c";
    const char *name = getenv("TERM");
    const bool multiplexed = getenv("TMUX") || getenv("STY") ||
                             (name && (!strncmp(name, "screen", 6) || !strncmp(name, "tmux", 4)));
    char answer[512];
    size_t size = 0;
    *kitty = *sixel = false;
    early_count = early_next = 0;
    if (!multiplexed && !dq_terminal_write(kitty_question, sizeof kitty_question - 1)) return;
    if (!dq_terminal_write(question, sizeof question - 1)) return;
    const double until = now() + 0.5;
    const char *attributes = NULL;
    while (size < sizeof answer - 1 && now() < until) {
        const int c = byte_within(until - now());
        if (c == -2) return;
        if (c <= 0) continue;
        answer[size++] = (char)c;
        answer[size] = 0;
        attributes = strstr(answer, "\033[?");
        if (attributes && c == 'c') break;
    }
    answer[size] = 0;
    keep_early(answer);
    *kitty = strstr(answer, "_Gi=31;OK") != NULL;
    for (const char *c = attributes ? attributes + 2 : ""; *c && *c != 'c'; c++) {
        if (*c != ';' && *c != '?') continue;
        char *end;
        if (strtol(c + 1, &end, 10) == 4 && end > c + 1) *sixel = true;
    }
}
