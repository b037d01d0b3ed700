// An HTML page in one file.
#include "page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--quiet:#59626d;--line:#dfe3e8;--shade:#f5f7f9;"
    "--mark:#0b6cb0;--good:11,108,176}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#eef1f4;--quiet:#a9b2bc;"
    "--line:#323940;--shade:#1d2126;--mark:#4ba3e3;--good:75,163,227}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe "
    "UI',"
    "Roboto,'Noto Sans','DejaVu Sans',sans-serif;font-variant-numeric:tabular-nums}\n"
    "main{max-width:1080px;margin:0 auto;padding:48px 28px 64px}\n"
    "header{margin-bottom:28px}\n"
    "h1{font-size:32px;line-height:1.2;letter-spacing:-.012em;margin:0 0 6px}\n"
    "h2{font-size:20px;line-height:1.3;margin:52px 0 12px;padding-top:18px;border-top:1px solid "
    "var(--line)}\n"
    "p{margin:0 0 14px;max-width:46em}\n"
    ".sub{color:var(--quiet);font-size:17px;margin:0}\n"
    ".lead{font-size:17px}\n"
    ".note,figcaption,footer{color:var(--quiet);font-size:14px;line-height:1.5}\n"
    ".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:24px 0}\n"
    ".fact{background:var(--shade);border-radius:8px;padding:14px 16px}\n"
    ".fact dt{color:var(--quiet);font-size:13px;margin:0}\n"
    ".fact dd{margin:0;font-size:24px;font-weight:650;line-height:1.3;overflow-wrap:anywhere}\n"
    ".fact small{display:block;color:var(--quiet);font-size:13px;font-weight:400}\n"
    "figure{margin:20px 0 8px}\n"
    "figure img{display:block;width:calc(100% + 44px);height:auto;margin:0 -22px 8px}\n"
    "figure img.plain{width:auto;max-width:100%;margin:0 0 8px;border-radius:6px;border:1px solid "
    "var(--line)}\n"
    "figcaption{max-width:52em}\n"
    ".scroll{overflow-x:auto;margin:14px 0}\n"
    "table{border-collapse:collapse;font-size:14px;line-height:1.4;width:100%}\n"
    "th,td{padding:7px 12px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}\n"
    "thead th{color:var(--quiet);font-weight:500;vertical-align:bottom;border-bottom:1.5px solid "
    "var(--quiet)}\n"
    "th:first-child,td:first-child{text-align:left;padding-left:0}\n"
    "tbody th{font-weight:600}\n"
    "td.text{text-align:left;white-space:normal}\n"
    "td.strong{font-weight:650}\n"
    "td.quiet,td .range{color:var(--quiet)}\n"
    "table.options{table-layout:fixed;width:100%}\n"
    "table.options th,table.options td{text-align:left;white-space:normal;overflow-wrap:anywhere}\n"
    "table.options th:first-child{width:27%;font-weight:500}\n"
    "table.matrix td,table.matrix thead th{text-align:center}\n"
    "table.wide{font-size:12.5px}table.wide th,table.wide td{padding:5px 4px}\n"
    "table.wide thead th{white-space:normal;overflow-wrap:anywhere;font-size:11.5px;line-height:1.2}\n"
    "code{font:13.5px/1.5 ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;overflow-wrap:anywhere}\n"
    "details{margin:14px 0}\n"
    "summary{cursor:pointer;color:var(--mark);font-weight:550}\n"
    "footer{margin-top:56px;padding-top:16px;border-top:1px solid var(--line)}\n"
    "@media print{@page{size:A4;margin:16mm 14mm}body{font-size:10.5pt}main{max-width:none;padding:0}"
    "h1{font-size:22pt}h2{margin-top:22pt;font-size:13pt;break-after:avoid}h2+p{break-after:avoid}figure,."
    "fact,tr{break-inside:"
    "avoid}"
    "figure img{width:100%;margin:0 0 4pt}table{font-size:8.5pt}th,td{padding:3.5pt "
    "6pt}.scroll{overflow:visible}"
    ".fact{border:1px solid var(--line)}"
    "table.wide,table.wide thead th{font-size:6.5pt}table.wide th,table.wide td{padding:3pt 2pt}"
    ".facts{grid-template-columns:repeat(5,1fr);gap:6pt;margin:12pt 0}.fact{padding:6pt 8pt}"
    ".fact dd{font-size:13pt}.fact dt,.fact small{font-size:8pt}.note,figcaption{font-size:9pt}"
    "details{display:none}details.paper{display:block}details.paper summary{display:none}"
    "details.paper::details-content{content-visibility:visible;block-size:auto}"
    "thead{display:table-header-group}}\n";

void page_text(FILE *out, const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        switch (*c) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            if (*c >= 0x20 || *c == '\n' || *c == '\t') fputc(*c, out);
        }
    }
}

void page_printf(FILE *out, const char *format, ...) {
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) return;
    page_text(out, text);
    free(text);
}

