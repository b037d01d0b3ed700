// Frames of rectangles, in colour and as 84 x 84 grey pixels.
//
// The small frame is made without the large one: area averaging is linear, so that each still rectangle adds
// its luma times the area it covers of each small pixel, in whole numbers. What moves is added pixel by
// pixel, for there the brighter of two frames counts. Where what stands still differs too (a brick has gone,
// a point was won), the large grey frame is made and shrunk. Both ways give the same bits.
#include "env/screen.h"

#include <pthread.h>
#include <string.h>

enum {
    WIDTH = DQ_SCREEN_WIDTH,
    HEIGHT = DQ_SCREEN_HEIGHT,
    PIXELS = WIDTH * HEIGHT,
    SMALL = 84,
    MOST_TAPS = 4
};

// --- area averaging ----------------------------------------------------------------------------------------

// A source pixel lies in one or two small ones along each axis: it is `own` units wide, a small one `unit`,
// and the first small one holds `share` of them. low -1: the pixel lies in none that is kept.
typedef struct place {
    int16_t low;
    uint16_t share, rest;
} place;

typedef struct axis {
    int own, unit, first; // first: the first small pixel kept
    int length;           // source pixels
    place places[DQ_SCREEN_HEIGHT];
} axis;

static axis across = {.own = 84 / 4, .unit = 160 / 4, .first = 0, .length = WIDTH};        // 160 -> 84
static axis down[] = {{.own = 84 / 42, .unit = 210 / 42, .first = 0, .length = HEIGHT},    // 210 -> 84
                      {.own = 110 / 10, .unit = 210 / 10, .first = 17, .length = HEIGHT}}; // 210 -> 110

static void measure(axis *a) {
    for (int i = 0; i < a->length; i++) {
        const int begin = i * a->own, low = begin / a->unit, edge = (low + 1) * a->unit;
        const int share = edge - begin < a->own ? edge - begin : a->own, at = low - a->first;
        place *p = &a->places[i];
        *p = (place){(int16_t)at, (uint16_t)share, (uint16_t)(a->own - share)};
        if (at + 1 == SMALL) p->rest = 0;
        if (at == -1 && p->rest > 0) *p = (place){0, p->rest, 0}; // its second part alone is kept
        if (p->low < 0 || p->low >= SMALL) *p = (place){-1, 0, 0};
    }
}

static void measure_all(void) {
    measure(&across);
    measure(&down[0]);
    measure(&down[1]);
}

static const axis *vertical_of(dq_screen_kind kind) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, measure_all);
    return &down[kind == DQ_SCREEN_CROPPED];
}

typedef struct sums {
    uint32_t at[SMALL * SMALL];
} sums;

// The share of source pixels [from, to) in each small pixel from *low on; returns their number.
static int shares(const axis *a, int from, int to, int *low, uint32_t share[SMALL + 1]) {
    int last = -1;
    *low = -1;
    for (int i = from; i < to; i++) {
        const place *p = &a->places[i];
        if (p->low < 0) continue;
        if (*low < 0) {
            *low = last = p->low;
            share[0] = 0;
        }
        for (; last < p->low + (p->rest > 0); last++) share[last + 1 - *low] = 0;
        share[p->low - *low] += p->share;
        if (p->rest > 0) share[p->low + 1 - *low] += p->rest;
    }
    return *low < 0 ? 0 : last + 1 - *low;
}

// Adds luma times area; a negative one takes away.
static void add(sums *s, const axis *vertical, const dq_rectangle *r, int luma) {
    uint32_t horizontal[SMALL + 1], upright[SMALL + 1];
    int left, top;
    const int columns = shares(&across, r->x, r->x + r->width, &left, horizontal);
    const int rows = shares(vertical, r->y, r->y + r->height, &top, upright);
    for (int k = 0; k < rows; k++) {
        const uint32_t weight = (uint32_t)luma * upright[k];
        uint32_t *row = s->at + (top + k) * SMALL + left;
        for (int c = 0; c < columns; c++) row[c] += weight * horizontal[c];
    }
}

static void add_pixel(sums *s, const axis *vertical, int x, int y, int luma) {
    const place *h = &across.places[x], *v = &vertical->places[y];
    if (v->low < 0) return;
    uint32_t *at = s->at + v->low * SMALL + h->low;
    const uint32_t upper = (uint32_t)luma * v->share, lower = (uint32_t)luma * v->rest;
    at[0] += upper * h->share;
    if (h->rest > 0) at[1] += upper * h->rest;
    if (v->rest == 0) return;
    at[SMALL] += lower * h->share;
    if (h->rest > 0) at[SMALL + 1] += lower * h->rest;
}

static void round_off(const sums *s, const axis *vertical, uint8_t *small) {
    const uint32_t area = (uint32_t)(across.unit * vertical->unit), *sum = s->at;
    const float share = 1.0f / (float)area;
    for (int i = 0; i < SMALL * SMALL; i++) small[i] = (uint8_t)((float)(int)sum[i] * share + 0.5f);
}

