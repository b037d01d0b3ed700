// The window: shows pictures and reads keys through SDL2. A module: see module.h.
#include "draw/screen.h"

#include <SDL.h>
#include <stdlib.h>
#include <string.h>

typedef struct window {
    dq_screen screen;
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture;
    int width, height; // of the texture
    char title[256];
} window;

static void close_window(dq_screen *screen) {
    window *self = (window *)screen;
    if (!self) return;
    if (self->texture) SDL_DestroyTexture(self->texture);
    if (self->renderer) SDL_DestroyRenderer(self->renderer);
    if (self->window) SDL_DestroyWindow(self->window);
    SDL_Quit();
    free(self);
}

static dq_status open_window(dq_screen **out, const char *title, int width, int height, dq_error *error) {
    *out = NULL;
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    // Left alone, SDL would take a screen that nobody sees where there is no display.
    if (!getenv("SDL_VIDEODRIVER"))
        SDL_SetHint(SDL_HINT_VIDEODRIVER, getenv("WAYLAND_DISPLAY") ? "x11,wayland" : "x11");
    if (SDL_Init(SDL_INIT_VIDEO))
        return dq_fail(error, DQ_UNSUPPORTED, "display",
                       "there is no display to open a window on (%s); use --terminal", SDL_GetError());
    window *self = calloc(1, sizeof *self);
    if (!self) {
        SDL_Quit();
        return dq_fail(error, DQ_MEMORY, "display", "there is no memory for the window");
    }
    SDL_Rect desk;
    if (!SDL_GetDisplayUsableBounds(0, &desk) && (width > desk.w || height > desk.h)) {
        const double part = 0.95 * SDL_min((double)desk.w / width, (double)desk.h / height);
        width = (int)(part * width);
        height = (int)(part * height);
    }
    const Uint32 flags = SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI;
    self->window =
        SDL_CreateWindow(title, SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, width, height, flags);
    if (self->window) self->renderer = SDL_CreateRenderer(self->window, -1, 0);
    if (!self->renderer) {
        const dq_status status = dq_fail(error, DQ_UNSUPPORTED, "display",
                                         "no window could be opened (%s); use --terminal", SDL_GetError());
        close_window(&self->screen);
        return status;
    }
    *out = &self->screen;
    return DQ_OK;
}

static void size(dq_screen *screen, int *width, int *height) {
    window *self = (window *)screen;
    if (SDL_GetRendererOutputSize(self->renderer, width, height)) *width = *height = 0;
}

static dq_status show(dq_screen *screen, const uint8_t *rgb, int width, int height, const char *status,
                      dq_error *error) {
    window *self = (window *)screen;
    if (!self->texture || self->width != width || self->height != height) {
        if (self->texture) SDL_DestroyTexture(self->texture);
        self->texture = SDL_CreateTexture(self->renderer, SDL_PIXELFORMAT_RGB24, SDL_TEXTUREACCESS_STREAMING,
                                          width, height);
        self->width = width;
        self->height = height;
    }
    if (!self->texture || SDL_UpdateTexture(self->texture, NULL, rgb, 3 * width) ||
        SDL_RenderClear(self->renderer) || SDL_RenderCopy(self->renderer, self->texture, NULL, NULL))
        return dq_fail(error, DQ_IO, "display", "the window cannot be drawn: %s", SDL_GetError());
    SDL_RenderPresent(self->renderer);
    char title[sizeof self->title];
    SDL_strlcpy(title, status, sizeof title);
    title[strcspn(title, "\n")] = 0;
    if (strcmp(title, self->title) != 0) SDL_SetWindowTitle(self->window, title);
    memcpy(self->title, title, sizeof title);
    return DQ_OK;
}

static int key_of(const SDL_Event *event) {
    switch (event->type) {
    case SDL_QUIT:
        return DQ_KEY_CLOSE;
    case SDL_WINDOWEVENT:
        return DQ_KEY_REDRAW;
    case SDL_KEYDOWN:
        break;
    default:
        return DQ_KEY_NONE;
    }
    switch (event->key.keysym.sym) {
    case SDLK_LEFT:
        return DQ_KEY_LEFT;
    case SDLK_RIGHT:
        return DQ_KEY_RIGHT;
    case SDLK_UP:
        return DQ_KEY_UP;
    case SDLK_DOWN:
        return DQ_KEY_DOWN;
    case SDLK_KP_PLUS:
        return '+';
    case SDLK_KP_MINUS:
        return '-';
    case SDLK_ESCAPE:
        return 'q';
    case SDLK_EQUALS: // the key of + where that needs Shift
        return '+';
    default:
        return event->key.keysym.sym < 0x80 ? event->key.keysym.sym : DQ_KEY_NONE;
    }
}

static int wait_key(dq_screen *screen, double seconds) {
    (void)screen;
    SDL_Event event;
    const Uint32 until = SDL_GetTicks() + (Uint32)(seconds > 0 ? 1000 * seconds + 0.5 : 0);
    for (;;) {
        while (SDL_PollEvent(&event)) {
            const int key = key_of(&event);
            if (key) return key;
        }
        const Sint32 left = (Sint32)(until - SDL_GetTicks());
        if (left <= 0) return DQ_KEY_NONE;
        SDL_Delay(left < 5 ? (Uint32)left : 5);
    }
}

static bool held(dq_screen *screen, int key) {
    (void)screen;
    const Uint8 *pressed = SDL_GetKeyboardState(NULL);
    switch (key) {
    case DQ_KEY_LEFT:
        return pressed[SDL_SCANCODE_LEFT];
    case DQ_KEY_RIGHT:
        return pressed[SDL_SCANCODE_RIGHT];
    case DQ_KEY_UP:
        return pressed[SDL_SCANCODE_UP];
    case DQ_KEY_DOWN:
        return pressed[SDL_SCANCODE_DOWN];
    default:
        return false;
    }
}

extern DQ_API const dq_screen_class dq_screen_sdl;
const dq_screen_class dq_screen_sdl = {
    .name = "window",
    .most_frames = 60,
    .open = open_window,
    .close = close_window,
    .size = size,
    .show = show,
    .wait = wait_key,
    .held = held,
};
