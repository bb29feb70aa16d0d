/* SPDX-License-Identifier: MIT */
/*
 * term.h - the terminal: the only file that knows ncurses. One at a time in a process.
 *
 * Between start and stop SIGTERM, SIGHUP and SIGINT are noted instead of ending the process, so that the terminal is left as it was.
 */
#ifndef THRUM_VIEWER_TUI_TERM_H
#define THRUM_VIEWER_TUI_TERM_H

#include <stdbool.h>

enum term_key {
	TERM_NONE = -1, /* nothing was typed for a while */
	TERM_UP = 0x20000,
	TERM_DOWN,
	TERM_LEFT,
	TERM_RIGHT,
	TERM_PAGE_UP,
	TERM_PAGE_DOWN,
	TERM_HOME,
	TERM_END,
	TERM_ENTER,
	TERM_BACK,
	TERM_ESCAPE,
	TERM_TAB,
	TERM_BACK_TAB,
	TERM_RESIZE,
	TERM_GONE, /* no more input will come */
};

/* False = this terminal cannot do it; nothing was changed then. */
bool term_start(bool color);
void term_stop(void);

/* Of the locale, after setlocale(): can it show more than ASCII? */
bool term_is_unicode(void);
void term_get_size(unsigned *ret_rows, unsigned *ret_columns);

void term_clear(void);
/* A row of text with style marks from a column on, as far as there is room; `marked` is the selected one. Returns whether it was cut. */
bool term_put(unsigned row, unsigned column, const char *text, bool marked);
void term_show(void);

/* A key: enum term_key, or a byte. */
int term_read(void);
/* The signal that asks to end; 0 = none did. */
int term_signal(void);

/* Leaves the terminal to another program while `run` goes, then takes it back. */
void term_lend(void (*run)(void *cookie), void *cookie);

#endif
