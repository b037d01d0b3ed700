// GIF: one palette for the whole animation, and in each frame only what changed.
//
// Frames are kept as runs of equal colours inside the rectangle that differs from the frame before, so that
// the palette can be chosen when all are known and memory stays small. Delays are in 1/100 s; they are laid
// so that the rate is right over time. Frames that equal the one before lengthen its delay.
#include "draw/colors.h"
#include "draw/movie.h"

#include <gif_lib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PALETTE_MOST = 255, LONGEST_DELAY = 65535 };

#define DISTANCE_UNSEEN 12.0 // mean squared, of three channels of 0 to 255

// One frame: `runs` runs from `first` on, filling its rectangle row by row.
typedef struct frame {
    int x, y, width, height;
    int64_t number; // in the steady rate
    size_t first, runs;
} frame;

typedef struct gif_movie {
    dq_movie movie;
    dq_colors *colors;
    uint32_t *last, *now; // [height, width] 0xrrggbb
    frame *frames;
    size_t frame_count, frame_room;
    uint32_t *runs; // colour << 8 | length - 1
    size_t run_count, run_room;
    int64_t number; // of frames added
} gif_movie;

static dq_status no_memory(dq_error *error) {
    return dq_fail(error, DQ_MEMORY, "GIF",
                   "there is no memory for the animation; record fewer or smaller frames");
}

static void destroy(dq_movie *movie) {
    gif_movie *self = (gif_movie *)movie;
    if (!self) return;
    dq_colors_destroy(self->colors);
    free(self->last);
    free(self->now);
    free(self->frames);
    free(self->runs);
    free(self);
}

static dq_status create(dq_movie **out, int width, int height, double frame_rate, dq_error *error) {
    (void)frame_rate;
    gif_movie *self = calloc(1, sizeof *self);
    if (!self) return no_memory(error);
    self->last = calloc((size_t)width * (size_t)height, sizeof *self->last);
    self->now = calloc((size_t)width * (size_t)height, sizeof *self->now);
    dq_status status = self->last && self->now ? dq_colors_create(&self->colors, error) : no_memory(error);
    if (status) {
        destroy(&self->movie);
        return status;
    }
    *out = &self->movie;
    return DQ_OK;
}

// The smallest rectangle that holds every difference; false when there is none.
static bool difference(const gif_movie *self, frame *f) {
    const int width = self->movie.width, height = self->movie.height;
    const size_t row = (size_t)width * sizeof *self->now;
    int top = 0, bottom = height;
    while (top < bottom &&
           !memcmp(self->now + (size_t)top * (size_t)width, self->last + (size_t)top * (size_t)width, row))
        top++;
    if (top == bottom) return false;
    while (!memcmp(self->now + (size_t)(bottom - 1) * (size_t)width,
                   self->last + (size_t)(bottom - 1) * (size_t)width, row))
        bottom--;
    int left = width, right = 0;
    for (int y = top; y < bottom; y++) {
        const uint32_t *a = self->now + (size_t)y * (size_t)width,
                       *b = self->last + (size_t)y * (size_t)width;
        int x = 0, end = width;
        while (x < left && a[x] == b[x]) x++;
        while (end > right && a[end - 1] == b[end - 1]) end--;
        left = x < left ? x : left;
        right = end > right ? end : right;
    }
    *f = (frame){.x = left, .y = top, .width = right - left, .height = bottom - top};
    return true;
}

static dq_status put_run(gif_movie *self, uint32_t color, uint32_t length, dq_error *error) {
    if (self->run_count == self->run_room) {
        const size_t room = self->run_room * 3 / 2 + 4096;
        uint32_t *grown = realloc(self->runs, room * sizeof *grown);
        if (!grown) return no_memory(error);
        self->runs = grown;
        self->run_room = room;
    }
    self->runs[self->run_count++] = color << 8 | (length - 1);
    return dq_colors_add(self->colors, color, length, error);
}

