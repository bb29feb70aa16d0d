/* SPDX-License-Identifier: MIT */
/*
 * html_text.h - words inside pictures, where there is room for so many characters and no line breaks.
 */
#ifndef THRUM_ANALYZER_REPORT_HTML_TEXT_H
#define THRUM_ANALYZER_REPORT_HTML_TEXT_H

#include "../finding.h"

#include <stdio.h>

/*
 * At most `characters` code points, escaped, the middle of a longer name left out: both ends of a name tell it apart.
 */
void html_short(FILE *out, const char *text, size_t characters);

/* Innermost frame of the program that has a name; NULL = there is none. */
const struct frame *html_program_frame(const struct frames *frames);

/* A small line with what a thread or lock is ("" = nothing to say), a bold one with its name. */
void html_thread_lines(const struct finding *f, uint32_t id, char *kind, char *name, size_t bytes);
void html_lock_lines(const struct finding *f, uint32_t id, char *kind, char *name, size_t bytes);

/* A box around that point: a thread's has round ends. `full`: its title, for who points at it. */
struct html_box {
	int x, y, width, height; /* of its centre */
	bool is_thread;
	const char *kind, *name, *full;
	size_t characters;
};
void html_box(FILE *out, const struct html_box *box);

#endif
