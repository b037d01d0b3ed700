// Movies read back: a GIF by giflib, frame by frame, and a PNG by Cairo. The colours of flat drawings come
// back exactly, those of rich pictures nearly; what stays the same costs little; nothing half-written stays.
#include "support.h"

#include "draw/canvas.h"
#include "draw/colors.h"
#include "draw/movie.h"

#include <cairo.h>
#include <deepq/rng.h>
#include <dirent.h>
#include <gif_lib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 61, HEIGHT = 37, AREA = WIDTH * HEIGHT };

typedef struct pixels {
    uint8_t rgb[AREA * 3];
} pixels;

// Rectangles in a few colours that move, the same again now and then.
static void flat(pixels *p, int number) {
    number -= number % 5 == 4; // every fifth repeats the one before
    for (int i = 0; i < AREA; i++) {
        const int x = i % WIDTH, y = i / WIDTH;
        const bool box = abs(x - 3 * number % WIDTH) < 6 && abs(y - 2 * number % HEIGHT) < 5;
        p->rgb[3 * i] = (uint8_t)(box ? 200 : 10 * (y / 8));
        p->rgb[3 * i + 1] = (uint8_t)(box ? 30 + number : 250);
        p->rgb[3 * i + 2] = (uint8_t)(box ? x % 4 : 251);
    }
}

// More colours than any palette holds.
static void rich(pixels *p, int number) {
    for (int i = 0; i < AREA; i++) {
        const int x = i % WIDTH, y = i / WIDTH;
        p->rgb[3 * i] = (uint8_t)(4 * x);
        p->rgb[3 * i + 1] = (uint8_t)(6 * y);
        p->rgb[3 * i + 2] = (uint8_t)(120 + 3 * number);
    }
}

static size_t film(const char *path, void (*frame)(pixels *, int), int count, double rate) {
    dq_error error = {0};
    dq_film made;
    size_t size = 0;
    pixels p;
    const dq_movie_class *kind = NULL;
    test_ok(dq_movie_find(&kind, path, &error), &error);
    test_ok(dq_film_open(&made, kind, path, WIDTH, HEIGHT, rate, &error), &error);
    for (int i = 0; i < count; i++) {
        frame(&p, i);
        test_ok(dq_film_add(&made, p.rgb, &error), &error);
    }
    test_ok(dq_film_finish(&made, &size, &error), &error);
    return size;
}

// Puts a saved image on the picture as a viewer would.
static void lay(const GifFileType *gif, const SavedImage *image, pixels *p, int *delay) {
    GraphicsControlBlock control = {.TransparentColor = NO_TRANSPARENT_COLOR};
    for (int i = 0; i < image->ExtensionBlockCount; i++)
        if (image->ExtensionBlocks[i].Function == GRAPHICS_EXT_FUNC_CODE)
            assert_true(DGifExtensionToGCB(4, image->ExtensionBlocks[i].Bytes, &control));
    assert_int_equal(control.DisposalMode, DISPOSE_DO_NOT);
    *delay = control.DelayTime;
    assert_null(image->ImageDesc.ColorMap); // one palette for all
    for (int y = 0; y < image->ImageDesc.Height; y++) {
        for (int x = 0; x < image->ImageDesc.Width; x++) {
            const int index = image->RasterBits[y * image->ImageDesc.Width + x];
            if (index == control.TransparentColor) continue;
            assert_true(index < gif->SColorMap->ColorCount);
            const GifColorType c = gif->SColorMap->Colors[index];
            uint8_t *at = p->rgb + 3 * ((y + image->ImageDesc.Top) * WIDTH + x + image->ImageDesc.Left);
            at[0] = c.Red;
            at[1] = c.Green;
            at[2] = c.Blue;
        }
    }
}

