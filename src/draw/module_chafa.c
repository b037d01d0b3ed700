// Pictures as sixel or kitty text through libchafa. A module: see module.h.
#include "draw/screen.h"

#include <chafa.h>
#include <stdlib.h>
#include <string.h>

static dq_status encode(dq_terminal_pixels pixels, const uint8_t *rgb, int width, int height, int columns,
                        int rows, char **text, size_t *size, dq_error *error) {
    gchar *no_environment[] = {NULL};
    ChafaTermInfo *fallback = chafa_term_db_get_fallback_info(chafa_term_db_get_default());
    ChafaTermInfo *terminal = chafa_term_db_detect(chafa_term_db_get_default(), no_environment);
    chafa_term_info_supplement(terminal, fallback);
    chafa_term_info_unref(fallback);
    ChafaCanvasConfig *config = chafa_canvas_config_new();
    chafa_canvas_config_set_geometry(config, columns, rows);
    chafa_canvas_config_set_cell_geometry(config, width / columns, height / rows);
    chafa_canvas_config_set_canvas_mode(config, CHAFA_CANVAS_MODE_TRUECOLOR);
    chafa_canvas_config_set_pixel_mode(config, pixels == DQ_TERMINAL_KITTY ? CHAFA_PIXEL_MODE_KITTY
                                                                           : CHAFA_PIXEL_MODE_SIXELS);
    chafa_canvas_config_set_dither_mode(config, CHAFA_DITHER_MODE_NONE);
    ChafaCanvas *canvas = chafa_canvas_new(config);
    chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGB8, rgb, width, height, 3 * width);
    GString *made = chafa_canvas_print(canvas, terminal);
    *text = made ? malloc(made->len + 1) : NULL;
    *size = made ? made->len : 0;
    if (*text) memcpy(*text, made->str, made->len + 1);
    if (made) g_string_free(made, TRUE);
    chafa_canvas_unref(canvas);
    chafa_canvas_config_unref(config);
    chafa_term_info_unref(terminal);
    return *text ? DQ_OK : dq_fail(error, DQ_MEMORY, "terminal", "there is no memory for the picture");
}

extern DQ_API const dq_pixel_class dq_pixel_chafa;
const dq_pixel_class dq_pixel_chafa = {encode};
