// Starting a worker process, asking it, and noticing that it has died.
//
// The script (python/deepq_gym_worker.py) is part of this program and reaches Python through a memory file.
// What the process writes to its standard output and error goes to another, of which the end is kept: its
// last words. A pipe on its standard input closes when this process ends, however it ends, and the worker
// with it.
#include "gym/worker.h"

#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOTS = 4096,         // as many as n_envs may ask for; memory that is never touched costs nothing
    FORGET_EVERY = 4096,  // requests
    WORDS_MOST = 1 << 20, // bytes of the worker's output that are kept
    FRAME_ROOM = 4 << 20, // 1182 x 1182 pixels
    WATCH = 20,           // ms between two looks whether it still lives
    PATIENCE = 60,        // s after which a warning tells that it has not answered
    SPIN_LEAST = 20,      // us to look for an answer before sleeping
    SPIN_MOST = 1000,
    COMMAND_BITS = 3,
    LOOKS = 64, // between two looks at the clock
    PAUSES = 4, // between two looks
    YIELD_EVERY = 8,
    MEMORY_FD = 3,
    SCRIPT_FD = 4, // in the worker
};

extern const char dq_gym_script[]; // made by cmake/generated.cmake of python/deepq_gym_worker.py
extern const size_t dq_gym_script_size;
extern char **environ;

struct gym_worker {
    pid_t process;
    int memory_fd, words_fd, lifeline;
    unsigned char *memory;
    size_t size;
    gym_page *page;  // the memory's beginning
    uint32_t number; // of the last request
    double expected; // us that an answer takes of late
    double posted;   // clock
    bool ended;
    int status;     // of waitpid
    char name[264]; // gym:ID
};

static double clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// --- starting ----------------------------------------------------------------------------------------------

static dq_status refused(const char *name, const char *what, dq_error *error) {
    return dq_fail(error, DQ_IO, name, "the worker process cannot be started: %s: %s", what, strerror(errno));
}

// A memory file; its first bytes are `data` where there is some.
static int memory_file(const char *name, const char *data, size_t size) {
    const int fd = memfd_create(name, MFD_CLOEXEC);
    for (size_t at = 0; fd >= 0 && at < size;) {
        const ssize_t written = write(fd, data + at, size - at);
        if (written <= 0) {
            close(fd);
            return -1;
        }
        at += (size_t)written;
    }
    return fd;
}

static dq_status spawn(gym_worker *w, int script, int pipe_end, dq_error *error) {
    const char *named = getenv("DEEPQ_PYTHON"), *python = named && *named ? named : "python3";
    char script_path[32];
    snprintf(script_path, sizeof script_path, "/proc/self/fd/%d", SCRIPT_FD);
    char *arguments[] = {(char *)python, script_path, strchr(w->name, ':') + 1, NULL};
    const int given[][2] = {
        {pipe_end, 0}, {w->words_fd, 1}, {w->words_fd, 2}, {w->memory_fd, MEMORY_FD}, {script, SCRIPT_FD}};
    enum { GIVEN = sizeof given / sizeof *given };
    int moved[GIVEN], failed = 0;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // A group of its own: Ctrl-C is for deepq, which saves and then ends the worker.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    for (int i = 0; i < GIVEN; i++) { // out of the way first, so that none overwrites another
        moved[i] = fcntl(given[i][0], F_DUPFD_CLOEXEC, 16);
        if (moved[i] < 0)
            failed = errno;
        else
            posix_spawn_file_actions_adddup2(&actions, moved[i], given[i][1]);
    }
    if (!failed) failed = posix_spawnp(&w->process, python, &actions, &attributes, arguments, environ);
    for (int i = 0; i < GIVEN; i++)
        if (moved[i] >= 0) close(moved[i]);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (!failed) return DQ_OK;
    w->process = -1;
    if (failed == ENOENT || failed == EACCES)
        return dq_fail(
            error, DQ_UNSUPPORTED, w->name,
            "Gymnasium's environments run in Python, and there is no program '%s'; install Python 3 "
            "and with it the package gymnasium, or name a Python in DEEPQ_PYTHON",
            python);
    errno = failed;
    return refused(w->name, python, error);
}