void page_begin(FILE *out, const char *title, const char *subtitle) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>",
          out);
    page_text(out, title);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<header>\n<h1>", style);
    page_text(out, title);
    fputs("</h1>\n", out);
    if (subtitle) page_paragraph(out, "sub", subtitle);
    fputs("</header>\n", out);
}

void page_end(FILE *out) {
    fputs("<footer>Made by deepq " DEEPQ_VERSION ".</footer>\n</main>\n</body>\n</html>\n", out);
}

void page_section(FILE *out, const char *heading) {
    fputs("<h2>", out);
    page_text(out, heading);
    fputs("</h2>\n", out);
}

void page_paragraph(FILE *out, const char *css_class, const char *text) {
    fputs("<p", out);
    if (css_class) fprintf(out, " class=\"%s\"", css_class);
    fputc('>', out);
    page_text(out, text);
    fputs("</p>\n", out);
}

void page_facts_begin(FILE *out) {
    fputs("<dl class=\"facts\">\n", out);
}

void page_fact(FILE *out, const char *name, const char *value, const char *note) {
    fputs("<div class=\"fact\"><dt>", out);
    page_text(out, name);
    fputs("</dt><dd>", out);
    page_text(out, value);
    if (note) {
        fputs("<small>", out);
        page_text(out, note);
        fputs("</small>", out);
    }
    fputs("</dd></div>\n", out);
}

void page_facts_end(FILE *out) {
    fputs("</dl>\n", out);
}

// --- pictures ---------------------------------------------------------------------------------------------

static void write_base64(FILE *out, const unsigned char *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned group = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? (unsigned)bytes[i + 2] : 0);
        fputc(digits[group >> 18], out);
        fputc(digits[group >> 12 & 63], out);
        fputc(left > 1 ? digits[group >> 6 & 63] : '=', out);
        fputc(left > 2 ? digits[group & 63] : '=', out);
    }
}

static void write_data(FILE *out, const char *type, const void *bytes, size_t size) {
    fprintf(out, "data:%s;base64,", type);
    write_base64(out, bytes, size);
}

static void end_figure(FILE *out, const char *caption) {
    if (caption) {
        fputs("<figcaption>", out);
        page_text(out, caption);
        fputs("</figcaption>", out);
    }
    fputs("</figure>\n", out);
}

void page_picture(FILE *out, const char *light, const char *dark, const char *alt, const char *caption) {
    fputs("<figure><picture><source media=\"screen and (prefers-color-scheme:dark)\" srcset=\"", out);
    write_data(out, "image/svg+xml", dark, strlen(dark));
    fputs("\"/><img src=\"", out);
    write_data(out, "image/svg+xml", light, strlen(light));
    fputs("\" alt=\"", out);
    page_text(out, alt);
    fputs("\"/></picture>", out);
    end_figure(out, caption);
}

void page_image(FILE *out, const char *type, const unsigned char *bytes, size_t size, const char *alt,
                const char *caption) {
    fputs("<figure><img class=\"plain\" src=\"", out);
    write_data(out, type, bytes, size);
    fputs("\" alt=\"", out);
    page_text(out, alt);
    fputs("\"/>", out);
    end_figure(out, caption);
}

// --- tables -----------------------------------------------------------------------------------------------

void page_table_begin(FILE *out, const char *css_class, const char *const *headings, int count) {
    fputs("<div class=\"scroll\"><table", out);
    if (css_class) fprintf(out, " class=\"%s\"", css_class);
    fputs(">\n<thead><tr>", out);
    for (int i = 0; i < count; i++) {
        fputs("<th scope=\"col\">", out);
        page_text(out, headings[i] ? headings[i] : "");
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
}

void page_row_begin(FILE *out) {
    fputs("<tr>", out);
}

void page_cell(FILE *out, const char *css_class, const char *text) {
    bool name = css_class && strcmp(css_class, "name") == 0;
    if (name)
        fputs("<th scope=\"row\">", out);
    else if (css_class)
        fprintf(out, "<td class=\"%s\">", css_class);
    else
        fputs("<td>", out);
    page_text(out, text);
    fputs(name ? "</th>" : "</td>", out);
}

void page_cell_shaded(FILE *out, double strength, const char *text) {
    fprintf(out, "<td style=\"background:rgba(var(--good),%.2f)\">", 0.32 * strength);
    page_text(out, text);
    fputs("</td>", out);
}

void page_row_end(FILE *out) {
    fputs("</tr>\n", out);
}

void page_table_end(FILE *out) {
    fputs("</tbody></table></div>\n", out);
}

void page_details_begin(FILE *out, const char *summary, bool on_paper) {
    fprintf(out, "<details%s><summary>", on_paper ? " class=\"paper\"" : "");
    page_text(out, summary);
    fputs("</summary>\n", out);
}

void page_details_end(FILE *out) {
    fputs("</details>\n", out);
}
