// One option of every type, for the fuzz targets that set options.
#ifndef TEST_FUZZ_OPTIONS_TABLE_H
#define TEST_FUZZ_OPTIONS_TABLE_H

#include <deepq/options.h>
#include <math.h>

struct fuzz_values {
    bool flag;
    int64_t whole;
    double real, off;
    int choice;
    char text[16];
    dq_ints list;
};

#define FUZZ_AT(field) offsetof(struct fuzz_values, field)
static const dq_option fuzz_rows[] = {
    {"flag", "", DQ_OPTION_BOOL, FUZZ_AT(flag), .default_text = "no"},
    {"whole", "", DQ_OPTION_INT, FUZZ_AT(whole), .default_text = "1e3", .min = -0x1p63, .max = 0x1p63},
    {"real", "", DQ_OPTION_REAL, FUZZ_AT(real), .default_text = "0.5", .min = -INFINITY, .max = INFINITY},
    {"off", "", DQ_OPTION_REAL, FUZZ_AT(off), .default_text = "nan", .min = -1, .max = 1},
    {"choice", "", DQ_OPTION_CHOICE, FUZZ_AT(choice), .default_text = "a", .choices = "a|bc|off"},
    {"text", "", DQ_OPTION_TEXT, FUZZ_AT(text), .text_size = 16, .default_text = ""},
    {"list", "", DQ_OPTION_INTS, FUZZ_AT(list), .default_text = "[]", .min = -1e9, .max = 1e9},
};
static const dq_option_table fuzz_table = {fuzz_rows, sizeof fuzz_rows / sizeof fuzz_rows[0]};

#endif
