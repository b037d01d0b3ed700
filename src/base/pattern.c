// Matching of names; pattern.h tells the rules.
#include "base/pattern.h"

#include <string.h>

bool dq_pattern_fits(const char *pattern, size_t length, const char *name, size_t *rest,
                     size_t *rest_length) {
    const size_t all = strlen(name);
    const char *star = memchr(pattern, '*', length);
    if (!star) {
        if (all < length || memcmp(name, pattern, length) || (all > length && name[length] != '.'))
            return false;
        *rest = length;
        *rest_length = all - length;
        return true;
    }
    const size_t before = (size_t)(star - pattern), behind = length - before - 1;
    if (all < before + behind || memcmp(name, pattern, before) ||
        memcmp(name + all - behind, star + 1, behind))
        return false;
    *rest = before;
    *rest_length = all - before - behind;
    return true;
}

const char *dq_patterns_next(const char **patterns, size_t *length) {
    const char *start = *patterns + strspn(*patterns, ", ");
    if (!*start) return NULL;
    *length = strcspn(start, ",");
    *patterns = start + *length;
    while (start[*length - 1] == ' ') --*length;
    return start;
}

bool dq_patterns_fit(const char *patterns, const char *name) {
    size_t length, rest, rest_length;
    for (const char *pattern; (pattern = dq_patterns_next(&patterns, &length));)
        if (dq_pattern_fits(pattern, length, name, &rest, &rest_length)) return true;
    return false;
}
