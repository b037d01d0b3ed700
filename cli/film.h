// Films of played episodes: frames drawn and put into a GIF, MP4 or PNG, for record and train.
#ifndef DEEPQ_CLI_FILM_H
#define DEEPQ_CLI_FILM_H

#include "draw/movie.h"
#include "play.h"

#include <signal.h>

enum { FILM_STEPS_MOST = 1000000 }; // of an episode

typedef struct film_style {
    int64_t episodes;  // one after another; episode i is reset with the play's seed + i
    int64_t still;     // the step that a PNG shows; -1: the last
    int width, height; // pixels; 0: what suits the picture
    double scale;      // of that; 0: 1
    double rate;       // frames a second; 0: what is usual for the kind
    double speed;      // times natural; 0: 1, or as fast as `longest` asks for
    double longest;    // s an episode lasts, unless the speed is given
    bool panel;        // return and Q values beside the picture

    const volatile sig_atomic_t *stop;            // becomes non-zero to end it without a file; may be NULL
    void (*progress)(void *user, int64_t frames); // called after each frame; may be NULL
    uint8_t **last_frame; // comes back as [height, width, 3], the caller's to free; may be NULL
    void *user;
} film_style;

typedef struct film_report {
    int width, height;
    int64_t frames, steps; // steps: of all episodes
    double seconds, speed; // times natural
    double mean_return;
    size_t bytes; // of the file
} film_report;

// Plays from the seed the play was last reset with. Nothing is left behind when it fails.
dq_status film_make(play *p, const dq_movie_class *kind, const char *path, const film_style *style,
                    film_report *report, dq_error *error);

#endif
