// Small helpers for text that people write: strict numbers, exact number formatting, near misses.
#ifndef DQ_BASE_TEXT_H
#define DQ_BASE_TEXT_H

#include <deepq/base.h>

// Reads the whole of `text` (spaces around it allowed) or returns false and leaves *value alone.
// Integers: 1000, -3, 1e6, 2.5e3 and 1_000_000, when the value is whole and fits 64 bits.
bool dq_text_to_int(const char *text, int64_t *value);
// Reals: decimal, with underscores between digits; inf, nan and YAML's .inf, .nan; no hexadecimal.
bool dq_text_to_real(const char *text, double *value);
// true/false, yes/no, on/off, 1/0, in any case.
bool dq_text_to_bool(const char *text, bool *value);

// The shortest decimal text that reads back to the same bits: 0.0005, 100000, 1.0e+20, .inf, .nan. Every form
// is a number in YAML 1.1 too. `size` of 32 is always enough.
void dq_text_from_real(double value, char *text, size_t size);

// Insertions, deletions, replacements and swaps of neighbours that lead from a to b (optimal string
// alignment). Upper and lower case are alike, and so are '-' and '_'. Texts longer than 63 compare by their
// first 63.
int dq_text_distance(const char *a, const char *b);

// The largest distance at which a known word is still worth offering for `text`.
int dq_text_near(const char *text);

#endif