static dq_status keep(gif_movie *self, frame f, dq_error *error) {
    if (self->frame_count == self->frame_room) {
        const size_t room = self->frame_room * 2 + 64;
        frame *grown = realloc(self->frames, room * sizeof *grown);
        if (!grown) return no_memory(error);
        self->frames = grown;
        self->frame_room = room;
    }
    f.first = self->run_count;
    f.number = self->number;
    uint32_t color = 0, length = 0;
    for (int y = f.y; y < f.y + f.height; y++) {
        const uint32_t *row = self->now + (size_t)y * (size_t)self->movie.width;
        for (int x = f.x; x < f.x + f.width; x++) {
            if (length > 0 && (row[x] != color || length == 256)) {
                const dq_status status = put_run(self, color, length, error);
                if (status) return status;
                length = 0;
            }
            color = row[x];
            length++;
        }
    }
    const dq_status status = put_run(self, color, length, error);
    if (status) return status;
    f.runs = self->run_count - f.first;
    self->frames[self->frame_count++] = f;
    return DQ_OK;
}

static dq_status add(dq_movie *movie, const uint8_t *rgb, dq_error *error) {
    gif_movie *self = (gif_movie *)movie;
    const size_t pixels = (size_t)movie->width * (size_t)movie->height;
    for (size_t i = 0; i < pixels; i++, rgb += 3)
        self->now[i] = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
    frame f = {.width = movie->width, .height = movie->height};
    if (self->frame_count == 0 || difference(self, &f)) {
        const dq_status status = keep(self, f, error);
        if (status) return status;
    }
    uint32_t *shown = self->now;
    self->now = self->last;
    self->last = shown;
    self->number++;
    return DQ_OK;
}

// --- encoding ----------------------------------------------------------------------------------------------

typedef struct bytes {
    unsigned char *data;
    size_t size, room;
} bytes;

static int append(GifFileType *gif, const GifByteType *data, int length) {
    bytes *b = gif->UserData;
    if (b->size + (size_t)length > b->room) {
        const size_t room = b->room * 2 + (size_t)length + 65536;
        unsigned char *grown = realloc(b->data, room);
        if (!grown) return 0;
        b->data = grown;
        b->room = room;
    }
    memcpy(b->data + b->size, data, (size_t)length);
    b->size += (size_t)length;
    return length;
}

static bool loop_forever(GifFileType *gif) {
    static const char name[] = "NETSCAPE2.0";
    static const GifByteType times[] = {1, 0, 0};
    return EGifPutExtensionLeader(gif, APPLICATION_EXT_FUNC_CODE) && EGifPutExtensionBlock(gif, 11, name) &&
           EGifPutExtensionBlock(gif, 3, times) && EGifPutExtensionTrailer(gif);
}

// How often neighbours differ: what LZW has to tell.
static int changes(const GifByteType *line, size_t count) {
    int n = 0;
    for (size_t i = 1; i < count; i++) n += line[i] != line[i - 1];
    return n;
}

// The frame's pixels as indices in `pixels`; `shown` is what the frames before left and is brought up to
// date. What stays the same becomes transparent where that is simpler. Returns whether it did.
static bool decode(const gif_movie *self, const frame *f, int transparent, GifByteType *shown,
                   GifByteType *pixels, GifByteType *clear) {
    const size_t width = (size_t)self->movie.width, count = (size_t)f->width * (size_t)f->height;
    size_t at = 0;
    for (size_t r = f->first; r < f->first + f->runs; r++) {
        const GifByteType index = dq_colors_index(self->colors, self->runs[r] >> 8);
        for (uint32_t n = (self->runs[r] & 255) + 1; n > 0; n--) pixels[at++] = index;
    }
    for (size_t i = 0; i < count; i++) {
        GifByteType *below =
            &shown[((size_t)f->y + i / (size_t)f->width) * width + (size_t)f->x + i % (size_t)f->width];
        clear[i] = *below == pixels[i] ? (GifByteType)transparent : pixels[i];
        *below = pixels[i];
    }
    if (f == self->frames || changes(clear, count) >= changes(pixels, count)) return false;
    memcpy(pixels, clear, count);
    return true;
}