static dq_status map(gym_worker *w, size_t size, dq_error *error) {
    if (ftruncate(w->memory_fd, (off_t)size)) return refused(w->name, "shared memory", error);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, w->memory_fd, 0);
    if (memory == MAP_FAILED) return refused(w->name, "shared memory", error);
    if (w->memory) munmap(w->memory, w->size);
    w->memory = memory;
    w->page = memory;
    w->size = size;
    return DQ_OK;
}

static dq_status outcome(gym_worker *w, dq_error *error) {
    if (!gym_worker_wait(w)) {
        char words[300];
        gym_worker_last_words(w, words, sizeof words);
        return dq_fail(error, DQ_UNSUPPORTED, w->name, "its worker process ended while it started: %s",
                       words);
    }
    gym_description *d = &w->page->description;
    static const dq_status codes[] = {
        [GYM_READY] = DQ_OK,          [GYM_UNKNOWN] = DQ_USAGE,      [GYM_MISSING] = DQ_UNSUPPORTED,
        [GYM_UNFIT] = DQ_UNSUPPORTED, [GYM_BROKEN] = DQ_UNSUPPORTED,
    };
    d->message[sizeof d->message - 1] = d->source[sizeof d->source - 1] = 0;
    for (int i = 0; i < DQ_ACTIONS_MAX; i++) d->action_names[i][GYM_NAME_SIZE - 1] = 0;
    if (d->outcome > GYM_BROKEN)
        return dq_fail(error, DQ_FORMAT, w->name, "its worker process does not answer");
    if (d->outcome != GYM_READY) return dq_fail(error, codes[d->outcome], w->name, "%s", d->message);
    return DQ_OK;
}

dq_status gym_worker_start(gym_worker **out, const char *id, dq_error *error) {
    *out = NULL;
    gym_worker *w = calloc(1, sizeof *w);
    if (!w) return dq_fail(error, DQ_MEMORY, id, "there is no memory for a worker");
    w->process = w->lifeline = -1;
    snprintf(w->name, sizeof w->name, "%s", id);
    int ends[2] = {-1, -1}, script = memory_file("deepq_gym_worker.py", dq_gym_script, dq_gym_script_size);
    w->memory_fd = memory_file("deepq-gym", NULL, 0);
    w->words_fd = memory_file("deepq-gym-words", NULL, 0);
    dq_status status = DQ_OK;
    if (script < 0 || w->memory_fd < 0 || w->words_fd < 0 || fcntl(w->words_fd, F_SETFL, O_APPEND))
        status = refused(id, "memory files", error);
    else if (pipe2(ends, O_CLOEXEC))
        status = refused(id, "a pipe", error);
    w->lifeline = ends[1];
    if (!status) status = map(w, GYM_PAGE, error);
    if (!status) {
        w->posted = clock_now();
        w->number = 1 << COMMAND_BITS | GYM_DESCRIBE;
        atomic_store(&w->page->request, w->number);
        status = spawn(w, script, ends[0], error);
    }
    if (script >= 0) close(script);
    if (ends[0] >= 0) close(ends[0]);
    if (!status) status = outcome(w, error);
    if (status)
        gym_worker_stop(w);
    else
        *out = w;
    return status;
}

void gym_worker_stop(gym_worker *w) {
    if (!w) return;
    if (w->process > 0 && !w->ended) {
        gym_worker_post(w, GYM_END, 0, 0, 0, 0);
        if (w->lifeline >= 0) close(w->lifeline);
        w->lifeline = -1;
        const double until = clock_now() + 1; // for environments that close something
        while (waitpid(w->process, &w->status, WNOHANG) == 0) {
            if (clock_now() > until) {
                kill(w->process, SIGKILL);
                waitpid(w->process, &w->status, 0);
                break;
            }
            usleep(500);
        }
    }
    if (w->lifeline >= 0) close(w->lifeline);
    if (w->memory) munmap(w->memory, w->size);
    if (w->memory_fd >= 0) close(w->memory_fd);
    if (w->words_fd >= 0) close(w->words_fd);
    free(w);
}

