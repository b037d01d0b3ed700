// Text helpers: strict numbers, exact number formatting, edit distance.
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_MAX 64

// Copies a number's characters without surrounding spaces and without underscores between digits. False when
// it is empty, too long, or has a character no decimal number has.
static bool clean_number(const char *text, char clean[NUMBER_MAX]) {
    while (isspace((unsigned char)*text)) text++;
    size_t end = strlen(text);
    while (end > 0 && isspace((unsigned char)text[end - 1])) end--;
    size_t length = 0;
    for (size_t i = 0; i < end; i++) {
        char c = text[i];
        if (c == '_') {
            bool between = i > 0 && i + 1 < end && isdigit((unsigned char)text[i - 1]) &&
                           isdigit((unsigned char)text[i + 1]);
            if (!between) return false;
            continue;
        }
        if (!isdigit((unsigned char)c) && !strchr("+-.eE", c)) return false;
        if (length + 1 >= NUMBER_MAX) return false;
        clean[length++] = c;
    }
    clean[length] = 0;
    return length > 0;
}

bool dq_text_to_real(const char *text, double *value) {
    static const struct {
        const char *name;
        double value;
    } special[] = {
        {"nan", NAN},       {".nan", NAN},       {"inf", INFINITY},   {".inf", INFINITY},
        {"+inf", INFINITY}, {"+.inf", INFINITY}, {"-inf", -INFINITY}, {"-.inf", -INFINITY},
    };
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (!strcasecmp(text, special[i].name)) {
            *value = special[i].value;
            return true;
        }
    char clean[NUMBER_MAX];
    if (!clean_number(text, clean)) return false;
    char *end;
    double read = strtod(clean, &end);
    if (*end || end == clean || !isfinite(read)) return false;
    *value = read;
    return true;
}

bool dq_text_to_int(const char *text, int64_t *value) {
    char clean[NUMBER_MAX];
    if (!clean_number(text, clean)) return false;
    if (!strpbrk(clean, ".eE")) {
        // Digits alone are read as integers, so that the largest ones lose no bit on the way through double.
        bool negative = *clean == '-';
        const char *digits = clean + (negative || *clean == '+');
        if (!*digits) return false;
        uint64_t sum = 0;
        for (; *digits; digits++) {
            if (!isdigit((unsigned char)*digits)) return false;
            if (__builtin_mul_overflow(sum, 10u, &sum) ||
                __builtin_add_overflow(sum, (uint64_t)(*digits - '0'), &sum))
                return false;
        }
        if (sum > (uint64_t)INT64_MAX + negative) return false;
        *value = (int64_t)(negative ? 0 - sum : sum);
        return true;
    }
    double real;
    if (!dq_text_to_real(clean, &real)) return false;
    if (real != floor(real) || fabs(real) > 9007199254740992.0) return false; // whole, and exact in a double
    *value = (int64_t)real;
    return true;
}

bool dq_text_to_bool(const char *text, bool *value) {
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (int i = 0; i < 8; i++)
        if (!strcasecmp(text, words[i])) {
            *value = i & 1;
            return true;
        }
    return false;
}

void dq_text_from_real(double value, char *text, size_t size) {
    if (isnan(value)) {
        snprintf(text, size, ".nan");
        return;
    }
    if (isinf(value)) {
        snprintf(text, size, value < 0 ? "-.inf" : ".inf");
        return;
    }
    char digits[40];
    int precision = 1;
    for (; precision < 17; precision++) {
        snprintf(digits, sizeof digits, "%.*e", precision - 1, value);
        if (strtod(digits, NULL) == value) break;
    }
    snprintf(digits, sizeof digits, "%.*e", precision - 1, value);
    int exponent = atoi(strchr(digits, 'e') + 1);
    if (exponent >= -5 && exponent <= 15) {
        int decimals = precision - 1 - exponent;
        snprintf(text, size, "%.*f", decimals > 0 ? decimals : 0, value);
    } else if (precision == 1) {
        snprintf(text, size, "%.1e", value); // YAML 1.1 reads 1e+20 as text, 1.0e+20 as a number
    } else {
        snprintf(text, size, "%s", digits);
    }
}

static int folded(char c) {
    return c == '-' ? '_' : tolower((unsigned char)c);
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

#define DISTANCE_MAX 63

int dq_text_distance(const char *a, const char *b) {
    int rows[3][DISTANCE_MAX + 1]; // the last three rows of the alignment table
    int length_a = (int)strnlen(a, DISTANCE_MAX), length_b = (int)strnlen(b, DISTANCE_MAX);
    for (int j = 0; j <= length_b; j++) rows[0][j] = j;
    for (int i = 1; i <= length_a; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= length_b; j++) {
            int ca = folded(a[i - 1]), cb = folded(b[j - 1]);
            int best = smaller(above[j], row[j - 1]) + 1;
            best = smaller(best, above[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == folded(b[j - 2]) && folded(a[i - 2]) == cb)
                best = smaller(best, two_above[j - 2] + 1);
            row[j] = best;
        }
    }
    return rows[length_a % 3][length_b];
}

int dq_text_near(const char *text) {
    return 1 + (int)strnlen(text, DISTANCE_MAX) / 4;
}
