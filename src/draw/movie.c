// Movies: the kinds there are, and films, which put a movie into a file.
#include "draw/movie.h"

#include "base/module.h"
#include "draw/canvas.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

dq_status dq_movie_find(const dq_movie_class **out, const char *path, dq_error *error) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    if (!dot) dot = "";
    if (strcasecmp(dot, dq_movie_gif.ending) == 0)
        *out = &dq_movie_gif;
    else if (strcasecmp(dot, dq_movie_png.ending) == 0)
        *out = &dq_movie_png;
    else if (strcasecmp(dot, ".mp4") == 0)
        return dq_module_load("mp4", "dq_movie_mp4", "MP4", "record a .gif instead", (const void **)out,
                              error);
    else
        return dq_fail(error, DQ_USAGE, path, "a recording's file name ends in .gif, .mp4 or .png");
    return DQ_OK;
}

dq_status dq_film_open(dq_film *film, const dq_movie_class *kind, const char *path, int width, int height,
                       double frame_rate, dq_error *error) {
    *film = (dq_film){0};
    if (width < 1 || height < 1 || width > DQ_BOARD_SIDE_MAX || height > DQ_BOARD_SIDE_MAX)
        return dq_fail(error, DQ_USAGE, path, "a picture has 1 to %d pixels a side, not %dx%d",
                       DQ_BOARD_SIDE_MAX, width, height);
    if (kind->even && (width % 2 || height % 2))
        return dq_fail(error, DQ_USAGE, path, "%s pictures have even sides: %dx%d instead of %dx%d",
                       kind->ending + 1, width + width % 2, height + height % 2, width, height);
    if (!(frame_rate > 0 && frame_rate <= kind->most_frames))
        return dq_fail(error, DQ_USAGE, path, "%s files show up to %g frames a second, not %g",
                       kind->ending + 1, kind->most_frames, frame_rate);
    dq_status status = dq_file_begin(&film->file, path, error);
    if (status) return status;
    status = kind->create(&film->movie, width, height, frame_rate, error);
    if (status) {
        dq_file_cancel(&film->file);
        return status;
    }
    film->movie->movie_class = kind;
    film->movie->width = width;
    film->movie->height = height;
    film->movie->frame_rate = frame_rate;
    return DQ_OK;
}

dq_status dq_film_add(dq_film *film, const uint8_t *rgb, dq_error *error) {
    return film->movie->movie_class->add(film->movie, rgb, error);
}

void dq_film_cancel(dq_film *film) {
    if (film->movie) film->movie->movie_class->destroy(film->movie);
    film->movie = NULL;
    dq_file_cancel(&film->file);
}

dq_status dq_film_finish(dq_film *film, size_t *size, dq_error *error) {
    unsigned char *data = NULL;
    size_t length = 0;
    dq_status status = film->movie->movie_class->finish(film->movie, &data, &length, error);
    film->movie->movie_class->destroy(film->movie);
    film->movie = NULL;
    if (status) {
        dq_file_cancel(&film->file);
        return status;
    }
    dq_file_write(&film->file, data, length);
    free(data);
    if (size) *size = length;
    return dq_file_commit(&film->file, error);
}

// --- PNG: keeps the last frame -----------------------------------------------------------------------------

typedef struct png_movie {
    dq_movie movie;
    uint8_t rgb[];
} png_movie;

static dq_status png_create(dq_movie **out, int width, int height, double frame_rate, dq_error *error) {
    (void)frame_rate;
    png_movie *self = calloc(1, sizeof *self + (size_t)width * (size_t)height * 3);
    if (!self)
        return dq_fail(error, DQ_MEMORY, "picture", "there is no memory for a picture of %dx%d pixels", width,
                       height);
    *out = &self->movie;
    return DQ_OK;
}

static dq_status png_add(dq_movie *movie, const uint8_t *rgb, dq_error *error) {
    (void)error;
    memcpy(((png_movie *)movie)->rgb, rgb, (size_t)movie->width * (size_t)movie->height * 3);
    return DQ_OK;
}

static dq_status png_finish(dq_movie *movie, unsigned char **data, size_t *size, dq_error *error) {
    return dq_png_encode(((png_movie *)movie)->rgb, movie->width, movie->height, data, size, error);
}

static void png_destroy(dq_movie *movie) {
    free(movie);
}

const dq_movie_class dq_movie_png = {
    .ending = ".png",
    .most_frames = 1000,
    .usual_frames = 25,
    .still = true,
    .create = png_create,
    .add = png_add,
    .finish = png_finish,
    .destroy = png_destroy,
};
