// Makes an SVG that Cairo wrote smaller: it writes six decimals where two can be seen.
#include "draw/svg_short.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { number_most = 31 };

static bool in_number(char c) {
    return isdigit((unsigned char)c) || c == '.' || c == '-';
}

// Copies one number from `in` to `out`, rounded; returns where each goes on. Never writes more than it read.
static void copy_number(const char **in, char **out) {
    char number[number_most + 1], rounded[number_most + 8];
    size_t length = 0;
    while (length < number_most && in_number((*in)[length])) length++;
    memcpy(number, *in, length);
    number[length] = 0;
    int n = snprintf(rounded, sizeof rounded, "%.2f", strtod(number, NULL));
    while (n > 0 && rounded[n - 1] == '0') n--;
    if (n > 0 && rounded[n - 1] == '.') n--;
    if (n == 2 && memcmp(rounded, "-0", 2) == 0) n = (int)strlen(strcpy(rounded, "0"));
    if ((size_t)n < length) {
        memcpy(*out, rounded, (size_t)n);
        *out += n;
    } else {
        memmove(*out, *in, length);
        *out += length;
    }
    *in += length;
}

size_t dq_svg_shorten(char *text) {
    const char *in = text;
    char *out = text;
    bool in_path = false;
    while (*in) {
        if (in_path && in_number(*in)) {
            copy_number(&in, &out);
            continue;
        }
        if (in_path && *in == '"') in_path = false;
        if (!in_path && strncmp(in, " d=\"", 4) == 0) {
            memmove(out, in, 4);
            in += 4;
            out += 4;
            in_path = true;
            continue;
        }
        *out++ = *in++;
    }
    *out = 0;
    return (size_t)(out - text);
}
