// An HTML page in one file: no script, no font, no address outside it; light and dark, screen and paper.
//
// Everything a page shows goes through page_text or a function here that calls it, so that no text can
// become markup.
#ifndef DEEPQ_CLI_PAGE_H
#define DEEPQ_CLI_PAGE_H

#include <deepq/base.h>
#include <stdio.h>

void page_begin(FILE *out, const char *title, const char *subtitle);
void page_end(FILE *out);

// Text with &, <, >, quotes and control characters made harmless.
void page_text(FILE *out, const char *text);
void page_printf(FILE *out, const char *format, ...) DQ_PRINTF(2, 3); // the same, formatted

void page_section(FILE *out, const char *heading);
void page_paragraph(FILE *out, const char *css_class, const char *text);

// A row of facts: page_facts_begin, page_fact..., page_facts_end.
void page_facts_begin(FILE *out);
void page_fact(FILE *out, const char *name, const char *value, const char *note);
void page_facts_end(FILE *out);

// A picture with a caption. `light` and `dark` are SVG texts.
void page_picture(FILE *out, const char *light, const char *dark, const char *alt, const char *caption);
// A picture of bytes, such as an image/gif.
void page_image(FILE *out, const char *type, const unsigned char *bytes, size_t size, const char *alt,
                const char *caption);

// Tables: page_table_begin, (page_row_begin, page_cell..., page_row_end)..., page_table_end. `css_class` may
// be NULL, and so may a heading.
void page_table_begin(FILE *out, const char *css_class, const char *const *headings, int count);
void page_row_begin(FILE *out);
void page_cell(FILE *out, const char *css_class, const char *text);  // "name": left, heads its row
void page_cell_shaded(FILE *out, double strength, const char *text); // strength: 0 to 1
void page_row_end(FILE *out);
void page_table_end(FILE *out);

// What opens on a click, and on paper stands open or not at all.
void page_details_begin(FILE *out, const char *summary, bool on_paper);
void page_details_end(FILE *out);

#endif
