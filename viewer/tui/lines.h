/* SPDX-License-Identifier: MIT */
/*
 * lines.h - a page whose rows are written once, in order, with headings that fold what is below them: details of one thing.
 */
#ifndef THRUM_VIEWER_TUI_LINES_H
#define THRUM_VIEWER_TUI_LINES_H

#include "page.h"

struct tui_lines;

/* Never NULL: a failed allocation ends the program. */
struct tui_lines *tui_lines_new(const struct tui_data *data);

/* Lines from here on: on the left, then on the right of the same rows where the terminal is wide enough, else one below the other. */
enum tui_side { TUI_SIDE_NONE, TUI_SIDE_LEFT, TUI_SIDE_RIGHT };
#define TUI_WIDE 160u
void tui_lines_side(struct tui_lines *lines, enum tui_side side);

/* The line that comes next: write it, with styles, and end it by the next call. A heading folds all up to the next one. */
FILE *tui_lines_next(struct tui_lines *lines, bool is_heading);
/* Of the line that is being written: the source that O opens, and the page that Enter opens. Both borrowed from the data. */
void tui_lines_place(struct tui_lines *lines, const char *file, int line);
void tui_lines_open_finding(struct tui_lines *lines, const struct finding *f);
void tui_lines_open_timeline(struct tui_lines *lines, const struct finding *f); /* of it only */
void tui_lines_open_lock(struct tui_lines *lines, uint32_t process, uint32_t object);
void tui_lines_open_thread(struct tui_lines *lines, uint32_t process, uint32_t thread);

/* Frames of a stack, the innermost first, with the source of the program's first few. */
void tui_lines_put_frames(struct tui_lines *lines, const struct frames *frames);
/* The same of a stack of the trace. */
void tui_lines_put_stack(struct tui_lines *lines, size_t process, uint32_t stack, uint64_t time_ns);
/* Lines of a text that is escaped already. */
void tui_lines_put_text(struct tui_lines *lines, const char *text);

struct tui_page *tui_lines_page(struct tui_lines *lines, const char *title);

#endif
