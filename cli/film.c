// Films: chooses size and speed, draws frame by frame.
//
// An episode is played twice: once to know how long it is, which decides how fast the film runs, and once to
// draw it. Both are the same to the bit.
#include "film.h"

#include <stdlib.h>

static const double held_end = 0.7; // s the last state of an episode stays

typedef struct making {
    const film_style *style;
    play *p;
    film_report *report;
    double rate, speed; // frames a second; steps a second of the film
    uint64_t seed;
    dq_board *board;
    uint8_t *rgb;
    dq_film film;
} making;

static dq_status look_for_stop(const making *m, dq_error *error) {
    const bool stop = m->style->stop && *m->style->stop;
    return stop ? dq_fail(error, DQ_INTERRUPTED, NULL, "interrupted; nothing was written") : DQ_OK;
}

// Plays an episode to its end, or to step `last` where that comes first.
static dq_status play_to(making *m, uint64_t seed, int64_t last, dq_error *error) {
    play_reset(m->p, seed);
    dq_status status = DQ_OK;
    while (!status && !play_over(m->p) && m->p->steps < last) {
        status = look_for_stop(m, error);
        if (!status) status = play_step(m->p, m->p->choice, error);
    }
    return status;
}

static dq_status choose(making *m, const dq_movie_class *kind, dq_error *error) {
    const film_style *style = m->style;
    const double natural = m->p->env_class->frame_rate > 0 ? m->p->env_class->frame_rate : 30;
    int64_t longest = 0;
    for (int64_t i = 0; !kind->still && !(style->speed > 0) && i < style->episodes; i++) {
        const dq_status status = play_to(m, m->seed + (uint64_t)i, FILM_STEPS_MOST, error);
        if (status) return status;
        if (m->p->steps > longest) longest = m->p->steps;
    }
    m->speed =
        natural * (style->speed > 0 ? style->speed : fmax(1, (double)longest / natural / style->longest));
    m->rate = style->rate > 0 ? style->rate : fmin(kind->usual_frames, m->speed);
    film_report *r = m->report;
    r->speed = m->speed / natural;
    r->width = style->width;
    r->height = style->height;
    if (r->width > 0) return DQ_OK;
    const dq_scene scene = play_scene(m->p, -1);
    const double scale = style->scale > 0 ? style->scale : 1;
    dq_scene_size(&scene, style->panel, &r->width, &r->height);
    r->width = (int)(r->width * scale / 2 + 0.5) * 2;
    r->height = (int)(r->height * scale / 2 + 0.5) * 2;
    return DQ_OK;
}

static dq_status shoot(making *m, int64_t copies, dq_error *error) {
    const dq_scene scene = play_scene(m->p, play_over(m->p) ? -1 : m->p->choice);
    dq_scene_draw(&scene, m->style->panel, m->board);
    dq_board_read(m->board, m->rgb);
    dq_status status = DQ_OK;
    for (int64_t i = 0; !status && i < copies; i++) {
        status = look_for_stop(m, error);
        if (!status) status = dq_film_add(&m->film, m->rgb, error);
        m->report->frames++;
        if (m->style->progress) m->style->progress(m->style->user, m->report->frames);
    }
    return status;
}

static void count(making *m) {
    m->report->steps += m->p->steps;
    m->report->mean_return += m->p->episode_return / (double)m->style->episodes;
}

// One episode: frame k shows the state after k * speed / rate steps.
static dq_status film_episode(making *m, uint64_t seed, dq_error *error) {
    play *p = m->p;
    play_reset(p, seed);
    dq_status status = DQ_OK;
    for (int64_t frame = 0; !status && !play_over(p) && p->steps < FILM_STEPS_MOST; frame++) {
        status = shoot(m, 1, error);
        const int64_t until = (int64_t)((double)(frame + 1) * m->speed / m->rate + 1e-6);
        while (!status && !play_over(p) && p->steps < until) status = play_step(p, p->choice, error);
    }
    count(m);
    return status ? status : shoot(m, (int64_t)ceil(held_end * m->rate), error);
}

static dq_status film_still(making *m, dq_error *error) {
    const int64_t still = m->style->still;
    const dq_status status = play_to(m, m->seed, still >= 0 ? still : FILM_STEPS_MOST, error);
    if (status) return status;
    if (still > m->p->steps)
        return dq_fail(error, DQ_USAGE, "step", "the episode ends after %d steps", m->p->steps);
    count(m);
    return shoot(m, 1, error);
}

dq_status film_make(play *p, const dq_movie_class *kind, const char *path, const film_style *style,
                    film_report *report, dq_error *error) {
    making m = {.style = style, .p = p, .report = report, .seed = p->seed};
    *report = (film_report){0};
    dq_status status = choose(&m, kind, error);
    if (!status) status = dq_film_open(&m.film, kind, path, report->width, report->height, m.rate, error);
    if (!status) status = dq_board_create(&m.board, report->width, report->height, error);
    if (!status && !(m.rgb = malloc((size_t)report->width * (size_t)report->height * 3)))
        status = dq_fail(error, DQ_MEMORY, NULL, "there is no memory for a picture of %dx%d pixels",
                         report->width, report->height);
    if (!status && kind->still) status = film_still(&m, error);
    for (int64_t i = 0; !status && !kind->still && i < style->episodes; i++)
        status = film_episode(&m, m.seed + (uint64_t)i, error);
    if (!status)
        status = dq_film_finish(&m.film, &report->bytes, error);
    else
        dq_film_cancel(&m.film);
    report->seconds = (double)report->frames / m.rate;
    if (!status && style->last_frame)
        *style->last_frame = m.rgb;
    else
        free(m.rgb);
    dq_board_destroy(m.board);
    return status;
}
