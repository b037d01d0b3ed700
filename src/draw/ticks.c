// Where an axis puts its marks: round numbers, evenly apart.
#include "draw/ticks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

dq_ticks dq_ticks_choose(double low, double high, int wanted) {
    dq_ticks ticks = {0};
    if (!(high > low) || !isfinite(high - low) || wanted < 1) return (dq_ticks){low, 1, 1, 0};
    static const double mantissas[] = {1, 2, 2.5, 5, 10};
    double rough = (high - low) / wanted, power = pow(10, floor(log10(rough)));
    double best = INFINITY;
    for (int i = 0; i < 5; i++) { // the step nearest to the rough one, on a log scale
        double step = mantissas[i] * power, miss = fabs(log(step / rough));
        if (miss < best) {
            best = miss;
            ticks.step = step;
        }
    }
    double slack = 1e-9 * (high - low);
    double from = ceil((low - slack) / ticks.step), to = floor((high + slack) / ticks.step);
    ticks.first = from * ticks.step;
    ticks.count = (int)(to - from) + 1;
    if (ticks.count > DQ_TICKS_MAX) ticks.count = DQ_TICKS_MAX;
    while (ticks.decimals < 12) {
        double scaled = ticks.step * pow(10, ticks.decimals);
        if (fabs(scaled - round(scaled)) < 1e-6 * scaled) break;
        ticks.decimals++;
    }
    return ticks;
}

// Puts a comma between thousands of a plain integer text.
static void group_thousands(const char *digits, char *text, size_t size) {
    size_t n = strlen(digits), at = 0;
    for (size_t i = 0; i < n && at + 2 < size; i++) {
        if (i > 0 && digits[i - 1] != '-' && (n - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
}

char *dq_ticks_label(const dq_ticks *ticks, int index, char *text, size_t size) {
    double value = ticks->first + index * ticks->step;
    if (fabs(value) < 1e-9 * ticks->step) value = 0;
    double largest = fmax(fabs(ticks->first), fabs(ticks->first + (ticks->count - 1) * ticks->step));
    static const struct {
        double unit;
        const char *letter;
    } scales[] = {{1e9, "B"}, {1e6, "M"}, {1e3, "k"}};
    if (value == 0) {
        snprintf(text, size, "0");
        return text;
    }
    for (int i = 0; i < 3; i++) {
        if (largest < 10 * scales[i].unit) continue;
        int decimals = 0;
        for (double s = ticks->step / scales[i].unit; decimals < 9 && fabs(s - round(s)) > 1e-6 * s; s *= 10)
            decimals++;
        snprintf(text, size, "%.*f%s", decimals, value / scales[i].unit, scales[i].letter);
        return text;
    }
    if (ticks->decimals == 0 && fabs(value) >= 1000) {
        char digits[32];
        snprintf(digits, sizeof digits, "%.0f", value);
        group_thousands(digits, text, size);
    } else {
        snprintf(text, size, "%.*f", ticks->decimals, value);
    }
    return text;
}
