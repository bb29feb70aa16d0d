/* SPDX-License-Identifier: MIT */
/*
 * page.h - what the terminal shows, without the terminal: pages of rows of text. The screen (screen.h) draws them, --text prints them.
 *
 * Invariants
 *  - A row is one line of UTF-8 without control characters but style marks (TUI_STYLE), whatever names the trace has: everything from
 *    the trace is written by escape_terminal or through it.
 *  - Pages know nothing of colours, keys of terminals or their size but the width they are asked for.
 *
 * Not thread-safe. Out of memory shows less.
 */
#ifndef THRUM_VIEWER_TUI_PAGE_H
#define THRUM_VIEWER_TUI_PAGE_H

#include "../../analyzer/report/source.h"
#include "../export.h"
#include "../tables.h"

/* All that can be shown; borrowed. `tables` and `lanes` may be NULL: then only the report is there. */
struct tui_data {
	const struct report *report;
	struct trace_reader *reader; /* NULL = the input was a report */
	/* By number of a process in the findings: its index in the reader. */
	const uint32_t *process_of;
	size_t process_count;
	const struct tables *tables;
	const struct lanes *lanes;
	struct export_source source; /* of the same reader */
	struct source_cache *sources;
	bool ascii; /* the terminal has no UTF-8 */
};

enum tui_style {
	TUI_PLAIN,
	TUI_STRONG,
	TUI_FAINT,
	TUI_ERROR,
	TUI_WARNING,
	TUI_NOTE,
	TUI_GOOD,
	TUI_HOLD,
	TUI_WAIT,
	TUI_RUN,
	TUI_STYLES
};

/* Keys that have no character; others are what they type. */
enum tui_key { TUI_KEY_LEFT = 0x10000, TUI_KEY_RIGHT };

/* In a row: what follows has this style. */
#define TUI_STYLE_FIRST 0x0e
#define TUI_STYLE(style) ((char)(TUI_STYLE_FIRST + (style)))
_Static_assert(TUI_STYLE_FIRST + TUI_STYLES <= 0x1b, "no mark is the escape character");

struct tui_page;

struct tui_ops {
	void (*release)(struct tui_page *page); /* of `state` */
	/* Before rows are drawn in that width: may change how many there are. May be NULL. */
	void (*fit)(struct tui_page *page, unsigned width);
	/* The line above the rows; NULL = none. */
	void (*head)(const struct tui_page *page, unsigned width, FILE *out);
	void (*row)(const struct tui_page *page, size_t row, unsigned width, FILE *out);
	/* The page behind a row, or NULL after something on this page changed, or nothing. May be NULL. */
	struct tui_page *(*open)(struct tui_page *page, size_t row);
	/* A key that the screen has no use for itself; true = the page changed. May be NULL. */
	bool (*key)(struct tui_page *page, int key, size_t row, unsigned width);
	/* The line of source that a row is about; false = none. May be NULL. */
	bool (*place)(const struct tui_page *page, size_t row, const char **ret_file,
		      int *ret_line);
};

struct tui_page {
	const struct tui_ops *ops;
	const struct tui_data *data;
	char title[96]; /* escaped */
	size_t rows;
	void *state;	    /* owned */
	size_t top, cursor; /* the screen's */
};

/* NULL = out of memory. `state` is freed by the page's release. */
struct tui_page *tui_page_new(const struct tui_data *data, const struct tui_ops *ops, void *state,
			      size_t rows, const char *title);
void tui_page_free(struct tui_page *page); /* takes NULL */

/* Says in the title that so many have no row; 0 says nothing. `why`: "less time went into them". */
void tui_page_left_out(struct tui_page *page, uint64_t count, const char *why);

/* Printf that escapes afterwards what it made; not for style marks. */
__attribute__((format(printf, 2, 3))) void tui_put(FILE *out, const char *format, ...);
void tui_style(FILE *out, enum tui_style style);
/* "1.24 s", "310 ms", "17 us": at most 8 characters. */
void tui_put_time(FILE *out, uint64_t ns);
/* "1234", "56.7k", "1.2M": at most 6 characters. */
void tui_put_count(FILE *out, uint64_t count);

/* "1 time", "12.3k times". */
void tui_put_amount(FILE *out, uint64_t count, const char *singular, const char *plural);

/* ---- the screens, by the letter of their key; a row each in screens.c ---- */

struct tui_screen {
	char key;
	const char *name;
	struct tui_page *(*make)(const struct tui_data *data);
	bool needs_trace; /* tables and lanes */
};
extern const struct tui_screen tui_screens[];
extern const size_t tui_screen_count;

struct tui_page *tui_findings_page(const struct tui_data *data);
struct tui_page *tui_finding_page(const struct tui_data *data, const struct finding *f);
struct tui_page *tui_timeline_page(const struct tui_data *data);
/* Only the threads of a finding, around it; NULL = none of them is in the timeline. */
struct tui_page *tui_finding_timeline_page(const struct tui_data *data, const struct finding *f);
struct tui_page *tui_trace_page(const struct tui_data *data);
struct tui_page *tui_help_page(const struct tui_data *data);

struct tui_page *tui_locks_page(const struct tui_data *data);
struct tui_page *tui_threads_page(const struct tui_data *data);
struct tui_page *tui_tasks_page(const struct tui_data *data);
struct tui_page *tui_loops_page(const struct tui_data *data);
struct tui_page *tui_orders_page(const struct tui_data *data);

struct tui_page *tui_lock_page(const struct tui_data *data, const struct table_lock *lock);
struct tui_page *tui_thread_page(const struct tui_data *data, const struct table_thread *thread);
struct tui_page *tui_site_page(const struct tui_data *data, const struct table_site *site);
struct tui_page *tui_loop_page(const struct tui_data *data, const struct table_loop *loop);
struct tui_page *tui_order_page(const struct tui_data *data, const struct table_order *order);

/* Rows of the report's and the tables' pages as text, without styles: for pipes. `most` rows of each table. */
void tui_write_text(const struct tui_data *data, size_t most, FILE *out);

#endif
