// Small animations of what a training has learned so far: cheap enough to make one of every run.
#include "episodes.h"

#include "film.h"

dq_status episode_record(const dq_run *run, const char *path, episode_picture *end, dq_error *error) {
    film_style style = {.episodes = 1, .still = -1, .scale = 0.6, .longest = 8};
    film_report report;
    if (end) {
        *end = (episode_picture){0};
        style.last_frame = &end->rgb;
    }
    dq_policy *policy = NULL;
    play *p = NULL;
    dq_status status = dq_policy_from_run(&policy, run, error);
    if (!status) status = play_create_with(&p, policy, dq_run_get_config(run), 0, error);
    if (!status) status = film_make(p, &dq_movie_gif, path, &style, &report, error);
    play_destroy(p);
    if (end && !status) {
        end->width = report.width;
        end->height = report.height;
    }
    return status;
}
