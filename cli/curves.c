// Learning curves: loads runs' metrics and gathers them into groups that differ in their seed alone.
#include "curves.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool holds_run(const char *folder) {
    char path[PATH_MAX + 16];
    struct stat about;
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    return stat(path, &about) == 0;
}

static int only_runs(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

void curves_free_folders(char **folders, int count) {
    for (int i = 0; i < count; i++) free(folders[i]);
    free(folders);
}

dq_status curves_find(const char *folder, char ***folders, int *count, dq_error *error) {
    struct stat about;
    *folders = NULL;
    *count = 0;
    if (stat(folder, &about) != 0)
        return dq_fail(error, DQ_NOT_FOUND, folder, "there is no such run: %s", strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return dq_fail(error, DQ_USAGE, folder, "this is a file; a run's folder was expected");
    struct dirent **entries = NULL;
    bool itself = holds_run(folder);
    int n = itself ? 1 : scandir(folder, &entries, only_runs, versionsort);
    if (n < 0) return dq_fail(error, DQ_IO, folder, "cannot list the folder: %s", strerror(errno));
    dq_status status = DQ_OK;
    char **found = calloc((size_t)n + 1, sizeof *found);
    if (!found) status = dq_fail(error, DQ_MEMORY, folder, "out of memory");
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        if (itself)
            snprintf(path, sizeof path, "%s", folder);
        else if (snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) >= (int)sizeof path)
            path[0] = 0;
        if (!itself) free(entries[i]);
        if (status || !holds_run(path)) continue;
        if ((found[*count] = strdup(path)))
            ++*count;
        else
            status = dq_fail(error, DQ_MEMORY, folder, "out of memory");
    }
    free(entries);
    if (!status && *count == 0)
        status = dq_fail(error, DQ_NOT_FOUND, folder, "the folder holds no run: a run has a metrics.csv");
    if (status) {
        curves_free_folders(found, *count);
        *count = 0;
        return status;
    }
    *folders = found;
    return DQ_OK;
}

// --- one run ----------------------------------------------------------------------------------------------

// Takes the value of a "key: value" line into text[size].
static void take_value(const char *line, const char *key, char *text, size_t size) {
    size_t n = strlen(key);
    if (strncmp(line, key, n) != 0 || line[n] != ':') return;
    const char *value = line + n + 1 + strspn(line + n + 1, " \"'");
    snprintf(text, size, "%.*s", (int)strcspn(value, " \"'\n"), value);
}

static dq_status load_settings(curves_run *run, dq_error *error) {
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/config.yml", run->folder);
    FILE *file = fopen(path, "r");
    if (!file)
        return dq_fail(error, errno == ENOENT ? DQ_NOT_FOUND : DQ_IO, path,
                       "cannot read the run's configuration: %s", strerror(errno));
    char *line = NULL;
    size_t room = 0, size = 0;
    FILE *kept = open_memstream(&run->settings, &size);
    while (kept && getline(&line, &room, file) >= 0) {
        take_value(line, "env", run->env, sizeof run->env);
        take_value(line, "agent", run->agent, sizeof run->agent);
        if (strncmp(line, "seed:", 5) != 0 && line[0] != '#') fputs(line, kept);
    }
    bool failed = !kept || ferror(file);
    if (kept) failed |= fclose(kept) != 0;
    fclose(file);
    free(line);
    return failed ? dq_fail(error, DQ_IO, path, "cannot read the run's configuration") : DQ_OK;
}

static dq_status load_run(curves_run *run, const char *folder, dq_error *error) {
    char path[PATH_MAX + 16];
    snprintf(run->folder, sizeof run->folder, "%s", folder);
    dq_status status = load_settings(run, error);
    if (status) return status;
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    return dq_csv_read(&run->metrics, path, error);
}

void curves_deinit(curves *c) {
    for (int i = 0; i < c->count; i++) {
        free(c->runs[i].settings);
        dq_csv_deinit(&c->runs[i].metrics);
    }
    free(c->runs);
    *c = (curves){0};
}

static dq_status load_below(curves *c, const char *folder, dq_error *error) {
    char **found;
    int n;
    dq_status status = curves_find(folder, &found, &n, error);
    if (status) return status;
    curves_run *grown = realloc(c->runs, (size_t)(c->count + n) * sizeof *grown);
    if (!grown)
        status = dq_fail(error, DQ_MEMORY, folder, "out of memory");
    else
        c->runs = grown;
    for (int i = 0; i < n && !status; i++) {
        c->runs[c->count] = (curves_run){0};
        status = load_run(&c->runs[c->count++], found[i], error);
    }
    curves_free_folders(found, n);
    return status;
}

dq_status curves_load(curves *out, char *const *folders, int count, dq_error *error) {
    *out = (curves){0};
    for (int i = 0; i < count; i++) {
        dq_status status = load_below(out, folders[i], error);
        if (status) return status;
    }
    for (int i = 0; i < out->count; i++) {
        curves_run *run = &out->runs[i];
        run->group = -1;
        for (int k = 0; k < i && run->group < 0; k++)
            if (strcmp(out->runs[k].settings, run->settings) == 0) run->group = out->runs[k].group;
        if (run->group < 0) run->group = out->groups++;
    }
    return DQ_OK;
}

void curves_smooth(const double *x, int64_t n, int window, double *out) {
    double *recent = malloc((size_t)window * sizeof *recent); // the last measured values, a ring
    int64_t held = 0;
    for (int64_t i = 0; i < n; i++) {
        out[i] = NAN;
        if (!isfinite(x[i]) || !recent) continue;
        recent[held++ % window] = x[i];
        int count = held < window ? (int)held : window;
        double sum = 0; // summed anew: a running sum would drift
        for (int k = 0; k < count; k++) sum += recent[k];
        out[i] = sum / count;
    }
    free(recent);
}