void dq_screen_shrink(dq_screen_kind kind, const uint8_t *grey, uint8_t *small) {
    const axis *vertical = vertical_of(kind);
    sums s;
    uint32_t row[SMALL + 1];
    const uint8_t *summed = NULL; // the pixels of `row`: a game's rows are often like the one above
    memset(&s, 0, sizeof s);
    for (int y = 0; y < HEIGHT; y++) {
        const place *v = &vertical->places[y];
        const uint8_t *pixels = grey + y * WIDTH;
        if (v->low < 0) continue;
        uint32_t *at = s.at + v->low * SMALL;
        if (!summed || memcmp(pixels, summed, WIDTH)) {
            memset(row, 0, sizeof row);
            for (int x = 0; x < WIDTH; x++) {
                const place *h = &across.places[x];
                row[h->low] += (uint32_t)pixels[x] * h->share;
                row[h->low + 1] += (uint32_t)pixels[x] * h->rest;
            }
            summed = pixels;
        }
        for (int c = 0; c < SMALL; c++) at[c] += row[c] * v->share;
        for (int c = 0; v->rest > 0 && c < SMALL; c++) at[SMALL + c] += row[c] * v->rest;
    }
    round_off(&s, vertical, small);
}

dq_space dq_screen_space(dq_screen_kind kind) {
    static const dq_space small = DQ_IMAGE(SMALL, SMALL, 1), large = DQ_IMAGE(HEIGHT, WIDTH, 3);
    return kind == DQ_SCREEN_COLOR ? large : small;
}

// --- pictures ----------------------------------------------------------------------------------------------

void dq_picture_add(dq_picture *picture, int x, int y, int width, int height, int color) {
    if (x < 0) width += x, x = 0;
    if (y < 0) height += y, y = 0;
    if (x + width > WIDTH) width = WIDTH - x;
    if (y + height > HEIGHT) height = HEIGHT - y;
    if (width <= 0 || height <= 0 || picture->count == DQ_SCREEN_RECTANGLES) return;
    picture->rectangles[picture->count++] =
        (dq_rectangle){(int16_t)x, (int16_t)y, (int16_t)width, (int16_t)height, (uint8_t)color};
}

void dq_picture_add_number(dq_picture *picture, int x, int y, int digits, int number, int color) {
    // three blocks a row, the left one the highest bit
    static const uint8_t shapes[10][5] = {{7, 5, 5, 5, 7}, {1, 1, 1, 1, 1}, {7, 1, 7, 4, 7}, {7, 1, 3, 1, 7},
                                          {5, 5, 7, 1, 1}, {7, 4, 7, 1, 7}, {7, 4, 7, 5, 7}, {7, 1, 1, 1, 1},
                                          {7, 5, 7, 5, 7}, {7, 5, 7, 1, 7}};
    for (int d = digits - 1; d >= 0; d--, number /= 10)
        for (int row = 0; row < 5; row++)
            for (int block = 0, end; block < 3; block = end) {
                const int bits = shapes[number % 10][row] << block & 7;
                end = block + 1;
                if (!(bits & 4)) continue;
                while (end < 3 && shapes[number % 10][row] >> (2 - end) & 1) end++;
                dq_picture_add(picture, x + 16 * d + 4 * block, y + 2 * row, 4 * (end - block), 2, color);
            }
}

// Palette indices of every pixel.
static void paint(const dq_picture *picture, int first, int end, uint8_t *index) {
    for (int i = first; i < end; i++) {
        const dq_rectangle *r = &picture->rectangles[i];
        for (int y = r->y; y < r->y + r->height; y++)
            memset(index + y * WIDTH + r->x, r->color, (size_t)r->width);
    }
}

void dq_picture_paint(const dq_picture *picture, const dq_palette *palette, uint8_t *rgb) {
    uint8_t index[PIXELS] = {0};
    paint(picture, 0, picture->count, index);
    for (int i = 0; i < PIXELS; i++) memcpy(rgb + 3 * i, palette->rgb[index[i]], 3);
}

static uint8_t brighter(const uint8_t a[3], const uint8_t b[3], uint8_t rgb[3]) {
    for (int k = 0; k < 3; k++) rgb[k] = a[k] > b[k] ? a[k] : b[k];
    return dq_screen_luma(rgb[0], rgb[1], rgb[2]);
}

typedef struct tones {
    uint8_t luma[DQ_SCREEN_COLORS][DQ_SCREEN_COLORS]; // of the brighter of two colours
} tones;