// Compares the GIF with the frames it was made from, at the times they are shown; returns the largest
// difference of a channel.
static int compare(const char *path, void (*frame)(pixels *, int), int count, double rate) {
    int reason = 0, largest = 0, hundredths = 0;
    GifFileType *gif = DGifOpenFileName(path, &reason);
    assert_non_null(gif);
    assert_int_equal(DGifSlurp(gif), GIF_OK);
    assert_int_equal(gif->SWidth, WIDTH);
    assert_int_equal(gif->SHeight, HEIGHT);
    assert_int_equal(gif->SavedImages[0].ExtensionBlocks[0].Function, APPLICATION_EXT_FUNC_CODE); // it loops
    pixels shown = {{0}}, wanted;
    for (int i = 0; i < gif->ImageCount; i++) {
        int delay;
        lay(gif, &gif->SavedImages[i], &shown, &delay);
        assert_true(delay >= 2);
        for (int k = 0; k < count; k++) { // every frame whose time falls into this image's
            const int at = (int)(k * 100 / rate + 0.5);
            if (at < hundredths || at >= hundredths + delay) continue;
            frame(&wanted, k);
            for (int c = 0; c < AREA * 3; c++) {
                const int d = abs(shown.rgb[c] - wanted.rgb[c]);
                if (d > largest) largest = d;
            }
        }
        hundredths += delay;
    }
    assert_int_equal(hundredths, (int)(count * 100 / rate + 0.5));
    assert_int_equal(DGifCloseFile(gif, &reason), GIF_OK);
    return largest;
}

static void test_gif_keeps_flat_colours(void **fixture) {
    (void)fixture;
    film("flat.gif", flat, 23, 25);
    assert_int_equal(compare("flat.gif", flat, 23, 25), 0);
    film("slow.gif", flat, 12, 7); // 14.28 hundredths a frame
    assert_int_equal(compare("slow.gif", flat, 12, 7), 0);
    film("one.gif", flat, 1, 50);
    assert_int_equal(compare("one.gif", flat, 1, 50), 0);
}

static void test_gif_nears_rich_colours(void **fixture) {
    (void)fixture;
    film("rich.gif", rich, 10, 20);
    assert_true(compare("rich.gif", rich, 10, 20) <= 24);
}

static void still(pixels *p, int number) {
    (void)number;
    rich(p, 0);
}

static void test_gif_pays_for_changes_alone(void **fixture) {
    (void)fixture;
    const size_t one = film("a.gif", still, 1, 25), many = film("b.gif", still, 500, 25);
    assert_true(many == one);
    assert_int_equal(compare("b.gif", still, 500, 25), compare("a.gif", still, 1, 25));
}

static void test_gif_is_reproducible(void **fixture) {
    (void)fixture;
    film("a.gif", rich, 4, 25);
    film("b.gif", rich, 4, 25);
    assert_int_equal(system("cmp a.gif b.gif"), 0);
}

static void test_colours_past_the_table(void **fixture) {
    (void)fixture;
    dq_error error = {0};
    dq_colors *colors = NULL;
    dq_rng rng;
    uint32_t palette[255];
    dq_rng_seed(&rng, 3);
    test_ok(dq_colors_create(&colors, &error), &error);
    for (int i = 0; i < 200000; i++)
        test_ok(dq_colors_add(colors, (uint32_t)dq_rng_next32(&rng) & 0xffffff, 1, &error), &error);
    test_ok(dq_colors_add(colors, 0x123456, 1000000, &error), &error);
    const int count = dq_colors_choose(colors, 255, palette, NULL);
    assert_int_equal(count, 255);
    double sum = 0;
    for (int i = 0; i < 10000; i++) {
        const uint32_t color = (uint32_t)dq_rng_next32(&rng) & 0xf8f8f8; // all of these occur
        const uint32_t near = palette[dq_colors_index(colors, color)];
        for (int k = 0; k < 24; k += 8) sum += fabs((double)(color >> k & 255) - (double)(near >> k & 255));
    }
    assert_true(sum / 30000 < 16); // 255 boxes in a cube of 256^3 are 40 wide
    dq_colors_destroy(colors);

    test_ok(dq_colors_create(&colors, &error), &error);
    assert_int_equal(dq_colors_choose(colors, 255, palette, NULL), 1); // no colour at all
    dq_colors_destroy(colors);
}