static bool put_frame(GifFileType *gif, const frame *f, int64_t delay, int transparent, GifByteType *pixels) {
    GraphicsControlBlock control = {.DisposalMode = DISPOSE_DO_NOT,
                                    .DelayTime = (int)(delay > LONGEST_DELAY ? LONGEST_DELAY : delay),
                                    .TransparentColor = transparent};
    GifByteType extension[4];
    EGifGCBToExtension(&control, extension);
    if (!EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, sizeof extension, extension)) return false;
    if (!EGifPutImageDesc(gif, f->x, f->y, f->width, f->height, false, NULL)) return false;
    for (int y = 0; y < f->height; y++)
        if (!EGifPutLine(gif, pixels + (size_t)y * (size_t)f->width, f->width)) return false;
    return true;
}

// The smallest palette that does: all colours exactly where there are few, else enough that nobody sees the
// difference; short codes and long repetitions make small files.
static int choose_palette(gif_movie *self, uint32_t *palette) {
    if (dq_colors_count(self->colors) <= PALETTE_MOST)
        return dq_colors_choose(self->colors, PALETTE_MOST, palette, NULL);
    double error = INFINITY;
    int count = 0;
    for (int most = 63; error > DISTANCE_UNSEEN && most <= PALETTE_MOST; most = 2 * most + 1)
        count = dq_colors_choose(self->colors, most, palette, &error);
    return count;
}

static bool encode(gif_movie *self, GifFileType *gif, GifByteType *shown, GifByteType *pixels,
                   GifByteType *clear) {
    const int width = self->movie.width, height = self->movie.height;
    const double hundredths = 100 / self->movie.frame_rate;
    uint32_t palette[PALETTE_MOST];
    GifColorType colors[256] = {0};
    const int count = choose_palette(self, palette);
    int room = 2;
    while (room < count + 1) room *= 2;
    for (int i = 0; i < count; i++)
        colors[i] = (GifColorType){(GifByteType)(palette[i] >> 16), (GifByteType)(palette[i] >> 8),
                                   (GifByteType)palette[i]};
    ColorMapObject *map = GifMakeMapObject(room, colors);
    if (!map) return false;
    EGifSetGifVersion(gif, true);
    bool fine = EGifPutScreenDesc(gif, width, height, 8, 0, map) && loop_forever(gif);
    GifFreeMapObject(map);
    for (size_t i = 0; fine && i < self->frame_count; i++) {
        const frame *f = &self->frames[i];
        const int64_t until = i + 1 < self->frame_count ? f[1].number : self->number;
        const int64_t delay =
            (int64_t)((double)until * hundredths + 0.5) - (int64_t)((double)f->number * hundredths + 0.5);
        const bool see_through = decode(self, f, count, shown, pixels, clear);
        fine = put_frame(gif, f, delay, see_through ? count : NO_TRANSPARENT_COLOR, pixels);
    }
    return fine;
}

static dq_status finish(dq_movie *movie, unsigned char **data, size_t *size, dq_error *error) {
    gif_movie *self = (gif_movie *)movie;
    const size_t area = (size_t)movie->width * (size_t)movie->height;
    bytes out = {0};
    int reason = 0;
    GifByteType *memory = calloc(3, area);
    GifFileType *gif = memory ? EGifOpen(&out, append, &reason) : NULL;
    bool fine = gif && encode(self, gif, memory, memory + area, memory + 2 * area);
    if (gif && !fine) reason = gif->Error;
    if (gif && !EGifCloseFile(gif, fine ? &reason : NULL)) fine = false;
    free(memory);
    if (!fine) {
        free(out.data);
        const char *why = reason ? GifErrorString(reason) : NULL;
        return dq_fail(error, DQ_MEMORY, "GIF", "the animation could not be encoded: %s",
                       why ? why : "there is no memory");
    }
    *data = out.data;
    *size = out.size;
    return DQ_OK;
}

const dq_movie_class dq_movie_gif = {
    .ending = ".gif",
    .most_frames = 50, // browsers slow down what asks for more
    .usual_frames = 25,
    .create = create,
    .add = add,
    .finish = finish,
    .destroy = destroy,
};
