// Colours of an animation: a hash table of colours, then boxes of them cut where they spread most.
#include "draw/colors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 16, MOST = SLOTS / 2, BOXES = 255 };

typedef struct entry {
    uint32_t color;
    uint64_t pixels; // 0: the slot is free
    uint8_t index;
} entry;

struct dq_colors {
    entry slot[SLOTS];
    entry *order[MOST]; // the colours, box by box
    int count;
    uint32_t mask; // the bits that count
};

// Colours order[first .. first+count), their error and where to cut them.
typedef struct box {
    int first, count, channel;
    double error, cut;
    uint32_t mean;
} box;

dq_status dq_colors_create(dq_colors **out, dq_error *error) {
    *out = calloc(1, sizeof **out);
    if (!*out) return dq_fail(error, DQ_MEMORY, "picture", "there is no memory to count colours");
    (*out)->mask = 0xffffff;
    return DQ_OK;
}

void dq_colors_destroy(dq_colors *colors) {
    free(colors);
}

static entry *find(entry *slot, uint32_t color) {
    uint32_t i = color * 2654435761u >> 16;
    while (slot[i].pixels && slot[i].color != color) i = (i + 1) % SLOTS;
    return &slot[i];
}

// Forgets one more bit of every channel.
static dq_status coarsen(dq_colors *c, dq_error *error) {
    entry *old = malloc(sizeof c->slot);
    if (!old) return dq_fail(error, DQ_MEMORY, "picture", "there is no memory to count colours");
    memcpy(old, c->slot, sizeof c->slot);
    memset(c->slot, 0, sizeof c->slot);
    c->mask = (c->mask << 1 & 0xfefefe) & c->mask;
    c->count = 0;
    for (int i = 0; i < SLOTS; i++) {
        if (!old[i].pixels) continue;
        entry *e = find(c->slot, old[i].color & c->mask);
        if (!e->pixels) c->count++;
        e->color = old[i].color & c->mask;
        e->pixels += old[i].pixels;
    }
    free(old);
    return DQ_OK;
}

dq_status dq_colors_add(dq_colors *c, uint32_t color, uint32_t pixels, dq_error *error) {
    if (pixels == 0) return DQ_OK;
    entry *e = find(c->slot, color & c->mask);
    while (!e->pixels && c->count == MOST) {
        const dq_status status = coarsen(c, error);
        if (status) return status;
        e = find(c->slot, color & c->mask);
    }
    if (!e->pixels) c->count++;
    e->color = color & c->mask;
    e->pixels += pixels;
    return DQ_OK;
}

static int channel_of(uint32_t color, int channel) {
    return (int)(color >> (16 - 8 * channel) & 255);
}

static void measure(const dq_colors *c, box *b) {
    double weight = 0, sum[3] = {0}, squares[3] = {0};
    for (int i = b->first; i < b->first + b->count; i++) {
        const double pixels = (double)c->order[i]->pixels;
        weight += pixels;
        for (int k = 0; k < 3; k++) {
            const double x = channel_of(c->order[i]->color, k);
            sum[k] += pixels * x;
            squares[k] += pixels * x * x;
        }
    }
    double largest = -1;
    b->error = 0;
    b->mean = 0;
    for (int k = 0; k < 3; k++) {
        const double mean = sum[k] / weight, error = squares[k] - sum[k] * mean;
        b->mean |= (uint32_t)(mean + 0.5) << (16 - 8 * k);
        b->error += error;
        if (error <= largest) continue;
        largest = error;
        b->channel = k;
        b->cut = mean;
    }
    if (b->count == 1) b->error = 0; // not what rounding left of it
}

// Moves the colours at or below the cut to the front; the rest becomes a box of its own.
static box cut(dq_colors *c, box *b) {
    int low = b->first, high = b->first + b->count;
    while (low < high) {
        if ((double)channel_of(c->order[low]->color, b->channel) <= b->cut) {
            low++;
        } else {
            entry *kept = c->order[low];
            c->order[low] = c->order[--high];
            c->order[high] = kept;
        }
    }
    box rest = {.first = low, .count = b->first + b->count - low};
    b->count = low - b->first;
    return rest;
}

static int by_color(const void *a, const void *b) {
    const uint32_t x = (*(entry *const *)a)->color, y = (*(entry *const *)b)->color;
    return (x > y) - (x < y);
}

int dq_colors_count(const dq_colors *c) {
    return c->count;
}

int dq_colors_choose(dq_colors *c, int most, uint32_t *palette, double *error) {
    box boxes[BOXES];
    int count = 0;
    for (int i = 0; i < SLOTS; i++)
        if (c->slot[i].pixels) c->order[count++] = &c->slot[i];
    if (count == 0) {
        palette[0] = 0;
        if (error) *error = 0;
        return 1;
    }
    qsort(c->order, (size_t)count, sizeof *c->order, by_color); // so that equal pictures get equal palettes
    boxes[0] = (box){.first = 0, .count = count};
    measure(c, &boxes[0]);
    int made = 1;
    while (made < most) {
        int worst = 0;
        for (int i = 1; i < made; i++)
            if (boxes[i].error > boxes[worst].error) worst = i;
        if (!(boxes[worst].error > 0)) break;
        boxes[made] = cut(c, &boxes[worst]);
        if (boxes[made].count == 0) { // rounding put the cut at the largest value
            boxes[worst].error = 0;
            continue;
        }
        measure(c, &boxes[worst]);
        measure(c, &boxes[made++]);
    }
    double sum = 0, pixels = 0;
    for (int i = 0; i < count; i++) pixels += (double)c->order[i]->pixels;
    for (int i = 0; i < made; i++) sum += fmax(boxes[i].error, 0);
    if (error) *error = sum / pixels;
    for (int i = 0; i < made; i++) {
        palette[i] = boxes[i].mean;
        for (int k = boxes[i].first; k < boxes[i].first + boxes[i].count; k++)
            c->order[k]->index = (uint8_t)i;
    }
    return made;
}

uint8_t dq_colors_index(const dq_colors *c, uint32_t color) {
    uint32_t i = (color & c->mask) * 2654435761u >> 16;
    while (c->slot[i].pixels && c->slot[i].color != (color & c->mask)) i = (i + 1) % SLOTS;
    return c->slot[i].index;
}