static void test_png(void **fixture) {
    (void)fixture;
    film("p.png", flat, 7, 25);
    pixels last;
    flat(&last, 6);
    cairo_surface_t *surface = cairo_image_surface_create_from_png("p.png");
    assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    assert_int_equal(cairo_image_surface_get_width(surface), WIDTH);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    for (int i = 0; i < AREA; i++) {
        const unsigned char *row = data + i / WIDTH * cairo_image_surface_get_stride(surface);
        uint32_t pixel;
        memcpy(&pixel, row + 4 * (i % WIDTH), 4);
        const uint8_t *p = last.rgb + 3 * i;
        assert_int_equal(pixel & 0xffffff, (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]);
    }
    cairo_surface_destroy(surface);
}

static int files_here(void) {
    int count = 0;
    DIR *folder = opendir(".");
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static void refuse(const char *path, int width, int height, double rate, dq_status code) {
    dq_error error = {0};
    dq_film made = {0};
    const dq_movie_class *kind = NULL;
    dq_status status = dq_movie_find(&kind, path, &error);
    if (!status) status = dq_film_open(&made, kind, path, width, height, rate, &error);
    assert_int_equal(status, code);
    assert_true(strlen(error.message) > 10);
}

static void test_refusals_leave_nothing(void **fixture) {
    (void)fixture;
    const int before = files_here();
    refuse("a.webm", 10, 10, 25, DQ_USAGE);
    refuse("gif", 10, 10, 25, DQ_USAGE);
    refuse("folder.gif/x", 10, 10, 25, DQ_USAGE);
    refuse("n.gif", 0, 10, 25, DQ_USAGE);
    refuse("n.gif", 10, 100000, 25, DQ_USAGE);
    refuse("n.gif", 10, 10, 51, DQ_USAGE);
    refuse("n.gif", 10, 10, (double)NAN, DQ_USAGE);
    refuse("nowhere/n.gif", 10, 10, 25, DQ_NOT_FOUND);
    dq_error error = {0};
    dq_film made;
    pixels p;
    flat(&p, 0);
    test_ok(dq_film_open(&made, &dq_movie_gif, "n.gif", WIDTH, HEIGHT, 25, &error), &error);
    test_ok(dq_film_add(&made, p.rgb, &error), &error);
    dq_film_cancel(&made);
    dq_film_cancel(&made);
    assert_int_equal(files_here(), before);
}

static void test_missing_module(void **fixture) {
    (void)fixture;
    dq_error error = {0};
    const dq_movie_class *kind = NULL;
    char *kept = getenv("DEEPQ_MODULES") ? strdup(getenv("DEEPQ_MODULES")) : NULL;
    setenv("DEEPQ_MODULES", "/nowhere", 1); // and none lies beside the test
    assert_int_equal(dq_movie_find(&kind, "x.mp4", &error), DQ_UNSUPPORTED);
    assert_non_null(strstr(error.message, "deepq-mp4.so"));
    assert_string_equal(error.where, "MP4");
    if (kept) setenv("DEEPQ_MODULES", kept, 1);
    free(kept);
}

static int to_empty_folder(void **fixture) {
    static char folder[] = "/tmp/deepq-movie-XXXXXX";
    *fixture = folder;
    return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int leave_folder(void **fixture) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", (const char *)*fixture);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gif_keeps_flat_colours),     cmocka_unit_test(test_gif_nears_rich_colours),
        cmocka_unit_test(test_gif_pays_for_changes_alone), cmocka_unit_test(test_gif_is_reproducible),
        cmocka_unit_test(test_colours_past_the_table),     cmocka_unit_test(test_png),
        cmocka_unit_test(test_refusals_leave_nothing),     cmocka_unit_test(test_missing_module),
    };
    return cmocka_run_group_tests(tests, to_empty_folder, leave_folder);
}