// --- the memory --------------------------------------------------------------------------------------------

static size_t take(size_t *used, size_t size) {
    const size_t place = *used;
    *used += (size + GYM_PAGE - 1) / GYM_PAGE * GYM_PAGE;
    return place;
}

dq_status gym_worker_lay_out(gym_worker *w, size_t width, size_t blob_room, size_t longest, dq_error *error) {
    size_t used = GYM_PAGE;
    const size_t stride = 2 * ((width + 63) / 64 * 64),
                 start_size = (sizeof(gym_start) + blob_room + 63) / 64 * 64;
    gym_layout layout = {.slots = SLOTS, .start_size = start_size, .width = stride};
    layout.actions = take(&used, SLOTS * sizeof(int32_t));
    layout.rewards = take(&used, SLOTS * sizeof(double));
    layout.flags = take(&used, SLOTS);
    layout.lives = take(&used, SLOTS * sizeof(int32_t));
    layout.starts = take(&used, SLOTS * start_size);
    layout.observations = take(&used, SLOTS * stride);
    layout.history = take(&used, longest);
    layout.frame = take(&used, FRAME_ROOM);
    const dq_status status = map(w, used, error);
    if (status) return status;
    w->page->layout = layout;
    gym_worker_post(w, GYM_LAY_OUT, 0, 0, used, 0);
    return outcome(w, error);
}

const gym_description *gym_worker_description(const gym_worker *w) {
    return &w->page->description;
}

long gym_worker_process(const gym_worker *w) {
    return w->process;
}

int32_t *gym_worker_actions(const gym_worker *w) {
    return (void *)(w->memory + w->page->layout.actions);
}

const double *gym_worker_rewards(const gym_worker *w) {
    return (void *)(w->memory + w->page->layout.rewards);
}

uint8_t *gym_worker_flags(const gym_worker *w) {
    return w->memory + w->page->layout.flags;
}

const int32_t *gym_worker_lives(const gym_worker *w) {
    return (void *)(w->memory + w->page->layout.lives);
}

gym_start *gym_worker_start_of(const gym_worker *w, int slot) {
    return (void *)(w->memory + w->page->layout.starts + (size_t)slot * w->page->layout.start_size);
}

const void *gym_worker_observation(const gym_worker *w, int slot) {
    return w->memory + w->page->layout.observations + (size_t)slot * w->page->layout.width;
}

const void *gym_worker_earlier(const gym_worker *w, int slot) {
    return (const unsigned char *)gym_worker_observation(w, slot) + w->page->layout.width / 2;
}

uint8_t *gym_worker_history(const gym_worker *w) {
    return w->memory + w->page->layout.history;
}

const uint8_t *gym_worker_frame(const gym_worker *w) {
    return w->memory + w->page->layout.frame;
}

// --- asking ------------------------------------------------------------------------------------------------

