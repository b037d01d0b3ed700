// Facts, the best trial (or the front), and for every objective the pictures that the study has something
// for.
#include "study_report.h"

#include "base/file.h"
#include "page.h"
#include "study_charts.h"
#include "tune/history.h"
#include "tune/space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { most_rows = 30 };

static void write_facts(const dq_study *study, FILE *out) {
    static const char *const states[] = {"running", "complete", "pruned", "failed", "waiting"};
    int of_state[5] = {0};
    char text[64], name[96];
    for (int i = 0; i < study->trial_count; i++) of_state[study->trials[i]->state]++;
    page_facts_begin(out);
    snprintf(text, sizeof text, "%d", study->trial_count);
    page_fact(out, "trials", text, NULL);
    for (int i = 0; i < 5; i++) {
        if (of_state[i] == 0) continue;
        snprintf(text, sizeof text, "%d", of_state[i]);
        page_fact(out, states[i], text, NULL);
    }
    const dq_trial *best = study->direction_count == 1 ? dq_study_best(study) : NULL;
    if (best) {
        char which[64];
        study_objective_name(study, 0, name, sizeof name);
        snprintf(text, sizeof text, "%.6g", best->values[0]);
        snprintf(which, sizeof which, "trial %lld", (long long)best->number);
        page_fact(out, study->directions[0] == DQ_MAXIMIZE ? "highest" : "lowest", text, which);
        page_fact(out, "objective", name, study->directions[0] == DQ_MAXIMIZE ? "maximised" : "minimised");
    }
    page_facts_end(out);
}

static void write_trials(const dq_study *study, const dq_trial *const *trials, int count, FILE *out) {
    enum { most_columns = 64 };
    const char *headings[most_columns] = {"trial"};
    char names[8][96], text[300];
    int columns = 1, objectives = study->direction_count < 8 ? study->direction_count : 8;
    for (int k = 0; k < objectives; k++) {
        study_objective_name(study, k, names[k], sizeof names[k]);
        headings[columns++] = names[k];
    }
    int first_param = columns;
    for (int p = 0; p < trials[0]->param_count && columns < most_columns; p++)
        headings[columns++] = trials[0]->params[p].name;
    page_table_begin(out, NULL, headings, columns);
    for (int i = 0; i < count && i < most_rows; i++) {
        page_row_begin(out);
        snprintf(text, sizeof text, "%lld", (long long)trials[i]->number);
        page_cell(out, "name", text);
        for (int k = 0; k < objectives; k++) {
            snprintf(text, sizeof text, "%.6g", trials[i]->values[k]);
            page_cell(out, "strong", text);
        }
        for (int p = first_param; p < columns; p++) {
            const dq_trial_param *param = dq_trial_sound_param(trials[i], headings[p]);
            text[0] = 0;
            if (param && param->distribution->kind == DQ_FLOAT)
                snprintf(text, sizeof text, "%.4g", param->value);
            else if (param)
                dq_param_text(param->distribution, param->value, text, sizeof text);
            page_cell(out, NULL, text);
        }
        page_row_end(out);
    }
    page_table_end(out);
}

static int by_value(const void *a, const void *b) { // the better value before; all are complete
    const dq_trial *x = *(const dq_trial *const *)a, *y = *(const dq_trial *const *)b;
    return (x->values[0] > y->values[0]) - (x->values[0] < y->values[0]);
}

static dq_status write_best(const dq_study *study, FILE *out, dq_error *error) {
    const dq_trial **list = calloc((size_t)study->trial_count + 1, sizeof *list);
    if (!list) return dq_fail(error, DQ_MEMORY, study->name, "there is no memory for the page");
    int count = 0;
    if (study->direction_count > 1) {
        count = dq_study_front(study, list);
    } else {
        for (int i = 0; i < study->trial_count; i++)
            if (dq_trial_tells(study, study->trials[i], false) && isfinite(study->trials[i]->values[0]))
                list[count++] = study->trials[i];
        qsort(list, (size_t)count, sizeof *list, by_value);
        for (int i = 0; study->directions[0] == DQ_MAXIMIZE && i < count / 2; i++) {
            const dq_trial *other = list[i];
            list[i] = list[count - 1 - i];
            list[count - 1 - i] = other;
        }
        if (count > 10) count = 10;
    }
    if (count > 0) {
        page_section(out, study->direction_count > 1 ? "Trials that no other one beats" : "Best trials");
        write_trials(study, list, count, out);
    }
    free(list);
    return DQ_OK;
}

static dq_status write_picture(const dq_study *study, const study_chart_kind *kind, int objective, FILE *out,
                               dq_error *error) {
    study_chart *chart;
    char *light = NULL, *dark = NULL, heading[160], name[96];
    size_t size;
    dq_status status = study_chart_create(&chart, study, kind->name, objective, error);
    if (status == DQ_NOT_FOUND) return DQ_OK;
    if (status) return status;
    dq_chart *figure = study_chart_figure(chart);
    figure->title = figure->subtitle = NULL;
    status = dq_chart_svg(figure, &light, &size, error);
    figure->theme = DQ_CHART_DARK;
    if (!status) status = dq_chart_svg(figure, &dark, &size, error);
    if (!status) {
        study_objective_name(study, objective, name, sizeof name);
        snprintf(heading, sizeof heading, study->direction_count > 1 ? "%s: %s" : "%s", kind->title, name);
        page_section(out, heading);
        page_picture(out, light, dark, kind->help, kind->help);
    }
    free(light);
    free(dark);
    study_chart_destroy(chart);
    return status;
}

dq_status study_report_write(const dq_study *study, const char *title, FILE *out, dq_error *error) {
    page_begin(out, title ? title : study->name, "A search for hyper-parameters");
    write_facts(study, out);
    dq_status status = write_best(study, out, error);
    for (int objective = 0; !status && objective < study->direction_count; objective++)
        for (int k = 0; !status && study_chart_kinds[k].name; k++) {
            // Two fronts with the axes swapped, or the same steps twice, would say nothing new.
            bool once = !strcmp(study_chart_kinds[k].name, "front") ||
                        !strcmp(study_chart_kinds[k].name, "intermediate");
            if (objective == 0 || !once)
                status = write_picture(study, &study_chart_kinds[k], objective, out, error);
        }
    page_end(out);
    return status;
}

dq_status study_report_save(const dq_study *study, const char *title, const char *path, dq_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return dq_fail(error, DQ_MEMORY, path, "there is no memory for the page");
    dq_status status = study_report_write(study, title, out, error);
    if (fclose(out) && !status) status = dq_fail(error, DQ_MEMORY, path, "there is no memory for the page");
    if (!status) status = dq_file_replace(path, text, size, error);
    free(text);
    return status;
}