static void mix(const dq_palette *palette, bool brighter_grey, tones *t) {
    for (int a = 0; a < DQ_SCREEN_COLORS; a++)
        for (int b = 0; b < DQ_SCREEN_COLORS; b++) {
            uint8_t rgb[3];
            t->luma[a][b] = brighter(palette->rgb[a], palette->rgb[b], rgb);
        }
    for (int a = 0; brighter_grey && a < DQ_SCREEN_COLORS; a++)
        for (int b = 0; b < DQ_SCREEN_COLORS; b++) {
            const uint8_t x = t->luma[a][a], y = t->luma[b][b];
            t->luma[a][b] = x > y ? x : y;
        }
}

static bool same_stills(const dq_picture *a, const dq_picture *b) {
    if (a->still != b->still) return false;
    for (int i = 0; i < a->still; i++) {
        const dq_rectangle *p = &a->rectangles[i], *q = &b->rectangles[i];
        if (p->x != q->x || p->y != q->y || p->width != q->width || p->height != q->height ||
            p->color != q->color)
            return false;
    }
    return true;
}

// Replaces what the still picture has under the movers of one frame; what was replaced is marked as done.
static void add_movers(sums *s, const axis *vertical, const dq_picture *picture, const tones *t,
                       uint8_t *still, uint8_t *in_a, uint8_t *in_b) {
    for (int i = picture->still; i < picture->count; i++) {
        const dq_rectangle *r = &picture->rectangles[i];
        for (int y = r->y; y < r->y + r->height; y++)
            for (int x = r->x; x < r->x + r->width; x++) {
                const int at = y * WIDTH + x;
                const int change = t->luma[in_a[at]][in_b[at]] - t->luma[still[at]][still[at]];
                if (change != 0) add_pixel(s, vertical, x, y, change);
                still[at] = in_a[at] = in_b[at] = 0;
            }
    }
}

static void observe_grey(const dq_picture *a, const dq_picture *b, const tones *t, dq_screen_kind kind,
                         uint8_t *small) {
    const axis *vertical = vertical_of(kind);
    uint8_t still[PIXELS] = {0}, in_a[PIXELS], in_b[PIXELS];
    paint(a, 0, a->still, still);
    memcpy(in_a, still, sizeof in_a);
    paint(a, a->still, a->count, in_a);
    if (!same_stills(a, b)) {
        memset(in_b, 0, sizeof in_b);
        paint(b, 0, b->count, in_b);
        for (int i = 0; i < PIXELS; i++) still[i] = t->luma[in_a[i]][in_b[i]];
        dq_screen_shrink(kind, still, small);
        return;
    }
    memcpy(in_b, still, sizeof in_b);
    paint(b, b->still, b->count, in_b);
    sums s;
    const uint32_t ground = t->luma[0][0], all = ground * (uint32_t)(across.unit * vertical->unit);
    for (int i = 0; i < SMALL * SMALL; i++) s.at[i] = all;
    for (int i = 0; i < a->still; i++) {
        const dq_rectangle *r = &a->rectangles[i];
        add(&s, vertical, r, t->luma[r->color][r->color] - (int)ground);
    }
    add_movers(&s, vertical, a, t, still, in_a, in_b);
    add_movers(&s, vertical, b, t, still, in_a, in_b);
    round_off(&s, vertical, small);
}

static void observe_color(const dq_picture *a, const dq_picture *b, const dq_palette *palette, uint8_t *rgb) {
    uint8_t in_a[PIXELS] = {0}, in_b[PIXELS] = {0};
    paint(a, 0, a->count, in_a);
    paint(b, 0, b->count, in_b);
    for (int i = 0; i < PIXELS; i++) brighter(palette->rgb[in_a[i]], palette->rgb[in_b[i]], rgb + 3 * i);
}

void dq_picture_observe(const dq_picture *a, const dq_picture *b, const dq_palette *palette,
                        dq_screen_kind kind, bool brighter_grey, uint8_t *observation) {
    if (kind == DQ_SCREEN_COLOR) {
        observe_color(a, b, palette, observation);
        return;
    }
    tones t;
    mix(palette, brighter_grey, &t);
    observe_grey(a, b, &t, kind, observation);
}

void dq_picture_draw(const dq_picture *picture, const dq_palette *palette, struct dq_canvas *canvas) {
    static const double stretch =
        1.6; // an Atari's pixels are wider than high: the field is 4:3 on a television
    dq_rgba colors[DQ_SCREEN_COLORS];
    for (int c = 0; c < DQ_SCREEN_COLORS; c++)
        colors[c] = (dq_rgba){palette->rgb[c][0], palette->rgb[c][1], palette->rgb[c][2], 255};
    dq_draw_view(canvas, 0, 0, WIDTH * stretch, HEIGHT, colors[0]);
    for (int i = 0; i < picture->count; i++) {
        const dq_rectangle *r = &picture->rectangles[i];
        dq_draw_rectangle(canvas, r->x * stretch, HEIGHT - r->y - r->height, (r->x + r->width) * stretch,
                          HEIGHT - r->y, colors[r->color]);
    }
}
