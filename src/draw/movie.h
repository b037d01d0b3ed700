// Movies: frames of one size at a steady rate, made into a GIF, an MP4 or (the last frame) a PNG.
//
// A film is a file with a movie in it. The file is opened at once, so that a path that cannot be written
// fails before the first frame; it gets its name only when all is well, so that nothing half-written stays.
#ifndef DEEPQ_DRAW_MOVIE_H
#define DEEPQ_DRAW_MOVIE_H

#include "base/file.h"

// The first member of every movie.
typedef struct dq_movie {
    const struct dq_movie_class *movie_class;
    int width, height;
    double frame_rate;
} dq_movie;

typedef struct dq_movie_class {
    const char *ending;  // of the file's name, ".gif"
    double most_frames;  // a second that the format can show
    double usual_frames; // a second, where nobody asks for more
    bool even;           // sides must be
    bool still;          // only the last frame counts
    dq_status (*create)(dq_movie **out, int width, int height, double frame_rate, dq_error *error);
    // rgb: [height, width, 3] from the top row down.
    dq_status (*add)(dq_movie *movie, const uint8_t *rgb, dq_error *error);
    // The whole file; *data is freed with free().
    dq_status (*finish)(dq_movie *movie, unsigned char **data, size_t *size, dq_error *error);
    void (*destroy)(dq_movie *movie);
} dq_movie_class;

extern const dq_movie_class dq_movie_gif, dq_movie_png;

// The kind of movie a file's name asks for. Fails when the ending is unknown or when what makes that kind is
// not there.
dq_status dq_movie_find(const dq_movie_class **out, const char *path, dq_error *error);

typedef struct dq_film {
    dq_file file;
    dq_movie *movie;
} dq_film;

dq_status dq_film_open(dq_film *film, const dq_movie_class *kind, const char *path, int width, int height,
                       double frame_rate, dq_error *error);
dq_status dq_film_add(dq_film *film, const uint8_t *rgb, dq_error *error);
// Writes the file and closes the film, whatever happens; *size (may be NULL) is that of the file.
dq_status dq_film_finish(dq_film *film, size_t *size, dq_error *error);
// Closes without a file. A film that is zeroed or finished is fine.
void dq_film_cancel(dq_film *film);

#endif