static long futex(_Atomic uint32_t *word, int operation, uint32_t value, const struct timespec *timeout) {
    return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

static inline void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

// An environment that talks all the time must not fill the memory; only the last words count.
static void forget_words(const gym_worker *w) {
    struct stat about;
    if (!fstat(w->words_fd, &about) && about.st_size > WORDS_MOST && ftruncate(w->words_fd, 0))
        dq_log(DQ_LOG_DEBUG, "%s: its worker's output cannot be cut", w->name);
}

void gym_worker_post(gym_worker *w, gym_command command, int first, int count, uint64_t argument,
                     uint64_t seed) {
    gym_page *page = w->page;
    assert(first >= 0 && first + count <= SLOTS);
    page->first = (uint32_t)first;
    page->count = (uint32_t)count;
    memcpy(page->argument, &argument, sizeof argument);
    memcpy(page->seed, &seed, sizeof seed);
    if ((w->number >> COMMAND_BITS) % FORGET_EVERY == 0) forget_words(w);
    w->posted = clock_now();
    w->number = ((w->number >> COMMAND_BITS) + 1) << COMMAND_BITS | command;
    atomic_store(&page->request, w->number); // sequentially consistent: before the look at the sleeper
    if (atomic_load(&page->worker_sleeps)) futex(&page->request, FUTEX_WAKE, INT_MAX, NULL);
}

static bool answered(const gym_worker *w) {
    return atomic_load_explicit(&w->page->reply, memory_order_acquire) == w->number;
}

// Looks for the answer for twice the time that answers take, with an eye to others who need the processor.
static bool spin(gym_worker *w) {
    double budget = 2 * w->expected;
    if (budget < SPIN_LEAST) budget = SPIN_LEAST;
    if (budget > SPIN_MOST) budget = SPIN_LEAST; // it will be long: sleep
    int rounds = 0;
    for (double until = w->posted + 1e-6 * budget;;) {
        for (int i = 0; i < LOOKS; i++) {
            if (answered(w)) return true;
            for (int k = 0; k < PAUSES; k++) pause_cpu(); // the worker may be on the same core
        }
        if (clock_now() > until) return false;
        if (++rounds % YIELD_EVERY == 0) sched_yield();
    }
}

static bool alive(gym_worker *w) {
    if (!w->ended) w->ended = waitpid(w->process, &w->status, WNOHANG) != 0;
    return !w->ended;
}

bool gym_worker_wait(gym_worker *w) {
    gym_page *page = w->page;
    bool here = spin(w), warned = false;
    while (!here) {
        const uint32_t seen = atomic_load(&page->reply);
        if (seen == w->number) break;
        atomic_store(&page->parent_sleeps, 1);
        // The worker may look whether we sleep just before this and miss it; then the timeout wakes us.
        futex(&page->reply, FUTEX_WAIT, seen, &(struct timespec){.tv_nsec = WATCH * 1000000L});
        atomic_store(&page->parent_sleeps, 0);
        if (answered(w)) break;
        if (!alive(w)) {
            if (answered(w)) break; // that was its last deed
            return false;
        }
        if (!warned && clock_now() - w->posted > PATIENCE) {
            warned = true;
            dq_log(DQ_LOG_WARNING, "%s: worker process %ld has not answered for %d s; waiting on", w->name,
                   (long)w->process, PATIENCE);
        }
    }
    const double took = 1e6 * (clock_now() - w->posted);
    w->expected += 0.1 * (took - w->expected);
    return true;
}

uint32_t gym_worker_result(const gym_worker *w) {
    return w->page->result;
}

// --- its end -----------------------------------------------------------------------------------------------

// The last line of what it wrote that is not empty.
static void last_line(int fd, char *line, size_t size) {
    char tail[2048];
    const off_t end = lseek(fd, 0, SEEK_END),
                from = end > (off_t)sizeof tail - 1 ? end - (off_t)sizeof tail + 1 : 0;
    const ssize_t got = pread(fd, tail, sizeof tail - 1, from);
    size_t length = got > 0 ? (size_t)got : 0;
    while (length > 0 && strchr(" \r\n\t", tail[length - 1])) length--;
    tail[length] = 0;
    const char *start = strrchr(tail, '\n');
    snprintf(line, size, "%s", start ? start + 1 : tail);
}

void gym_worker_last_words(const gym_worker *w, char *text, size_t size) {
    char how[64], line[256];
    if (WIFSIGNALED(w->status))
        snprintf(how, sizeof how, "killed by signal %d (%s)", WTERMSIG(w->status),
                 strsignal(WTERMSIG(w->status)));
    else
        snprintf(how, sizeof how, "exit status %d", WEXITSTATUS(w->status));
    last_line(w->words_fd, line, sizeof line);
    if (line[0])
        snprintf(text, size, "%s; its last words: \"%s\"", how, line);
    else
        snprintf(text, size, "%s; it left no words", how);
}
