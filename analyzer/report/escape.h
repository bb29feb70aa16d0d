/* SPDX-License-Identifier: MIT */
/*
 * escape.h - makes strings of the recorded program harmless for a terminal, for HTML/XML and for
 * JSON.
 *
 * Invariants
 *  - Input is any bytes: names of threads, functions and files come from a hostile program. NULL
 *    writes nothing.
 *  - Output is valid UTF-8 whatever the input; a byte that does not belong to a valid sequence
 *    becomes U+FFFD.
 *  - No output holds a raw control character but the newline of a multi-line text (and the tab, in
 *    HTML).
 */
#ifndef THRUM_ANALYZER_REPORT_ESCAPE_H
#define THRUM_ANALYZER_REPORT_ESCAPE_H

#include <stdint.h>
#include <stdio.h>

/*
 * Decodes one code point of NUL-terminated `text` strictly (no overlong forms, surrogates, or
 * values above U+10FFFF). Returns the bytes used: 0 at the end, else 1..4. An invalid byte counts 1
 * and gives U+FFFD.
 */
size_t escape_decode(const char *text, uint32_t *ret_code_point);

/*
 * For a terminal, on one line: control characters as \n, \t, \x1b; characters that reorder text
 * (U+202A..U+202E, U+2066..U+2069) and C1 controls as \u202e. Backslashes stay as they are. Returns
 * the columns written, counting each code point as one.
 */
size_t escape_terminal(FILE *out, const char *text);

/* The same as a copy; NULL when out of memory. Caller frees. */
char *escape_terminal_copy(const char *text);

/* The same for a line of source text: a run of tabs becomes two blanks. */
void escape_terminal_code(FILE *out, const char *text);

/*
 * As escape_terminal, but a newline stays one and is followed by `indent` blanks: for messages of
 * several lines.
 */
void escape_terminal_lines(FILE *out, const char *text, unsigned indent);

/*
 * For HTML and XML text and for attribute values in either kind of quotes. Controls become U+FFFD.
 */
void escape_html(FILE *out, const char *text);

/*
 * Copy of `text` that is valid UTF-8, for writers that escape the rest themselves (JSON). NULL when
 * out of memory. Caller frees.
 */
char *escape_utf8(const char *text);

#endif
